"""Run in Debian 11, as a file of its own: the compiled front end alone, in a Python that is too old for edge-asd.

``python extension.py EXTENSION.so VECTORS.npz`` prints, for each instruction set of the processor, how many values are
not those of the specification, as one JSON document. The vectors are the sound, the specification's log-mel spectrogram
and the tables.
"""

import ctypes
import json
import os
import platform
import sys
import types
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader

import numpy as np

NAME = "edge_asd.frontend._native"


def main() -> None:
    """Print it."""
    extension, vectors = sys.argv[1:]
    ctypes.CDLL(extension, os.RTLD_NOW)  # fails unless every symbol is found now
    sys.modules.update({name: types.ModuleType(name) for name in ("edge_asd", "edge_asd.frontend")})
    loader = ExtensionFileLoader(NAME, extension)
    spec = spec_from_loader(NAME, loader)
    native = module_from_spec(spec)
    loader.exec_module(native)
    ffi, lib = native.ffi, native.lib

    with np.load(vectors) as file:
        arrays = dict(file)
    pcm, expected, scalars = arrays.pop("pcm"), arrays.pop("log_mel"), json.loads(arrays.pop("scalars").item())
    tables = ffi.new("edge_asd_frontend_tables *", scalars)
    for name, array in arrays.items():
        setattr(tables, name, ffi.cast(ffi.typeof(getattr(tables, name)), ffi.from_buffer(array)))
    memory = np.empty(lib.edge_asd_frontend_batch_size(tables), np.uint8)
    differing = {}
    for name in ("PLAIN", "AVX2", "AVX512"):
        instructions = getattr(lib, f"EDGE_ASD_{name}")
        if lib.edge_asd_frontend_batch_supports(instructions):
            out = np.zeros_like(expected)
            places = ffi.from_buffer("int16_t[]", pcm), len(out), ffi.from_buffer("int32_t[]", out)
            lib.edge_asd_frontend_batch(tables, *places, ffi.from_buffer(memory), instructions)
            differing[name] = int((out != expected).sum())
    print(json.dumps({"glibc": platform.libc_ver()[1], "values": expected.size, "differing": differing}))


if __name__ == "__main__":
    main()
