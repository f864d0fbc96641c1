"""Runs every Python block of README.md and docs/ as it is written, each in a sandbox of its own.

A block that defines tests is run by pytest, as a file.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

import anyio
import pytest
from markdown_it import MarkdownIt

from ippanel_edge.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _blocks() -> Iterator[object]:
    """Each fenced Python block as a test: its page, the line that it begins on, its text."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for token in MarkdownIt().parse(page.read_text("utf-8")):
            if token.type == "fence" and token.info.split()[:1] in (["python"], ["py"]):
                assert token.map is not None
                line = token.map[0] + 1
                yield pytest.param(page, line, token.info, token.content, id=f"{name}:{line}")


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        monkeypatch.setenv("IPPANEL_API_KEY", running.api_key)
        monkeypatch.setenv("IPPANEL_BASE_URL", running.base_url)
        monkeypatch.setenv("IPPANEL_FROM_NUMBER", running.from_number)
        yield running


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(("page", "line", "info", "block"), list(_blocks()))
def test_a_block_runs_as_it_is_written(
    page: Path, line: int, info: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert info == "python", f"{page.name}:{line}: a block says only python: all of them run"
    monkeypatch.chdir(tmp_path)
    tree = compile(block, page.name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") for node in tree.body
    ):
        _run_tests(block, tmp_path)
        return
    ast.increment_lineno(tree, line)  # a traceback then names the line of the page
    code = compile(tree, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    run = FunctionType(code, {"__name__": "__main__", "__builtins__": builtins})
    if code.co_flags & inspect.CO_COROUTINE:
        anyio.run(run)
    else:
        run()


def _run_tests(block: str, folder: Path) -> None:
    """Run the tests of a block, with none of this project's settings."""
    module = folder / "test_block.py"
    module.write_text(block, "utf-8")
    run = subprocess.run(  # noqa: S603 - a block of the documentation
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(module)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_readme_has_a_block_of_each_side() -> None:
    text = PAGES[0].read_text("utf-8")
    assert "async with AsyncEdgeClient()" in text
    assert "\nwith EdgeClient()" in text
