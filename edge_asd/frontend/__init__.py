"""Sound to log-mel spectrogram: one integer specification (`spec.FRONTEND_NUMBER`).

`fixed_point` is the specification in NumPy, `native` the same bits in C (csrc), and `tables` the
constants of both; `log_mel` and `Stream` here are the C where it was built, else NumPy.
`quantise_input` makes a model's int8 input of the result. `float_reference` is the
floating-point log-mel that the paper's baselines use.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from edge_asd.frontend.quantise_input import input_multiplier, quantise
from edge_asd.frontend.spec import DB_FRACTION_BITS, FRONTEND_NUMBER, FeatureSpec

__all__ = [
    "DB_FRACTION_BITS",
    "FRONTEND_NUMBER",
    "FeatureSpec",
    "Stream",
    "describe",
    "implementation",
    "input_multiplier",
    "log_mel",
    "quantise",
    "why_not_native",
]

_why_not: str | None = None

if TYPE_CHECKING:
    from edge_asd.frontend.native import Stream, log_mel
else:
    try:
        from edge_asd.frontend.native import Stream, log_mel
    except ImportError as error:
        from edge_asd.frontend.fixed_point import log_mel
        from edge_asd.frontend.numpy_stream import Stream

        _why_not = (
            f"The front end runs in NumPy, with the same results but slowly, because the C one is missing: {error}. "
            "Install a C compiler (on Debian: apt install gcc libc6-dev python3-dev), then: "
            "pip install --force-reinstall --no-deps edge-asd, "
            "or in a checkout: python setup.py build_ext --inplace."
        )
        logging.getLogger("edge_asd").warning(_why_not)


def implementation() -> Literal["native", "numpy"]:
    """Tell which front end `log_mel` and `Stream` are: ``native`` (C) or ``numpy``."""
    return "native" if _why_not is None else "numpy"


def describe() -> str:
    """Name the front end in use for a person: "C (avx2)", by the instructions it uses, or "NumPy"."""
    if implementation() == "numpy":
        return "NumPy"
    from edge_asd.frontend import native

    return f"C ({native.INSTRUCTIONS[0]})"


def why_not_native() -> str | None:
    """Explain, where NumPy is in use, why, and how to build the C front end; None otherwise."""
    return _why_not
