"""``edge-asd selftest``: does this device compute what the bundle's maker computed?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from edge_asd.cli.common import BundleArgument, JsonOption, print_json

if TYPE_CHECKING:
    from edge_asd.selftest import SelfTest, Stage


def command(bundle: BundleArgument, json: JsonOption = False) -> None:
    """Replay the bundle's golden vectors on this device, stage by stage.

    Front end, quantisation and window scores must be equal; the model's outputs and the score may differ by
    rounding, within the bound that is printed. Exits with 1 where a stage is wrong.
    """
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.selftest import selftest

    done = selftest(Bundle.load(bundle))
    if json:
        print_json(
            {
                "bundle": str(bundle),
                "verdict": done.verdict,
                "runtime": done.runtime,
                "front_end": done.front_end,
                "made_with": done.made_with or None,
                "arithmetic": done.arithmetic,
                "stages": [asdict(stage) for stage in done.stages],
                "advice": done.advice,
            }
        )
    else:
        _print(done)
    if done.verdict == "wrong":
        raise typer.Exit(1)


def _print(done: SelfTest) -> None:
    made_with = f", made with {done.made_with}" if done.made_with else ""
    print(f"Runtime {done.runtime}, arithmetic {done.arithmetic}{made_with}; front end {done.front_end}.\n")
    for stage in done.stages:
        print(f"{stage.verdict:5}  {stage.name:13}  {_difference(stage)}")
    print(f"\nThis device is {done.verdict.upper()}." + (f" {done.advice}" if done.advice else ""))


def _difference(stage: Stage) -> str:
    if stage.verdict == "equal":
        return f"{stage.values:,} values" if stage.values > 1 else ""
    if stage.unit == "share":
        return f"differs by {stage.largest_difference:.4%}; bound {stage.bound:.4%}"
    bound = f"{stage.bound:g} {stage.unit}" if stage.bound else "none, they must be equal"
    return (
        f"{stage.differing:,} of {stage.values:,} values differ, by up to {stage.largest_difference:g} "
        f"{stage.unit}; bound {bound}"
    )
