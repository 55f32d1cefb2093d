"""What C libraries write to the standard error, and what Python does."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from edge_asd.quiet import quiet_libraries
quiet = [quiet_libraries(), quiet_libraries()]
def both(word):
    os.write(2, f"C{word} ".encode())
    print(f"P{word}", end=" ", file=sys.stderr, flush=True)
both(0)
for one in quiet:
    one.__enter__()
    both(1)
for which in map(int, sys.argv[1]):
    both(2)
    quiet[which].__exit__(None, None, None)
both(3)
"""


@pytest.mark.parametrize("order", ["01", "10"])
def test_two_may_end_in_any_order(order: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, order], capture_output=True, text=True, check=True)
    assert done.stderr == "C0 P0 P1 P1 P2 P2 C3 P3 "
