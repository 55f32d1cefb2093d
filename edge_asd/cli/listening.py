"""Options that say how sound is listened to and judged, the same for what listens now and for archives."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_asd.cli.choices import DomainName
from edge_asd.cli.common import finite

SectionOption = Annotated[
    str | None, typer.Option(help="Section whose threshold decides; may be left out if there is only one.")
]
DomainOption = Annotated[
    DomainName | None, typer.Option(help="Decide by this domain's own threshold, where the section has one.")
]
ChannelNumberOption = Annotated[int | None, typer.Option(min=0, help="Channel to listen to.  [default: 0]")]
GainOption = Annotated[
    float | None,
    typer.Option(
        min=-60,
        max=60,
        callback=finite,
        help="Digital gain [dB]. It cannot restore what was clipped, or too soft, when the sound was digitised: "
        "set the input's own level first.  [default: 0]",
    ),
]
IntervalOption = Annotated[
    float | None,
    typer.Option(min=0.032, max=3600, callback=finite, help="Seconds between two decisions.  [default: 1]"),
]
OffLevelOption = Annotated[
    float | None,
    typer.Option(
        min=-120,
        max=0,
        callback=finite,
        help="The machine is off, and is not judged, where it is quieter than this [dB re full scale]. By default "
        "as calibrated.",
    ),
]
