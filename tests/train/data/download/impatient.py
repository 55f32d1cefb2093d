"""``edge-asd`` as a process that waits hundredths of a second where it would wait seconds."""

from __future__ import annotations

from edge_asd.start import main
from edge_asd.train.data import download

IMPATIENT = download.Patience(first_wait=0.01, longest_wait=0.05, longest_asked=5.0, connect=5.0, read=10.0)


if __name__ == "__main__":
    download.Patience = lambda: IMPATIENT  # type: ignore[misc, assignment]
    main()
