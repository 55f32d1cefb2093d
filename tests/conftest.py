"""Fixtures for every test: real recordings where they are, and one small detector made from scratch."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge_asd.bundle.bundle import Bundle
from tests.data import MACHINE, make_tiny_data

# Modules whose fixtures every test may use.
pytest_plugins = ["tests.demo", "tests.in_process", "tests.pulse"]

# The same examples everywhere, however slow or busy the machine: a failure is a change of ours.
settings.register_profile("edge_asd", deadline=None, derandomize=True)
settings.load_profile("edge_asd")

ROOT = Path(__file__).resolve().parent.parent

BATCH_SIZE = 64
"""Windows in a batch of the tiny run: eight batches an epoch instead of one, so that their order counts."""

SCORE_SECONDS = 1.5
"""Span of a score of the tiny detector: 45 frames, 41 windows."""


def pytest_configure(config: pytest.Config) -> None:
    """Excuse warnings that are others' own business (every other one is an error); hear Ctrl-C."""
    # A script that starts the tests in the background has them ignore it, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Keras converts TensorFlow's variables by np.array, whose copy keyword they do not know yet.
    keras = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning:keras"
    config.addinivalue_line("filterwarnings", keras)


@pytest.fixture(scope="session", autouse=True)
def features_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep computed features in a folder of the tests, never in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("EDGE_ASD_CACHE", str(folder))
        yield folder


def _shared(name: str) -> Path:
    folder = ROOT.parent / "shared" / "data" / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder ../shared/data/{name} beside the repository, which is not there")
    return folder


@pytest.fixture(scope="session")
def mimii_mini() -> Path:
    """Real clips of the MIMII data set, in the layout of MIMII DUE."""
    return _shared("mimii_mini")


@pytest.fixture(scope="session")
def official_format() -> Path:
    """Scores and decisions in the published file format, and the ``result.csv`` that belongs to them."""
    return _shared("official_format")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up data set of the machine ``fan`` (see `tests.data`); do not change it, copy it."""
    root = tmp_path_factory.mktemp("tiny_data")
    make_tiny_data(root)
    return root


@pytest.fixture(scope="session")
def run_folder(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs on `tiny_data`; do not change it, copy it."""
    from edge_asd.train.runs.fitting import Settings, train

    folder = tmp_path_factory.mktemp("run") / "fan"
    train(tiny_data, MACHINE, folder, Settings(epochs=3, batch_size=BATCH_SIZE))
    return folder


@pytest.fixture(scope="session")
def bundle_path(run_folder: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of `run_folder`; do not change it, copy it."""
    from edge_asd.quantize.pipeline import quantise_run

    path = tmp_path_factory.mktemp("bundle") / "fan.easd"
    quantise_run(run_folder, tiny_data, path, score_seconds=SCORE_SECONDS)
    return path


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """`bundle_path`, loaded."""
    return Bundle.load(bundle_path)


@pytest.fixture(scope="session")
def section_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like `tiny_data`, but of clips long enough for the section classifier; do not change it, copy it."""
    root = tmp_path_factory.mktemp("section_data")
    make_tiny_data(root, seconds=3.0)
    return root


@pytest.fixture(scope="session")
def section_run(section_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the section classifier, two epochs of one step on `section_data`; do not change it, copy it."""
    from edge_asd.train.runs.fitting import Settings, train

    folder = tmp_path_factory.mktemp("section_run") / "fan"
    train(section_data, MACHINE, folder, Settings(model="mobilenetv2", epochs=2, learning_rate=1e-3))
    return folder


@pytest.fixture(scope="session")
def section_bundle(section_run: Path, section_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of `section_run`, by the quickest method: what others do to convolutions, `test_methods` shows."""
    from edge_asd.quantize.pipeline import quantise_run

    path = tmp_path_factory.mktemp("section_bundle") / "fan.easd"
    quantise_run(section_run, section_data, path, score_seconds=2.8, quantisation="plain")
    return Bundle.load(path)
