"""``edge-asd doctor``: what this installation has, and what is wrong here."""

from __future__ import annotations

import platform
from dataclasses import asdict

from edge_asd.cli.common import JsonOption, print_json


def command(json: JsonOption = False) -> None:
    """Tell which parts are in use here, what is missing, and how to mend it."""
    from edge_asd.doctor import computer, installation, microphones

    checks = [*installation.checks(), *microphones.checks(), *computer.checks()]
    if json:
        print_json(
            {
                "python": platform.python_version(),
                "machine": platform.machine(),
                "checks": [asdict(check) for check in checks],
            }
        )
        return
    version = installation.version_of("edge-asd")
    print(f"edge-asd {version}, Python {platform.python_version()} on {platform.machine()}\n")
    width = max(12, *(len(check.name) for check in checks))
    for check in checks:
        print(f"{'ok  ' if check.ok else 'look'}  {check.name:{width}}  {check.found}")
        if check.advice:
            print(f"      {'':{width}}  {check.advice}")
