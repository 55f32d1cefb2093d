"""The arrays of a bundle's ``golden.npz``, read by their names, types and sizes and nothing else.

`numpy.load` believes what a file says of itself: it makes room for any shape, and takes any type. Here an entry's size
is looked at before it is unpacked, and its header must describe exactly the bytes that follow.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.container import check_directory
from edge_asd.errors import BundleError

ARRAYS: Mapping[str, tuple[Any, tuple[int, ...]]] = {
    "pcm": (np.int16, (1,)),
    "features": (np.int32, (2,)),
    "model_input": (np.int8, (2,)),
    "model_output": (np.int8, (2, 3, 4)),
    "window_scores": (np.int32, (1,)),
    "score": (np.int64, (0,)),
}
"""Each array's type, and the numbers of dimensions that it may have."""

MAX_BYTES = 8 * 2**20
"""Of all arrays together; those of the longest windows take 6 MiB."""

_HEADER_BYTES = 4096


def read_golden(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays.

    Raises
    ------
    BundleError
        If arrays are missing, of other types, or too large, or the file holds anything else.
    """
    try:
        file = io.BytesIO(content)
        check_directory(file)
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if missing := sorted(set(ARRAYS) - set(entries)):
                raise BundleError(f"the golden vectors lack {missing[0]!r}")
            if len(archive.infolist()) != len(ARRAYS):
                raise BundleError(f"it should hold {', '.join(ARRAYS)}, and holds {len(archive.infolist())} entries")
            if sum(entry.file_size for entry in entries.values()) > MAX_BYTES:
                raise BundleError(f"its arrays are larger than {MAX_BYTES >> 20} MiB")
            return {name: _array(name, archive.read(entries[name])) for name in ARRAYS}
    except BundleError as error:
        raise BundleError(f"The bundle's golden.npz cannot be used: {error}. Make the bundle anew.") from error
    except Exception as error:  # the readers raise whatever they meet in a damaged file
        raise BundleError(
            "The bundle's golden.npz cannot be read: it holds no arrays of numbers. Make the bundle anew."
        ) from error


def _array(name: str, content: bytes) -> npt.NDArray[Any]:
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise BundleError(f"{name!r} is in another form than NumPy's first")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_HEADER_BYTES)
    wanted, dimensions = ARRAYS[name]
    if dtype != np.dtype(wanted).newbyteorder("<") or (fortran and len(shape) > 1):
        raise BundleError(f"{name!r} is {dtype} {shape}")
    if len(shape) not in dimensions or not all(type(n) is int and n >= 0 for n in shape):
        raise BundleError(f"{name!r} is {dtype} {shape}")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise BundleError(f"{name!r} says {shape} and holds {len(content) - file.tell()} bytes")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape).astype(wanted)
