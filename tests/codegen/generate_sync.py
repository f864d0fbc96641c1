"""Renders ippanel_edge/_sync from ippanel_edge/_async: the one place where async becomes sync. It runs no client code.

    python tests/codegen/generate_sync.py            write the files and remove those without a source
    python tests/codegen/generate_sync.py --check    write nothing; fail where the files are not what would be written

A name that begins with Async loses it; the others are in the table below. That holds in code as well as in docstrings,
comments, strings and f-strings. The two `_io.py` files are written by hand, on both sides.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = "ippanel_edge/_async"
TARGET: Final = "ippanel_edge/_sync"
HAND_WRITTEN: Final = frozenset({"_io.py"})

RENAMES: Final[Mapping[str, str]] = {
    # ours
    "_async": "_sync",
    # httpx
    "AsyncByteStream": "SyncByteStream",
    "aclose": "close",
    "aiter_raw": "iter_raw",
    "handle_async_request": "handle_request",
    # Python
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aiter": "iter",
    "anext": "next",
}
"""Each irregular name and its twin. One that no source uses fails the check: the table says what is in use."""

WRAPPERS: Final[Mapping[str, int]] = {"Awaitable": 0, "Coroutine": 2}
"""Types that vanish, and which of their arguments is left: Awaitable[X] and Coroutine[Any, Any, X] are X."""

KEYWORDS: Final = re.compile(r"\bawait\s+|\basync\s+(?=(?:def|with|for)\b|\()")
"""What vanishes from a docstring, a comment or a string: `await `, and the `async ` of async def, with, for and (…)."""

LEFT_OVER: Final = re.compile(
    r"[Aa]sync(?!io\b)|\b(?:await|Awaitable|Coroutine|__a(?:enter|exit|iter|next)__)\b"
    r"|\ba(?:close|closing|iter|iter_\w+|next|read)\b|\b(?:import|from) (?:asyncio|anyio)\b|\b(?:asyncio|anyio)\."
)

_REGULAR: Final = r"_?Async(?=[A-Z])\w+"
_NAME: Final = re.compile(r"\b(?:" + "|".join([*map(re.escape, RENAMES), _REGULAR]) + r")\b")


def twin(name: str) -> str:
    """Name the sync twin of an async thing; another name is its own twin."""
    if name in RENAMES:
        return RENAMES[name]
    return name.replace("Async", "", 1) if re.fullmatch(_REGULAR, name) else name


class _ToSync(cst.CSTTransformer):
    """Takes the async out of a module, and counts in `used` the names that it replaced."""

    def __init__(self, used: Counter[str]) -> None:
        super().__init__()
        self._used = used

    def _text(self, text: str) -> str:
        return KEYWORDS.sub("", _NAME.sub(lambda match: self._name(match[0]), text))

    def _name(self, name: str) -> str:
        self._used[name] += name in RENAMES
        return twin(name)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._name(original_node.value))

    def leave_Comment(self, original_node: cst.Comment, updated_node: cst.Comment) -> cst.Comment:
        return updated_node.with_changes(value=self._text(original_node.value))

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        return updated_node.with_changes(value=self._text(original_node.value))

    def leave_FormattedStringText(
        self, original_node: cst.FormattedStringText, updated_node: cst.FormattedStringText
    ) -> cst.FormattedStringText:
        return updated_node.with_changes(value=self._text(original_node.value))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        return updated_node.with_changes(asynchronous=None)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With:
        return updated_node.with_changes(asynchronous=None)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        return updated_node.with_changes(asynchronous=None)

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        return updated_node.with_changes(asynchronous=None)

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.BaseExpression:
        inner = updated_node.expression
        if not updated_node.lpar or "\n" not in _code(inner):  # await takes a primary: it needs no parentheses
            return inner
        return inner.with_changes(lpar=[*updated_node.lpar, *inner.lpar], rpar=[*inner.rpar, *updated_node.rpar])

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        name = _last_name(original_node.value)
        if name in WRAPPERS:
            kept = updated_node.slice[WRAPPERS[name]].slice
            return kept.value if isinstance(kept, cst.Index) else updated_node
        if name == "AsyncGenerator":  # Generator takes what it returns as well, and in 3.11 has no defaults
            given = [element.with_changes(comma=cst.MaybeSentinel.DEFAULT) for element in updated_node.slice]
            nothing = cst.SubscriptElement(cst.Index(cst.Name("None")))
            return updated_node.with_changes(slice=[*given, *[nothing] * (3 - len(given))])
        return updated_node


def _code(node: cst.CSTNode) -> str:
    return cst.Module(body=[]).code_for_node(node)


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def to_sync(source: str, used: Counter[str] | None = None) -> str:
    """Take the async out of a module's source. `used` counts the names of RENAMES that it met."""
    return cst.parse_module(source).visit(_ToSync(Counter() if used is None else used)).code


