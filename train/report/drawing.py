"""What the report's pictures share: a figure without global state, colours, and data URIs."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_asd.bundle.kinds import KINDS
from edge_asd.clips import UNKNOWN_DOMAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by people of every colour vision, and in grey.
BLUE, ORANGE, VERMILLION, GREEN, GREY = "#0072B2", "#E69F00", "#D55E00", "#009E73", "#666666"

MODEL_COLOURS = dict(zip(KINDS, (BLUE, VERMILLION, GREEN), strict=True))
DOMAIN_COLOURS = {"source": BLUE, "target": VERMILLION, UNKNOWN_DOMAIN: GREEN}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the page.

    Attributes
    ----------
    uri : str
        The whole picture as a data URI.
    alt : str
        What it shows, for those who cannot see it.
    caption : str
    """

    uri: str
    alt: str
    caption: str


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure [inches] with a canvas of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> str:
    """Return a figure as a PNG in a data URI: for what has many pixels."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=160, metadata={"Software": None})
    return _uri("image/png", data)


def as_svg(figure: Figure) -> str:
    """Return a figure as an SVG in a data URI: for lines; the same figure always gives the same bytes."""
    import matplotlib

    data = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": "edge-asd"}):
        figure.savefig(data, format="svg", metadata=nothing)
    return _uri("image/svg+xml", data)


def _uri(kind: str, data: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
