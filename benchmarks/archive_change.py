"""An archive of a machine that begins to change, scored, asked by the query of docs/archives.md, and drawn.

    python benchmarks/archive_change.py FOLDER [--days 5] [--change 67] [--seed 0]

Makes in FOLDER a synthetic set of a fan, a distance detector of it, and an archive: a minute for each hour, each with a
working condition of its own. From hour `--change` on a wing is damaged, more and more until the end. Scores it with
`edge-asd score`, and writes change.png: each hour's mean score, the level beside it, and the hour that the query of the
page finds. Synthetic: no figure is one of MIMII DUE. Needs edge-asd[archive,train] and duckdb.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.report.drawing import BLUE, GREY, VERMILLION, new_figure
from edge_asd.train.synthesis.factory import factory_noise, factory_of
from edge_asd.train.synthesis.machines import NO_FAULT, machine_of
from edge_asd.train.synthesis.recipe import section_scale, to_pcm, tuned
from edge_asd.train.synthesis.signals import SAMPLE_RATE, normalised
from edge_asd.wav_writing import write_wav

PAGE = Path(__file__).resolve().parents[1] / "docs/archives.md"
SECTION, SECONDS = "00", 60
START = datetime(2026, 11, 2)


def run(*arguments: object) -> None:
    """Call a command of edge-asd."""
    subprocess.run([sys.executable, "-m", "edge_asd", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def query() -> str:
    """Return the query of the page."""
    return PAGE.read_text().split("```sql\n")[1].split("```")[0]


def bundle(folder: Path, seed: int) -> Path:
    """Make a distance detector of the fan, where it is not there yet."""
    data, made = folder / "data", folder / "fan.easd"
    if not made.exists():
        if not data.exists():
            run("data", "synth", data, "--preset", "tiny", "--machine", "fan", "--seed", seed)
        run("train", data, "--machine", "fan", "--model", "distance", "--out", folder / "run", "--overwrite")
        run("quantize", folder / "run", "--data", data, "--out", made)
    return made


def record(path: Path, number: int, severity: float, seed: int) -> None:
    """Write an hour's minute."""
    fan, row = machine_of("fan", SECTION), table1()["fan", SECTION]
    n = SECONDS * SAMPLE_RATE
    rng = np.random.default_rng([seed, MACHINES.index("fan"), int(SECTION), 9, number])
    condition = fan.condition("source", rng)
    fault = "wing damage" if severity else NO_FAULT
    machine = normalised(fan.sound(condition, n, rng, fault, severity))
    noise = tuned(factory_noise(factory_of("fan", SECTION, "source"), n, rng), 1.0, row.source.snr_db)
    write_wav(path, to_pcm(machine + noise, section_scale(row, 1.0, 0.0), rng), SAMPLE_RATE)


def archive(folder: Path, hours: int, change: int, seed: int) -> Path:
    """Write the recordings, where they are not there yet."""
    tree = folder / "archive/fan"
    tree.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        for number in range(hours):
            path = tree / f"{START + timedelta(hours=number):%Y-%m-%dT%H}.wav"
            severity = max(0.0, (number - change + 1) / (hours - change))
            if not path.exists():
                pool.submit(record, path, number, severity, seed)
    return tree.parent


def draw(path: Path, change: datetime) -> dict[str, Any]:
    """Ask, and draw the answer; the folder of scores is the current one."""
    found = duckdb.sql(query()).fetchall()
    hours = duckdb.sql(
        query().partition(")\nSELECT")[0] + ") SELECT hour, score, level_db, unusual FROM compared ORDER BY 1"
    )
    when, scores, levels, unusual = (list(column) for column in zip(*hours.fetchall(), strict=True))
    (threshold,) = duckdb.sql("SELECT any_value(threshold) / 65536 FROM 'scores/*.parquet'").fetchall()[0]
    figure = new_figure(9, 5)
    score_axes, level_axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    colours = [VERMILLION if one else BLUE for one in unusual]
    score_axes.scatter(when, scores, s=14, c=colours)
    score_axes.axhline(threshold, color=GREY, linestyle="--", linewidth=1)
    score_axes.annotate("threshold", (when[2], threshold), color=GREY, xytext=(0, 3), textcoords="offset points")
    score_axes.set_ylabel("mean score of an hour [times normal]")
    score_axes.set_title(
        "Fan, section 00, a minute of every hour (synthetic): when did it begin to change?", fontsize=11
    )
    level_axes.scatter(when, levels, s=8, color=GREY)
    level_axes.set_ylabel("level [dB]")
    for axes in (score_axes, level_axes):
        axes.axvline(change, color="black", linewidth=1)
        if found:
            axes.axvline(found[0][0], color=VERMILLION, linewidth=1, linestyle=":")
    top = score_axes.get_ylim()[1]
    score_axes.annotate(f"damage begins\n{change:%d %b, %H:00}", (change, top), ha="right", va="top", xytext=(-5, -4),
                        textcoords="offset points")  # fmt: skip
    if found:
        score_axes.annotate(f"the query's answer\n{found[0][0]:%d %b, %H:00}", (found[0][0], top), va="top",
                            color=VERMILLION, xytext=(5, -4), textcoords="offset points")  # fmt: skip
    figure.autofmt_xdate()
    figure.savefig(path, dpi=110)
    return {"began": change.isoformat(), "found": found[0][0].isoformat() if found else None}


def main() -> None:
    """Make, score, ask, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--change", type=int, default=67)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.folder.absolute()
    made = bundle(folder, options.seed)
    tree = archive(folder, 24 * options.days, options.change, options.seed)
    run("score", made, tree, "--section", SECTION, "--out", folder / "scores")
    os.chdir(folder / "scores")
    print(json.dumps(draw(folder / "change.png", START + timedelta(hours=options.change))))


if __name__ == "__main__":
    main()
