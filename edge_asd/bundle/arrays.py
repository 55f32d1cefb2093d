"""A few named arrays of numbers in one npz file, read by their names, types and sizes and nothing else.

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

Arrays = Mapping[str, tuple[Any, tuple[int, ...]]]
"""Each array's type, and the numbers of dimensions that it may have."""

_HEADER_BYTES = 4096


def read_arrays(content: bytes, arrays: Arrays, *, file: str, most_bytes: int) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays.

    Parameters
    ----------
    content : bytes
        Of the file.
    arrays : mapping
        What it holds.
    file : str
        Its name, for messages.
    most_bytes : int
        Of all arrays together.

    Raises
    ------
    BundleError
        If arrays are missing, of other types, or too large, or the file holds anything else.
    """
    try:
        stream = io.BytesIO(content)
        check_directory(stream)
        with zipfile.ZipFile(stream) as archive:
            entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if missing := sorted(set(arrays) - set(entries)):
                raise BundleError(f"it lacks {missing[0]!r}")
            if len(archive.infolist()) != len(arrays):
                raise BundleError(f"it should hold {', '.join(arrays)}, and holds {len(archive.infolist())} entries")
            if sum(entry.file_size for entry in entries.values()) > most_bytes:
                raise BundleError(f"its arrays are larger than {most_bytes >> 10} KiB")
            return {name: _array(name, archive.read(entries[name]), *arrays[name]) for name in arrays}
    except BundleError as error:
        raise BundleError(f"The bundle's {file} cannot be used: {error}. Make the bundle anew.") from error
    except Exception as error:  # the readers raise whatever they meet in a damaged file
        raise BundleError(
            f"The bundle's {file} cannot be read: it holds no arrays of numbers. Make the bundle anew."
        ) from error


def write_arrays(**arrays: npt.NDArray[Any]) -> bytes:
    """Return the contents of a file that `read_arrays` reads."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(array, order="C") for name, array in arrays.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def _array(name: str, content: bytes, wanted: Any, dimensions: tuple[int, ...]) -> npt.NDArray[Any]:
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise BundleError(f"{name!r} is in another form than NumPy's first")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_HEADER_BYTES)
    if dtype != np.dtype(wanted).newbyteorder("<") or (fortran and len(shape) > 1):
        raise BundleError(f"{name!r} is {dtype} {shape}")
    if len(shape) not in dimensions or not all(type(n) is int and n >= 0 for n in shape):
        raise BundleError(f"{name!r} is {dtype} {shape}")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise BundleError(f"{name!r} says {shape} and holds {len(content) - file.tell()} bytes")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape).astype(wanted)
