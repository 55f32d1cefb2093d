"""A network as C: its weights in each processor's order, the parameters of its kernels, and the calls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_asd.firmware_export.c_text import C_TYPES, LICENCE, wrapped_numbers, wrapped_words
from edge_asd.firmware_export.depthwise import Depthwise
from edge_asd.firmware_export.matrix import Matrix, Words
from edge_asd.firmware_export.network import Network
from edge_asd.firmware_export.step import Step, Structure
from edge_asd.frontend.c_tables import c_integer

_KERNELS = ("portable", "dsp", "helium")

_CMSIS_NN = "cmsis_nn"

_TRACING = ("dense", "convolution", "block")
"""Kernels that hand their values to traces themselves, row by row."""


def network_sources(network: Network, *, cmsis_nn: bool = False) -> dict[str, str]:
    """Write the C files of a network.

    Parameters
    ----------
    network : Network
    cmsis_nn : bool
        Let the user's own CMSIS-NN compute the fully connected layers, where EDGE_ASD_CMSIS_NN is defined. Convolutions
        stay ours: it rounds all layers alike, and LiteRT does not.

    Returns
    -------
    files : dict of str to str
        By name: ``edge_asd_network.{h,c}``, ``edge_asd_weights.h`` and ``edge_asd_weights_{kernel}.c``.
    """
    writer = _Writer(network, cmsis_nn=cmsis_nn)
    kernels = (*_KERNELS, _CMSIS_NN) if cmsis_nn else _KERNELS
    return {
        "edge_asd_network.h": writer.header(),
        "edge_asd_network.c": writer.source(),
        "edge_asd_weights.h": writer.weights_header(),
        **{f"edge_asd_weights_{kernel}.c": writer.weights(kernel) for kernel in kernels},
    }


class _Writer:
    def __init__(self, network: Network, *, cmsis_nn: bool) -> None:
        self._network = network
        dense = [f"edge_asd_step_{number}" for number, step in enumerate(network.steps, 1) if step.kernel == "dense"]
        self._handed_over = dense if cmsis_nn else []
        self._streams: dict[str, dict[str, Words]] = {}  # orders by kernel
        self._constants: list[str] = []
        self._chosen: list[tuple[str, tuple[str, ...]]] = []  # kernels of each stream
        for number, step in enumerate(network.steps, 1):
            self._structure(f"step_{number}", step.kernel, step.fields)

    def _structure(self, name: str, kernel: str, fields: Mapping[str, Any]) -> None:
        """Write a constant ``name`` of the kernel's parameters, after what it points to."""
        values = [f"    /* {key} */ {self._value(f'{name}_{key}', value)}," for key, value in fields.items()]
        self._constants.append(f"static const edge_asd_{kernel}_params {name} = {{\n" + "\n".join(values) + "\n};\n")

    def _value(self, name: str, value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Mapping):
            return "{" + ", ".join(self._value(f"{name}_{key}", member) for key, member in value.items()) + "}"
        if isinstance(value, Structure):
            self._structure(name, value.kernel, value.fields)
            return f"&{name}"
        if isinstance(value, Matrix):
            return self._matrix(name, value)
        if isinstance(value, Depthwise):
            return self._depthwise(name, value)
        if isinstance(value, np.ndarray):
            kind = C_TYPES[value.dtype.name]
            self._constants.append(f"static const {kind} {name}[{value.size}] = {{\n{wrapped_numbers(value)}}};\n")
            return name
        return c_integer(int(value))

    def _matrix(self, name: str, m: Matrix) -> str:
        stream = f"edge_asd_{name.removesuffix('_matrix')}"
        self._streams[stream] = dict(zip(_KERNELS, (m.portable(), m.dsp(), m.helium()), strict=True))
        dsp = f"edge_asd_matrix_{'quads' if m.quads else 'rows'}_{'twice' if m.twice and not m.floors else 'once'}"
        plain = "edge_asd_matrix_portable"
        names = (plain, dsp, "edge_asd_matrix_helium") if m.quick else (plain, plain, plain)
        self._chosen.append((stream, names))
        if stream in self._handed_over:
            self._streams[stream][_CMSIS_NN] = m.cmsis_nn()
        rows, columns = m.weights.shape
        numbers = [rows, columns, m.zero_point, m.low, m.high, int(m.twice), int(m.quads)]
        return f"{{{stream}, {stream.upper()}_KERNEL, {', '.join(map(str, numbers))}}}"

    def _depthwise(self, name: str, kernel: Depthwise) -> str:
        stream = f"edge_asd_{name.rsplit('_', 1)[0]}"
        if name.endswith("_row"):
            return f"{stream.upper()}_KERNEL"
        self._streams[stream] = dict(zip(_KERNELS, (kernel.portable(), kernel.dsp(), kernel.helium()), strict=True))
        plain, quick = "edge_asd_depthwise_portable", "edge_asd_depthwise_quick"
        dsp = f"{quick}_behind_relu" if kernel.floors else quick
        names = (plain, dsp if kernel.dsp_quick else plain, quick if kernel.helium_quick else plain)
        self._chosen.append((stream, names))
        return stream

    def weights_header(self) -> str:
        lines = [f"{LICENCE}/* Generated by firmware_export/network_source.py. */"]
        lines += ["#ifndef EDGE_ASD_WEIGHTS_H\n#define EDGE_ASD_WEIGHTS_H\n", '#include "edge_asd_target.h"\n']
        lines += ["#ifdef __cplusplus", 'extern "C" {', "#endif\n"]
        lines += [f"extern const uint32_t {name}[];" for name in self._streams]
        lines.append("\n#ifdef __cplusplus\n}\n#endif\n")
        lines.append("/* The kernels whose order the weights are in. */")
        for place, kernel in enumerate(_KERNELS):
            lines.append(f"#{'el' if place else ''}if EDGE_ASD_KERNELS == EDGE_ASD_{kernel.upper()}")
            lines += [f"#define {name.upper()}_KERNEL {names[place]}" for name, names in self._chosen]
        return "\n".join([*lines, "#endif\n", *self._cmsis_nn_choices(), "#endif\n"])

    def _cmsis_nn_choices(self) -> list[str]:
        if not self._handed_over:
            return []
        names = [name.upper() for name in self._handed_over]
        condition, action = ("", "without") if self._network.twice else ("!", "with")
        return [
            "#if defined(EDGE_ASD_CMSIS_NN)",
            f"#if {condition}defined(CMSIS_NN_USE_SINGLE_ROUNDING)",
            f'#error "Build CMSIS-NN and this model {action} CMSIS_NN_USE_SINGLE_ROUNDING: so its layers are rounded."',
            "#endif",
            '#include "edge_asd_matrix_cmsis_nn.h"',
            *(f"#undef {name}_KERNEL\n#define {name}_KERNEL edge_asd_matrix_cmsis_nn" for name in names),
            "#endif\n",
        ]

    def weights(self, kernel: str) -> str:
        instead = "defined(EDGE_ASD_CMSIS_NN)"
        wanted = instead if kernel == _CMSIS_NN else f"EDGE_ASD_KERNELS == EDGE_ASD_{kernel.upper()}"
        parts = [
            f"{LICENCE}/* Generated by firmware_export/network_source.py: weights and row constants, as "
            "firmware_export/matrix.py\n * and depthwise.py describe them. */\n"
            '#include "edge_asd_weights.h"\n\n'
            f"#if {wanted}\n"
        ]
        for name, orders in self._streams.items():
            if kernel in orders:
                words = orders[kernel]
                text = f"const uint32_t {name}[{words.size}] = {{\n{wrapped_words(words)}}};\n"
                replaced = kernel != _CMSIS_NN and name in self._handed_over
                parts.append(f"#if !{instead}\n{text}#endif\n" if replaced else text)
        return "\n".join([*parts, "#else\ntypedef int edge_asd_weights_of_another_kernel;\n#endif\n"])

    def header(self) -> str:
        n = self._network
        inputs, outputs = math.prod(n.input.shape), math.prod(n.output.shape)
        kind_in, kind_out = C_TYPES[n.input.dtype.name], C_TYPES[n.output.dtype.name]
        return f"""{LICENCE}/* Generated by firmware_export/network_source.py: the model. */
#ifndef EDGE_ASD_NETWORK_H
#define EDGE_ASD_NETWORK_H

#include "edge_asd_target.h"

#ifdef __cplusplus
extern "C" {{
#endif

#define EDGE_ASD_NETWORK_INPUTS {inputs}U /* values of a window */
#define EDGE_ASD_NETWORK_OUTPUTS {outputs}U
#define EDGE_ASD_NETWORK_WINDOWS {n.hops}U /* computed by one call */
#define EDGE_ASD_NETWORK_ARENA {n.arena}U /* bytes of memory for one call, aligned to 8 */
#define EDGE_ASD_NETWORK_MACS {n.macs()}U /* multiplications of weights, for one window */
#define EDGE_ASD_NETWORK_ROW {n.row}U /* a window in a ring starts at a multiple of so many values */
typedef {kind_in} edge_asd_network_input;
typedef {kind_out} edge_asd_network_output;

/* Compute the model on EDGE_ASD_NETWORK_WINDOWS windows of `input`, which lie `hop` values apart.
 *
 * They may lie in a ring of `ring` values, as many as they span together: the first one starts at value `start`, a
 * multiple of EDGE_ASD_NETWORK_ROW as `ring` is, and whatever would lie behind the ring's end lies at its beginning.
 * Without a ring, `ring` and `start` are 0. Returns the outputs [EDGE_ASD_NETWORK_WINDOWS][EDGE_ASD_NETWORK_OUTPUTS],
 * within the arena. */
const edge_asd_network_output *edge_asd_network_run(const edge_asd_network_input *input, size_t hop, size_t start,
                                                    size_t ring, void *arena);

#ifdef __cplusplus
}}
#endif

#endif
"""

    def source(self) -> str:
        n = self._network
        kernels = sorted({step.kernel for step in n.steps} | ({"unroll"} if n.copies_input else set()))
        includes = "".join(f'#include "edge_asd_{kernel}.h"\n' for kernel in kernels)
        calls = []
        if n.copies_input:
            size, item = math.prod(n.input.shape), n.input.dtype.itemsize
            place = n.offsets[n.model.inputs[0]]
            calls.append(f"    edge_asd_unroll(input, start, ring, {size}, {item}, memory + {place});")
        for number, step in enumerate(n.steps, 1):
            calls.append(self._call(number, step))
            last = all(later.output != step.output for later in n.steps[number:])
            if step.kernel not in _TRACING and last:
                tensor = n.model.tensors[step.output]
                size = math.prod(tensor.shape) * tensor.dtype.itemsize
                calls.append(f"    edge_asd_trace({step.output}, memory + {n.offsets[step.output]}, {size});")
        kind = C_TYPES[n.output.dtype.name]
        return (
            f"{LICENCE}/* Generated by firmware_export/network_source.py: parameters and calls of the kernels. */\n"
            f'#include "edge_asd_network.h"\n\n{includes}#include "edge_asd_weights.h"\n\n'
            + "\n".join(self._constants)
            + "\nconst edge_asd_network_output *edge_asd_network_run(const edge_asd_network_input *input, size_t hop, "
            "size_t start,\n                                                    size_t ring, void *arena) {\n"
            "    int8_t *const memory = (int8_t *)arena;\n    (void)hop;\n    (void)start;\n    (void)ring;\n"
            + "\n".join(calls)
            + f"\n    return (const {kind} *)(const void *)(memory + {n.offsets[n.model.outputs[0]]});\n}}\n"
        )

    def _call(self, number: int, step: Step) -> str:
        n = self._network
        source = n.model.inputs[0]
        outside = source in step.inputs and not n.copies_input
        arguments = [f"&step_{number}"]
        for tensor in step.inputs:
            kind = C_TYPES[n.model.tensors[tensor].dtype.name]
            if outside and tensor == source:
                arguments.append("input")
                continue
            at = f"memory + {n.offsets[tensor]}"
            arguments.append(at if kind == "int8_t" else f"(const {kind} *)(const void *)({at})")
        name = step.kernel
        if outside and step.kernel == "dense":
            name, extra = "dense_from_ring", ["hop", "start", "ring"]
        elif step.kernel in ("convolution", "block"):
            extra = ["start" if outside else "0"]
        else:
            extra = []
        kind = C_TYPES[n.model.tensors[step.output].dtype.name]
        target = f"memory + {n.offsets[step.output]}"
        arguments += [*extra, target if kind == "int8_t" else f"({kind} *)(void *)({target})"]
        if step.scratch:
            arguments.append(f"memory + {n.scratch[number - 1]}")
        return f"    edge_asd_{name}({', '.join(arguments)});"
