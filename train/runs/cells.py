"""The clips of a user's own machine by section and domain, and what its finished model makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from edge_asd.strict_json import StrictReader


@dataclass(frozen=True, slots=True)
class Cell:
    """The clips of one section and domain, and what a finished training makes of them.

    Attributes
    ----------
    section : str
    domain : str or None
        None where the clips' names do not tell.
    clips_fit, clips_held_back : int
    level_low_db, level_high_db : float [dB re full scale]
        RMS of the quietest and the loudest of all these clips.
    loss_fit, loss_held_back : float or None [dB^2, or nat for a classifier]
        The result's, on the clips fitted on and on those held back; None where there are none.
    """

    section: str
    domain: str | None
    clips_fit: int
    clips_held_back: int
    level_low_db: float
    level_high_db: float
    loss_fit: float | None
    loss_held_back: float | None

    @classmethod
    def read(cls, reader: StrictReader) -> Cell:
        """Read what ``run.json`` holds of it."""
        cell = cls(
            section=reader.take("section", str),
            domain=reader.optional("domain", str),
            clips_fit=reader.integer("clips_fit", 0, 2**31),
            clips_held_back=reader.integer("clips_held_back", 0, 2**31),
            level_low_db=reader.take("level_low_db", float),
            level_high_db=reader.take("level_high_db", float),
            loss_fit=reader.optional("loss_fit", float),
            loss_held_back=reader.optional("loss_held_back", float),
        )
        reader.finish()
        return cell
