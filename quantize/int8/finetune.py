"""Quantisation-aware fine-tuning: weights trained on while int8 is imitated, the float model as teacher.

No labels and no loss of the original training are needed: the int8 model learns to answer as the float
model does, on representative windows. Roundings pass gradients straight through (Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018).
Scales stay those of the file, so only its integers change.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.int8.execution import compute, constants
from edge_asd.quantize.int8.graph import Graph, Operation
from edge_asd.quantize.int8.rounding import check_alike, store, weight_scales
from edge_asd.train.backend import import_keras, import_tensorflow, make_repeatable

STEPS, BATCH, RATE, SEED = 400, 64, 0.02, 0
"""Batches, their windows, and how far Adam moves a weight at a time, in steps of the weight."""

_LARGEST = 127


def finetune(float_model: bytes, int8_model: bytes, windows: npt.NDArray[np.float32]) -> bytes:
    """Train the integers of an int8 model's weights and biases.

    Parameters
    ----------
    float_model, int8_model : bytes
        The same model before and after conversion.
    windows : ndarray, float32 [shape=(n, ...)]
    """
    tf, keras = import_tensorflow(), import_keras()
    make_repeatable(SEED)
    reference, graph = Graph(float_model), Graph(int8_model)
    check_alike(reference, graph)
    pairs = list(zip(reference.weighted, graph.weighted, strict=True))
    teacher = constants(reference)
    student = [_Trained(tf, reference, graph, ours, theirs) for ours, theirs in pairs]
    ends = {ours: _ends(graph, theirs) for ours, theirs in zip(reference.activations, graph.activations, strict=True)}

    def imitate(tensor: int, value: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_args(value, *ends[tensor])

    optimiser = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, STEPS))
    variables = [v for layer in student for v in (layer.weights, layer.bias)]

    def step(batch: Any) -> None:
        wanted = compute(reference, batch, teacher)
        with tf.GradientTape() as tape:
            values = {}
            for layer in student:
                values.update(layer.values())
            loss = tf.reduce_mean(tf.square(compute(reference, batch, values, imitate) - wanted))
        optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    compiled = tf.function(step, jit_compile=False)
    rng = np.random.default_rng(SEED)
    for _ in range(STEPS):
        compiled(tf.constant(windows[rng.choice(len(windows), BATCH, replace=len(windows) < BATCH)]))
    for layer, (_, theirs) in zip(student, pairs, strict=True):
        store(graph, theirs, *layer.result())
    return graph.to_bytes()


class _Trained:
    """Weights of one operation in their own steps, and its bias in steps of the result."""

    def __init__(self, tf: Any, reference: Graph, graph: Graph, ours: Operation, theirs: Operation) -> None:
        self._tf, self._keys = tf, (ours.weights, ours.bias)
        weights = reference.constant(ours.weights)
        shape = [1] * weights.ndim
        shape[ours.channel_axis] = -1
        self._scales = weight_scales(graph, theirs).reshape(shape).astype(np.float32)
        self._start, self._step = reference.constant(ours.bias), np.float32(graph.quantisation(theirs.output)[0][0])
        self.weights = tf.Variable(weights / self._scales)
        self.bias = tf.Variable(np.zeros_like(self._start))

    def values(self) -> dict[int, Any]:
        rounded = self._tf.clip_by_value(self._tf.round(self.weights), -_LARGEST, _LARGEST)
        straight = self.weights + self._tf.stop_gradient(rounded - self.weights)
        return {self._keys[0]: straight * self._scales, self._keys[1]: self._start + self.bias * self._step}

    def result(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        integers = np.clip(np.round(self.weights.numpy().astype(np.float64)), -_LARGEST, _LARGEST)
        return integers, self._start + self.bias.numpy().astype(np.float64) * self._step


def _ends(graph: Graph, tensor: int) -> tuple[float, float]:
    scales, zero_points = graph.quantisation(tensor)
    return float(scales[0] * (-128 - zero_points[0])), float(scales[0] * (127 - zero_points[0]))
