"""Fetching the public sets of 2020 to 2026: from a record's list of files to clips in their folders.

records.py, archive_names.py and plan.py say what there is and what is wanted; client.py, retrying.py and resuming.py
fetch it; archives.py, layout.py, placing.py and placed.py put it in place; labels.py fetches the ground truth of 2021.
"""

from __future__ import annotations

from edge_asd.train.data.download.client import check_base_url
from edge_asd.train.data.download.labels import PLACE as GROUND_TRUTH_PLACE
from edge_asd.train.data.download.labels import SERVER as GROUND_TRUTH_SERVER
from edge_asd.train.data.download.outcomes import Outcome, Result, Servers
from edge_asd.train.data.download.plan import Wanted, wanted
from edge_asd.train.data.download.retrying import Patience
from edge_asd.train.data.download.running import download
from edge_asd.train.data.download.space import size_text
from edge_asd.train.data.download.work_folder import parts_in_place

__all__ = [
    "GROUND_TRUTH_PLACE",
    "GROUND_TRUTH_SERVER",
    "Outcome",
    "Patience",
    "Result",
    "Servers",
    "Wanted",
    "check_base_url",
    "download",
    "parts_in_place",
    "size_text",
    "wanted",
]
