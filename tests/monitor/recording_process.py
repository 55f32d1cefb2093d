"""A process that hears and records alarms as fast as it can, to be killed: it prints each event once it is written."""

from __future__ import annotations

import sys
from pathlib import Path

from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Report, now
from edge_asd.monitor.sinks.records import LiveRecords, open_records
from tests.monitor.recorded import RATE, decision, event, origin, sound

BLOCK = RATE // 10
SETTINGS = RecordsSettings(pre_s=1, post_s=0.3, longest_s=1.3, floor_bytes=0, clips_bytes=3_000_000)


def main(folder: Path) -> None:
    records = open_records(folder, SETTINGS, lambda text: print(f"note {text}", file=sys.stderr, flush=True))
    assert isinstance(records, LiveRecords)
    records.begin(origin())
    for block in range(1 << 30):
        records.hear("pump", block * BLOCK, sound(BLOCK, block * BLOCK))
        place = (block + 1) * BLOCK
        records.report(decision(place))
        if block % 5 == 4:
            told = event(place - 123)
            records.report(Report(told.what, now(), told.source, told.state))
            if not records.flush(60):
                sys.exit("the disk did not keep up")
            print(place - 123, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
