"""The configuration: what it means, and what is refused with which words."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.bundle.policy import Policy
from edge_asd.errors import ConfigError
from edge_asd.monitor.config.kinds import keys_of
from edge_asd.monitor.config.layers import SOURCE_KEYS
from edge_asd.monitor.config.reading import MAX_BYTES, load_config, load_default_config
from edge_asd.monitor.config.settings import TABLES, ConfigFile, EvidenceConfig, NotifyConfig, RecordsConfig

FULL = """
bundle = "fan.easd"
interval_s = 2
heartbeat = "/run/edge-asd/heartbeat"
[policy]
alarm_after = "20/30"
cooldown_s = 120
[records]
folder = "records"
keep_days = 30
[evidence]
pre_s = 5
format = "wav"
[notify]
urls = ["ntfy://topic"]
on_alarm = "lamp on"
[sources.fan1]
device = "usb:0d8c:0014"
section = "0"
[sources."pump 2"]
command = "arecord -t raw"
rate = 48000
channels = 2
channel = 1
bundle = "/srv/pump.easd"
section = "03"
domain = "target"
policy = { cooldown_s = 0, release_percent = 5 }
"""


def load(folder: Path, text: str | bytes, **others: object) -> ConfigFile:
    path = folder / "edge-asd.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path, **{"environment": {}, **others})  # type: ignore[arg-type]


def refusal(folder: Path, text: str | bytes, **others: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **others)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_whole_file(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    fan, pump = config.sources
    assert (fan.name, fan.device, fan.section, fan.bundle) == ("fan1", "usb:0d8c:0014", "00", tmp_path / "fan.easd")
    assert (fan.interval_s, fan.rate, fan.channel, fan.gain_db, fan.off_level_db) == (2.0, 16000, 0, 0.0, None)
    assert (pump.name, pump.command, pump.bundle) == ("pump 2", "arecord -t raw", Path("/srv/pump.easd"))
    assert (pump.rate, pump.channels, pump.channel, pump.section, pump.domain) == (48000, 2, 1, "03", "target")
    assert fan.policy.policy(fan.interval_s) == Policy(needed=20, of=30, cooldown_s=120.0)
    assert pump.policy.policy(pump.interval_s) == Policy(needed=20, of=30, cooldown_s=0.0, release_percent=5)
    assert config.records == RecordsConfig(folder=tmp_path / "records", keep_days=30)
    assert config.evidence == EvidenceConfig(pre_s=5.0, format="wav")
    assert (config.notify.urls, config.notify.on_alarm) == (("ntfy://topic",), "lamp on")
    assert config.heartbeat == Path("/run/edge-asd/heartbeat")


def test_what_is_not_given_is_the_bundles_or_the_default() -> None:
    config = load_config(environment={}, flags={"bundle": "/fan.easd", "device": "USB Audio"})
    policy = config.sources[0].policy
    carried = Policy(needed=3, of=5, escalation_s=0.0)
    assert policy.policy(0.5) == Policy.for_interval(0.5)
    assert policy.policy(0.5, carried) == carried
    assert config.sources[0].name == "microphone"
    assert config.path is None


def test_flags_go_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "etc"
    folder.mkdir()
    text = """
        bundle = "a.easd"
        [policy]
        cooldown_s = 1
        escalation_s = 1
        minimum_s = 1
        [sources.fan]
        wav = "a.wav"
        section = "01"
        policy.cooldown_s = 2
        policy.escalation_s = 2
    """
    environment = {
        "EDGE_ASD_DEVICE": "USB",
        "EDGE_ASD_SECTION": "02",
        "EDGE_ASD_BUNDLE": "b.easd",
        "EDGE_ASD_RECORDS": "",
    }
    fan = load(folder, text, environment=environment).sources[0]
    assert (fan.name, fan.wav, fan.device, fan.section, fan.bundle) == ("fan", None, "USB", "02", tmp_path / "b.easd")
    flags = {"section": "3", "bundle": Path("c.easd"), "policy.cooldown_s": 3.0, "records.folder": "r", "device": None}
    config = load(folder, text, environment=environment, flags=flags)
    fan = config.sources[0]
    assert (fan.device, fan.section, fan.bundle) == ("USB", "03", tmp_path / "c.easd")
    policy = fan.policy
    assert (policy.cooldown_s, policy.escalation_s, policy.minimum_s) == (3.0, 2.0, 1.0)
    assert config.records.folder == tmp_path / "r"
    named = load_config(environment={"EDGE_ASD_CONFIG": "etc/edge-asd.toml"})
    assert (named.path, named.sources[0].wav) == (folder / "edge-asd.toml", folder / "a.wav")


def test_one_sources_variables_are_refused_for_several(tmp_path: Path) -> None:
    told = refusal(tmp_path, FULL, environment={"EDGE_ASD_DEVICE": "USB"})
    assert "the environment gives device" in told
    assert "fan1, pump 2" in told


def test_every_problem_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    told = refusal(
        tmp_path,
        """
        bundel = "fan.easd"
        cooldown_s = 3
        [policy]
        alarm_after = "6/5"
        cooldown_s = "60"
        [evidence]
        pre_s = true
        [sources.fan1]
        device = 3
        bundle = "fan.easd"
        fromat = 1
        """,
    )
    for words in (
        '"bundel" is no known key; did you mean "bundle"?',
        '"cooldown_s" is no known key there; it belongs to [policy]',
        "[policy] alarm_after should be text",
        '[policy] cooldown_s should be a number from 0 to 1e+09 s, not "60"',
        "[evidence] pre_s should be a number from 0 to 600 s, not true",
        "[sources.fan1] device should be text, as edge-asd devices prints it; never a number, not 3",
        '[sources.fan1] "fromat" is no known key',
    ):
        assert words in told
    many = refusal(tmp_path, "[records]\n" + "".join(f"key{i} = 1\n" for i in range(100)))
    assert "and 92 more" in many


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no source"),
        ("[sources.a]\ndevice = 'x'", "bundle is missing for the source a"),
        ("bundle = 'b'\n[sources.a]\n", "[sources.a] takes exactly one of device, wav, folder, command, stdin"),
        ("bundle = 'b'\n[sources.a]\ndevice = 'x'\nwav = 'y'", "not device and wav"),
        ("bundle = 'b'\n[sources.a]\ndevice = 'x'\nrate = 16000", "rate is for the raw PCM of command and stdin"),
        ("bundle = 'b'\n[sources.a]\nstdin = true\n[sources.b]\nstdin = true", "one standard input, and a and b"),
        ("bundle = 'b'\n[sources.a]\nstdin = false", "stdin should be true, not false"),
        ("bundle = 'b'\n[sources.'../a']\ndevice = 'x'", "a source's name has up to 64 letters"),
        ("sources = 3", "sources should be tables such as [sources.fan1], not 3"),
        ("policy = []", "[policy] should be a table, not []"),
        ("bundle = 'b'\n[sources]\na = 3", "[sources.a] should be a table, not 3"),
        ("interval_s = nan", "interval_s should be a number from 0.032 to 3600 s, not NaN"),
        ("channel = 1e400", "channel should be a whole number from 0 to 255, not Infinity"),
        ("bundle = 1979-05-27", 'bundle should be a path, not "1979-05-27"'),
        ("bundle = 'b'\nbundle = 'c'\nchannel = 3", "is not TOML: "),
        ('bundle = "b\\u0000"', "bundle should be a path"),
        ("a = ", "is not TOML: "),
        ("a = " + "[" * 100_000, "is not TOML"),
        ("channel = " + "9" * 10_000, "is not TOML"),
        (b"bundle = '\xff'", "is not UTF-8 (byte 10)"),
        (b"#" * (MAX_BYTES + 1), "larger than 1 MiB"),
    ],
)
def test_refusals(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_place_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "pipe", "not a file"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_config(path, environment={})


def test_notification_urls_are_no_part_of_messages(tmp_path: Path) -> None:
    told = refusal(tmp_path, "[notify]\nurls = ['mailto://me:secret@host', 3]\n")
    assert "[notify] urls should be an array" in told
    assert "secret" not in told
    (tmp_path / "urls").write_text("# whom to tell\n\n  ntfy://a\nmailto://me:secret@host\n")
    base = "bundle = 'b'\n[sources.a]\ndevice = 'x'\n[notify]\nurls_file = 'urls'\nurls = ['ntfy://a']\n"
    notify = load(tmp_path, base).notify
    assert notify.urls == ("ntfy://a", "mailto://me:secret@host")
    assert "secret" not in repr(notify)
    other = load(tmp_path, base, environment={"EDGE_ASD_NOTIFY_URLS": " ntfy://b\n ntfy://c "}).notify
    assert other.urls == ("ntfy://b", "ntfy://c", "ntfy://a", "mailto://me:secret@host")
    (tmp_path / "urls").write_text("mailto://me:secret@host\x00\n")
    assert "secret" not in refusal(tmp_path, base)
    (tmp_path / "urls").unlink()
    assert "Cannot read the notification URLs" in refusal(tmp_path, base)


def toml(value: object) -> str:
    """Write a value as TOML does, tables within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else repr(value)


