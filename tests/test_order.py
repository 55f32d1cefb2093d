from __future__ import annotations

from tests.order import LONG, ROOT, WAITING, ordered


def test_every_file_has_one_place_and_every_name_a_file() -> None:
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("test_*.py")]
    found = ordered(files)
    assert sorted(found) == sorted(files)
    assert found == ordered(reversed(files))
    assert found[: len(LONG)] == list(LONG)
    assert [name for name in WAITING if not any(path.startswith(name) for path in files)] == []


def test_what_waits_is_spread_among_the_others() -> None:
    assert ordered(["b", "notify/a", "a", "notify/b", "d", "c"]) == ["a", "b", "notify/a", "c", "d", "notify/b"]
