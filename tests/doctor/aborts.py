"""A program that tells something and then aborts, or hangs."""

from __future__ import annotations

import json
import os
import resource
import sys
import time

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("not JSON\n[1]", flush=True)
    print(json.dumps({"told": 1}), flush=True)
    print("last words", file=sys.stderr, flush=True)
    if sys.argv[1:] == ["hang"]:
        time.sleep(600)
    os.abort()
