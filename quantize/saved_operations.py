"""Which operations a foreign SavedModel may hold: loading one runs its graph, and a graph can read and write files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_asd.errors import ModelError
from edge_asd.train.backend import import_tensorflow

# What the baselines consist of, as Keras 2 and 3 export them.
_ALLOWED = frozenset(
    [
        "Add",
        "AddV2",
        "AssignVariableOp",
        "BiasAdd",
        "Cast",
        "ConcatV2",
        "Const",
        "Conv2D",
        "DepthwiseConv2dNative",
        "DisableCopyOnRead",
        "ExpandDims",
        "FusedBatchNormV3",
        "Identity",
        "IdentityN",
        "MatMul",
        "Maximum",
        "Mean",
        "Minimum",
        "Mul",
        "NoOp",
        "Pack",
        "Pad",
        "PartitionedCall",
        "Placeholder",
        "PlaceholderWithDefault",
        "ReadVariableOp",
        "RealDiv",
        "Relu",
        "Relu6",
        "Reshape",
        "Rsqrt",
        "Select",
        "SelectV2",
        "Shape",
        "Softmax",
        "Square",
        "Squeeze",
        "StatefulPartitionedCall",
        "StaticRegexFullMatch",
        "StridedSlice",
        "StringJoin",
        "Sub",
        "Tile",
        "VarHandleOp",
        "VarIsInitializedOp",
    ]
)

# Every SavedModel has functions that save and restore it; nothing that we run may call them.
_SAVER = frozenset({"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"})

_MAX_BYTES = 64 * 2**20


def check_operations(folder: Path) -> None:
    """Refuse a SavedModel with operations that a baseline has not, before anything of it is loaded.

    Raises
    ------
    ModelError
    """
    file = folder / "saved_model.pb"
    if not file.is_file() or file.stat().st_size > _MAX_BYTES:
        raise ModelError(
            f"{folder} is no SavedModel: it holds no saved_model.pb. Give a .h5, .hdf5 or .keras file, or a SavedModel "
            "folder."
        )
    import_tensorflow()
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString(file.read_bytes())
    except Exception as error:  # protobuf's own classes differ between its implementations
        raise ModelError(f"{folder} cannot be read as a SavedModel: its saved_model.pb is damaged.") from error
    for graph in saved.meta_graphs:
        functions = graph.graph_def.library.function
        savers = {f.signature.name for f in functions if any(node.op in _SAVER for node in f.node_def)}
        for function in functions:
            _check(folder, function.node_def, _ALLOWED | _SAVER | {f.signature.name for f in functions} - savers)
            if called := savers & {name for node in function.node_def for name in _called(node)}:
                raise _refused(folder, f"a call of {min(called)}, which touches files")
        _check(folder, graph.graph_def.node, _ALLOWED | _SAVER)


def _check(folder: Path, nodes: Any, allowed: frozenset[str]) -> None:
    if others := sorted({node.op for node in nodes} - allowed):
        raise _refused(folder, f"the operation {others[0]!r:.80}")


def _called(node: Any) -> set[str]:
    return {node.op} | {
        name for value in node.attr.values() for name in (value.func.name, *(f.name for f in value.list.func)) if name
    }


def _refused(folder: Path, what: str) -> ModelError:
    return ModelError(
        f"{folder} holds {what}; neither baseline does, and such an operation could touch files, the network or other "
        "programs. It was not loaded. Save the model from Keras as .keras or .h5, without further code in it."
    )
