"""What the C must equal: the runtime of the model's arithmetic, every tensor of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DependencyError
from edge_asd.firmware_export.network import Network
from edge_asd.firmware_export.tflm import TflmModel
from edge_asd.interpreter import Model, runtime_name


@dataclass(frozen=True, slots=True)
class Reference:
    """Outputs of a runtime.

    Attributes
    ----------
    name : str
        Of the runtime.
    outputs : ndarray [shape=(windows, values)]
    tensors : mapping of int to bytes
        What every computed tensor held, window after window.
    """

    name: str
    outputs: npt.NDArray[Any]
    tensors: Mapping[int, bytes]


def reference(network: Network, content: bytes, windows: npt.NDArray[Any]) -> Reference | None:
    """Run a model where its arithmetic is at home.

    Parameters
    ----------
    network : Network
        Whose `twice` tells the runtime: TensorFlow Lite Micro, else LiteRT's reference kernels.
    content : bytes
    windows : ndarray [shape=(n, values)]

    Returns
    -------
    reference : Reference or None
        None where that runtime is not installed.
    """
    model = _tflm(content) if network.twice else _litert(content)
    if model is None:
        return None
    name = model.runtime if network.twice else f"{runtime_name()}'s reference kernels"
    parts: dict[int, list[bytes]] = {tensor: [] for tensor in network.computed()}
    outputs = []
    shape = network.input.shape[1:]
    for window in windows:
        outputs.append(model.run(window.reshape(1, *shape)).reshape(-1).copy())
        for tensor, values in parts.items():
            values.append(np.ascontiguousarray(model.activation(tensor)).tobytes())
    return Reference(name, np.array(outputs), {tensor: b"".join(values) for tensor, values in parts.items()})


def _litert(content: bytes) -> Any:
    # `read_network` has checked the model more strictly than the runtime needs.
    return Model(content, arithmetic="litert-ref", keep_activations=True, check=len)


def _tflm(content: bytes) -> Any:
    try:
        return TflmModel(content)
    except DependencyError:
        return None
