"""Runs all generators, in the order in which they depend on each other: `python -m tests.codegen [--check]`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

GENERATORS: Final = ("models", "sync", "reference")
"""Each is imported when it runs: the reference imports the package, which the others write."""


def main(arguments: list[str] | None = None) -> int:
    """Run each generator with the arguments. Returns 1 if one of them reports a problem."""
    codes: list[int] = [import_module(f"tests.codegen.generate_{name}").main(arguments) for name in GENERATORS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
