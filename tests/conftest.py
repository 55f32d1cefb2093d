"""Fixtures for every test: real recordings where they are, and one small detector made from scratch."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from edge_asd.bundle.bundle import Bundle
from tests.data import MACHINE, MORE_TRAIN, make_tiny_data
from tests.golden.committed import NAMES

if TYPE_CHECKING:
    from tests.once import Once  # a plugin, which pytest is to load itself

# Modules whose fixtures every test may use; `tests.order` sorts the files.
pytest_plugins = [
    "tests.compiled_once",
    "tests.demo",
    "tests.in_process",
    "tests.once",
    "tests.order",
    "tests.packages",
    "tests.pulse",
]

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
def features_folder(shared_folder: Path) -> Iterator[Path]:
    """Keep computed features in a folder of the tests, never in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = shared_folder / "cache"
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
def tiny_data(once: Once) -> Path:
    """A made-up data set of the machine ``fan`` (see `tests.data`); do not change it, copy it."""
    return once("tiny_data", make_tiny_data)


@pytest.fixture(scope="session")
def run_folder(tiny_data: Path, once: Once) -> Path:
    """A run of three epochs on `tiny_data`; do not change it, copy it."""

    def make(folder: Path) -> None:
        from edge_asd.train.runs.fitting import Settings, train

        train(tiny_data, MACHINE, folder / "fan", Settings(epochs=3, batch_size=BATCH_SIZE))

    return once("run", make) / "fan"


@pytest.fixture(scope="session")
def bundle_path() -> Path:
    """The committed bundle of the autoencoder; do not change it, copy it."""
    return NAMES["ae"]


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """`bundle_path`, loaded."""
    return Bundle.load(bundle_path)


@pytest.fixture(scope="session")
def distance_data(once: Once) -> Path:
    """Like `tiny_data`, with as many training clips as the distance detector needs; do not change it, copy it."""
    return once("distance_data", lambda root: make_tiny_data(root, train=MORE_TRAIN))


@pytest.fixture(scope="session")
def distance_run(distance_data: Path, once: Once) -> Path:
    """A run of the distance detector on `distance_data`; do not change it, copy it."""

    def make(folder: Path) -> None:
        from edge_asd.train.runs.fitting import Settings, train

        train(distance_data, MACHINE, folder / "fan", Settings(model="distance", score_seconds=SCORE_SECONDS))

    return once("distance_run", make) / "fan"


@pytest.fixture(scope="session")
def distance_bundle() -> Bundle:
    """The committed bundle of the distance detector, loaded."""
    return Bundle.load(NAMES["distance"])


@pytest.fixture(scope="session")
def fresh_bundle(run_folder: Path, tiny_data: Path, once: Once) -> Path:
    """The bundle of `run_folder`, as `quantize` makes it today; do not change it, copy it."""

    def make(folder: Path) -> None:
        from edge_asd.quantize.pipeline import quantise_run

        quantise_run(run_folder, tiny_data, folder / "fan.easd", score_seconds=SCORE_SECONDS)

    return once("bundle", make) / "fan.easd"


@pytest.fixture(scope="session")
def section_data(once: Once) -> Path:
    """Like `tiny_data`, but of clips long enough for the section classifier; do not change it, copy it."""
    return once("section_data", lambda root: make_tiny_data(root, seconds=3.0))


@pytest.fixture(scope="session")
def section_run(section_data: Path, once: Once) -> Path:
    """A run of the section classifier, two epochs of one step on `section_data`; do not change it, copy it."""

    def make(folder: Path) -> None:
        from edge_asd.train.runs.fitting import Settings, train

        train(section_data, MACHINE, folder / "fan", Settings(model="mobilenetv2", epochs=2, learning_rate=1e-3))

    return once("section_run", make) / "fan"


@pytest.fixture(scope="session")
def section_bundle() -> Bundle:
    """The committed bundle of the section classifier."""
    return Bundle.load(NAMES["mobilenetv2"])
