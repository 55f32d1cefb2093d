"""The front end in C: the same bits as `fixed_point`, eighty times as fast.

Importing this module fails with ImportError where the extension is missing or was built from
other sources than the ones beside it; `edge_asd.frontend` then takes `fixed_point` instead.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from edge_asd.errors import EdgeAsdError
from edge_asd.frontend.build_native import source_hash
from edge_asd.frontend.c_tables import packed_tables
from edge_asd.frontend.samples import check_samples
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec

try:
    from edge_asd.frontend._native import ffi, lib
except ImportError as error:
    raise ImportError(f"it was not built when edge-asd was installed ({error})") from error

if ffi.string(lib.edge_asd_sources()).decode() != source_hash() or lib.EDGE_ASD_FRONTEND_NUMBER != FRONTEND_NUMBER:
    raise ImportError("it was built from other sources than the ones installed")

_BY_WIDTH = {
    "avx512": lib.EDGE_ASD_AVX512,
    "avx2": lib.EDGE_ASD_AVX2,
    "neon": lib.EDGE_ASD_NEON,
    "plain": lib.EDGE_ASD_PLAIN,
}

INSTRUCTIONS = tuple(name for name, value in _BY_WIDTH.items() if lib.edge_asd_frontend_batch_supports(value))
"""Instruction sets this processor offers to `log_mel`, the fastest first; all give the same bits."""


@lru_cache(maxsize=8)
def _tables(spec: FeatureSpec) -> tuple[Any, list[Any]]:
    """Return the C structure and what must live as long as it."""
    packed = packed_tables(spec)
    tables = ffi.new("edge_asd_frontend_tables *", packed.scalars)
    alive = []
    for name, array in packed.arrays.items():
        pointer = ffi.from_buffer(array)
        alive.append(pointer)
        setattr(tables, name, ffi.cast(ffi.typeof(getattr(tables, name)), pointer))
    if lib.edge_asd_frontend_size(tables) == 0:
        raise EdgeAsdError(f"The C front end does not support {spec}.")
    return tables, alive


def _samples(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    check_samples(pcm)
    return np.ascontiguousarray(pcm)


def log_mel(
    pcm: npt.NDArray[np.int16], spec: FeatureSpec | None = None, *, instructions: str = INSTRUCTIONS[0]
) -> npt.NDArray[np.int32]:
    """Compute the fixed-point log-mel spectrogram of a mono signal, without padding.

    Releases the GIL: clips can be computed in several threads.

    Parameters
    ----------
    pcm : ndarray, int16 [shape=(n,)]
        Samples at `spec.sample_rate`; 32768 is full scale.
    spec : FeatureSpec, optional
        Frame, hop and band counts; the paper's by default.
    instructions : str
        One of `INSTRUCTIONS`, to test or to measure.

    Returns
    -------
    frames : ndarray, int32 [shape=(spec.frame_count(n), n_mels), dB in Q15.16]

    Raises
    ------
    EdgeAsdError
        If `pcm` is not a one-dimensional int16 array, or this processor lacks `instructions`.
    """
    spec = spec or FeatureSpec()
    pcm = _samples(pcm)
    if instructions not in INSTRUCTIONS:
        raise EdgeAsdError(f"This processor has no {instructions!r}; it has {', '.join(INSTRUCTIONS)}.")
    tables, _ = _tables(spec)
    count = spec.frame_count(pcm.size)
    out = np.empty((count, spec.n_mels), dtype=np.int32)
    if count > 0:
        memory = np.empty(lib.edge_asd_frontend_batch_size(tables), dtype=np.uint8)
        lib.edge_asd_frontend_batch(
            tables,
            ffi.from_buffer("int16_t[]", pcm),
            count,
            ffi.from_buffer("int32_t[]", out),
            ffi.from_buffer(memory),
            _BY_WIDTH[instructions],
        )
    return out


class Stream:
    """Log-mel frames of a signal that arrives piece by piece.

    Parameters
    ----------
    spec : FeatureSpec, optional
        Frame, hop and band counts; the paper's by default.
    """

    def __init__(self, spec: FeatureSpec | None = None) -> None:
        self.spec = spec or FeatureSpec()
        self._tables = _tables(self.spec)
        size = lib.edge_asd_frontend_size(self._tables[0])
        self._memory = ffi.new("uint64_t[]", (size + 7) // 8)
        self._frontend = lib.edge_asd_frontend_init(self._memory, size, self._tables[0])
        self._ready = ffi.new("bool *")
        self._spare = ffi.new("int32_t[]", self.spec.n_mels)
        self._lock = threading.Lock()  # the C runs without the GIL
        self._missing = self.spec.n_fft

    def reset(self) -> None:
        """Forget all samples: the next frame starts with the next sample."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        lib.edge_asd_frontend_reset(self._frontend)
        self._missing = self.spec.n_fft

    def __copy__(self) -> NoReturn:
        raise EdgeAsdError("A stream cannot be copied. Make another.")

    def __deepcopy__(self, _: object) -> NoReturn:
        raise EdgeAsdError("A stream cannot be copied. Make another.")

    def push(self, pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Take samples and return the frames they complete.

        Parameters
        ----------
        pcm : ndarray, int16 [shape=(n,)]
            The next samples, any number of them.

        Returns
        -------
        frames : ndarray, int32 [shape=(frames, n_mels), dB in Q15.16]
            As many frames as are complete now, possibly none.

        Raises
        ------
        EdgeAsdError
            If `pcm` is not a one-dimensional int16 array.
        KeyboardInterrupt
            Ctrl-C while samples are taken; the stream then starts anew, as after `reset`.
        """
        pcm = _samples(pcm)
        with self._lock:
            try:
                return self._push(pcm)
            except BaseException:
                # Interrupted between two frames: what was consumed is no longer known.
                self._forget()
                raise

    def _push(self, pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        hop = self.spec.hop_length
        count = 0 if pcm.size < self._missing else 1 + (pcm.size - self._missing) // hop
        out = np.empty((count, self.spec.n_mels), dtype=np.int32)
        rows = ffi.from_buffer("int32_t[]", out) if count else ffi.NULL
        samples = ffi.from_buffer("int16_t[]", pcm)
        used = 0
        for row in range(count):
            used += lib.edge_asd_frontend_push(
                self._frontend, samples + used, pcm.size - used, rows + row * self.spec.n_mels, self._ready
            )
        used += lib.edge_asd_frontend_push(self._frontend, samples + used, pcm.size - used, self._spare, self._ready)
        self._missing += count * hop - pcm.size
        return out


def quantise(db_q16: npt.NDArray[np.int32], multiplier: int, zero_point: int) -> tuple[npt.NDArray[np.int8], int]:
    """Quantise log-mel values as `edge_asd.frontend.quantise_input.quantise` does, in C."""
    values = np.ascontiguousarray(db_q16, dtype=np.int32)
    q = np.empty(values.shape, dtype=np.int8)
    clamped = lib.edge_asd_quantise_input(
        ffi.from_buffer("int32_t[]", values), values.size, multiplier, zero_point, ffi.from_buffer("int8_t[]", q)
    )
    return q, int(clamped)
