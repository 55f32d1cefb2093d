"""The data set's recipe (section 2.2 of the MIMII DUE paper) as code, with physical models of the five machines.

machines/ makes the sounds, factory.py the noise, room.py the echo; recipe.py and clip.py mix them, presets.py says how
many, writing.py writes them, machine_sets.py those of several machines; recordings.py does the same with a user's own
recordings, turning.py lets a machine fail.
"""

from __future__ import annotations

from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.synthesis.clip import SEVERITIES, ClipPlan, make_clip
from edge_asd.train.synthesis.machine_sets import make_machines
from edge_asd.train.synthesis.presets import PRESETS
from edge_asd.train.synthesis.recordings import mix_recordings, recorded_noise
from edge_asd.train.synthesis.turning import make_turning_file
from edge_asd.train.synthesis.writing import make_dataset, whole_folder

__all__ = [
    "MACHINES",
    "PRESETS",
    "SEVERITIES",
    "ClipPlan",
    "make_clip",
    "make_dataset",
    "make_machines",
    "make_turning_file",
    "mix_recordings",
    "recorded_noise",
    "whole_folder",
]
