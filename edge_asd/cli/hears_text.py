"""What ``edge-asd evaluate`` prints beside its table.

How often healthy clips are flagged, what would be heard in them, and what was heard in flagged ones.
"""

from __future__ import annotations

import textwrap
from typing import Any

from edge_asd.cli.common import counted, table
from edge_asd.false_alarms import CONFIDENCE, lowest_rate

_WIDTH = 100


def healthy_text(report: Any) -> str:
    """Lay out a `edge_asd.quantize.evaluation.probe.report.Report` for people, within a hundred columns."""
    parts = []
    if report.false_alarms:
        parts.append(_false_alarms(report.false_alarms))
    if report.hears:
        parts.append(_hears(report))
    return "".join(f"\n{part}\n" for part in parts)


def heard_text(report: Any) -> str:
    """Lay out a `edge_asd.quantize.evaluation.heard.report.HeardReport` for people, within a hundred columns."""
    if report.why_not:
        return f"\n{textwrap.fill(report.why_not, _WIDTH)}\n"
    if not report.sections:
        return ""
    texts = "\n".join(textwrap.fill(one.text, _WIDTH) for one in report.sections)
    return (
        f"\nWhat it heard: the bands that the scores of flagged clips are about, in so many of them each:\n\n{texts}\n"
    )


def _false_alarms(rows: list[Any]) -> str:
    fewest = min(row.clips for row in rows)
    return (
        "False alarms on healthy test clips, which neither model nor threshold has seen:\n\n"
        + table(
            ["section", "domain", "flagged", "rate", "95 % interval"],
            [
                [
                    row.section,
                    row.domain or "-",
                    f"{row.flagged} of {row.clips}",
                    f"{row.rate:.0%}",
                    f"{row.low:.1%} to {row.high:.1%}",
                ]
                for row in rows
            ],
        )
        + f"\n\n{counted(fewest, 'clip')} cannot promise a rate below {lowest_rate(fewest):.1%}, even if none is "
        f"flagged (with {100 * CONFIDENCE:g} % confidence)."
    )


def _hears(report: Any) -> str:
    rows, header = [], ["section", "band", "clips"]
    for section, group in report.sections.items():
        faults = list(dict.fromkeys(hearing.fault for hearing in group))
        header = ["section", "band", "clips", *faults]
        for band in dict.fromkeys(hearing.band for hearing in group):
            found = {hearing.fault: hearing for hearing in group if hearing.band == band}
            clips = sorted({hearing.clips for hearing in found.values()})
            rows.append(
                [section, band.name, "-".join(map(str, clips)), *(found[fault].levels_text for fault in faults)]
            )
    legend = (
        "What it would hear: faults mixed into healthy test clips that are not flagged as they are, and the\n"
        "level in dB against the machine's own from which on half / nine tenths of these clips are flagged\n"
        "(- for never). They are made faults: your machine's may sound otherwise.\n\n"
    )
    summaries = "\n".join(textwrap.fill(text, _WIDTH) for text in report.summaries())
    return f"{legend}{table(header, rows)}\n\n{summaries}"
