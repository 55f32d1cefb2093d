"""Recordings of any length, rate and name, cut into the clips of a user's own set.

`search` finds recordings, `cutting` says where clips may lie, `importer` does it, `report` is what was done, `advice`
is what the user should know.
"""

from __future__ import annotations

from edge_asd.audio.importing.cutting import Cuts
from edge_asd.audio.importing.importer import Importer

__all__ = ["Cuts", "Importer"]
