"""What ``edge-asd calibrate`` has done, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asd.cli.common import counted, note, print_json
from edge_asd.cli.thresholds import describe, false_positives

if TYPE_CHECKING:
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.calibration.adapting import Adapted
    from edge_asd.calibration.fitting import Calibrated
    from edge_asd.calibration.heard import Heard, Request


def document(target: Path, bundle: Bundle, request: Request, heard: Heard, done: Calibrated) -> dict[str, Any]:
    """Return a calibration as plain JSON."""
    new, previous, section = done.threshold, done.previous, request.section
    return {
        "bundle": str(target),
        "machine": bundle.machine,
        "section": section,
        "domain": request.domain,
        "arithmetic": bundle.model_arithmetic,
        "files": heard.files,
        "seconds": round(heard.seconds, 3),
        "threshold": new.score,
        "previous": None if previous is None else previous.score,
        "method": new.method,
        "quantile": new.quantile,
        "clips": new.clips,
        "false_positives": false_positives(new),
        "false_alarms_per_day": request.false_alarms_per_day,
        "off_level_db": done.bundle.thresholds[section].off_level_db,
        "supported": None if done.promise is None else asdict(done.promise),
        "notes": done.notes,
    }


def print_calibrated(target: Path, request: Request, done: Calibrated, *, restored: bool) -> None:
    """Tell of a threshold that was fitted, or put back."""
    from edge_asd.false_alarms import CONFIDENCE, alarms_text

    unit, section, new, previous = done.bundle.kind.unit, request.section, done.threshold, done.previous
    print(f"Section {section}{f', {request.domain}' if request.domain else ''}: {describe(new, unit)}.")
    print(f"Before: {describe(previous, unit)}." if previous else "It had none before.")
    if (promise := done.promise) is not None:
        expected, highest = alarms_text(promise.alarms_per_day), alarms_text(promise.highest_alarms_per_day)
        print(
            f"Expect {expected} alarms a day on healthy sound like this: of {promise.decisions_per_day:,.0f} decisions "
            "a day over the threshold, only many close together make one. "
            f"{counted(promise.spans, 'score')} can promise no more than {highest} a day (with {100 * CONFIDENCE:g} % "
            "confidence)."
        )
    off = done.bundle.thresholds[section].off_level_db
    print(f"Machine off: {'never; sound of every level is judged' if off is None else f'below {off:.1f} dB'}.")
    print(f"{'Put back in' if restored else 'Written'}: {target}")
    print(f"Next: edge-asd monitor {target} --section {section}")


def report_learnt(
    target: Path, bundle: Bundle, request: Request, learnt: Adapted, *, restored: bool, json: bool
) -> None:
    """Tell of sound that was learnt, or put back."""
    from edge_asd.calibration.adapting import ENOUGH_SPANS

    section, domain = request.section, learnt.domain
    notes = []
    if learnt.spans < ENOUGH_SPANS and not restored:
        notes.append(
            f"Section {section}, {domain}: {counted(learnt.spans, 'score span')} may not show all of its healthy "
            f"sound; {ENOUGH_SPANS} are better."
        )
    for text in notes:
        note(f"Note: {text}")
    if json:
        print_json(
            {
                "bundle": str(target),
                "machine": bundle.machine,
                "section": section,
                "domain": domain,
                "spans": learnt.spans,
                "spans_before": learnt.before,
                "threshold": bundle.thresholds[section].score,
                "notes": notes,
            }
        )
        return
    known = f"{'again ' if restored else ''}known by {counted(learnt.spans, 'score span')}"
    print(
        f"Section {section}, {domain}: {known if learnt.spans else 'no longer known'}, "
        f"{f'before by {learnt.before}' if learnt.before else 'unknown before'}. The threshold stays."
    )
    print(f"{'Put back in' if restored else 'Written'}: {target}")
    print(f"Next: edge-asd monitor {target} --section {section}")
