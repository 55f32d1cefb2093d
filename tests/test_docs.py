"""What the pages name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
TOPS = "benchmarks|edge_asd|firmware_export|quantize|tests|train"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link and "@" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    named = re.findall(rf"(?<![\w./-])(?:{TOPS})(?:/[\w.-]+)*/[\w-]+\.(?:c|cpp|h|py|md|toml)\b", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    missing += [name for name in re.findall(r"\btest_\w+\.py\b", text) if name not in tests]
    assert not missing
