"""Generates ippanel_edge/_sync from ippanel_edge/_async. No code of the client is executed.

    python -m tests.codegen.generate_sync            write the files and remove those without a source
    python -m tests.codegen.generate_sync --check    write nothing; fail if a file is out of date

A name that begins with Async loses this prefix; the other names are in RENAMES. This applies to code, docstrings,
comments, strings and f-strings. The files in HAND_WRITTEN are written by hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import libcst as cst

from tests.codegen import files
from tests.codegen.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SOURCE: Final = "ippanel_edge/_async"
TARGET: Final = "ippanel_edge/_sync"
HAND_WRITTEN: Final = frozenset({"_dial.py", "_grace.py", "_io.py", "_network.py", "_socket.py"})

RENAMES: Final[Mapping[str, str]] = {
    # ours
    "_async": "_sync",
    # httpx
    "AsyncByteStream": "SyncByteStream",
    "aclose": "close",
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
"""Each irregular name and its sync name. The check fails for an entry that no source uses."""

WRAPPERS: Final[Mapping[str, int]] = {"Awaitable": 0, "Coroutine": 2}
"""Types that are replaced by one of their arguments, and its index: Awaitable[X] and Coroutine[Any, Any, X] are X."""

KEYWORDS: Final = re.compile(r"\bawait\s+|\basync\s+(?=(?:def|with|for)\b|\()")
"""Removed from docstrings, comments and strings: `await `, and the `async ` of async def, with, for and (…)."""

LEFT_OVER: Final = re.compile(
    r"[Aa]sync(?!io\b)|\b(?:await|Awaitable|Coroutine|__a(?:enter|exit|iter|next)__)\b"
    r"|\ba(?:close|closing|iter|iter_\w+|next|read)\b|\b(?:import|from) (?:asyncio|anyio)\b|\b(?:asyncio|anyio)\."
)

_REGULAR: Final = r"_?Async(?=[A-Z])\w+"
_NAME: Final = re.compile(r"\b(?:" + "|".join([*map(re.escape, RENAMES), _REGULAR]) + r")\b")


def sync_name(name: str) -> str:
    """Return the sync name of a name; names that are not async are unchanged."""
    if name in RENAMES:
        return RENAMES[name]
    return name.replace("Async", "", 1) if re.fullmatch(_REGULAR, name) else name


class _ToSync(cst.CSTTransformer):
    """Converts a module to sync code, and counts in `used` the names that it replaced."""

    def __init__(self, used: Counter[str]) -> None:
        super().__init__()
        self._used = used

    def _text(self, text: str) -> str:
        return KEYWORDS.sub("", _NAME.sub(lambda match: self._name(match[0]), text))

    def _name(self, name: str) -> str:
        self._used[name] += name in RENAMES
        return sync_name(name)

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
        if not updated_node.lpar or "\n" not in _code(inner):  # a primary expression needs no parentheses
            return inner
        return inner.with_changes(lpar=[*updated_node.lpar, *inner.lpar], rpar=[*inner.rpar, *updated_node.rpar])

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        name = _last_name(original_node.value)
        if name in WRAPPERS:
            argument = updated_node.slice[WRAPPERS[name]].slice
            return argument.value if isinstance(argument, cst.Index) else updated_node
        if name == "AsyncGenerator":  # Generator also has send and return types, without defaults in Python 3.11
            elements = [element.with_changes(comma=cst.MaybeSentinel.DEFAULT) for element in updated_node.slice]
            none = cst.SubscriptElement(cst.Index(cst.Name("None")))
            return updated_node.with_changes(slice=[*elements, *[none] * (3 - len(elements))])
        return updated_node


def _code(node: cst.CSTNode) -> str:
    return cst.Module(body=[]).code_for_node(node)


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def to_sync(source: str, used: Counter[str] | None = None) -> str:
    """Convert the source of a module to sync code. `used` counts the names of RENAMES that occur in it."""
    return cst.parse_module(source).visit(_ToSync(Counter() if used is None else used)).code


def tidy(source: str, path: str) -> str:
    """Sort the imports, remove unused ones, and format, with the settings of the project for `path`."""
    ruff = (sys.executable, "-m", "ruff")
    name = ("--stdin-filename", path, "-")
    fix = ("check", "--select", "I,F401,TC005", "--fix-only", "--exit-zero", "--quiet")
    for command in ((*ruff, *fix, *name), (*ruff, "format", "--quiet", *name)):
        done = subprocess.run(  # noqa: S603 - the arguments are constants of this module
            command, input=source, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False
        )
        if done.returncode:
            message = f"{path}: ruff cannot parse the generated code:\n{done.stderr}"
            raise SystemExit(message)
        source = done.stdout
    return source


def banner(name: str) -> str:
    """Return the first line of a generated file, which names its source."""
    return f"# Generated from {SOURCE}/{name} by tests/codegen/generate_sync.py: edit that, not this.\n"


def render(
    sources: Mapping[str, str], tidied: Callable[[str, str], str] = tidy
) -> tuple[dict[str, str], frozenset[str]]:
    """Render every source (file name to text). Returns the files and the entries of RENAMES that no source uses."""
    used: Counter[str] = Counter()
    rendered = {
        name: tidied(banner(name) + to_sync(text, used), f"{TARGET}/{name}") for name, text in sorted(sources.items())
    }
    return rendered, frozenset(RENAMES) - frozenset(+used)


def left_overs(name: str, text: str) -> Iterator[str]:
    """Yield each line of a generated file, below the banner, that still contains async terms."""
    for number, line in enumerate(text.splitlines()[1:], 2):
        if match := LEFT_OVER.search(line):
            yield f"{TARGET}/{name}:{number}: {match[0]!r} is async and was not converted: {line.strip()}"


def problems(wanted: Mapping[str, str], found: Mapping[str, str], unused: frozenset[str]) -> Iterator[str]:
    """Yield the differences between the generated files and those that exist, and the errors of the conversion."""
    yield from files.differences(_paths(wanted), _paths(found))
    for name, text in wanted.items():
        yield from left_overs(name, text)
    for rename in sorted(unused):
        yield f"unused rename: {rename!r} is in no source; remove it from RENAMES"


def _paths(named: Mapping[str, str]) -> dict[str, str]:
    return {f"{TARGET}/{name}": text for name, text in named.items()}


def read(folder: Path) -> dict[str, str]:
    """Read the Python files of a folder, except the hand-written ones: the path below the folder to text."""
    return files.read(folder, (file for file in folder.rglob("*.py") if file.name not in HAND_WRITTEN))


def check(root: Path = ROOT) -> list[str]:
    """Return the problems of the generated files of a checkout; empty if there are none."""
    wanted, unused = render(read(root / SOURCE))
    return list(problems(wanted, read(root / TARGET), unused))


def write(root: Path = ROOT) -> list[str]:
    """Write the files that changed and remove the stale ones. Returns the problems that remain."""
    wanted, unused = render(read(root / SOURCE))
    files.write(root, _paths(wanted), _paths(read(root / TARGET)))
    return list(problems(wanted, wanted, unused))


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with --check compare them. Returns 1 if there is a problem."""
    return files.run("Generate the sync side from the async side.", arguments, check=check, write=write)


if __name__ == "__main__":
    sys.exit(main())
