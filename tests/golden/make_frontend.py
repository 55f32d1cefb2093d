"""Makes frontend.npz, the golden vectors of the front end: ``python -m tests.golden.make_frontend``.

To be run only when `FRONTEND_NUMBER` changes: the vectors are what that number means.
"""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path

import numpy as np

from edge_asd.frontend import fixed_point
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from tests.frontend.signals import cases

PATH = Path(__file__).parent / "frontend.npz"
SPECS = (FeatureSpec(), FeatureSpec(8000, 512, 256, 40), FeatureSpec(48000, 2048, 480, 64))


def main() -> None:
    """Write the vectors and what made them."""
    arrays: dict[str, np.ndarray] = {}
    for i, spec in enumerate(SPECS):
        every = 4 if i == 0 else 12
        pcm = np.stack(list(cases(spec, frames=2).values())[::every])
        arrays[f"pcm_{i}"] = pcm
        arrays[f"frames_{i}"] = np.stack([fixed_point.log_mel(x, spec) for x in pcm])
    gcc = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    made = {
        "frontend_number": FRONTEND_NUMBER,
        "specs": [spec.as_dict() for spec in SPECS],
        "implementation": "edge_asd.frontend.fixed_point",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "gcc": gcc,
    }
    np.savez_compressed(PATH, about=np.array(json.dumps(made)), **arrays)
    print(f"{PATH}: {PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
