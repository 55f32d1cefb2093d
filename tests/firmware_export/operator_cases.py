"""Models of one operation each, with inputs: all int8 values wherever there are few enough of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.firmware_export.one_operator import Values, build, constant
from tests.firmware_export.runtimes import Case

_ALL = np.arange(-128, 128).astype(np.int8)
_ACTIVATIONS = (0, 1, 3)
_PAIRS = (np.repeat(_ALL, 256).reshape(1, 256, 256), np.tile(_ALL, 256).reshape(1, 256, 256))


def _float(value: float) -> float:
    return float(np.float32(value))


class _Made:
    """Random scales, zero points and inputs, the same in every run."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def scale(self, low: float = -6, high: float = 1) -> float:
        return _float(np.exp(self.rng.uniform(low, high)))

    def zero(self) -> int:
        return int(self.rng.choice([-128, 127, 0, *self.rng.integers(-128, 128, 4)]))

    def int8(self, shape: tuple[int, ...], largest: int = 128) -> npt.NDArray[Any]:
        return self.rng.integers(-largest, largest, shape).astype(np.int8)

    def size(self, most: int) -> int:
        return int(self.rng.integers(1, most + 1))


def adds() -> list[Case]:
    """Every pair of int8 values, and smaller inputs that are repeated or constant."""
    made = _Made(1)
    cases = []
    for i in range(24):
        a, b = made.scale(), made.scale()
        a, b = [(a, b), (a, a), (a, a * 2**-9), (a, _float(a * 1e-10)), (_float(a / 3), a), (b, a)][i % 6]
        output = _float(max(a, b) * [1.0, 1.7, 0.3, 100.0, 1e5, 1e-3][i // 4])
        inputs = [Values((1, 256, 256), scale, made.zero()) for scale in (a, b)]
        y = Values((1, 256, 256), output, made.zero())
        options = {"type": "AddOptions", "fusedActivationFunction": _ACTIVATIONS[i % 3]}
        cases.append((build("ADD", inputs, y, options), list(_PAIRS)))
    for i, (first, second) in enumerate(
        [((1, 3, 5, 4), (1, 3, 5, 4)), ((1, 3, 5, 4), (1, 1, 1, 4)), ((1, 3, 5, 4), (1, 5, 4)), ((1, 3, 5, 4), (1,)),
         ((4,), (1, 3, 5, 4)), ((1, 1, 1, 1), (1, 3, 5, 4)), ((1, 1, 5, 4), (1, 3, 5, 4)), ((1, 7), (1, 7))] * 6
    ):  # fmt: skip
        shapes = [first, second]
        inputs = [Values(shape, made.scale(), made.zero()) for shape in shapes]
        data = [made.int8(shape) for shape in shapes]
        fixed = [None, 0, 1][i // 16]
        if fixed is not None:
            inputs[fixed] = Values(shapes[fixed], made.scale(), made.zero(), data=data.pop(fixed))
        y = Values(max(shapes, key=math.prod), made.scale(-2), made.zero())
        cases.append((build("ADD", inputs, y, {"type": "AddOptions", "fusedActivationFunction": i % 2}), data))
    return cases


def pools() -> list[Case]:
    """Filters of all sizes, in all steps, with and without padding."""
    made = _Made(2)
    cases = []
    for i in range(60):
        shape = (1, made.size(9), made.size(9), made.size(5))
        same, stride = i % 2 == 0, (made.size(3), made.size(3))
        size = [made.size(11 if same else n) for n in shape[1:3]]
        if i % 10 == 1:
            size = list(shape[1:3])
        out = [-(-(n if same else n - s + 1) // step) for n, s, step in zip(shape[1:3], size, stride, strict=True)]
        scale, zero = made.scale(-6, -1), made.zero()
        options = {"type": "Pool2DOptions", "padding": 0 if same else 1, "strideH": stride[0], "strideW": stride[1],
                   "filterHeight": size[0], "filterWidth": size[1],
                   "fusedActivationFunction": _ACTIVATIONS[i % 3]}  # fmt: skip
        y = Values((1, *out, shape[3]), scale, zero)
        cases.append((build("AVERAGE_POOL_2D", [Values(shape, scale, zero)], y, options), [made.int8(shape)]))
    return cases


def means() -> list[Case]:
    """Every set of axes, with and without keeping them."""
    made = _Made(3)
    cases = []
    sets = [(1, 2), (1,), (2,), (3,), (1, 3), (2, 3), (1, 2, 3), (2, 1), (-1,), (-3, -2)]
    for i in range(120):
        shape, axes, keep = (1, made.size(9), made.size(9), made.size(9)), sets[i % 10], i % 20 < 10
        scales, zeros = [made.scale(-4, 0), made.scale(-4, 0)], [made.zero(), made.zero()]
        if i % 4 == 0:
            scales[1], zeros[1] = scales[0], zeros[0]
        if i % 7 == 0:
            scales[1] = _float(scales[0] * 2**-5)  # a shift to the left
        if i % 11 == 0:
            scales[1] = _float(scales[0] * 1e10)  # a multiplier of nothing
        kept = [n if j not in {axis % 4 for axis in axes} else 1 if keep else 0 for j, n in enumerate(shape)]
        y = Values(tuple(n for n in kept if n), scales[1], zeros[1])
        inputs = [Values(shape, scales[0], zeros[0]), constant(axes)]
        content = build("MEAN", inputs, y, {"type": "ReducerOptions", "keepDims": keep})
        cases.append((content, [made.int8(shape, [128, 8][i % 3 == 0])]))
    shape = (1, 64, 128, 3)
    inputs = [Values(shape, 0.5, -128), constant([1, 2])]
    content = build("MEAN", inputs, Values((1, 3), 0.5, -128), {"type": "ReducerOptions", "keepDims": False})
    return [*cases, (content, [np.full(shape, 127, np.int8)])]


def tables(*, rescaling_relu6: bool) -> list[Case]:
    """RELU, RELU6 and QUANTIZE of every int8 value."""
    made = _Made(4)
    cases = []
    for i in range(150):
        kind = ("RELU", "RELU6", "QUANTIZE")[i % 3]
        scales, zeros = [made.scale(), made.scale()], [made.zero(), made.zero()]
        if i % 5 == 0 or (kind == "RELU6" and not rescaling_relu6):
            scales[1], zeros[1] = scales[0], zeros[0]
        elif i % 13 == 0:
            scales[1] = _float(scales[0] * (1e9 if i % 2 else 1e-6))
        x, y = (Values((1, 256), scale, zero) for scale, zero in zip(scales, zeros, strict=True))
        options = {"type": "QuantizeOptions"} if kind == "QUANTIZE" else None
        cases.append((build(kind, [x], y, options), [_ALL.reshape(1, 256)]))
    return cases


def moves(*, wide: bool) -> list[Case]:
    """PAD, some of it by amounts of 64 bits if `wide`, RESHAPE and CONCATENATION."""
    made = _Made(5)
    cases = []
    for i in range(30):
        shape = tuple(made.size(6) for _ in range(1 + i % 3))
        shape = shape if i % 2 else (1, *shape)
        amounts = made.rng.integers(0, 4, (len(shape), 2)) * made.rng.integers(0, 2, (len(shape), 2))
        if i % 2 == 0:
            amounts[0] = 0
        made_shape = tuple(int(n) for n in np.array(shape) + amounts.sum(axis=1))
        scale, zero = made.scale(), made.zero()
        inputs = [Values(shape, scale, zero), constant(amounts, "int64" if wide and i % 5 == 0 else "int32")]
        y = Values(made_shape, scale, zero)
        cases.append((build("PAD", inputs, y, {"type": "PadOptions"}), [made.int8(shape)]))
    for given, options in (([1, 24], None), ([-1, 4], None), (None, [2, 3, 4]), ([1, -1], [7, 7]), ([24], [24])):
        x, shape = (
            Values((1, 2, 3, 4), 0.5, 3),
            {0: (1, 24), 1: (6, 4), 2: (2, 3, 4), 3: (1, 24), 4: (24,)}[len(cases) - 30],
        )
        inputs = [x] if given is None else [x, constant(given)]
        filled = {"type": "ReshapeOptions", "newShape": options} if options else {"type": "ReshapeOptions"}
        cases.append((build("RESHAPE", inputs, Values(shape, 0.5, 3), filled), [made.int8((1, 2, 3, 4))]))
    for i in range(24):
        axis, count, scale, zero = i % 4, made.size(4), made.scale(), made.zero()
        shapes = [(1, 3, 2, 4)] * count
        shapes = [tuple(made.size(4) if j == axis else n for j, n in enumerate(shape)) for shape in shapes]
        total = tuple(sum(s[j] for s in shapes) if j == axis else n for j, n in enumerate(shapes[0]))
        options = {"type": "ConcatenationOptions", "axis": axis - 4 if i % 8 > 3 else axis}
        inputs = [Values(shape, scale, zero) for shape in shapes]
        content = build("CONCATENATION", inputs, Values(total, scale, zero), options)
        cases.append((content, [made.int8(shape) for shape in shapes]))
    return cases


def softmaxes() -> list[Case]:
    """Every pair, and rows of all lengths."""
    made = _Made(6)
    pairs = np.stack(np.meshgrid(_ALL, _ALL), axis=-1).reshape(-1, 2)[None]
    cases = []
    for i in range(40):
        depth = [2, 3, 1, 10, 100, 511, 1000, 4095][i % 8]
        scale, beta = made.scale(-7, 1), _float([1.0, 1.0, 0.1, 3.7][i // 8 % 4])
        if i == 38:
            scale = 3e-8  # hardly more than the runtimes' smallest
        if i == 39:
            scale = 1e4
        x = pairs if depth == 2 else made.int8((1, 7, depth), [128, 20][i % 16 == 1])
        if depth > 511:
            x = np.minimum(x, -100)  # few large values: the runtimes end where exponentials add up to 512 or more
            x[0, :, 5], x[0, 4, 7] = 127, 100
            scale = max(scale, 0.2)
        y = Values(x.shape, 1 / 256, -128)
        content = build("SOFTMAX", [Values(x.shape, scale, made.zero())], y, {"type": "SoftmaxOptions", "beta": beta})
        cases.append((content, [x]))
    return cases


def ends() -> list[Case]:
    """QUANTIZE from float32 and DEQUANTIZE to it."""
    made = _Made(7)
    cases = []
    for i in range(40):
        scale, zero = made.scale(-20, 20), made.zero()
        halves = (np.arange(-600, 600) / 2).astype(np.float32) * np.float32(scale)
        near = [np.nextafter(halves, np.float32(side)) for side in (-np.inf, np.inf)]
        around = (made.rng.normal(0, 100, 600) * scale).astype(np.float32)
        x = np.concatenate([halves, *near, around, np.array([0.0, -0.0, 1e-40, -1e-40], np.float32)])[None]
        floats, ints = Values(x.shape, dtype="float32"), Values(x.shape, scale, zero)
        cases.append((build("QUANTIZE", [floats], ints, {"type": "QuantizeOptions"}), [x]))
        row = _ALL.reshape(1, 256)
        floats, ints = Values(row.shape, dtype="float32"), Values(row.shape, scale, zero)
        cases.append((build("DEQUANTIZE", [ints], floats, {"type": "DequantizeOptions"} if i % 2 else None), [row]))
    return cases


FAMILIES = {"adds": adds, "pools": pools, "means": means, "softmaxes": softmaxes, "ends": ends}
