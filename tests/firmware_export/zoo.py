"""Networks of every kind that the exporter knows, small and of random weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from tests.firmware_export.graphs import NONE, RELU, RELU6, Graph, Layer

Maker = Callable[[], bytes]

RELUS = Layer(activation=RELU6)
AMID = Layer(activation=RELU, zero_point=-30)
WITH_128 = Layer(low=-128)  # beyond the DSP kernel's range


def dense_network(shape: Sequence[int], rows: Sequence[int], layer: Layer, **options: float) -> bytes:
    """Make a network of fully connected layers."""
    graph = Graph(shape, sum(rows), **options)  # type: ignore[arg-type]
    x = graph.input
    for count in rows:
        x = graph.dense(x, count, layer)
    return graph.written(x)


def dense_networks() -> dict[str, Maker]:
    """Fully connected networks of all widths, activations, scales and biases."""
    made: dict[str, Maker] = {}
    for columns in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40, 64):
        made[f"dense {columns} columns"] = lambda n=columns: dense_network((1, n), (4, 8, n, 12, 1), Layer())
    for rows in (1, 2, 3, 5, 6):
        made[f"dense {rows} rows"] = lambda n=rows: dense_network((1, 20), (16, n, n), Layer())
    for activation, channels in product((NONE, RELU, RELU6), (False, True)):
        layer = Layer(activation, channels)
        made[f"dense activation {activation} channels {channels}"] = lambda x=layer: dense_network(
            (1, 19), (16, 8, 4), x
        )
    for ratio in (1e-7, 1e-4, 0.01, 30.0, 1000.0, 1e5):
        made[f"dense ratio {ratio:g}"] = lambda r=ratio: dense_network((1, 12), (8, 12, 4), Layer(ratio=r))
    made["dense single weights"] = lambda: dense_network((1, 1), (4, 4), Layer(ratio=3000, channels=False, bias=None))
    made["dense weights of -128"] = lambda: dense_network((1, 40), (16, 8, 4), WITH_128)
    made["dense large bias"] = lambda: dense_network((1, 16), (8, 4), Layer(bias=300))
    made["dense without bias"] = lambda: dense_network((1, 16), (8, 4), Layer(bias=None))
    made["dense of -128 only"] = lambda: dense_network((1, 8), (4, 4), Layer(), zero_point=-128)
    made["dense of 127"] = lambda: dense_network(
        (1, 24), (4, 4), Layer(activation=RELU, zero_point=100), zero_point=127
    )
    made["dense relu amid int8"] = lambda: dense_network(
        (1, 24), (8, 4), Layer(activation=RELU6, zero_point=-20, ratio=8)
    )
    made["dense too wide for 24 bits"] = lambda: dense_network((1, 1200), (4, 8), Layer())
    made["dense of many axes"] = lambda: dense_network((1, 3, 5, 2), (8, 4), Layer())
    return made


def convolution_networks() -> dict[str, Maker]:
    """One convolution or depthwise convolution each: filters, strides, paddings, sizes and channels."""
    made: dict[str, Maker] = {}
    filters = ((1, 1), (3, 3), (5, 5), (1, 7), (3, 1), (2, 4))
    strides = ((1, 1), (2, 2), (3, 3), (1, 2), (3, 2))
    for number, (size, stride, same) in enumerate(product(filters, strides, (True, False))):
        shape = (1, 7 + number % 4, 8 + number % 5, (1, 3, 5, 4, 8)[number % 5])
        layer = Layer((NONE, RELU, RELU6)[number % 3], number % 4 > 0)
        options = {"same": same, "layer": layer}

        def convolution(n=number, shape=shape, size=size, stride=stride, options=options) -> bytes:
            graph = Graph(shape, n, zero_point=-128 if n % 2 else 9)
            return graph.written(graph.convolution(graph.input, (4, 3, 8, 12)[n % 4], size, stride, **options))

        def depthwise(n=number, shape=shape, size=size, stride=stride, options=options) -> bytes:
            graph = Graph(shape, n, zero_point=-128 if n % 2 else 9)
            return graph.written(graph.depthwise(graph.input, size, stride, multiplier=1 + n % 2, **options))

        name = f"{size[0]}x{size[1]} by {stride[0]}x{stride[1]} {'same' if same else 'valid'}"
        made[f"convolution {name}"], made[f"depthwise {name}"] = convolution, depthwise
    for size, multiplier in (((7, 7), 1), ((7, 7), 2), ((16, 3), 1), ((10, 8), 8), ((1, 3), 1), ((5, 5), 1)):
        made[f"depthwise {size[0]}x{size[1]} times {multiplier}"] = lambda s=size, m=multiplier: _one(
            lambda g: g.depthwise(g.input, s, (2, 1), multiplier=m), (1, 12, 9, 1 if m == 8 else 4)
        )
    for width in (1, 2, 3, 5):
        made[f"depthwise 3x3 of width {width}"] = lambda w=width: _one(
            lambda g: g.depthwise(g.input, layer=RELUS), (1, 2, w, 8)
        )
    made["convolution weights of -128"] = lambda: _one(
        lambda g: g.convolution(g.convolution(g.input, 8, (3, 3), layer=WITH_128), 4, layer=WITH_128), (1, 5, 6, 3)
    )
    made["depthwise weights of -128"] = lambda: _one(lambda g: g.depthwise(g.input, layer=WITH_128), (1, 5, 6, 8))
    for ratio in (1e-7, 1e-3, 1000.0, 1e5):
        made[f"convolutions ratio {ratio:g}"] = lambda r=ratio: _one(
            lambda g: g.depthwise(g.convolution(g.input, 8, (3, 3), layer=Layer(ratio=r)), layer=Layer(ratio=r)),
            (1, 5, 6, 4),
        )
    made["convolutions with relu amid int8"] = lambda: _one(
        lambda g: g.depthwise(g.convolution(g.input, 8, (3, 3), layer=AMID), layer=AMID), (1, 5, 6, 4)
    )
    made["convolution too wide for 24 bits"] = lambda: _one(lambda g: g.convolution(g.input, 4, (5, 5)), (1, 6, 6, 48))
    return made


def _one(make: Callable[[Graph], int], shape: Sequence[int], seed: int = 5, **options: float) -> bytes:
    graph = Graph(shape, seed, **options)  # type: ignore[arg-type]
    return graph.written(make(graph))


def _inverted(g: Graph, x: int, wide: int, filters: int, stride: int = 1, *, add: str = "") -> int:
    y = g.convolution(x, wide, layer=RELUS)
    y = g.depthwise(y, stride=(stride, stride), layer=RELUS)
    y = g.convolution(y, filters)
    return {"": lambda: y, "xy": lambda: g.sum(x, y), "yx": lambda: g.sum(y, x)}[add]()


def _chain(g: Graph) -> int:
    """A 3 x 3 convolution, blocks with and without sums, what MobileNetV2 is made of."""
    x = g.convolution(g.input, 8, (3, 3), (2, 2), layer=RELUS)
    x = g.convolution(g.depthwise(x, layer=RELUS), 8)
    x = _inverted(g, x, 24, 8, add="xy")
    x = _inverted(g, x, 16, 12, 2)
    x = _inverted(g, x, 12, 12, add="yx")
    return g.softmax(g.dense(g.mean(g.convolution(x, 32, layer=RELUS)), 3))


def _used_twice(g: Graph) -> int:
    wide = g.convolution(g.input, 8)
    deep = g.depthwise(wide)
    narrow = g.convolution(deep, 8)
    return g.sum(g.sum(narrow, wide), g.sum(deep, narrow))


def _residual_at_the_input(g: Graph) -> int:
    return _inverted(g, g.input, 12, 4, add="xy")


def _broadcast_beside(g: Graph) -> int:
    """Sums next to a block that repeat one of their inputs, or take a constant."""
    x = g.convolution(g.input, 8)
    small = g.convolution(g.depthwise(x, (3, 3), (8, 8)), 8)  # one place
    small = g.reshape(small, (1, 1, 1, 8))
    y = g.sum(x, small)
    y = g.sum_with_constant(y)
    y = g.convolution(g.depthwise(y), 8)
    return g.sum_with_constant(y, first=True)


def _reshaped_within(g: Graph) -> int:
    """RESHAPE between the parts of what would be a block."""
    x = g.reshape(g.convolution(g.input, 8), (1, 3, 16, 8))
    x = g.reshape(g.depthwise(x), (1, 6, 8, 8))
    x = g.convolution(x, 4)
    return g.sum(x, g.convolution(g.reshape(x, (1, 6, 8, 4)), 4))


def _separable(g: Graph) -> int:
    """Depthwise and pointwise in turn, as MobileNetV1 and DS-CNN are."""
    x = g.convolution(g.input, 8, (5, 4), (2, 2), layer=RELUS)
    for filters, stride in ((16, 1), (16, 2), (32, 1), (24, 2)):
        x = g.convolution(g.depthwise(x, (3, 3), (stride, stride), layer=RELUS), filters, layer=RELUS)
    return g.softmax(g.dense(g.pool(x, (3, 2), (3, 2)), 12))


def _two_readers_of_the_input(g: Graph) -> int:
    a = g.convolution(g.input, 4, (3, 3))
    b = g.depthwise(g.input)
    return g.concatenation([g.pool(a, (2, 2), (2, 2)), g.pool(b, (2, 2), (2, 2), same=True)][:1] * 2, 3)


def _concatenated(g: Graph) -> int:
    x = g.convolution(g.input, 4, layer=Layer(zero_point=0))
    y = g.pool(x, (3, 3), (1, 1), same=True)
    z = g.concatenation([x, y, x], 3)
    z = g.concatenation([z, z], 1)
    return g.dense(g.reshape(z, (1, 12 * 12 * 5)), 5)


def _padded(g: Graph) -> int:
    x = g.pad(g.input, [(0, 0), (1, 2), (2, 1), (0, 0)])
    x = g.convolution(x, 8, (3, 3), (2, 2), same=False)
    x = g.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    return g.depthwise(x, same=False)


def _tables(g: Graph) -> int:
    x = g.table("RELU", g.convolution(g.input, 4, (3, 3)))
    x = g.table("QUANTIZE", g.depthwise(g.table("RELU6", x)))
    return g.table("RELU", g.sum(x, g.table("RELU6", x), RELU6))


def _float_ends(g: Graph) -> int:
    x = g.quantize(g.input)
    x = g.dense(g.dense(x, 16, RELUS), 6)
    return g.dequantize(g.softmax(x))


def _autoencoder(g: Graph) -> int:
    x = g.input
    for rows in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = g.dense(x, rows, Layer(activation=RELU))
    return g.dense(x, 640)


def _resnet8(g: Graph) -> int:
    x = g.convolution(g.input, 16, (3, 3), layer=Layer(activation=RELU))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = g.convolution(x, filters, (3, 3), (stride, stride), layer=Layer(activation=RELU))
        y = g.convolution(y, filters, (3, 3))
        x = g.sum(x if stride == 1 else g.convolution(x, filters, (1, 1), (stride, stride)), y, RELU)
    x = g.pool(x, (8, 8), (8, 8))
    return g.softmax(g.dense(g.reshape(x, (1, 64)), 10))


def _ds_cnn(g: Graph) -> int:
    x = g.convolution(g.input, 64, (10, 4), (2, 2), layer=Layer(activation=RELU))
    for _ in range(4):
        x = g.convolution(g.depthwise(x, layer=Layer(activation=RELU)), 64, layer=Layer(activation=RELU))
    return g.softmax(g.dense(g.reshape(g.pool(x, (25, 5), (25, 5)), (1, 64)), 12))


def _mobilenet_v1(g: Graph) -> int:
    x = g.convolution(g.input, 8, (3, 3), (2, 2), layer=RELUS)
    rows = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1))
    for filters, stride in rows:
        x = g.convolution(g.depthwise(x, (3, 3), (stride, stride), layer=RELUS), filters, layer=RELUS)
    return g.softmax(g.dense(g.reshape(g.pool(x, (3, 3), (3, 3)), (1, 256)), 2))


def whole_networks() -> dict[str, Maker]:
    """Networks of several operations."""
    makers: dict[str, tuple[Callable[[Graph], int], tuple[int, ...]]] = {
        "chain": (_chain, (1, 16, 12, 1)),
        "chain of odd sizes": (_chain, (1, 15, 13, 3)),
        "used twice": (_used_twice, (1, 6, 5, 4)),
        "residual at the input": (_residual_at_the_input, (1, 6, 5, 4)),
        "broadcast beside": (_broadcast_beside, (1, 8, 8, 3)),
        "reshaped within": (_reshaped_within, (1, 6, 8, 4)),
        "separable": (_separable, (1, 24, 16, 1)),
        "two readers of the input": (_two_readers_of_the_input, (1, 6, 6, 4)),
        "concatenated": (_concatenated, (1, 6, 5, 4)),
        "padded": (_padded, (1, 7, 6, 3)),
        "tables": (_tables, (1, 6, 6, 3)),
        "depthwise at the end": (lambda g: g.depthwise(g.convolution(g.input, 8)), (1, 5, 5, 4)),
        "depthwise at both ends": (lambda g: g.depthwise(g.convolution(g.depthwise(g.input), 8)), (1, 5, 5, 4)),
        "depthwise twice": (lambda g: g.depthwise(g.depthwise(g.input)), (1, 5, 5, 4)),
        "separable, wide ends": (
            lambda g: g.depthwise(g.convolution(g.depthwise(g.convolution(g.input, 32, (3, 3))), 4)), (1, 6, 6, 3)),
        "separable, wide middle": (
            lambda g: g.depthwise(g.convolution(g.depthwise(g.input), 32), stride=(2, 2)), (1, 6, 6, 4)),
        "reshape first": (lambda g: g.convolution(g.reshape(g.input, (1, 5, 6, 2)), 4, (3, 3)), (1, 60)),
        "reshape last": (lambda g: g.reshape(g.convolution(g.input, 4, (3, 3)), (1, 120)), (1, 5, 6, 2)),
        "reshape at both ends": (
            lambda g: g.reshape(g.dense(g.reshape(g.input, (1, 60)), 12), (1, 3, 4)), (1, 5, 6, 2)),
        "softmax of rows": (lambda g: g.softmax(g.reshape(g.dense(g.input, 12), (1, 3, 4))), (1, 9)),
        "sum of the input with itself": (lambda g: g.sum(g.input, g.input), (1, 7)),
        "sum of one place": (_sum_of_one_place, (1, 1, 1, 1)),
        "sum of a small end": (_sum_of_a_small_end, (1, 6, 6, 8)),
        "pool first": (lambda g: g.convolution(g.pool(g.input, (2, 3), (2, 2)), 4), (1, 7, 7, 3)),
    }  # fmt: skip
    made: dict[str, Maker] = {name: lambda m=make, s=shape: _one(m, s) for name, (make, shape) in makers.items()}

    def float_ends() -> bytes:
        graph = Graph((1, 40), 7, dtype="float32")
        return graph.written(_float_ends(graph))

    return {**made, "float at both ends": float_ends}


def _sum_of_one_place(g: Graph) -> int:
    """What a block of one place adds is repeated over channels."""
    return g.sum(g.convolution(g.depthwise(g.input), 8), g.input)


def _sum_of_a_small_end(g: Graph) -> int:
    """The block ends in one place, which is repeated over its input."""
    x = g.convolution(g.input, 8)
    return g.sum(x, g.convolution(g.depthwise(x, (3, 3), (6, 6)), 8))


def known_networks() -> dict[str, Maker]:
    """Networks of the sizes of MLPerf Tiny, and a MobileNetV2."""
    makers: dict[str, tuple[Callable[[Graph], int], tuple[int, ...]]] = {
        "autoencoder": (_autoencoder, (1, 640)),
        "ResNet-8": (_resnet8, (1, 32, 32, 3)),
        "DS-CNN": (_ds_cnn, (1, 49, 10, 1)),
        "MobileNetV1 0.25": (_mobilenet_v1, (1, 96, 96, 3)),
    }
    return {name: lambda m=make, s=shape: _one(m, s) for name, (make, shape) in makers.items()}


ZOO = {**dense_networks(), **convolution_networks(), **whole_networks()}
LARGE = known_networks()
