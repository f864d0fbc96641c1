"""The committed reference is generated from the code, and documents every endpoint and every public name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
import griffe
import pytest

import ippanel_edge
from ippanel_edge import models
from ippanel_edge.endpoints import ALL
from tests.codegen import describe
from tests.codegen.files import ROOT, differences, report
from tests.codegen.generate_reference import SECTIONS, check, inputs, page_of, public_names, render

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = sorted({*ippanel_edge.__all__, *models.__all__} - {"__version__"})


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    return render()


def section(pages: Mapping[str, str], name: str) -> str:
    """Return the text under the heading of a public name."""
    page = pages[f"{page_of(name)}.md"]
    found = re.search(rf"^(##+) {name}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no heading on the page {page_of(name)}"
    return found[2]


def test_the_reference_is_up_to_date() -> None:
    problems = check()
    assert not problems, report(problems)


def test_the_table_has_one_row_per_endpoint(pages: Mapping[str, str]) -> None:
    rows = [line.split(" | ")[2] for line in pages["index.md"].splitlines() if line.startswith("| ") and "`" in line]
    assert [row.partition("`")[2].partition("`")[0] for row in rows] == [endpoint.name for endpoint in ALL]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_heading_and_a_text(pages: Mapping[str, str], name: str) -> None:
    assert section(pages, name).strip(), f"{name}: add a docstring"


def test_the_version_is_documented(pages: Mapping[str, str]) -> None:
    assert "`ippanel_edge.__version__`" in pages["index.md"]


def test_each_public_attribute_of_a_class_is_documented(pages: Mapping[str, str]) -> None:
    missing = [
        f"{name}.{member}"
        for name in PUBLIC
        if isinstance(found := describe.source()[f"{public_names()[name]}.{name}"], griffe.Class)
        for member, value in found.members.items()
        if isinstance(value, griffe.Attribute) and not member.startswith("_")
        if not ("Client" in name and member in SECTIONS)  # both clients share the list below the heading Sections
        if f"`{member}`" not in section(pages, name)
    ]
    assert missing == []


def test_required_and_optional_fields_of_an_input_class_differ(pages: Mapping[str, str]) -> None:
    assert "- `recipients` (`Iterable[str] | str`, required): " in section(pages, "PeerMessage")
    assert "- `size` (`int`, default `0`): " in section(pages, "Slice")


@pytest.mark.parametrize("name", sorted(inputs()))
def test_every_field_of_an_input_class_is_required_or_has_a_default(pages: Mapping[str, str], name: str) -> None:
    kind = describe.class_named(public_names()[name], name)
    if isinstance(kind, type) and attrs.has(kind):
        lines = [
            line for line in section(pages, name).splitlines() if re.match(r"- `\w+` \(.*(required|default `)", line)
        ]
        assert len(lines) == len(attrs.fields(kind))


def test_signatures_show_keyword_only_arguments_and_defaults_as_they_are_written(pages: Mapping[str, str]) -> None:
    text = section(pages, "AsyncEdgeClient")
    assert "    api_key: str | None = None,\n    *,\n    token" in text
    assert "timeout: float | httpx.Timeout = DEFAULT_TIMEOUT," in text
    assert "repeat: Repeat = ONCE," in pages["client.md"]


def test_an_error_lists_its_own_and_its_inherited_attributes(pages: Mapping[str, str]) -> None:
    text = section(pages, "DecodeError")
    assert "- `where` (`str`): " in text
    assert "**Inherited from [`EdgeError`](#edgeerror):** `outcome`, `attempts`" in text


def test_no_text_counts_the_endpoints() -> None:
    counts = re.compile(r"\b\d+ endpoints")
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        found = counts.findall(file.read_text("utf-8"))
        assert found == [], f"{file.relative_to(ROOT)}: write 'every endpoint', so that a new one needs no edit here"


def test_a_missing_a_stale_and_a_changed_file_are_each_reported() -> None:
    problems = list(differences({"new.md": "y", "index.md": "two\n"}, {"old.md": "x", "index.md": "one\n"}))
    assert problems[:2] == ["missing: new.md", "stale: old.md has no source"]
    assert problems[2].startswith("out of date: index.md\n")
    assert problems[2].endswith("-one\n+two")
    assert report(problems).startswith("generated files are out of date; run `nox -s generate`\n")
