"""Features of one clip: from the store where it has them, computed and kept where it has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge_asd.audio.health import level_db
from edge_asd.errors import DataError
from edge_asd.frontend import float_reference, log_mel
from edge_asd.frontend.spec import DB_FRACTION_BITS, FeatureSpec
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.hashes import digest_and_contents, file_digest
from edge_asd.train.features.store import ClipFeatures, FeatureStore

_AT_ONCE = 1 << 24
"""Largest file that is held in memory as a whole [bytes]; larger ones are read piece by piece, and twice."""

Kind = Literal["fixed", "float", "float-padded"]
"""The shipped front end; floating point on the same frames; the same as the published code pads it."""


def _fixed_point(db: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Round to Q15.16: as fine as float32 is between 64 and 128 dB."""
    fixed: npt.NDArray[np.int32] = np.rint(db * np.float32(1 << DB_FRACTION_BITS)).astype(np.int32)
    return fixed


_FRONT_ENDS: Mapping[Kind, Callable[[npt.NDArray[np.int16], FeatureSpec], npt.NDArray[np.int32]]] = {
    "fixed": log_mel,
    "float": lambda pcm, spec: _fixed_point(float_reference.log_mel(pcm, spec)),
    "float-padded": lambda pcm, spec: _fixed_point(float_reference.log_mel(pcm, spec, pad=True)),
}


def extract(
    clip: Clip,
    digest: bytes,
    spec: FeatureSpec,
    window_frames: int,
    kind: Kind = "fixed",
    contents: bytes | None = None,
) -> ClipFeatures:
    """Compute a clip's features, of its file's contents where they were read already.

    Raises
    ------
    DataError
        If the clip cannot be used (see `Clip.read`), or its file is no longer the one with this SHA-256.
    """
    pcm = clip.read(spec, window_frames, contents=contents).pcm
    features = ClipFeatures(_FRONT_ENDS[kind](pcm, spec), level_db(pcm))
    # Features kept under the hash of another sound would be wrong for ever.
    if contents is None and file_digest(clip.path) != digest:
        raise DataError(f"{clip.path} changed while it was read. Wait until it is complete, and start again.")
    return features


def fetch(
    clip: Clip, store: FeatureStore | None, spec: FeatureSpec, window_frames: int, kind: Kind = "fixed"
) -> tuple[ClipFeatures, str]:
    """Return a clip's features, mapped from the store where that can be.

    Returns
    -------
    features : ClipFeatures
    trouble : str
        Why they could not be kept; "" where they were.
    """
    digest, contents = digest_and_contents(clip.path, _AT_ONCE)
    if store is None:
        return extract(clip, digest, spec, window_frames, kind, contents), ""
    entry = store.read(digest)
    if entry is not None and len(entry.frames) >= window_frames:
        return entry, ""
    features = extract(clip, digest, spec, window_frames, kind, contents)
    try:
        return store.write(digest, features), ""
    except OSError as error:
        return features, error.strerror or str(error)
