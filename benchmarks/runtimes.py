# ruff: noqa: E402
"""How far TFLite runtimes differ: one bundle's int8 outputs and clip scores in each of them.

    python benchmarks/runtimes.py BUNDLE... --data DATA [--environments DIR] [--litert-only] [--json]

Every clip of the bundle's machine in DATA goes through the front end and the quantisation once; the
same int8 windows then go through LiteRT (reference kernels, XNNPACK, built-in kernels; in this
process), through tflite-runtime 2.14 (the same three) and through TensorFlow Lite Micro, each in a
virtual environment of its own that pip fills: below DIR, where they are kept, or in a temporary
folder. Compared with LiteRT's reference kernels:

- differing: share of int8 outputs that differ,
- largest_lsb: their largest difference,
- score_difference, median_score_difference: of the clips' scores, as a share of the score; of a section classifier's,
  whose scores may be 0, as a share of its section's threshold.

For each machine it also tells how far all runtimes' scores of a clip lie apart, and how far those of
the runtimes that round alike: once from the accumulator to int8 (LiteRT's reference kernels and XNNPACK)
or twice (all others).

tflite-runtime 2.14 has no wheel for Python 3.12 or newer; --python names another interpreter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge_asd.bundle.bundle import Bundle
from edge_asd.cli.common import table
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import EdgeAsdError
from edge_asd.frontend import log_mel
from edge_asd.interpreter import ARITHMETICS, Model, runtime_name
from edge_asd.train.data.dataset import Dataset

WORKER = Path(__file__).with_name("runtime_worker.py")
ENVIRONMENTS = {
    "tflite-runtime": (["tflite-runtime==2.14.0", "numpy<2"], tuple(ARITHMETICS)),
    "tflite-micro": (["tflite-micro==0.dev20261023182759"], ("tflm",)),
}
"""What pip installs into each virtual environment, and the arithmetics to run there."""

ASKED_SPREAD = 0.001


@dataclass(frozen=True, slots=True)
class Row:
    """One machine in one runtime and arithmetic, compared with LiteRT's reference kernels."""

    machine: str
    runtime: str
    arithmetic: str
    clips: int
    windows: int
    differing: float
    largest_lsb: int
    score_difference: float
    median_score_difference: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How far runtimes' scores of a clip lie apart, as a share of `Material.sizes`.

    The largest over a machine's clips: of all runtimes, of those that round once and of those that
    round twice; and the number of clips where all lie further apart than `ASKED_SPREAD`.
    """

    machine: str
    clips: int
    largest: float
    rounding_once: float
    rounding_twice: float
    clips_beyond: int


class Material:
    """A bundle's int8 windows of every clip, and the scores that outputs give."""

    def __init__(self, bundle: Bundle, data: Path) -> None:
        self.bundle = bundle
        self._detector = load_detector(bundle)
        clips = Dataset(data, bundle.machine).clips
        self._sections = [clip.name.section for clip in clips]
        self.frames = [log_mel(c.read(bundle.features, bundle.window_frames).pcm, bundle.features) for c in clips]
        parts = [self._detector.windows(self._detector.quantise(frames)) for frames in self.frames]
        self._ends = np.cumsum([len(part) for part in parts])[:-1]
        self._limits = np.array([abs(bundle.thresholds[section].score) for section in self._sections])
        shape, _ = self._detector.shapes(bundle)
        self.windows = np.concatenate(parts).reshape(-1, *shape)

    def sizes(self, scores: np.ndarray) -> np.ndarray:
        """Return what differences of the clips' scores are shares of."""
        return self._limits if self.bundle.kind.classifies else np.abs(scores)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Score every clip from the outputs of all windows."""
        return np.array(
            [
                mean_score(self._detector.scores_of_outputs(self._detector.windows(frames), part, section))
                for frames, section, part in zip(
                    self.frames, self._sections, np.split(outputs, self._ends), strict=True
                )
            ]
        )


def environment(python: str, folder: Path, requirements: list[str]) -> Path:
    """Make a virtual environment, or take the one that is there; return its interpreter."""
    interpreter = folder / "bin" / "python"
    for command in (
        [python, "-m", "venv", folder],
        [interpreter, "-m", "pip", "install", "--quiet", *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EdgeAsdError(
                f"The environment {folder} with {', '.join(requirements)} cannot be made: "
                f"{done.stderr.strip() or done.stdout.strip()}"
            )
    return interpreter


def run_elsewhere(interpreter: Path, material: Material, arithmetic: str) -> tuple[np.ndarray, str]:
    """Run all windows in another environment; return the outputs and the runtime's name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(material.bundle.model)
        np.save(folder / "inputs.npy", material.windows)
        files = [folder / file for file in ("model.tflite", "inputs.npy", "outputs.npy")]
        done = subprocess.run([interpreter, WORKER, *files, arithmetic], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EdgeAsdError(f"{interpreter} could not run the model ({arithmetic}): {done.stderr.strip()}")
        return np.load(folder / "outputs.npy"), done.stdout.strip().splitlines()[-1]


def run_everywhere(material: Material, interpreters: dict[str, Path]) -> Iterator[tuple[np.ndarray, str, str]]:
    """Run all windows in every runtime and arithmetic, LiteRT's reference kernels first."""
    for arithmetic in ARITHMETICS:
        yield Model(material.bundle.model, arithmetic=arithmetic).run(material.windows), runtime_name(), arithmetic
    for name, interpreter in interpreters.items():
        for arithmetic in ENVIRONMENTS[name][1]:
            yield *run_elsewhere(interpreter, material, arithmetic), arithmetic


def compare(material: Material, interpreters: dict[str, Path]) -> tuple[list[Row], Spread]:
    """Compare a bundle in every runtime and arithmetic."""
    machine = material.bundle.machine
    rows: list[Row] = []
    all_scores: list[np.ndarray] = []
    for outputs, runtime, arithmetic in run_everywhere(material, interpreters):
        scores = material.scores(outputs)
        if not all_scores:
            reference, reference_scores, sizes = outputs.astype(int), scores, material.sizes(scores)
        all_scores.append(scores)
        difference = np.abs(outputs - reference)
        shares = np.abs(scores - reference_scores) / sizes
        rows.append(
            Row(
                machine=machine,
                runtime=runtime,
                arithmetic=arithmetic,
                clips=len(scores),
                windows=len(outputs),
                differing=float((difference != 0).mean()),
                largest_lsb=int(difference.max()),
                score_difference=float(shares.max()),
                median_score_difference=float(np.median(shares)),
            )
        )
    once = [row.runtime.startswith("LiteRT") and row.arithmetic != "litert-builtin" for row in rows]
    table_of_scores = np.array(all_scores)

    def spreads(which: list[bool]) -> np.ndarray:
        return np.ptp(table_of_scores[which], axis=0) / sizes

    everything = spreads([True] * len(rows))
    return rows, Spread(
        machine=machine,
        clips=len(everything),
        largest=float(everything.max()),
        rounding_once=float(spreads(once).max()),
        rounding_twice=float(spreads([not x for x in once]).max()),
        clips_beyond=int((everything > ASKED_SPREAD).sum()),
    )


def measure(options: argparse.Namespace, folder: Path) -> tuple[list[Row], list[Spread]]:
    """Make the environments below `folder` and compare every bundle."""
    interpreters = {
        name: environment(options.python, folder / name, requirements)
        for name, (requirements, _) in ({} if options.litert_only else ENVIRONMENTS).items()
    }
    rows, spreads = [], []
    for path in options.bundle:
        found, spread = compare(Material(Bundle.load(path), options.data), interpreters)
        rows += found
        spreads.append(spread)
    return rows, spreads


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--environments", type=Path, help="folder that keeps the virtual environments")
    parser.add_argument("--python", default=sys.executable, help="interpreter to make them with, 3.11 for all runtimes")
    parser.add_argument("--litert-only", action="store_true", help="no virtual environments")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        if options.environments:
            options.environments.mkdir(parents=True, exist_ok=True)
            rows, spreads = measure(options, options.environments.resolve())
        else:
            with tempfile.TemporaryDirectory() as folder:
                rows, spreads = measure(options, Path(folder))
    except EdgeAsdError as error:
        sys.exit(f"Error: {error}")
    if options.json:
        document = {"rows": [asdict(row) for row in rows], "spreads": [asdict(spread) for spread in spreads]}
        print(json.dumps(document, indent=1))
        return
    header = ["machine", "runtime", "arithmetic", "clips", "windows", "differing", "largest LSB", "score", "median"]
    cells = [
        [
            r.machine, r.runtime, r.arithmetic, str(r.clips), f"{r.windows:,}",
            f"{r.differing:.4%}", str(r.largest_lsb), f"{r.score_difference:.4%}", f"{r.median_score_difference:.4%}",
        ]
        for r in rows
    ]  # fmt: skip
    print(table(header, cells))
    print()
    header = ["machine", "clips", f"beyond {ASKED_SPREAD:.1%}", "all", "rounding once", "rounding twice"]
    cells = [
        [x.machine, str(x.clips), str(x.clips_beyond)]
        + [f"{share:.4%}" for share in (x.largest, x.rounding_once, x.rounding_twice)]
        for x in spreads
    ]
    print(table(header, cells))


if __name__ == "__main__":
    main()
