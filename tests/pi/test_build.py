"""Half a machine is not taken for one, and what cannot be built is said before anything is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pi import build

APT = """#!/bin/sh
echo "bookworm-security http://security.example/debian-security/ Debian Debian-Security"
echo "trixie http://other.example/debian/ Debian Debian"
echo "bookworm mirror+file:/etc/apt/mirrors/debian.list Debian Debian"
echo "bookworm http://mirror.example/debian/ Debian Debian"
"""


def test_only_a_whole_machine_of_this_recipe_is_used_again(tmp_path: Path) -> None:
    stamp = tmp_path / "edge-asd-machine.json"
    assert not build.complete(tmp_path / "nothing")
    assert not build.complete(tmp_path)
    for content, whole in (
        ("{", False),
        (json.dumps({"suite": "bookworm"}), False),
        (json.dumps(build.PI.stamp), True),
    ):
        stamp.write_text(content)
        assert build.complete(tmp_path) is whole


def test_the_mirror_is_that_of_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_ASD_PI_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program = tmp_path / "apt-get"
    program.write_text(APT)
    program.chmod(0o755)
    assert build.mirror() == "http://mirror.example/debian/"
    program.write_text("#!/bin/sh\nexit 100\n")
    with pytest.raises(build.CannotBuild, match="EDGE_ASD_PI_MIRROR=ADDRESS"):
        build.mirror()
    monkeypatch.setenv("EDGE_ASD_PI_MIRROR", "http://chosen.example/")
    assert build.mirror() == "http://chosen.example/"


def test_nothing_is_built_in_the_repository_or_without_its_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build.ROOT / "pi"
    monkeypatch.setattr(build, "FOLDER", folder)
    monkeypatch.setattr(build, "missing", lambda recipe: [])
    with pytest.raises(build.CannotBuild, match="is in the repository"):
        build.build()
    monkeypatch.setattr(build, "missing", lambda recipe: ["debootstrap: sudo apt install debootstrap"])
    with pytest.raises(build.CannotBuild, match="apt install debootstrap"):
        build.build()
    assert not folder.exists()
