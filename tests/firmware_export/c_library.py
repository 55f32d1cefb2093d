"""The decision logic of the firmware, compiled for this machine and called from Python."""

from __future__ import annotations

import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cffi import FFI

from edge_asd.firmware_export.sources import CSRC
from edge_asd.frontend.c_tables import packed_tables
from edge_asd.frontend.spec import FeatureSpec

PARTS = ("health", "score", "decisions", "calibration")

# Macros with arguments are no part of a library; these functions are.
_LENGTHS = """
uint64_t windows_per_score(uint64_t frames, uint64_t hop, uint64_t span) {
    return EDGE_ASD_WINDOWS_PER_SCORE(frames, hop, span);
}
uint64_t waiting(uint32_t rate, uint64_t hop_length, uint64_t window_hop, uint64_t interval, uint64_t windows) {
    return EDGE_ASD_WAITING(rate, hop_length, window_hop, interval, windows);
}
"""


def declarations(header: str) -> str:
    """What a header declares, without its preprocessor lines."""
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
    text = text.replace("\\\n", "")
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


@cache
def load() -> tuple[Any, Any]:
    """Compile the parts with checks for undefined behaviour; return cffi's ``ffi`` and the library."""
    ffi = FFI()
    for part in PARTS:
        ffi.cdef(declarations((CSRC / f"edge_asd_{part}.h").read_text()))
    ffi.cdef("\n".join(line.replace(" {", ";") for line in _LENGTHS.splitlines() if line.endswith("{")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lengths.c").write_text(f'#include "edge_asd_decisions.h"\n{_LENGTHS}')
        sources = [folder / "lengths.c", *(CSRC / f"edge_asd_{part}.c" for part in PARTS)]
        flags = ["-std=c99", "-O1", "-shared", "-fPIC", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
        command = ["gcc", *flags, f"-I{CSRC}", *map(str, sources), "-o", str(folder / "parts.so")]
        subprocess.run(command, check=True, capture_output=True)
        return ffi, ffi.dlopen(str(folder / "parts.so"))


ffi, lib = load()

LOG2 = ffi.from_buffer("uint16_t[]", packed_tables(FeatureSpec()).arrays["log2"])


def samples(pcm: npt.NDArray[np.int16]) -> Any:
    """Pointer to contiguous samples; they must outlive its use."""
    return ffi.from_buffer("int16_t[]", pcm)
