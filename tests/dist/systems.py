"""Bare systems, without a compiler: ``python -m tests.dist.systems`` builds them, as root; finished ones are used again."""

from __future__ import annotations

import sys

from tests.pi.build import CannotBuild, Recipe, build

_BARE = ("python3", "python3-venv")

SYSTEMS = {
    recipe.name: recipe
    for recipe in (
        Recipe("bare-bookworm-amd64", "bookworm", "amd64", _BARE, 36, "3.11"),
        Recipe("bare-bookworm-arm64", "bookworm", "arm64", _BARE, 36, "3.11"),
        Recipe("bare-trixie-amd64", "trixie", "amd64", _BARE, 41, "3.13"),
        Recipe("bare-trixie-arm64", "trixie", "arm64", _BARE, 41, "3.13"),
    )
}
"""By name; edge-asd runs in them."""

OLDEST = Recipe("bare-bullseye-amd64", "bullseye", "amd64", ("python3",), 31, "3.9")
"""Debian 11, whose glibc the wheels promise. Its Python is too old for edge-asd, but loads the compiled front end."""


def main() -> None:
    """Build them all, or say why not."""
    for recipe in (OLDEST, *SYSTEMS.values()):
        try:
            print(f"Machine: {build(recipe).root}", file=sys.stderr)
        except CannotBuild as error:
            sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
