"""The committed reference is what endpoints.py and the docstrings say, and has a row for every endpoint."""

from __future__ import annotations

from pathlib import Path

from ippanel_edge.endpoints import ALL
from tests.codegen.generate_reference import differences, render


def test_the_reference_is_up_to_date() -> None:
    assert differences(render()) == [], "run: python tests/codegen/generate_reference.py"


def test_the_table_has_a_row_for_each_of_the_89_endpoints() -> None:
    rows = [line for line in render()["index.md"].splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) == len(ALL) == 89


def test_a_missing_a_stale_and_a_differing_page_are_each_named(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("x")
    (tmp_path / "index.md").write_text("one\n")
    said = differences({"index.md": "two\n", "new.md": "y"}, tmp_path)
    assert said[0] == "old.md: no section has it any more"
    assert "-one" in said[1]
    assert "+two" in said[1]
    assert said[2] == "new.md: is missing"
