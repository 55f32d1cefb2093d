"""``edge-asd`` as a process that waits hundredths of a second where it would wait seconds."""

from __future__ import annotations

import os
import resource

from edge_asd.start import main
from edge_asd.train.data import download

IMPATIENT = download.Patience(first_wait=0.01, longest_wait=0.05, longest_asked=5.0, connect=5.0, read=10.0)


LARGEST_FILE = "TEST_LARGEST_FILE"
"""Environment variable: no file that the process writes may have more bytes, as on a full disk."""

if __name__ == "__main__":
    if limit := int(os.environ.get(LARGEST_FILE) or 0):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    download.Patience = lambda: IMPATIENT  # type: ignore[misc, assignment]
    main()
