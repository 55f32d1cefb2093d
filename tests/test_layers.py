"""Imports point one way: between packages, between the rooms of each package, and in no circle of modules."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("train", "quantize", "firmware_export")
HEAVY = {
    "tensorflow",
    "keras",
    "scipy",
    "sklearn",
    "librosa",
    "matplotlib",
    "jinja2",
    "pyroomacoustics",
    "flatbuffers",
    "pooch",
    "requests",
}

# Rooms from the top down: each may import those below it, and nothing above. Rooms on one line may not
# import each other. A module that is in no room is its own.
LAYERS = {
    "edge_asd": """
        __main__
        start
        cli
        doctor
        archive stages selftest interface benchmarking
        calibration
        monitor healthy_sound
        notify
        heard
        detectors thresholds false_alarms
        bundle
        distance
        interpreter binomial requantisation
        model_check
        model_file
        audio frontend sweeps
        threads
        own_set
        clips strict_json quiet csv_writing wav_writing
        files
        errors
        __init__
    """,
    "train": """
        report
        synthesis
        runs
        networks distance
        figures
        features
        data
        backend
        __init__
    """,
    "quantize": """
        jobs
        evaluation foreign
        pipeline
        model_making healthy_scores healthy_spectrum
        source saved_operations golden threshold_fitting versions
        int8
        __init__
    """,
    "firmware_export": """
        exporting
        proof layout project_folder
        readme board_support
        library
        tflm_source
        network_source bundle_source sources tflm
        network distance_source
        blocks layers
        operators depthwise
        matrix c_text memory_plan
        step
        qemu tflm_arena
        __init__
    """,
}

# Functions that load a stage when a command needs it; nothing else of the device's code may.
MAY_USE = {"edge_asd": set(), "train": {"edge_asd"}, "quantize": {"edge_asd", "train"}, "firmware_export": {"edge_asd"}}


def folder_of(package: str) -> Path:
    return ROOT / package


@cache
def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name below it; links to the stages are not followed."""
    root = folder_of(package)
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if package == "edge_asd" and parts[0] in STAGES:
            continue
        found[".".join(parts)] = path
    return found


def package_of(name: str) -> tuple[str, str]:
    """Split "edge_asd.train.data.dataset" into ("train", "data.dataset")."""
    parts = name.split(".")[1:]
    if parts and parts[0] in STAGES:
        return parts[0], ".".join(parts[1:])
    return "edge_asd", ".".join(parts)


def imports(path: Path, *, at_load: bool) -> list[str]:
    """Modules that a file imports: all of them, or those that it imports while it is loaded itself."""
    tree = ast.parse(path.read_text())
    names: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            of_module = [f"{node.module}.{alias.name}" for alias in node.names]
            # What is a module itself does not need its package's names.
            submodules = [name for name in of_module if resolved(name) is not None]
            names.extend(submodules)
            if len(submodules) < len(of_module):
                names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                visit(child)
            return
        elif at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return names


def resolved(name: str) -> tuple[str, str] | None:
    """Find the module that an import of ours names; None for others' modules and for names inside a module."""
    if name != "edge_asd" and not name.startswith("edge_asd."):
        return None
    package, module = package_of(name)
    for candidate in (module, f"{module}.__init__" if module else "__init__"):
        if candidate in modules(package):
            return package, candidate
    return None


def room(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("package", LAYERS)
def test_packages_use_only_those_below_them(package: str) -> None:
    for module, path in modules(package).items():
        for name in imports(path, at_load=False):
            assert name.split(".")[0] not in STAGES, f"{module} imports {name} by the name of a folder"
            found = resolved(name)
            if found is not None and found[0] != package:
                assert found[0] in MAY_USE[package], f"{package}.{module} imports {name}"


def test_the_device_code_imports_nothing_heavy() -> None:
    for module, path in modules("edge_asd").items():
        heavy = {name.split(".")[0] for name in imports(path, at_load=False)} & HEAVY
        assert not heavy, f"{module} imports {heavy}"


@pytest.mark.parametrize("package", LAYERS)
def test_rooms_import_only_those_below_them(package: str) -> None:
    lines = [line.split() for line in LAYERS[package].strip().splitlines()]
    height = {name: -i for i, line in enumerate(lines) for name in line}
    there = {room(module) for module in modules(package)}
    assert there == set(height), "LAYERS does not list just the rooms that there are"
    for module, path in modules(package).items():
        for name in imports(path, at_load=False):
            found = resolved(name)
            if found is None or found[0] != package or room(found[1]) == room(module):
                continue
            assert height[room(found[1])] < height[room(module)], f"{package}.{module} imports {name}"


def test_no_circle_of_modules() -> None:
    graph: dict[str, set[str]] = {}
    for package in LAYERS:
        for module, path in modules(package).items():
            uses = {found for name in imports(path, at_load=False) if (found := resolved(name)) is not None}
            graph[f"{package}:{module}"] = {f"{p}:{m}" for p, m in uses} - {f"{package}:{module}"}
    TopologicalSorter(graph).prepare()
