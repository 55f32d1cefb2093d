"""The autoencoder on the synthetic data set `small`, beside what the paper's Table 4 says of MIMII DUE.

    python benchmarks/synthetic_auc.py [--machine fan ...] [--epochs 20] [--seed 0] [--keep DIR] [--json]

Makes the preset `small`, trains one autoencoder a machine on its three sections, quantises it and evaluates:
AUC of the float model and of the shipped int8 arithmetic, and of the clips' level alone. The two tables are not
the same data and cannot agree; the paper's is there to compare its pattern: above chance in the source domain,
lower in the target domain. Five machines take some ten minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from edge_asd.bundle import Bundle  # noqa: E402
from edge_asd.cli.common import figure, table  # noqa: E402
from quantize.evaluation import evaluate  # noqa: E402
from quantize.pipeline import quantise_run  # noqa: E402
from train.feature_cache import FeatureCache  # noqa: E402
from train.fitting import Settings, train  # noqa: E402
from train.synthesis import make_dataset  # noqa: E402
from train.table1 import MACHINES  # noqa: E402

# Autoencoder, source and target AUC of sections 00, 01 and 02 (Tanabe et al. 2021, Table 4).
PAPER = {
    "fan": ((0.667, 0.697), (0.674, 0.500), (0.642, 0.662)),
    "gearbox": ((0.560, 0.743), (0.728, 0.721), (0.590, 0.664)),
    "pump": ((0.675, 0.580), (0.824, 0.474), (0.639, 0.628)),
    "slider": ((0.741, 0.672), (0.822, 0.669), (0.783, 0.462)),
    "valve": ((0.503, 0.471), (0.535, 0.564), (0.599, 0.552)),
}


def run_machine(machine: str, epochs: int, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Take one machine through all stages; return a row a section and domain."""
    data = folder / "data"
    if not (data / machine).exists():
        print(f"{machine}: making clips", file=sys.stderr, flush=True)
        make_dataset(data, machine=machine, preset="small", seed=seed)
    cache = FeatureCache(folder / "cache")
    print(f"{machine}: training", file=sys.stderr, flush=True)
    run, bundle = folder / f"run-{machine}", folder / f"{machine}.easd"
    train(data, machine, run, Settings(epochs=epochs, seed=seed), cache=cache, overwrite=True)
    quantise_run(run, data, bundle, cache=cache)
    evaluation = evaluate(Bundle.load(bundle), data, folder / f"results-{machine}", cache=cache)
    return [
        {
            "machine": machine,
            "section": result.section,
            "domain": result.domain,
            "auc_float": result.auc_float,
            "auc_int8": result.auc_int8,
            "auc_level": result.auc_level,
            "auc_paper": PAPER[machine][int(result.section)][result.domain == "target"],
        }
        for result in sorted(evaluation.results, key=lambda r: (r.section, r.domain))
    ]


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare source with target, and float with int8."""
    aucs = {(row["machine"], row["section"], row["domain"]): row["auc_float"] for row in rows}
    source = [auc for key, auc in aucs.items() if key[2] == "source"]
    target = [auc for key, auc in aucs.items() if key[2] == "target"]
    lower = sum(aucs[m, s, "target"] < auc for (m, s, d), auc in aucs.items() if d == "source")
    return {
        "source_least": min(source),
        "source_most": max(source),
        "source_mean": sum(source) / len(source),
        "target_mean": sum(target) / len(target),
        "sections": len(source),
        "sections_with_lower_target": lower,
        "largest_change_by_int8": max(abs(row["auc_float"] - row["auc_int8"]) for row in rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", choices=MACHINES, nargs="*", default=list(MACHINES))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep data, features and bundles here")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        for machine in arguments.machine:
            rows += run_machine(machine, arguments.epochs, arguments.seed, folder)
    found = summary(rows)
    if arguments.json:
        print(json.dumps({"epochs": arguments.epochs, "seed": arguments.seed, "rows": rows, **found}, indent=2))
        return
    header = ["machine", "section", "domain", "AUC float", "AUC int8", "AUC level", "paper: MIMII DUE"]
    keys = ("auc_float", "auc_int8", "auc_level", "auc_paper")
    cells = [[row["machine"], row["section"], row["domain"], *(figure(row[key]) for key in keys)] for row in rows]
    print(table(header, cells))
    print(
        f"\nSource AUC {found['source_least']:.3f} to {found['source_most']:.3f}, mean {found['source_mean']:.3f}; "
        f"target mean {found['target_mean']:.3f}, lower in {found['sections_with_lower_target']} of "
        f"{found['sections']} sections. int8 changes an AUC by {found['largest_change_by_int8']:.4f} at most."
    )


if __name__ == "__main__":
    main()
