"""A user's own set: where its clips go, the writer that lays them there, and the mark that tells it from MIMII DUE.

Clips lie as MIMII DUE's do (`edge_asd.clips`), below ``root/machine/{train,source_test,target_test}``, and the
machine's folder holds the mark `MARK`. Every fifth healthy clip of a section and domain goes into the test folder, so
that false alarms are measured on clips that neither model nor threshold has seen.
"""

from __future__ import annotations

from edge_asd.own_set.ledger import SoundPlace, imported_places
from edge_asd.own_set.mark import LEDGER, MARK, OWN_FILES, is_own
from edge_asd.own_set.naming import RATE, OwnSet
from edge_asd.own_set.writing import TEST_EVERY, ClipWriter

__all__ = [
    "LEDGER",
    "MARK",
    "OWN_FILES",
    "RATE",
    "TEST_EVERY",
    "ClipWriter",
    "OwnSet",
    "SoundPlace",
    "imported_places",
    "is_own",
]
