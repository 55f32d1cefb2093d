"""Makes distance.npz, the golden vectors of the distance detector: ``python -m tests.golden.make_distance``.

To be run only when `DISTANCE_NUMBER` changes: the vectors are what that number means.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.distance.blocks import Blocks, block_sums
from edge_asd.distance.distance import centre_scores, distances
from edge_asd.distance.features import clip_features
from edge_asd.distance.parameters import DISTANCE_NUMBER, Centre, Directions
from tests.distance.sounds import LEAST, MOST, frames

PATH = Path(__file__).parent / "distance.npz"
CASES = ((Blocks(), 4), (Blocks(7, 3), 12), (Blocks(1, 1), 2), (Blocks(100, 10), 2))
"""How the span is cut, and how many bands."""


def sounds(blocks: Blocks, n_mels: int) -> npt.NDArray[np.int32]:
    """Frames of two blocks more than a span: like a machine's, softer and softer, and the extremes."""
    count = blocks.span + 2 * blocks.frames
    of = frames(blocks.span, count, n_mels, spread=3.0)
    of[:, 1::4] = np.clip(of[:, 1::4].astype(np.int64) - (60 << 16), LEAST, MOST)
    of[: count // 2, 0] = LEAST
    of[count // 2 :, 0] = MOST
    return of


def model(n_mels: int) -> tuple[Directions, dict[str, Centre]]:
    """Directions and two centres, at random."""
    rng = np.random.default_rng(n_mels)
    vectors = rng.integers(-32767, 32768, (5, 2 * n_mels)).astype(np.int16)
    scale = 0.4 / np.sqrt((vectors.astype(float) ** 2).sum(axis=1))
    directions = Directions(vectors, np.rint(scale * 2.0**39).astype(np.int32))
    means = {"source": (-6400, 400 << 16), "target": (-5400, 3 << 16)}
    return directions, {
        domain: Centre((rng.integers(-900, 900, 2 * n_mels) + np.repeat([mean, 600], n_mels)).astype(np.int16), n)
        for domain, (mean, n) in means.items()
    }


def main() -> None:
    """Write the vectors and what made them."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for i, (blocks, n_mels) in enumerate(CASES):
        of = sounds(blocks, n_mels)
        directions, centres = model(n_mels)
        sums, features = block_sums(of, blocks), clip_features(of, blocks)
        arrays |= {f"frames_{i}": of, f"vectors_{i}": directions.vectors, f"multipliers_{i}": directions.multipliers,
                   f"power_{i}": sums.power, f"level_{i}": sums.level.astype(np.int32), f"square_{i}": sums.square,
                   f"features_{i}": features}  # fmt: skip
        for domain, scores in centre_scores(features, centres, directions).items():
            centre = centres[domain]
            arrays |= {f"{domain}_mean_{i}": centre.mean, f"{domain}_normaliser_{i}": np.array(centre.normaliser),
                       f"{domain}_distances_{i}": distances(features, centre, directions),
                       f"{domain}_scores_{i}": scores}  # fmt: skip
    made = {
        "distance_number": DISTANCE_NUMBER,
        "blocks": [[blocks.frames, blocks.count] for blocks, _ in CASES],
        "implementation": "edge_asd.distance",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    np.savez_compressed(PATH, about=np.array(json.dumps(made)), **arrays)
    print(f"{PATH}: {PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
