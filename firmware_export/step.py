"""One call of a kernel in the exported network, as data: what it reads and writes, and its constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_asd.errors import ModelError


@dataclass(frozen=True, slots=True)
class Structure:
    """Parameters of a kernel that another kernel calls: an ``edge_asd_{kernel}_params``."""

    kernel: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A call ``edge_asd_{kernel}(&parameters, input, ..., output[, scratch])``.

    Attributes
    ----------
    kernel : str
        Of the C function; its parameters are an ``edge_asd_{kernel}_params``.
    inputs : tuple of int
        Tensors of the model that it reads, in the order of the arguments; constants are not among them.
    output : int
        Tensor that it writes.
    fields : mapping of str to value
        Members of the parameters, in the order of their declaration: an int; a float; an array or a `Structure`, which
        becomes a constant of its own that the member points to; weights, which lie in another order for each
        processor; or None.
    scratch : int >= 0 [bytes]
        Memory that it needs while it runs; a last argument where it is not 0.
    in_place : bool
        The output may lie where the first input lies.
    traced : tuple of int
        Tensors that it computes on its way to the output and never holds as a whole.
    """

    kernel: str
    inputs: tuple[int, ...]
    output: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    scratch: int = 0
    in_place: bool = False
    traced: tuple[int, ...] = ()


def refuse(place: int, kind: str, why: str) -> ModelError:
    """Make the error for an operation that cannot be exported.

    Parameters
    ----------
    place : int
        Of the operation in the model, from 1 on.
    kind : str
    why : str
        A clause, and after it what to do.
    """
    return ModelError(f"Operation {place} of the model, {kind}, cannot be exported: {why}")
