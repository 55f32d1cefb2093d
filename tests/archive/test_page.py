"""docs/archives.md: its queries find the hour in which a machine began to change."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from edge_asd.archive.tables import FILES, SCORES, FileRow, ScoresWriter, Verdicts, part_name, write_files
from edge_asd.monitor.decisions import Decision, Verdict

PAGE = (Path(__file__).resolve().parents[2] / "docs/archives.md").read_text()
SQL = [block.split("```")[0] for block in PAGE.split("```sql\n")[1:]]
PYTHON = [block.split("```")[0] for block in PAGE.split("```python\n")[1:]]
START = datetime(2026, 11, 2)
CHANGE = 67


@pytest.fixture
def tables(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five days of an hourly minute in two partitions: scores that are higher by day, and rise from one hour on.

    The hour is a parameter; `CHANGE` by default.
    """
    change = getattr(request, "param", CHANGE)
    rng = np.random.default_rng(1)
    for table in (SCORES, FILES):
        (tmp_path / table).mkdir()
    for part in (1, 2):
        rows = []
        with (
            open(tmp_path / SCORES / part_name(part), "wb") as file,
            ScoresWriter(file, {"edge_asd.section": "00"}) as writer,
        ):
            for hour in range(60 * (part - 1), 60 * part):
                name = f"fan/{START + timedelta(hours=hour):%Y-%m-%dT%H}.wav"
                verdicts = Verdicts(name)
                usual = 65536 + 9000 * math.sin(math.tau * hour / 24)  # low before the change
                usual += 20000 + 2000 * (hour - change) if hour >= change else 0
                for second in range(10, 60):
                    score = round(usual + rng.normal(0, 3000))
                    decision = Decision(float(second), "00", score, 90000, score > 90000)
                    # What is clipped or dead is not to be believed.
                    clipped, dead = second == 11, second == 12
                    if clipped or dead:
                        decision = Decision(float(second), "00", 10**9, 90000, True)
                    verdicts.push(Verdict(decision, -30.0, dead, False, clipped))
                writer.add(verdicts.batches())
                rows.append(FileRow(name, 1, 1, 60.0, verdicts.decisions, verdicts.anomalies))
            undated = Verdicts(f"fan/trial{part}.wav")  # says of no hour
            undated.push(Verdict(Decision(10.0, "00", 0, 90000, False), -30.0, False, False, False))
            writer.add(undated.batches())
        with open(tmp_path / FILES / part_name(part), "wb") as file:
            write_files(file, [*rows, FileRow(f"fan/broken{part}.wav", 1, 1, passed_over="is empty (0 bytes).")])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("tables")
def test_the_query_finds_the_hour_and_what_was_passed_over() -> None:
    hour, broken = SQL
    ((found, score, over, level),) = duckdb.sql(hour).fetchall()
    assert found == START + timedelta(hours=CHANGE)
    assert 1.1 < score < 1.3
    assert (over, level) == (0.0, -30.0)
    assert sorted(duckdb.sql(broken).fetchall()) == [
        ("fan/broken1.wav", "is empty (0 bytes)."),
        ("fan/broken2.wav", "is empty (0 bytes)."),
    ]


def in_pandas(capsys: pytest.CaptureFixture[str]) -> str:
    (program,) = PYTHON
    exec(compile(program, "docs/archives.md", "exec"), {})
    return capsys.readouterr().out


@pytest.mark.usefixtures("tables")
def test_pandas_finds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_pandas(capsys) == f"{START + timedelta(hours=CHANGE)}\n"


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("tables", [10**6], indirect=True)
def test_without_a_change_both_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert duckdb.sql(SQL[0]).fetchall() == []
    assert in_pandas(capsys) == "no change\n"
