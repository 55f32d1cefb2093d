"""Nothing that is needed lies where something else is needed at the same time."""

from __future__ import annotations

import math
from itertools import combinations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from edge_asd.firmware_export.memory_plan import ALIGNMENT, Buffer, placed
from edge_asd.firmware_export.network import Network, read_network
from tests.firmware_export.zoo import LARGE, ZOO

SPANS = st.tuples(st.integers(1, 300), st.integers(-1, 12), st.integers(0, 6))


@given(st.lists(SPANS, max_size=25))
def test_buffers(spans: list[tuple[int, int, int]]) -> None:
    buffers = [Buffer(key, size, first, first + more) for key, (size, first, more) in enumerate(spans)]
    offsets, total = placed(buffers)
    assert offsets.keys() == set(range(len(buffers)))
    assert total == max((offsets[b.key] + b.size for b in buffers), default=0)
    assert all(offset >= 0 and offset % ALIGNMENT == 0 for offset in offsets.values())
    for a, b in combinations(buffers, 2):
        together = a.first <= b.last and b.first <= a.last
        apart = offsets[a.key] + a.size <= offsets[b.key] or offsets[b.key] + b.size <= offsets[a.key]
        assert apart or not together
    for step in range(-1, 19):  # no plan can do with less than what is needed at once
        assert total >= sum(b.size for b in buffers if b.first <= step <= b.last)


def bytes_of(network: Network, tensor: int) -> range:
    values = network.model.tensors[tensor]
    start = network.offsets[tensor]
    return range(start, start + math.prod(values.shape) * values.dtype.itemsize * network.hops)


@pytest.mark.parametrize("name", [*ZOO, *LARGE])
def test_networks(name: str) -> None:
    """What a step reads, writes and works in is apart, and nothing is overwritten before it was read."""
    network = read_network({**ZOO, **LARGE}[name](), twice=False)
    owners: dict[int, int] = {}  # which tensor's values lie in a byte

    def write(tensor: int) -> None:
        owners.update(dict.fromkeys(bytes_of(network, tensor), tensor))

    if network.copies_input:
        write(network.model.inputs[0])
    for step, scratch in zip(network.steps, network.scratch, strict=True):
        inputs = [tensor for tensor in step.inputs if tensor in network.offsets]
        for tensor in inputs:
            assert all(owners.get(byte) == tensor for byte in bytes_of(network, tensor))
        output, work = bytes_of(network, step.output), range(scratch, scratch + step.scratch)
        assert scratch % ALIGNMENT == network.offsets[step.output] % ALIGNMENT == 0
        assert max(output.stop, work.stop) <= network.arena
        assert not set(work) & {*output, *(byte for tensor in inputs for byte in bytes_of(network, tensor))}
        shared = [tensor for tensor in inputs if set(bytes_of(network, tensor)) & set(output)]
        assert shared == [] or (step.in_place and network.offsets[shared[0]] == network.offsets[step.output])
        owners.update(dict.fromkeys(work, -1))
        write(step.output)
    end = network.offsets[network.model.outputs[0]]
    assert owners[end] == network.steps[-1].output
