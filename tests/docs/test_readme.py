"""README.md: its links are absolute and lead to files that exist, and it names exactly two set-up commands."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text("utf-8")
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FILES: Final = tuple(f"{PROJECT['urls']['Source']}/{kind}/main/" for kind in ("blob", "raw"))
LINKS: Final = re.findall(r"\]\(([^)]+)\)", README)


def test_every_link_is_absolute_because_pypi_shows_the_readme_too() -> None:
    assert LINKS
    assert [link for link in LINKS if not link.startswith("https://")] == []


def test_every_link_into_the_repository_leads_to_a_file() -> None:
    linked = [*LINKS, *PROJECT["urls"].values()]
    paths = {start: [link.removeprefix(start) for link in linked if link.startswith(start)] for start in FILES}
    assert all(paths.values())
    assert [path for path in chain(*paths.values()) if not (ROOT / path).is_file()] == []


def test_an_image_is_shown_and_a_page_is_linked() -> None:
    images = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert images
    assert [link for link in images if not link.startswith(FILES[1])] == []
    assert [link for link in LINKS if link.startswith(FILES[1]) and link not in images] == []


def test_it_has_exactly_two_set_up_commands_which_ci_runs_as_they_stand() -> None:
    commands = [line for line in README.splitlines() if line.startswith("python3.11 ")]
    assert [command.split()[-1] for command in commands] == ["demo", "tests"]
    assert "nox -s tests" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_it_names_every_dependency_of_the_core() -> None:
    names = [re.split(r"[<>=]", requirement)[0] for requirement in PROJECT["dependencies"]]
    sentence = next(line for line in README.splitlines() if "depends on" in line)
    assert [name for name in names if name not in sentence] == []
