"""Renders docs/en/reference from endpoints.py and the docstrings: a table of endpoints, a page for each section.

python tests/codegen/generate_reference.py            write the pages and remove those without a section
python tests/codegen/generate_reference.py --check    write nothing; fail where a page is not what would be written
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import attrs
from griffe import Docstring, DocstringSectionKind

from ippanel_edge import AsyncEdgeClient, models
from ippanel_edge.endpoints import ALL, Endpoint

ROOT: Final = Path(__file__).resolve().parents[2]
TARGET: Final = ROOT / "docs" / "en" / "reference"
BANNER: Final = "<!-- Generated from {source} by tests/codegen/generate_reference.py: edit those, not this. -->\n"
_MODULE: Final = re.compile(r"(?:[a-z_]+\.)+")
SECTIONS: Final = tuple(dict.fromkeys(endpoint.name.split(".")[0] for endpoint in ALL))


def render() -> dict[str, str]:
    """Render every page: file name to text."""
    client = AsyncEdgeClient("reference")
    pages = {"index.md": "\n".join(_table())}
    for name in SECTIONS:
        pages[f"{name}.md"] = "\n".join(_section(name, getattr(client, name)))
    return pages


def _table() -> Iterator[str]:
    yield BANNER.format(source="ippanel_edge/endpoints.py")
    yield "# Reference\n"
    yield (
        f"All {len(ALL)} endpoints. *Repeat* says what a second, equal request does: READ only reads, WRITE changes "
        "nothing more, ONCE bills, texts or creates twice and is never repeated by guess. *Source* is the published "
        "page; those marked * are not in the seed collection.\n"
    )
    yield "| Method | Path | Call | Repeat | Returns | Source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for endpoint in ALL:
        section = endpoint.name.split(".")[0]
        method = endpoint.method + (f" ({endpoint.alternate})" if endpoint.alternate else "")
        yield (
            f"| {method} | `{endpoint.path}` | [`{endpoint.name}`]({section}.md#{_anchor(endpoint.name)}) "
            f"| {endpoint.repeat.name} | {_returns(endpoint)} | {endpoint.source}{'' if endpoint.in_seed else ' *'} |"
        )
    yield ""


def _returns(endpoint: Endpoint[Any]) -> str:
    if endpoint.returns is type(None):
        return "nothing"
    plain = not hasattr(endpoint.returns, "__args__")
    text = endpoint.returns.__name__ if plain else str(endpoint.returns)
    return f"`{_MODULE.sub('', text)}`"


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _section(name: str, section: object) -> Iterator[str]:
    yield BANNER.format(source=f"ippanel_edge/_async/sections/{name}.py, endpoints.py and models")
    yield f"# {name}\n"
    yield "On `EdgeClient` the same without `await`, and plain iterators for async ones.\n"
    yield from _methods(name, section)
    below = [
        path.split(".")[1]
        for path in dict.fromkeys(line.name.rpartition(".")[0] for line in ALL)
        if path.startswith(f"{name}.")
    ]
    modules = [module for module in (name, *below) if Path(models.__path__[0], f"{module}.py").exists()]
    kinds = [kind for module in modules for kind in _kinds(f"ippanel_edge.models.{module}")]
    if kinds:
        yield "## Classes\n"
    for kind in kinds:
        yield from _class(kind)


def _methods(name: str, section: object) -> Iterator[str]:
    yield inspect.cleandoc(type(section).__doc__ or "") + "\n"
    below: list[tuple[str, object]] = []
    for attribute in vars(type(section)):
        if attribute.startswith("_"):
            continue
        value = getattr(section, attribute)
        if inspect.ismethod(value):
            yield from _method(f"{name}.{attribute}", value)
        elif attrs.has(value.__class__):
            below.append((f"{name}.{attribute}", value))
    for path, value in below:
        yield f"## {path}\n"
        yield from _methods(path, value)


def _method(path: str, method: Any) -> Iterator[str]:
    endpoint = next((line for line in ALL if line.name == path), None)
    yield f"### {path}\n"
    if endpoint is not None:
        yield f"`{endpoint.method} {endpoint.path}` · {endpoint.repeat.name}\n"
    signature = inspect.signature(method)
    arguments = ",\n".join(f"    {each}" for each in _arguments(signature))
    call = f"{path}(\n{arguments}\n)" if arguments else f"{path}()"
    prefix = "await " if inspect.iscoroutinefunction(method) else ""
    yield f"```text\n{prefix}{call} -> {signature.return_annotation}\n```\n"
    yield from _described(method.__doc__ or "")


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    keyword_only = False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            yield "*"
        default = "" if each.default is each.empty else f" = {each.default!r}"
        yield f"{each.name}: {each.annotation}{default}"


def _described(docstring: str) -> Iterator[str]:
    for part in Docstring(inspect.cleandoc(docstring)).parse("google", warnings=False):
        value: Any = part.value
        match part.kind:
            case DocstringSectionKind.text:
                yield value + "\n"
            case DocstringSectionKind.parameters:
                yield from _bullets("Arguments", ((each.name, each.description) for each in value))
            case DocstringSectionKind.attributes:
                yield from _bullets("Fields", ((each.name, each.description) for each in value))
            case DocstringSectionKind.raises:
                yield from _bullets("Raises", ((str(each.annotation), each.description) for each in value))
            case DocstringSectionKind.returns:
                yield "**Returns:** " + " ".join(each.description for each in value) + "\n"
            case _:
                raise ValueError(f"a docstring has a section that the reference does not know: {part.kind}")


def _bullets(title: str, entries: Any) -> Iterator[str]:
    yield f"**{title}**\n"
    for name, description in entries:
        yield f"- `{name}`: {' '.join(description.split())}"
    yield ""


def _kinds(module: str) -> list[type[Any]]:
    return [
        value
        for value in vars(import_module(module)).values()
        if isinstance(value, type) and value.__module__ == module and not value.__name__.startswith("_")
    ]


def _class(kind: type[Any]) -> Iterator[str]:
    yield f"### {kind.__name__}\n"
    if attrs.has(kind):
        written = inspect.get_annotations(kind)  # as the source has them: attrs resolves its own when first used
        fields = "".join(f"    {field.alias}: {written[field.name]}\n" for field in attrs.fields(kind))
        yield f"```text\n{kind.__name__}(\n{fields})\n```\n"
    yield from _described(kind.__doc__ or "")


def differences(pages: dict[str, str], target: Path = TARGET) -> list[str]:
    """Compare the pages with the files, both ways: missing, stale or differing."""
    problems = [f"{name}: no section has it any more" for name in _present(target) if name not in pages]
    for name, text in pages.items():
        file = target / name
        if not file.exists():
            problems.append(f"{name}: is missing")
        elif file.read_text(encoding="utf-8") != text:
            lines = difflib.unified_diff(
                file.read_text(encoding="utf-8").splitlines(),
                text.splitlines(),
                f"{name} (file)",
                f"{name} (rendered)",
                lineterm="",
            )
            problems.append("\n".join(lines))
    return problems


def _present(target: Path) -> list[str]:
    return sorted(file.name for file in target.glob("*.md"))


def main() -> int:
    """Write the pages, or with --check say what is wrong with them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is not up to date")
    pages = render()
    if parser.parse_args().check:
        problems = differences(pages)
        print("\n".join(problems) or f"docs/en/reference is up to date: {len(pages)} pages, {len(ALL)} endpoints")
        return 1 if problems else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in _present(TARGET):
        if name not in pages:
            (TARGET / name).unlink()
    for name, text in pages.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
