"""Public names: each one can be imported and is listed, and heavy dependencies are imported lazily."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import ippanel_edge


@pytest.mark.parametrize("name", ippanel_edge.__all__)
def test_a_public_name_can_be_imported_and_is_listed(name: str) -> None:
    assert getattr(import_module("ippanel_edge"), name) is not None
    assert name in dir(ippanel_edge)


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        getattr(ippanel_edge, "Nonsense")  # noqa: B009 - a type checker rejects the plain form


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, ippanel_edge; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - the arguments are constants of this test
    loaded = set(run.stdout.split())
    assert loaded.isdisjoint({"httpx", "attrs", "attr", "cattrs", "anyio", "starlette", "openpyxl", "rich", "asyncio"})


def test_importing_a_client_loads_no_optional_or_test_dependency() -> None:
    code = (
        "import sys; from ippanel_edge import AsyncEdgeClient; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - the arguments are constants of this test
    assert set(run.stdout.split()).isdisjoint({"starlette", "uvicorn", "openpyxl", "pyotp", "trio", "pytest"})