NAMES = st.sampled_from(
    [*TABLES, "sources", "a", "policy", *SOURCE_KEYS, *keys_of(NotifyConfig), *keys_of(RecordsConfig)]
)
LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["b", "00", "45/60", "source", "flac", 1, 0.5, True]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@settings(max_examples=40)
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans())
def test_whatever_the_file_says_it_is_read_or_refused(document: dict[str, object], well: bool) -> None:
    if well:  # so that not only the refusals are tried
        document = {"bundle": "b", **document, "sources": {"a": {"device": "x"}}}
    with tempfile.TemporaryDirectory() as folder:
        try:
            config = load(
                Path(folder), "".join(f"{json.dumps(name)} = {toml(one)}\n" for name, one in document.items())
            )
        except ConfigError as error:
            told = str(error)
        else:
            told = config.sources[0].name
    assert len(told.splitlines()) == 1


def test_a_device_that_cannot_be_is_refused_rather_than_replaced_by_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EDGE_ASD_DEVICE", raising=False)
    for device in ("", "a\nb", "x" * 5000):
        with pytest.raises(ConfigError, match="device should be"):
            load_default_config(None, flags={"bundle": "b", "device": device}, name="microphone")


def test_a_missing_bundle_is_told_in_the_words_of_the_command_line() -> None:
    with pytest.raises(ConfigError, match=r"there is no bundle\. Give one as the first argument") as told:
        load_default_config(None, flags={"wav": "x.wav"}, name="x.wav")
    assert "sources" not in str(told.value)
