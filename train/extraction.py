"""Features of one clip: from the store where it has them, computed and kept where it has not."""

from __future__ import annotations

from edge_asd.errors import DataError
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from train.dataset import Clip, file_digest, level_db
from train.feature_store import ClipFeatures, FeatureStore


def extract(clip: Clip, digest: bytes, spec: FeatureSpec, window_frames: int) -> ClipFeatures:
    """Compute a clip's features.

    Raises
    ------
    DataError
        If the clip cannot be used (see `Clip.read`), or its file is no longer the one with this SHA-256.
    """
    pcm = clip.read(spec, window_frames).pcm
    features = ClipFeatures(log_mel(pcm, spec), level_db(pcm))
    # Features kept under the hash of another sound would be wrong for ever.
    if file_digest(clip.path) != digest:
        raise DataError(f"{clip.path} changed while it was read. Wait until it is complete, and start again.")
    return features


def fetch(clip: Clip, store: FeatureStore | None, spec: FeatureSpec, window_frames: int) -> tuple[ClipFeatures, str]:
    """Return a clip's features, mapped from the store where that can be.

    Returns
    -------
    features : ClipFeatures
    trouble : str
        Why they could not be kept; "" where they were.
    """
    digest = file_digest(clip.path)
    if store is None:
        return extract(clip, digest, spec, window_frames), ""
    entry = store.read(digest)
    if entry is not None and len(entry.frames) >= window_frames:
        return entry, ""
    features = extract(clip, digest, spec, window_frames)
    try:
        store.write(digest, features)
    except OSError as error:
        return features, error.strerror or str(error)
    # Mapped, so that the memory is the file's; where the entry is gone again, what was computed.
    return store.read(digest) or features, ""
