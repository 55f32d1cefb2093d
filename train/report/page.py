"""From figures and pictures to one HTML page. Names of machines and files come from outside: all text is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edge_asd.files import printable
from edge_asd.train.report import data_tables, tables
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.figures import Figures
from edge_asd.train.report.results import COLUMNS, MODELS, SHORT, Reproduction


@dataclass(frozen=True, slots=True)
class Gallery:
    """The report's pictures.

    Attributes
    ----------
    spectrograms, scatters : sequence of Picture, or None
        None where the clips were not at hand.
    rocs : dict of str to Picture or None
        By machine; None where a class is missing.
    histograms : dict of str to sequence of Picture
        By machine.
    heard : sequence of Picture
        Which bands moved in flagged clips.
    """

    spectrograms: Sequence[Picture] | None
    scatters: Sequence[Picture] | None
    rocs: Mapping[str, Picture | None]
    histograms: Mapping[str, Sequence[Picture]]
    heard: Sequence[Picture] = ()


def render(reproduction: Reproduction, figures: Figures, gallery: Gallery) -> str:
    """Return the page: no script, no reference to anything outside of it."""
    environment = Environment(
        loader=PackageLoader("edge_asd.train.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = reproduction.data
    return environment.get_template("report.html").render(
        reproduction=reproduction,
        data=data,
        arguments=reproduction.arguments,
        figures=figures,
        gallery=gallery,
        models=MODELS,
        columns=COLUMNS,
        short=SHORT,
        paper=tables.paper_table(figures),
        gap=tables.gap_table(figures),
        by_column=[table for model in figures.models for table in tables.column_tables(figures, model)],
        official=data_tables.official_table(figures),
        clips=data_tables.clips_table(reproduction),
        thresholds=data_tables.thresholds_table(reproduction),
        clip_total=sum(count.clips for count in data.counts),
        whole_hash=_whole_hash(data.sha256),
    )


def _whole_hash(hashes: Mapping[str, str]) -> str:
    """Return one SHA-256 for those of all machines."""
    lines = "\n".join(f"{machine} {value}" for machine, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode("utf-8", "backslashreplace")).hexdigest()


def _finalize(value: Any) -> Any:
    """Make every name something that UTF-8 can hold."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
