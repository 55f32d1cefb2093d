"""The image of docs/docker, without an engine."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.cli.dockerfile import build, copy_context, instructions

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docs/docker/Dockerfile"

LOOP = """
import os, time
from pathlib import Path
from edge_asd.monitor.service.heartbeat import Heartbeat
beat = Heartbeat(Path(os.environ["EDGE_ASD_HEARTBEAT"]))
while not Path("/tmp/stop").exists():
    beat.beat("fan1 healthy")
    time.sleep(0.1)
"""


def test_the_dockerfile_copies_what_there_is() -> None:
    ignored = {line.removeprefix("!") for line in (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().split()}
    copied = [rest.split() for name, rest in instructions(DOCKERFILE.read_text()) if name == "COPY"]
    sources = [word for words in copied if not words[0].startswith("--") for word in words[:-1]]
    assert {"pyproject.toml", "edge_asd", "LICENSE"} <= set(sources) <= ignored
    for source in sources:
        assert (ROOT / source).exists()


@pytest.mark.prove
def test_its_steps_in_a_bare_system(tmp_path: Path, bundle_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("needs root and debootstrap")
    image = build(DOCKERFILE, copy_context(tmp_path / "context"), tmp_path)
    etc = image.root / "etc/edge-asd"
    etc.mkdir()
    shutil.copy(bundle_path, etc / "fan.easd")
    (etc / "edge-asd.toml").write_text('bundle = "fan.easd"\n[sources.fan1]\ndevice = "USB"\nsection = "00"\n')
    for words in (
        ["--version"],
        ["selftest", "/etc/edge-asd/fan.easd"],
        ["service", "check"],
        [*image.command, "--help"],
    ):
        done, out = image.run([*image.entrypoint, *words])
        assert done == 0, out
    done, out = image.run(image.healthcheck)
    assert done == 1, out
    assert out.startswith("No heartbeat in /tmp/edge-asd-heartbeat")
    with image.popen(["/opt/edge-asd/bin/python", "-c", LOOP]):
        try:
            until = time.monotonic() + 60
            while image.run(image.healthcheck)[0] != 0:
                assert time.monotonic() < until
            assert image.run(["id", "-nG"])[1].split()[-1] == "audio"
        finally:
            (image.root / "tmp/stop").touch()
    done, out = image.run([*image.healthcheck, "--max-age", "10"])
    while done == 0:  # the loop has ended, and the last beat grows old
        time.sleep(1)
        done, out = image.run([*image.healthcheck, "--max-age", "10"])
    assert done == 1
    assert out.startswith("Not healthy: ")
