"""Where the command ``edge-asd`` starts: nothing is imported before a Ctrl-C has somebody to answer it."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from edge_asd.cli import main

        main()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
