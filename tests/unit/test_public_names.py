"""Public names: each one can be imported and is listed, and heavy dependencies are imported lazily."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from typing import Any, Final, get_type_hints

import pytest

import ippanel_edge


@pytest.mark.parametrize("name", ippanel_edge.__all__)
def test_a_public_name_can_be_imported_and_is_listed(name: str) -> None:
    assert getattr(import_module("ippanel_edge"), name) is not None
    assert name in dir(ippanel_edge)


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        getattr(ippanel_edge, "Nonsense")  # noqa: B009 - a type checker rejects the plain form


CORE: Final = {
    *("config", "endpoints", "errors", "hooks", "logs", "models", "models.common", "models.send_result"),
    *("values", "values.checks", "values.files", "values.phones", "values.redaction", "values.secrets"),
    *("wire", "wire.call", "wire.credit", "wire.reply", "wire.request", "_version"),
}
"""The modules of the package that the class of a client needs, apart from those of its side."""
SIDE: Final = {"client", "engine", "runner", "sections", "settings"}
"""The same, of its side."""


def loaded_by(code: str) -> set[str]:
    """Return the modules that a new interpreter has loaded after some code."""
    code = f"{code}\nimport sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - the arguments are constants of this module
    return set(run.stdout.split())


def ours(loaded: set[str]) -> set[str]:
    """Return those of the modules that belong to the package, by their names below it."""
    return {name.removeprefix("ippanel_edge.") for name in loaded if name.startswith("ippanel_edge.")}


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


@pytest.mark.parametrize(("client", "side"), [("AsyncEdgeClient", "_async"), ("EdgeClient", "_sync")])
def test_importing_a_client_loads_no_section_no_engine_and_no_model_of_a_section(client: str, side: str) -> None:
    loaded = loaded_by(f"from ippanel_edge import {client}")
    assert ours(loaded) == {*CORE, side, *(f"{side}.{name}" for name in SIDE)}
    assert loaded.isdisjoint({"asyncio", "anyio", "cattrs", "csv", "httpcore", "zipfile"})


@pytest.mark.parametrize(("client", "side"), [("AsyncEdgeClient", "_async"), ("EdgeClient", "_sync")])
def test_a_section_loads_only_its_own_modules(client: str, side: str) -> None:
    created = ours(loaded_by(f"import ippanel_edge; client = ippanel_edge.{client}('key-0001')"))
    used = ours(loaded_by(f"import ippanel_edge; client = ippanel_edge.{client}('key-0001'); client.payment"))
    assert not [name for name in created if name.startswith((f"{side}.sections.", "api."))]
    assert used - created == {f"{side}.sections.payment", "models.payment"}


def test_an_endpoint_loads_its_model_when_its_class_is_read() -> None:
    assert "models.payment" not in ours(loaded_by("from ippanel_edge.endpoints import PAYMENT_CREDIT"))
    assert "models.payment" in ours(loaded_by("from ippanel_edge.endpoints import PAYMENT_CREDIT as e; e.returns"))


@pytest.mark.parametrize("client", ["AsyncEdgeClient", "EdgeClient"])
def test_the_annotations_of_a_client_can_be_evaluated(client: str) -> None:
    kind: type[object] = getattr(ippanel_edge, client)
    for name, member in vars(kind).items():
        function: Any = inspect.unwrap(getattr(member, "func", member))  # `func` is that of a cached property
        if inspect.isfunction(function):
            assert "return" in get_type_hints(function), name


@pytest.mark.parametrize("module", ["_async.engine", "_sync.engine", "_async.sections", "_sync.sections", "wire"])
def test_a_lazy_module_lists_what_it_loads_and_nothing_else(module: str) -> None:
    lazy = import_module(f"ippanel_edge.{module}")
    assert all(getattr(lazy, name) is not None for name in lazy.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        lazy.Nonsense  # noqa: B018 - the access raises
