"""Weight scales with which every TFLite runtime rounds a dense layer or a convolution alike.

A layer multiplies its accumulator by M = input scale * weight scale / output scale and rounds to whole steps of its
output. LiteRT's reference kernels round dense layers once, halves away from zero, and convolutions twice, first to a
multiple of about M; so do its optimised kernels, tflite-runtime 2.14 and TFLite Micro with both; XNNPACK rounds in
float32, halves to even. They differ at accumulators whose product lies within M of a half. Accumulators are whole
numbers: with 1 / M even, these products are the halves themselves and others at least M away, and with M a few
ten-millionths larger the halves lie beyond themselves, where all round away from zero. Such an M is less than 2 M above
any wanted one: a channel's weights get steps coarser by less than a hundredth, as a rule.

Below zero one difference is left, and no M can take it away: LiteRT's optimised convolutions round the second time half
up where all others round half away from zero. The first rounding makes a half of all products within 2^(s-1) of it, M
being in [2^(s-1), 2^s), and one accumulator at least lies there. So convolutions without activation are moved above
zero (`edge_asd.quantize.int8.levelling`), where ReLU6 keeps the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.requantisation import Integers, fixed_multiplier, rounded_once, rounded_twice

_TRIES = 16
_BEYOND = (3, 2, 4, 1, 8)
"""How far above 1 / N the multiplier is tried [steps of a float32]."""

_ACCUMULATORS = 2**31
"""An accumulator has 32 bits; an output that changes with more of them than there are is always the same."""

_NOT_BEYOND = (0,)
"""Where most halves still differ: with 1 / M just below a large power of two there is no room beyond them, and where
they are only every other one goes wrong, in float32."""


def agreeing_scales(
    input_scale: float, weight_scales: npt.NDArray[np.float64], output_scale: float, low: int, high: int
) -> npt.NDArray[np.float64]:
    """Enlarge weight scales to the next with which all runtimes round alike.

    Parameters
    ----------
    input_scale, output_scale : float
    weight_scales : ndarray [shape=(channels,)]
    low, high : int
        Ends of the output, in steps from its zero point.

    Returns
    -------
    scales : ndarray [shape=(channels,)]
        Of float32. Where no scale within reach serves all halves, the one that serves most: far from the
        zero point, halves are further beyond themselves than small multipliers leave room for.
    """
    return np.array([_agreeing(input_scale, float(scale), output_scale, low, high) for scale in weight_scales])


def _agreeing(input_scale: float, weight_scale: float, output_scale: float, low: int, high: int) -> float:
    best, fewest = weight_scale, 2 * (high - low) + 4
    whole = int(output_scale / (input_scale * weight_scale)) // 2 * 2
    if whole >= 2 * _ACCUMULATORS:
        return weight_scale
    for tried in (_BEYOND, _NOT_BEYOND):
        for steps in range(whole, max(0, whole - 2 * _TRIES), -2):
            # Around every half that the output can meet.
            halves = np.arange(2 * low - 1, 2 * high + 2, 2, dtype=np.int64) * (steps // 2)
            accumulators = halves[np.abs(halves) < _ACCUMULATORS, None] + np.arange(-1, 2)
            for beyond in tried:
                scale = float(np.float32(output_scale / (input_scale * steps) * (1 + beyond * 2.0**-23)))
                once, twice, in_float = roundings(accumulators, input_scale, scale, output_scale)
                differing = int(np.count_nonzero((once != twice) | (once != in_float)))
                if differing < fewest and scale >= weight_scale:
                    best, fewest = scale, differing
                if fewest == 0:
                    return best
        if fewest <= (high - low) / 2:
            break
    return best


def roundings(
    accumulators: Integers, input_scale: float, weight_scale: float, output_scale: float
) -> tuple[Integers, Integers, Integers]:
    """Round accumulators to steps of the output once, twice and in float32, as the runtimes do."""
    multiplier, shift = fixed_multiplier(input_scale * weight_scale / output_scale)
    scale = np.float32(input_scale) * np.float32(weight_scale) / np.float32(output_scale)
    return (
        rounded_once(accumulators, multiplier, shift),
        rounded_twice(accumulators, multiplier, shift),
        np.rint(accumulators.astype(np.float32) * scale).astype(np.int64),
    )
