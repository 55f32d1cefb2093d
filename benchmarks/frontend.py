# ruff: noqa: E402
"""Speed, accuracy and size of the front end: ours against librosa and scipy, in one run on one core.

``python benchmarks/frontend.py [--json] [--m4]``; needs the dev extra, and with ``--m4`` the cross
compiler and QEMU (apt install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm).
"""

from __future__ import annotations

import os

# Before NumPy is imported: one thread for everything.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import qemu
from edge_asd.frontend import fixed_point, log_mel, why_not_native
from edge_asd.frontend.c_tables import c_header, c_source
from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from edge_asd.frontend.tables import hann, mel_filterbank
from tests.frontend.signals import CLIPS, Pcm, cases, coloured, pcm

SPEC = FeatureSpec()
CSRC = ROOT / "edge_asd" / "frontend" / "csrc"


def librosa_log_mel(x: Pcm, dtype: type = np.float32) -> np.ndarray:
    """Log-mel on the frames that we use."""
    import librosa

    mel = librosa.feature.melspectrogram(
        y=x.astype(dtype) / dtype(32768), sr=16000, n_fft=1024, hop_length=512, n_mels=128, center=False, dtype=dtype
    )
    return 10 * np.log10(np.maximum(mel.T, dtype(FLOOR_POWER)))


def scipy_log_mel() -> Callable[[Pcm], np.ndarray]:
    """Return a float32 pipeline with all its constants prepared."""
    import scipy.fft

    window = (hann(1024) / 32768).astype(np.float32)
    filters = np.ascontiguousarray(mel_filterbank(SPEC).T, dtype=np.float32)

    def pipeline(x: Pcm) -> np.ndarray:
        frames = np.lib.stride_tricks.sliding_window_view(x, 1024)[::512] * window
        spectrum = scipy.fft.rfft(frames, axis=1, overwrite_x=True, workers=1)
        power = spectrum.real**2 + spectrum.imag**2
        return 10 * np.log10(np.maximum(power @ filters, np.float32(FLOOR_POWER)))

    return pipeline


def milliseconds(functions: dict[str, Callable[[Pcm], np.ndarray]], x: Pcm, rounds: int = 40) -> dict[str, float]:
    """Return the median time of each function, all taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 3):
        for name, function in functions.items():
            start = time.perf_counter()
            function(x)
            if turn >= 3:  # the first ones warm up
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: float(np.median(values)) for name, values in times.items()}


def speed() -> dict[str, float]:
    """Milliseconds for a 10-s clip."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    x = pcm(3000 * coloured(np.random.default_rng(0), 160_000, 1.0))
    functions = {"native": log_mel, "numpy": fixed_point.log_mel, "librosa": librosa_log_mel, "scipy": scipy_log_mel()}
    return {f"{name}_ms_per_clip": value for name, value in milliseconds(functions, x).items()}


def accuracy() -> dict[str, float]:
    """Largest errors against librosa in float64, over all synthetic signals and the real clips there are."""
    import soundfile

    signals = list(cases(SPEC).values())
    signals += [soundfile.read(path, dtype="int16")[0] for path in sorted(CLIPS.rglob("*.wav"))[::8]]
    worst = {90: 0.0, 100: 0.0}
    for x in signals:
        reference = librosa_log_mel(x, np.float64)
        difference = np.abs(log_mel(x) / 65536 - reference)
        below = reference.max(axis=1, keepdims=True) - reference
        worst = {decibels: max(value, float(difference[below <= decibels].max())) for decibels, value in worst.items()}
    return {f"max_error_db_{decibels}": value for decibels, value in worst.items()}


def microcontroller() -> dict[str, int]:
    """Figures of a Cortex-M4 at -O2."""
    target = qemu.TARGETS["cortex-m4"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = folder / "edge_asd_tables.c"
        tables.write_text(c_source(SPEC))
        (folder / "edge_asd_tables.h").write_text(c_header())
        include = [CSRC, folder]
        code = qemu.compile_object(target, CSRC / "edge_asd_frontend.c", folder / "frontend.o", include=include)
        constants = qemu.compile_object(target, tables, folder / "tables.o", include=include)
        usage = {
            line.split(":")[-1].split("\t")[0]: int(line.split("\t")[1])
            for line in (folder / "frontend.su").read_text().splitlines()
        }
        push = usage.pop("edge_asd_frontend_push")
        sources = [ROOT / "tests" / "frontend" / "c" / "stream.c", tables, CSRC / "edge_asd_frontend.c"]
        program = qemu.build(target, sources, folder / "stream", include=include)
        x = pcm(3000 * coloured(np.random.default_rng(0), SPEC.sample_count(50), 1.0))
        x.tofile(folder / "input.bin")
        qemu.run(target, program, folder, count=True)
        if not np.array_equal(np.fromfile(folder / "output.bin", np.int32).reshape(-1, 128), fixed_point.log_mel(x)):
            raise EdgeAsdError("The Cortex-M4 and NumPy computed different frames; nothing was measured.")
        instructions = np.fromfile(folder / "counts.bin", np.uint32)[1:]
    state = 24 + 6 * SPEC.n_fft  # EDGE_ASD_FRONTEND_BYTES
    return {
        "m4_instructions_per_hop": int(instructions.max()),
        "m4_ram_bytes": state + 4 * SPEC.n_mels + push + max(usage.values()),  # and the frame, and the stack
        "m4_table_bytes": constants["text"] + constants["data"],
        "m4_code_bytes": code["text"] + code["data"],
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--m4", action="store_true", help="measure on an emulated Cortex-M4 too")
    options = parser.parse_args()
    if reason := why_not_native():
        print(reason, file=sys.stderr)
        return 1
    try:
        figures: dict[str, float] = {**speed(), **accuracy(), **(microcontroller() if options.m4 else {})}
    except EdgeAsdError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, indent=2))
        return 0
    native = figures["native_ms_per_clip"]
    print("10-s clip, one core, median of 40 alternated runs")
    for name in ("native", "numpy", "librosa", "scipy"):
        value = figures[f"{name}_ms_per_clip"]
        print(f"  {name:8} {value:8.3f} ms   {value / native:6.1f} x native")
    print("largest error against librosa in float64")
    print(f"  within 90 dB of a frame's loudest band  {figures['max_error_db_90']:.4f} dB")
    print(f"  within 100 dB                           {figures['max_error_db_100']:.4f} dB")
    if options.m4:
        print("Cortex-M4, -O2")
        for name in ("instructions_per_hop", "ram_bytes", "table_bytes", "code_bytes"):
            print(f"  {name.replace('_', ' '):22} {figures[f'm4_{name}']:7}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
