"""``edge-asd bench``: does a bundle keep up on this device, and with how much to spare?"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge_asd.cli.common import BundleArgument, JsonOption, note, print_json, table
from edge_asd.cli.progress import Progress

if TYPE_CHECKING:
    from edge_asd.benchmarking import Bench, Timing
    from edge_asd.bundle.bundle import Bundle


def command(bundle: BundleArgument, json: JsonOption = False) -> None:
    """Time each stage of a bundle on this device, in each arithmetic, and say whether it keeps up.

    It takes a few seconds. Load is the share of one core, headroom how many times faster than the
    sound it is.
    """
    from edge_asd.benchmarking import advice, bench, disturbance
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.threads import cores

    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    loaded = Bundle.load(bundle)
    with Progress() as line:
        found = bench(bundle, loaded, lambda what: line(f"timing {what}"))
    if (disturbed := disturbance(busy, cores())) is not None:
        note(f"Note: {disturbed}")
    what_to_do = advice(found, loaded)
    if json:
        print_json(_document(loaded.machine, loaded.detector, found, what_to_do))
    else:
        _print(loaded, found, what_to_do)


def _print(loaded: Bundle, found: Bench, what_to_do: str | None) -> None:
    from edge_asd.benchmarking import ENOUGH

    hop_ms = 1000 * loaded.features.hop_length / loaded.features.sample_rate
    print(f"{loaded.machine}, {loaded.kind.title}: {found.runtime}, front end {found.front_end_name}\n")
    print(table(["stage", "arithmetic", "", "us a call", "load", "headroom"], _rows(found)))
    print()
    if found.start_s is not None:
        memory = f", {found.peak_bytes / 1e6:.0f} MB at its peak" if found.peak_bytes else ""
        print(f"Start: {found.start_s:.2f} s from the first import to the first window's score{memory}.")
    every = f"at every hop ({hop_ms:.0f} ms)" if loaded.window_hop == 1 else f"every {loaded.window_hop} hops"
    if not found.keeps_up:
        verdict = f"It does NOT keep up here: a second of sound takes {1 / found.headroom:.1f} s"
    elif found.headroom < ENOUGH:
        verdict = f"It hardly keeps up here, with a headroom of {found.headroom:.1f} where {ENOUGH:g} are wanted"
    else:
        verdict = (
            f"It keeps up here, {found.headroom:.0f} times faster than the sound ({1 / found.headroom:.1%} of a core)"
        )
    print(f"{verdict}, scoring {every} in {found.record}, the arithmetic of record.")
    if what_to_do is not None:
        print(what_to_do)


def _rows(found: Bench) -> list[list[str]]:
    rows = [
        ["front end, a hop", "", "", *_cells(found.front_end)],
        *([["quantise, a window's new frames", "", "", *_cells(found.quantise)]] if found.quantise else []),
        ["score, a window", "", "", *_cells(found.score)],
    ]
    for name, one in found.arithmetics.items():
        mark = "of record" if one.of_record else ""
        if one.model is None or one.whole is None:
            rows.append(["model, a window", name, "cannot run", "-", "-", "-"])
            continue
        rows.append(["model, a window", name, mark, *_cells(one.model)])
        rows.append(["samples to decisions, a window", name, mark, *_cells(one.whole)])
    return rows


def _cells(timing: Timing) -> list[str]:
    return [f"{timing.call_us:,.0f}", f"{timing.load:.2%}", f"{timing.headroom:,.1f}"]


def _document(machine: str, detector: str, found: Bench, what_to_do: str | None) -> dict[str, Any]:
    def timing(one: Timing | None) -> dict[str, float] | None:
        return None if one is None else {**asdict(one), "headroom": one.headroom}

    return {
        "machine": machine,
        "detector": detector,
        "runtime": found.runtime,
        "front_end": found.front_end_name,
        "arithmetic": found.record,
        "stages": {name: timing(getattr(found, name)) for name in ("front_end", "quantise", "score")},
        "arithmetics": {
            name: {
                "of_record": one.of_record,
                "model": timing(one.model),
                "whole": timing(one.whole),
                "why_not": one.why_not or None,
            }
            for name, one in found.arithmetics.items()
        },
        "start_s": found.start_s,
        "peak_bytes": found.peak_bytes,
        "headroom": found.headroom,
        "keeps_up": found.keeps_up,
        "advice": what_to_do,
    }
