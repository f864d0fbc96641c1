"""Facts about the project that are stated in several files agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _commands(text: str) -> list[str]:
    return re.findall(r"^python3\.11 .*nox -s \w+$", text, re.MULTILINE)


def test_the_readme_has_one_command_for_the_demo_and_one_for_all_tests() -> None:
    assert [command.split()[-1] for command in _commands(README)] == ["demo", "tests"]


def test_each_command_of_the_readme_creates_its_own_environment() -> None:
    prefix = "python3.11 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s "
    assert all(command.startswith(prefix) for command in _commands(README))


def test_every_nox_session_that_is_mentioned_exists() -> None:
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    defined = set(re.findall(r"^def (\w+)\(session: nox\.Session\)", noxfile, re.MULTILINE))
    files = [ROOT / "README.md", ROOT / ".ci/run", *(ROOT / ".github").rglob("*.yml"), *(ROOT / "docs").rglob("*.md")]
    mentioned = {
        session
        for file in files
        for names in re.findall(r"nox -s ((?:[a-z]+ ?)+)", file.read_text("utf-8"))
        for session in names.split()
    }
    assert mentioned >= {"demo", "tests", "lint", "types", "sync", "docs", "build"}
    assert mentioned <= defined


def test_the_core_requires_six_libraries_with_lower_bounds() -> None:
    names = {re.split(r"[^a-z]", requirement)[0]: requirement for requirement in PROJECT["dependencies"]}
    assert set(names) == {"anyio", "attrs", "cattrs", "httpcore", "httpx", "sniffio"}
    assert all(">=" in requirement for requirement in names.values())


def test_the_changelog_has_an_entry_for_this_version() -> None:
    version = re.search(r'"(.+)"', (ROOT / "ippanel_edge/_version.py").read_text("utf-8").split("__version__")[1])
    assert version is not None
    assert f"\n## {version[1]} (" in (ROOT / "docs/en/changelog.md").read_text("utf-8")
