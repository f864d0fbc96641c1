"""The diffs in docs/ tell of the code as it is: each line that they add is in the file that they name."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DIFFS = [
    pytest.param(token.content, id=token.content.partition("\n")[0].removeprefix("+++ b/"))
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for token in MarkdownIt().parse(page.read_text("utf-8"))
    if token.type == "fence" and token.info == "diff"
]


@pytest.mark.parametrize("diff", DIFFS)
def test_each_line_that_a_diff_adds_is_in_its_file(diff: str) -> None:
    name, *lines = diff.splitlines()
    there = (ROOT / name.removeprefix("+++ b/")).read_text("utf-8").splitlines()
    added = [line.removeprefix("+") for line in lines]
    assert added
    assert [line for line in added if line not in there] == []
