"""Generates ippanel_edge/models/__init__.py, which exports the public classes of all modules in ippanel_edge/models.

    python -m tests.codegen.generate_models            write the file
    python -m tests.codegen.generate_models --check    write nothing; fail if the file is out of date

The modules are parsed, not imported. Public classes are those at module level without a leading underscore.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.codegen import files
from tests.codegen.files import COMMAND, ROOT

PACKAGE: Final = "ippanel_edge"
SOURCE: Final = f"{PACKAGE}/models"
TARGET: Final = f"{SOURCE}/__init__.py"

MORE: Final[Mapping[str, tuple[str, ...]]] = {"values.files": ("FileInput",)}
"""Exported names that are not classes of the models: module below the package, and names."""

_LINE_LENGTH: Final = 120
_HEAD: Final = f'''\
# Generated from {SOURCE}/*.py by tests/codegen/generate_models.py: edit those, then run `{COMMAND}`.
"""The classes of requests and responses of all API sections, and `FileInput`. Each is loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
'''
_TAIL: Final = f'''

def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module '{PACKAGE}.models' has no attribute {{name!r}}")
    value: object = getattr(import_module(f"{PACKAGE}.{{module}}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
'''


def public_classes(source: str) -> list[str]:
    """Return the names of the public classes that a module defines, sorted."""
    return sorted(
        node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )


def render(sources: Mapping[str, str]) -> str:
    """Render the file from the modules: module name to source.

    Raises:
        SystemExit: two modules define the same name.
    """
    modules: dict[str, list[str]] = {f"models.{name}": public_classes(text) for name, text in sources.items()}
    modules.update({module: sorted(names) for module, names in MORE.items()})
    module_of: dict[str, str] = {}
    for module, names in sorted(modules.items()):
        for name in names:
            if name in module_of:
                message = f"{name} is defined in {module_of[name]} and {module}; rename one of them"
                raise SystemExit(message)
            module_of[name] = module
    imports = [line for module, names in sorted(modules.items()) if names for line in _import(module, names)]
    exported = [f'    "{name}",' for name in sorted(module_of)]
    mapping = [f'    "{name}": "{module}",' for name, module in sorted(module_of.items())]
    lines = [*imports, "", "__all__ = [", *exported, "]", "", "_MODULE_OF = {", *mapping, "}"]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _import(module: str, names: list[str]) -> Iterator[str]:
    line = f"    from {PACKAGE}.{module} import {', '.join(names)}"
    if len(line) <= _LINE_LENGTH:
        yield line
        return
    yield f"    from {PACKAGE}.{module} import ("
    yield from (f"        {name}," for name in names)
    yield "    )"


def read(root: Path) -> dict[str, str]:
    """Read the modules of the models except __init__.py: module name to source."""
    modules = sorted((root / SOURCE).glob("*.py"))
    return {file.stem: file.read_text("utf-8") for file in modules if file.stem != "__init__"}


def _found(root: Path) -> dict[str, str]:
    return files.read(root, [file for file in [root / TARGET] if file.exists()])


def check(root: Path = ROOT) -> list[str]:
    """Return the differences between the file of a checkout and the generated one; empty if there are none."""
    return list(files.differences({TARGET: render(read(root))}, _found(root)))


def write(root: Path = ROOT) -> list[str]:
    """Write the file. Returns no problems."""
    files.write(root, {TARGET: render(read(root))}, _found(root))
    return []


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with --check compare it. Returns 1 if it is out of date."""
    return files.run(f"Generate {TARGET}.", arguments, check=check, write=write)


if __name__ == "__main__":
    sys.exit(main())
