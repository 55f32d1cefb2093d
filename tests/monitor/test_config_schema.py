"""The published schema and reference are what the parser does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from edge_asd.errors import ConfigError
from edge_asd.monitor.config.reading import load_config
from edge_asd.monitor.config.schema import reference, schema, schema_text, variables
from tests.monitor.test_config import FULL

DOCS = Path(__file__).resolve().parents[2] / "docs"

VALIDATOR = jsonschema.Draft202012Validator(schema())

SOURCE = "bundle = 'b'\n[sources.a]\n"

GOOD = [
    FULL,
    SOURCE + "device = 'x'",
    SOURCE + "folder = 'x'\nsection = '7'",
    SOURCE + "stdin = true\nrate = 8000",
    "rate = 8000\n" + SOURCE + "device = 'x'",
    "[sources.'a b.c_d-e']\nbundle = 'b'\nwav = 'x'",
    SOURCE + "device = 'x'\nchannel = 3.0\ngain_db = -3",
    SOURCE + "device = 'x'\n[notify]\nevents = []\nperiod_s = 60",
]
BAD = [
    "",
    "bundle = 'b'",
    "bundle = 'b'\n[sources]",
    "[sources.a]\ndevice = 'x'",
    "[sources.a]\nbundle = 'b'\ndevice = 'x'\n[sources.b]\ndevice = 'x'",
    SOURCE,
    SOURCE + "device = 'x'\nwav = 'y'",
    SOURCE + "device = 'x'\nrate = 8000",
    SOURCE + "device = 'x'\nchannels = 1",
    SOURCE + "device = ''",
    SOURCE + 'device = "a\\nb"',
    SOURCE + "device = 3",
    SOURCE + "stdin = false",
    SOURCE + "device = 'x'\nsection = '100'",
    SOURCE + "device = 'x'\nsection = 0",
    SOURCE + "device = 'x'\ndomain = 'both'",
    SOURCE + "device = 'x'\nchannel = 256",
    SOURCE + "device = 'x'\nchannel = 0.5",
    SOURCE + "device = 'x'\nchannel = true",
    SOURCE + "device = 'x'\ngain_db = '3'",
    SOURCE + "device = 'x'\ninterval_s = 0",
    SOURCE + "device = 'x'\nname = 'y'",
    SOURCE + "device = 'x'\npolicy = { alarm_after = 3 }",
    SOURCE + "device = 'x'\npolicy = { of = 3 }",
    SOURCE + "device = 'x'\n[policy]\nalarm_after = '0/3'",
    SOURCE + "device = 'x'\n[records]\nminutes = 1",
    SOURCE + "device = 'x'\n[evidence]\nformat = 'mp3'",
    SOURCE + "device = 'x'\n[notify]\nevents = ['alarm', 'alarm']",
    SOURCE + "device = 'x'\n[notify]\nevents = ['fire']",
    SOURCE + "device = 'x'\n[notify]\nurls = 'ntfy://a'",
    "device = 'x'\n" + SOURCE + "device = 'x'",
    "path = 'x'\n" + SOURCE + "device = 'x'",
    "bundle = 'b'\n[sources.'.a']\ndevice = 'x'",
    "bundle = 'b'\nsources = []",
]


def test_the_published_schema_is_the_codes() -> None:
    assert (DOCS / "edge-asd.schema.json").read_text() == schema_text(), (
        "run: edge-asd service schema > docs/edge-asd.schema.json"
    )
    assert json.loads(schema_text()) == schema()
    VALIDATOR.check_schema(schema())


def test_the_published_reference_is_the_codes() -> None:
    text = (DOCS / "service.md").read_text()
    begin, end = "<!-- made by python -m edge_asd.monitor.config.schema -->\n", "<!-- end -->"
    assert text.split(begin)[1].split(end)[0] == reference()
    for variable in (*variables(), "EDGE_ASD_CONFIG"):
        assert f"`{variable}`" in text


@pytest.mark.parametrize("text", GOOD)
def test_schema_and_parser_take_the_same(tmp_path: Path, text: str) -> None:
    VALIDATOR.validate(tomllib.loads(text))
    (tmp_path / "c.toml").write_text(text)
    load_config(tmp_path / "c.toml", environment={})


@pytest.mark.parametrize("text", BAD)
def test_schema_and_parser_refuse_the_same(tmp_path: Path, text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tomllib.loads(text))
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_config(tmp_path / "c.toml", environment={})
