"""``python -m edge_asd``: the same as the command ``edge-asd``."""

from edge_asd.start import main

if __name__ == "__main__":
    main()