def tidy(source: str, path: str) -> str:
    """Sort the imports, drop those that became unused, and format, by the project's own settings for `path`."""
    ruff = (sys.executable, "-m", "ruff")
    name = ("--stdin-filename", path, "-")
    fix = ("check", "--select", "I,F401,TC005", "--fix-only", "--exit-zero", "--quiet")
    for command in ((*ruff, *fix, *name), (*ruff, "format", "--quiet", *name)):
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, input=source, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False
        )
        if done.returncode:
            message = f"{path}: ruff could not read what was generated:\n{done.stderr}"
            raise SystemExit(message)
        source = done.stdout
    return source


def banner(name: str) -> str:
    """Say on the first line where the file comes from."""
    return f"# Generated from {SOURCE}/{name} by tests/codegen/generate_sync.py: edit that, not this.\n"


def render(
    sources: Mapping[str, str], tidied: Callable[[str, str], str] = tidy
) -> tuple[dict[str, str], frozenset[str]]:
    """Render every source (file name to text). Returns the files and the renames that none of them used."""
    used: Counter[str] = Counter()
    files = {
        name: tidied(banner(name) + to_sync(text, used), f"{TARGET}/{name}") for name, text in sorted(sources.items())
    }
    return files, frozenset(RENAMES) - frozenset(+used)


def left_overs(name: str, text: str) -> Iterator[str]:
    """Name every line of a generated file, below the banner, that still speaks of async."""
    for number, line in enumerate(text.splitlines()[1:], 2):
        if match := LEFT_OVER.search(line):
            yield f"{TARGET}/{name}:{number}: {match[0]!r} was left over: {line.strip()}"


def problems(wanted: Mapping[str, str], found: Mapping[str, str], unused: frozenset[str]) -> Iterator[str]:
    """Compare both ways what would be written with what is there."""
    for name in sorted(wanted.keys() - found.keys()):
        yield f"missing: {TARGET}/{name}"
    for name in sorted(found.keys() - wanted.keys()):
        yield f"stale: {TARGET}/{name} has no source in {SOURCE}"
    for name in sorted(wanted.keys() & found.keys()):
        if wanted[name] != found[name]:
            here, there = (found[name].splitlines(), wanted[name].splitlines())
            diff = difflib.unified_diff(here, there, f"{TARGET}/{name}", "generated", lineterm="", n=2)
            yield "\n".join((f"differs: {TARGET}/{name}", *diff))
    for name, text in wanted.items():
        yield from left_overs(name, text)
    for rename in sorted(unused):
        yield f"unused rename: {rename!r} is in no source; take it out of RENAMES"


def read(folder: Path) -> dict[str, str]:
    """Read the Python files of a folder but the hand-written ones: the path below the folder, and the text."""
    files = sorted(folder.rglob("*.py"))
    return {
        file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in files if file.name not in HAND_WRITTEN
    }


def check(root: Path = ROOT) -> list[str]:
    """Say what is wrong with the generated files of a checkout; nothing when all is well."""
    wanted, unused = render(read(root / SOURCE))
    return list(problems(wanted, read(root / TARGET), unused))


def write(root: Path = ROOT) -> list[str]:
    """Write the files that changed and remove the stale ones. Returns what is still wrong."""
    wanted, unused = render(read(root / SOURCE))
    found = read(root / TARGET)
    for name in found.keys() - wanted.keys():
        (root / TARGET / name).unlink()
    for name, text in wanted.items():
        if found.get(name) != text:
            path = root / TARGET / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    return list(problems(wanted, wanted, unused))


def main(arguments: list[str] | None = None) -> int:
    """Write, or with --check compare. Returns 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Render the sync side from the async one.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where something differs")
    found = check() if parser.parse_args(arguments).check else write()
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
