"""Arrays that live in files: mapped into memory, read-only, without an open file each.

``mmap.mmap``, and `numpy.memmap` with it, keeps a file descriptor for every mapping (before Python
3.13); a machine's thousands of clips would run out of them. The C library's own mmap does not.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy as np
import numpy.typing as npt

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_ssize_t
)  # fmt: skip
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_FAILED = ctypes.c_void_p(-1).value


class _Mapping:
    """A file in memory for as long as an array refers to it."""

    def __init__(self, handle: int, size: int, offset: int, shape: tuple[int, ...]) -> None:
        self._address, self._size = None, size
        address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, handle, 0)
        if address == _FAILED:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._address = address
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "typestr": "<i4",
            "shape": shape,
            "data": (address + offset, True),
        }

    def __del__(self) -> None:
        if self._address is not None:
            _libc.munmap(self._address, self._size)


def map_int32(handle: int, size: int, offset: int, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Map little-endian int32 values of an open file; the file may be closed, and even removed, after that.

    Parameters
    ----------
    handle : int
        File descriptor.
    size : int > 0 [bytes]
        Length of the file.
    offset : int, multiple of 4 [bytes]
        Where the values start.
    shape : tuple of int
        It must fit the file: touching a page beyond its end kills the process.

    Raises
    ------
    OSError
        If the system has no more mappings to give.
    """
    return np.asarray(_Mapping(handle, size, offset, shape))
