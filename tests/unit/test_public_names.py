"""The package's face: every public name loads, is listed, and nothing heavy is loaded before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import ippanel_edge


@pytest.mark.parametrize("name", ippanel_edge.__all__)
def test_a_public_name_loads_and_is_listed(name: str) -> None:
    assert getattr(import_module("ippanel_edge"), name) is not None
    assert name in dir(ippanel_edge)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        getattr(ippanel_edge, "Nonsense")  # noqa: B009 - a type checker would see the plain form


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, ippanel_edge; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own line
    loaded = set(run.stdout.split())
    assert loaded.isdisjoint({"httpx", "attrs", "attr", "cattrs", "anyio", "starlette", "openpyxl", "rich", "asyncio"})


def test_a_client_loads_the_core_alone() -> None:
    code = (
        "import sys; from ippanel_edge import AsyncEdgeClient; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own line
    assert set(run.stdout.split()).isdisjoint({"starlette", "uvicorn", "openpyxl", "pyotp", "trio", "pytest"})
