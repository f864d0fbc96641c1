"""The part that all generators share: comparing generated files with those of a checkout, writing them, and options."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = "nox -s generate"


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Compare generated files with the files that exist, in both directions.

    Args:
        wanted: the generated files: path below the root to text.
        found: the files that exist.
    """
    for path in sorted(wanted.keys() - found.keys()):
        yield f"missing: {path}"
    for path in sorted(found.keys() - wanted.keys()):
        yield f"stale: {path} has no source"
    for path in sorted(wanted.keys() & found.keys()):
        if wanted[path] != found[path]:
            old, new = found[path].splitlines(), wanted[path].splitlines()
            diff = difflib.unified_diff(old, new, path, "generated", lineterm="", n=2)
            yield "\n".join((f"out of date: {path}", *diff))


def write(root: Path, wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Write the files that changed, and remove those that have no source."""
    for path in found.keys() - wanted.keys():
        (root / path).unlink()
    for path, text in wanted.items():
        if found.get(path) != text:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")


def read(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Read files: path below the root to text."""
    return {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in sorted(files)}


def report(problems: Sequence[str]) -> str:
    """Return the message of a failed check: the command that writes the files, then each problem."""
    return "\n".join((f"generated files are out of date; run `{COMMAND}`", *problems)) if problems else ""


def run(
    description: str,
    arguments: Sequence[str] | None,
    *,
    check: Callable[[], list[str]],
    write: Callable[[], list[str]],
) -> int:
    """Run a generator from the command line: write the files, or with --check compare them.

    Args:
        description: a description of the generator.
        arguments: the arguments of the command line; those of the process by default.
        check: returns the differences.
        write: writes the files and returns the problems that remain.

    Returns:
        The exit code: 1 if there is a problem.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    problems = check() if parser.parse_args(arguments).check else write()
    if problems:
        print(report(problems))
    return 1 if problems else 0
