"""Import rules: each package imports only lower layers, and the sandbox imports nothing from the SDK."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).resolve().parents[2] / "ippanel_edge"

LAYERS: Final = (
    ("_version", "errors"),
    ("values",),
    ("models",),
    ("endpoints", "config"),
    ("wire",),
    ("events",),
    ("hooks",),
    ("logs",),
    ("observers",),
    ("api",),
    ("_async", "_sync"),
    ("bulk",),
    ("integrations",),
    ("cli",),
    ("testing",),
)
"""From the lowest to the highest. A module may import its own package and lower layers only."""

UNRESTRICTED: Final = frozenset({"__init__"})
"""Modules that may import every layer: `__init__` imports the public names lazily."""

USE_THE_SANDBOX: Final = frozenset({"cli", "testing"})
"""Layers that may import the sandbox."""

LEVEL: Final = {name: level for level, names in enumerate(LAYERS) for name in names}


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield each layer that a module imports, with the line; imports for type checkers are included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not supported"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "ippanel_edge" else [module]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "ippanel_edge":
                yield node.lineno, rest.split(".")[0] or "__init__"


def forbidden_imports(path: Path, source: str) -> list[str]:
    """Return each import that the rules forbid."""
    own = layer_of(path)
    if own == "sandbox":
        return [f"{path.name}:{line}: imports {name}" for line, name in imported(source) if name != "sandbox"]
    return [
        f"{path.name}:{line}: {own} imports {name}"
        for line, name in imported(source)
        if name != own
        and not (name == "sandbox" and own in USE_THE_SANDBOX)
        and LEVEL.get(name, len(LAYERS)) >= LEVEL[own]
    ]


MODULES: Final = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if layer_of(path) not in UNRESTRICTED and layer_of(path) in {*LEVEL, "sandbox"}
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_lower_layers(path: Path) -> None:
    assert forbidden_imports(path, path.read_text("utf-8")) == []


def test_every_module_belongs_to_a_layer() -> None:
    known = {*LEVEL, *UNRESTRICTED, "sandbox"}
    assert {layer_of(path) for path in PACKAGE.rglob("*.py")} <= known, "add the new package to LAYERS"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("values/phones.py", "from ippanel_edge.wire import codec"),
        ("models/send.py", "import ippanel_edge.endpoints"),
        ("wire/reply.py", "from ippanel_edge._async.client import AsyncEdgeClient"),
        ("_async/client.py", "from ippanel_edge._sync import client"),
        ("api/send.py", "def f():\n    from ippanel_edge._async import client"),
        ("errors.py", "from ippanel_edge import EdgeClient"),
        ("bulk/run.py", "from ippanel_edge.sandbox import Sandbox"),
        ("cli/main.py", "from ippanel_edge.testing import EdgeSandbox"),
        ("sandbox/app.py", "from ippanel_edge.errors import EdgeError"),
    ],
)
def test_a_forbidden_import_is_reported(path: str, source: str) -> None:
    assert len(forbidden_imports(PACKAGE / path, source)) == 1
