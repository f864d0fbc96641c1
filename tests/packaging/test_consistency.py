"""What the project says of itself in more than one place, and that the places agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _commands(text: str) -> list[str]:
    return re.findall(r"^python3\.11 .*nox -s \w+$", text, re.MULTILINE)


def test_the_readme_has_two_commands_one_for_the_main_job_and_one_for_all_tests() -> None:
    assert [command.split()[-1] for command in _commands(README)] == ["demo", "tests"]


def test_each_command_of_the_readme_works_alone() -> None:
    alone = "python3.11 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s "
    assert all(command.startswith(alone) for command in _commands(README))


def test_each_session_that_is_named_anywhere_exists() -> None:
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    sessions = set(re.findall(r"^def (\w+)\(session: nox\.Session\)", noxfile, re.MULTILINE))
    places = [ROOT / "README.md", ROOT / ".ci/run", *(ROOT / ".github").rglob("*.yml"), *(ROOT / "docs").rglob("*.md")]
    named = {
        session
        for place in places
        for names in re.findall(r"nox -s ((?:[a-z]+ ?)+)", place.read_text("utf-8"))
        for session in names.split()
    }
    assert named >= {"demo", "tests", "lint", "types", "sync", "docs", "build"}
    assert named <= sessions


def test_the_core_is_six_libraries_and_each_has_a_lower_bound() -> None:
    names = {re.split(r"[^a-z]", need)[0]: need for need in PROJECT["dependencies"]}
    assert set(names) == {"anyio", "attrs", "cattrs", "httpcore", "httpx", "sniffio"}
    assert all(">=" in need for need in names.values())


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'"(.+)"', (ROOT / "ippanel_edge/_version.py").read_text("utf-8").split("__version__")[1])
    assert version is not None
    assert f"\n## {version[1]} (" in (ROOT / "docs/en/changelog.md").read_text("utf-8")
