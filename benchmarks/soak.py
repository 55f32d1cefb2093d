"""Hours of a healthy machine through the monitor's loop, as fast as it goes.

    python benchmarks/soak.py [BUNDLE] [--section 00] [--hours 24] [--records] [--json]

Sound comes in blocks of 50 ms, as from a microphone. Once an hour a second of it is lost, once in two the signal is
away for five minutes. The threshold is the default quantile of half an hour, in minutes spread over the drift. BUNDLE
is by default the small autoencoder of the tests; the sound is made here, and no figure is one of MIMII DUE.

- samples_fed: made; samples_scored: that the engine was given; samples_dropped: that it was told are missing.
- rss_growth_bytes: resident memory at the end less that after the first ten minutes of sound; peak_rss_bytes.
- cpu_percent_of_core_at_realtime: processor time of the loop, making the sound not counted, as a share of the sound's
  length.
- latency_ms_p50, latency_ms_p99: from a block's arrival until its decision has passed all sinks.
- decisions, decisions_equal_offline: all decisions equal those that are computed from the same samples in pieces of ten
  minutes, without the engine.
- false_alarms: alarms of the default policy; crossings: times that decisions went over the threshold.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from edge_asd.audio.stream import Break
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import span_scores
from edge_asd.frontend import log_mel
from edge_asd.monitor.alarms import Alarms, Event
from edge_asd.monitor.engine import Engine, interval_frames
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.loop import Ear, Loop
from edge_asd.monitor.merging import Ended, Item
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Report, Sink
from edge_asd.monitor.sinks.records import open_records
from edge_asd.thresholds import quantile_threshold

BUNDLE = Path(__file__).resolve().parents[1] / "tests/golden/bundles/ae.easd"
RATE = 16000
MINUTE = 60 * RATE
BLOCK = RATE // 20
Pcm = npt.NDArray[np.int16]


class Machine:
    """A hum that drifts by a decibel within hours, in noise; each minute is the same whenever it is asked for."""

    def __init__(self) -> None:
        table = np.arange(RATE // 10)
        hum = sum(900 / h * np.sin(2 * np.pi * 200 * h * table / RATE + h) for h in (1, 2, 3, 5))
        self._hum = np.resize(hum, MINUTE)

    def minute(self, number: int) -> Pcm:
        """Make it: int16 [shape=(960000,)]."""
        raw = np.random.PCG64(number).random_raw(MINUTE // 2).view(np.uint8).reshape(MINUTE, 4)
        noise = raw.sum(axis=1, dtype=np.int16) * np.int16(2) - np.int16(1020)
        drift = 1 + 0.12 * math.sin(2 * math.pi * number / 300)
        return np.rint(drift * (self._hum + noise)).astype(np.int16)


def stretches(minutes: int) -> list[tuple[int, int]]:
    """Name the parts that are heard, by their first sample and the one after the last."""
    gaps = [(h * 60 * MINUTE, h * 60 * MINUTE + RATE) for h in range(1, math.ceil(minutes / 60))]
    gaps += [(m * MINUTE, (m + 5) * MINUTE) for m in range(90, minutes - 5, 120)]
    edges = [0, *[edge for gap in sorted(gaps) for edge in gap], minutes * MINUTE]
    return list(zip(edges[::2], edges[1::2], strict=True))


class Feed:
    """The items of the stream, with when each was given."""

    def __init__(self, machine: Machine, parts: list[tuple[int, int]]) -> None:
        self._machine, self._parts = machine, parts
        self.fed = 0
        self.given_s = self.made_cpu_s = 0.0
        self.rss_start = 0

    def items(self) -> Iterator[tuple[str, Item | Ended]]:
        """Give them."""
        place = 0
        for start, stop in self._parts:
            if start > place:
                lost = start - place
                if lost <= RATE:
                    yield "machine", Break("samples-lost", lost, lost / RATE, time.time(), "")
                else:
                    yield "machine", Break("signal-lost", 0, 2.0, time.time(), "")
                    yield "machine", Break("signal-back", lost, lost / RATE, time.time(), "")
                self.fed += lost
                place = start
            while place < stop:
                began = time.process_time()
                number = place // MINUTE
                first = number * MINUTE
                sound = self._machine.minute(number)[place - first : stop - first]
                self.made_cpu_s += time.process_time() - began
                for at in range(0, sound.size, BLOCK):
                    block = sound[at : at + BLOCK]
                    self.given_s = time.perf_counter()
                    yield "machine", block
                    self.fed += block.size
                    place += block.size
                    if not self.rss_start and place >= 10 * MINUTE:
                        self.rss_start = rss()
        yield "machine", Ended()


class Watch(Sink):
    """Counts, and writes decisions to a file."""

    def __init__(self, feed: Feed, file: IO[bytes]) -> None:
        self._feed, self._file = feed, file
        self.heard = self.decisions = self.alarms = self.crossings = 0
        self.dropped_s = 0.0
        self.delays = np.zeros(100_000, np.int64)  # by microseconds; the last counts all that took longer
        self._over = False

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        """Count samples."""
        self.heard += pcm.size

    def report(self, report: Report, /) -> None:
        """Count what is told."""
        what = report.what
        if isinstance(what, Event):
            self.alarms += what.event == "alarm"
            if what.event in ("samples-lost", "signal-back"):
                self.dropped_s += what.duration_s or 0.0
            return
        taken = (time.perf_counter() - self._feed.given_s) * 1e6
        self.delays[min(len(self.delays) - 1, int(taken))] += 1
        self.crossings += what.anomaly and not self._over
        self._over = what.anomaly
        self.decisions += 1
        self._file.write(np.array([round(what.time_s * RATE), what.score], np.int64).tobytes())

    def percentile_ms(self, share: float) -> float:
        """Find the delay that so large a share of decisions keeps."""
        reached = np.cumsum(self.delays)
        return float(np.searchsorted(reached, share * reached[-1])) / 1000


def rss() -> int:
    """Read this process's resident memory [bytes]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def offline(machine: Machine, bundle: Bundle, section: str, parts: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Decide on the same samples without the engine: places and scores."""
    spec, detector, n = bundle.features, load_detector(bundle), bundle.windows_per_score
    hop, interval = spec.hop_length, interval_frames(spec)
    for start, stop in parts:
        frames: list[npt.NDArray[np.int32]] = []
        scores: list[npt.NDArray[np.int32]] = []
        rest = np.empty(0, np.int16)
        place = start
        while place < stop:
            upto = min(stop, (place // MINUTE + 1) * MINUTE)
            first = place // MINUTE * MINUTE
            rest = np.concatenate([rest, machine.minute(place // MINUTE)[place - first : upto - first]])
            place = upto
            if rest.size >= spec.n_fft and (rest.size >= 10 * MINUTE or place == stop):
                new = log_mel(rest, spec)
                rest = rest[len(new) * hop :]
                whole = np.concatenate([*frames, new])
                window = detector.window_scores(whole, section)
                scores.append(window)
                frames = [whole[len(window) * bundle.window_hop :]]
        sums = np.concatenate([[0], np.cumsum(np.concatenate(scores), dtype=np.int64)])
        for last in range(n, len(sums)):
            late = (last - n) * bundle.window_hop
            if late % interval < bundle.window_hop:
                end = spec.sample_count(bundle.window_frames + (last - 1) * bundle.window_hop)
                yield start + end, (int(sums[last] - sums[last - n]) + n // 2) // n


def soak(bundle: Bundle, section: str, hours: float, records: bool) -> dict[str, Any]:
    """Run it and return the figures."""
    machine, minutes = Machine(), round(hours * 60)
    detector = load_detector(bundle)
    healthy = np.concatenate(
        [detector.window_scores(log_mel(machine.minute(m), bundle.features), section) for m in range(5, 305, 10)]
    )
    fitted = quantile_threshold({"source": span_scores(healthy, bundle.windows_per_score, bundle.span_step)}, 0.9)
    bundle = replace(bundle, thresholds={**bundle.thresholds, section: fitted})
    parts = stretches(minutes)
    feed = Feed(machine, parts)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = stack.enter_context(open(Path(folder) / "decisions", "w+b"))
        watch = Watch(feed, file)
        sinks: list[Sink] = []
        if records:
            kept = open_records(Path(folder) / "records", RecordsSettings(), lambda text: print(text, file=sys.stderr))
            kept.begin(Origin.of("machine", section, bundle, Policy()))
            sinks.append(kept)
        engine = Engine(bundle, section)
        ear = Ear(Listener("machine", engine, Alarms(Policy(), section, RATE)), live=True)
        began, cpu = time.perf_counter(), time.process_time()
        Loop({"machine": ear}, [*sinks, watch], lambda _: None).run(feed.items())
        for sink in sinks:
            sink.close()
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu - feed.made_cpu_s
        grown, peak = rss() - feed.rss_start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        file.flush()
        file.seek(0)
        found = np.frombuffer(file.read(), np.int64).reshape(-1, 2)
        expected = np.array([*offline(machine, bundle, section, parts)], np.int64).reshape(-1, 2)
    return {
        "hours": minutes / 60,
        "samples_fed": feed.fed,
        "samples_scored": watch.heard,
        "samples_dropped": round(watch.dropped_s * RATE),
        "rss_growth_bytes": grown,
        "peak_rss_bytes": peak,
        "cpu_percent_of_core_at_realtime": 100 * cpu / (watch.heard / RATE),
        "realtime_factor": feed.fed / RATE / elapsed,
        "latency_ms_p50": watch.percentile_ms(0.5),
        "latency_ms_p99": watch.percentile_ms(0.99),
        "decisions": watch.decisions,
        "decisions_equal_offline": bool(np.array_equal(found, expected)),
        "false_alarms": watch.alarms,
        "crossings": watch.crossings,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=BUNDLE)
    parser.add_argument("--section", default="00")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--records", action="store_true", help="keep events, summaries and clips as well")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not 0.2 <= options.hours <= 1000:
        sys.exit("--hours takes 0.2 to 1000")
    figures = soak(Bundle.load(options.bundle), options.section, options.hours, options.records)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:,.3f}" if isinstance(value, float) else f"{name:32} {value:,}")


if __name__ == "__main__":
    main()
