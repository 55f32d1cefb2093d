"""Builds the extension module ``edge_asd.frontend._native`` from csrc; imports nothing of ours.

Run by setup.py when the package is installed. In a checkout: ``python setup.py build_ext --inplace``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent

_DECLARATIONS = """
    typedef struct { int32_t re; int32_t im; } edge_asd_complex;
    typedef struct {
        uint16_t n_fft, hop_length, n_mels;
        int32_t db_per_log2, floor_log2;
        const int32_t *window;
        const edge_asd_complex *twiddles, *odd_twiddles;
        const uint32_t *rising;
        const uint16_t *segment_bins;
        const int32_t *offset;
        const uint16_t *log2;
    } edge_asd_frontend_tables;
    typedef ... edge_asd_frontend;
    #define EDGE_ASD_FRONTEND_NUMBER ...
    size_t edge_asd_frontend_size(const edge_asd_frontend_tables *tables);
    edge_asd_frontend *edge_asd_frontend_init(void *memory, size_t bytes, const edge_asd_frontend_tables *tables);
    void edge_asd_frontend_reset(edge_asd_frontend *frontend);
    size_t edge_asd_frontend_push(edge_asd_frontend *frontend, const int16_t *pcm, size_t count, int32_t *frame,
                                  bool *ready);
    size_t edge_asd_quantise_input(const int32_t *db, size_t count, int32_t multiplier, int32_t zero_point, int8_t *q);

    typedef enum { EDGE_ASD_PLAIN, EDGE_ASD_NEON, EDGE_ASD_AVX2, EDGE_ASD_AVX512 } edge_asd_instructions;
    bool edge_asd_frontend_batch_supports(edge_asd_instructions instructions);
    size_t edge_asd_frontend_batch_size(const edge_asd_frontend_tables *tables);
    void edge_asd_frontend_batch(const edge_asd_frontend_tables *tables, const int16_t *pcm, size_t frames,
                                 int32_t *out, void *memory, edge_asd_instructions instructions);
    const char *edge_asd_sources(void);
"""


def source_hash() -> str:
    """Return the SHA-256 of everything the extension is built from [hexadecimal].

    The extension carries the hash of its own sources, so that a stale one is noticed.
    """
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted((_FOLDER / "csrc").glob("*.[ch]"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def builder() -> Any:
    """Return the cffi builder; without a compiler the build goes on without the extension."""
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    root = _FOLDER.parent.parent
    ffi.set_source(
        "edge_asd.frontend._native",
        '#include "edge_asd_frontend_batch.h"\n'
        f'static const char *edge_asd_sources(void) {{ return "{source_hash()}"; }}\n',
        # setuptools wants paths relative to setup.py
        sources=[str(path.relative_to(root)) for path in sorted((_FOLDER / "csrc").glob("*.c"))],
        depends=[str(path.relative_to(root)) for path in sorted((_FOLDER / "csrc").glob("*.h"))],
        include_dirs=[str((_FOLDER / "csrc").relative_to(root))],
        extra_compile_args=["-O2"],
        py_limited_api=True,
        optional=True,
    )
    return ffi
