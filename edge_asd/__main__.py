"""``python -m edge_asd``: the same as the command ``edge-asd``."""

import os
import sys

# Python puts the current folder first, where a user's own train.py or quantize/ may lie. When this
# package itself lies there (a checkout that is not installed), its stages do too.
try:
    folder = os.getcwd()
except FileNotFoundError:  # it was deleted: nothing of it can be imported
    folder = ""
if folder and sys.path and os.path.abspath(sys.path[0] or ".") == folder:
    del sys.path[0]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if root not in map(os.path.abspath, sys.path):
        sys.path.append(root)

from edge_asd.start import main

if __name__ == "__main__":
    main()
