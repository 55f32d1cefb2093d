"""Runs models on windows in every arithmetic: python run_models.py MODELS.npz RESULTS.npz; here and in the machine."""

from __future__ import annotations

import sys

import numpy as np

from edge_asd.interpreter import ARITHMETICS, Model

WINDOWS = "windows"
"""The array in MODELS that is no model."""


def main(models: str, results: str) -> None:
    """Write an array named NAME|ARITHMETIC for each model."""
    given = np.load(models)
    found = {}
    for name in given.files:
        for arithmetic in ARITHMETICS if name != WINDOWS else ():
            # They end within the network, which no detector's does.
            model = Model(given[name].tobytes(), arithmetic=arithmetic, check=lambda _: None)
            found[f"{name}|{arithmetic}"] = model.run(given[WINDOWS].reshape(-1, *model.input_shape))
    np.savez(results, **found)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
