"""Renders one class, function or constant of the package as Markdown. Which page it is on is not decided here.

Signatures and docstrings are read from the source by griffe, so annotations and defaults appear as they are written.
The fields of attrs classes are read from the classes: converters decide which types they accept.
"""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import NoneType
from typing import Any, Final, cast

import attrs
import griffe

from tests.codegen.files import ROOT

PACKAGE: Final = "ippanel_edge"
SPECIAL: Final[Mapping[str, str]] = {
    "__aenter__": "async with {}",
    "__enter__": "with {}",
    "__iter__": "iter({})",
    "__len__": "len({})",
    "__getitem__": "{}[0]",
    "to_dict": "{}.to_dict()",
}
"""Methods of classes that a reader calls, and how a call is written. Other methods are left out."""

_LINE_LENGTH: Final = 100
_QUOTED: Final = re.compile(r"'([^']*)'")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


@cache
def source() -> griffe.Module:
    """Return the package as griffe reads it; nothing is imported."""
    found = griffe.load(PACKAGE, search_paths=[ROOT], allow_inspection=False)
    assert isinstance(found, griffe.Module)
    return found


def source_of(kind: type[Any]) -> griffe.Class:
    """Return the source of a class."""
    found = source()[f"{kind.__module__.removeprefix(f'{PACKAGE}.')}.{kind.__qualname__}"]
    assert isinstance(found, griffe.Class)
    return found


def names_in(text: str) -> set[str]:
    """Return the Python names in a piece of code."""
    return set(_NAME.findall(text))


def summary(found: griffe.Object | griffe.Alias) -> str:
    """Return the first line of the docstring of an object.

    Raises:
        ValueError: there is no docstring.
    """
    if found.docstring is None:
        raise ValueError(f"{found.path} has no docstring; add one")
    return found.docstring.value.partition("\n")[0]


def function(name: str, found: griffe.Function, notes: Iterable[str] = ()) -> Iterator[str]:
    """Render a function or method: its signature, the given notes, and its docstring.

    Args:
        name: the name in the signature, such as ``send.pattern``.
        found: the source of the function.
        notes: paragraphs between the signature and the description.
    """
    yield f"```text\n{signature(name, found)}\n```\n"
    yield from notes
    yield from description(found.docstring)


def signature(name: str, found: griffe.Function) -> str:
    """Return the signature of a function, on one line if it fits."""
    head = "await " if "async" in found.labels else ""
    return f"{head}{_call(name, list(_parameters(found.parameters)))} -> {found.returns}"


def constructor(kind: type[Any], found: griffe.Class) -> str:
    """Return the signature of the constructor of a class."""
    written = found.members.get("__init__")
    if isinstance(written, griffe.Function):
        return _call(kind.__name__, list(_parameters(written.parameters)))
    return _call(kind.__name__, list(_fields_as_parameters(kind)))


def _call(name: str, arguments: list[str]) -> str:
    line = f"{name}({', '.join(arguments)})"
    return line if len(line) <= _LINE_LENGTH else f"{name}(\n" + "".join(f"    {each},\n" for each in arguments) + ")"


def _parameters(parameters: griffe.Parameters) -> Iterator[str]:
    keyword_only = False
    for each in parameters:
        if each.name in {"self", "cls"}:
            continue
        if each.kind is griffe.ParameterKind.var_keyword:
            yield f"**{each.name}: {each.annotation}"
            continue
        if each.kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            yield "*"
        yield f"{each.name}: {each.annotation}" + ("" if each.default is None else f" = {each.default}")


def _fields_as_parameters(kind: type[Any]) -> Iterator[str]:
    keyword_only = False
    for field in _public_fields(kind):
        if field.kw_only and not keyword_only:
            keyword_only = True
            yield "*"
        default = _default(field)
        yield f"{field.alias}: {accepted(kind, field)}" + ("" if default is None else f" = {default}")


def _public_fields(kind: type[Any]) -> list[attrs.Attribute[Any]]:
    return [field for field in attrs.fields(kind) if not field.name.startswith("_")]


def _default(field: attrs.Attribute[Any]) -> str | None:
    """Return the default of a field as code; None if the field is required."""
    if field.default is attrs.NOTHING:
        return None
    if not isinstance(field.default, attrs.Factory):  # type: ignore[arg-type] # Factory is a class, typed as a function
        return str(field.default) if isinstance(field.default, enum.Enum) else repr(field.default)
    made: object = cast("Any", field.default).factory()
    return "{}" if made == {} else f"{type(made).__name__}()"


def accepted(kind: type[Any], field: attrs.Attribute[Any]) -> str:
    """Return the annotation of the values that the constructor accepts for a field: that of its converter, if any."""
    of_converter: dict[str, Any] = kind.__init__.__annotations__
    return str(of_converter[field.alias]) if field.alias in of_converter else stored(kind, field)


def stored(kind: type[Any], field: attrs.Attribute[Any]) -> str:
    """Return the annotation of the values that a field has, as it is written."""
    return next(
        str(source.members[field.name].annotation)  # type: ignore[union-attr] # a field is an attribute
        for source in map(source_of, _classes(kind))
        if field.name in source.members
    )


def _classes(kind: type[Any]) -> list[type[Any]]:
    """Return a class of the package and its base classes in the package: the fields of a class may be inherited."""
    return [each for each in kind.__mro__ if each.__module__.startswith(PACKAGE)]


def class_(kind: type[Any], *, is_input: bool) -> Iterator[str]:
    """Render a class.

    Args:
        kind: the class.
        is_input: whether users create objects of it: then its constructor is shown, and which fields are required.
    """
    found = source_of(kind)
    if issubclass(kind, Exception):
        yield from description(found.docstring, without_attributes=True)
        yield from _error(kind)
        return
    if is_input and attrs.has(kind):
        yield f"```text\n{constructor(kind, found)}\n```\n"
    yield from description(found.docstring, without_attributes=attrs.has(kind))
    if issubclass(kind, enum.Enum):
        yield from _members(kind)
    if attrs.has(kind):
        yield from bullets("Fields", _fields(kind, is_input=is_input))
    yield from bullets("Properties", properties(found))
    yield from bullets("Operations", operations(kind.__name__.lower(), found))


def _members(kind: type[enum.Enum]) -> Iterator[str]:
    members = source_of(kind).members
    yield from bullets("Members", ((f"`{each.name}` = `{each.value!r}`", _text(members[each.name])) for each in kind))


def _fields(kind: type[Any], *, is_input: bool) -> Iterator[tuple[str, str]]:
    described: dict[str, str] = {}
    for each in reversed(_classes(kind)):
        described |= attributes(source_of(each))
    for field in _public_fields(kind):
        given, kept = accepted(kind, field), stored(kind, field)
        text = described.get(field.name, "")
        if not is_input:
            yield f"`{field.name}` (`{kept}`)", text
            continue
        default = _default(field)
        state = "required" if default is None else f"default `{default}`"
        converted = "" if given == kept else f"The type of the attribute is `{kept}`."
        yield f"`{field.name}` (`{given}`, {state})", f"{text} {converted}".strip()


def _error(kind: type[Exception]) -> Iterator[str]:
    yield f"**Base class:** `{kind.__bases__[0].__name__}`. **Default outcome:** `{cast('Any', kind).outcome.name}`.\n"
    found = source_of(kind)
    own = attributes(found)
    yield from bullets("Attributes", ((f"`{name}` (`{_type_of(found, name)}`)", text) for name, text in own.items()))
    for base in kind.__mro__[1:]:
        if base.__module__.startswith(PACKAGE):
            names = ", ".join(f"`{name}`" for name in attributes(source_of(base)) if name not in own)
            yield f"**Inherited from [`{base.__name__}`](#{base.__name__.lower()}):** {names}\n"


def _type_of(found: griffe.Class, name: str) -> str:
    """Return the annotation of an attribute that `__init__` sets, or of the parameter with its name."""
    annotation = getattr(found.members.get(name), "annotation", None)
    if annotation is None:
        written = found.members.get("__init__")
        if not isinstance(written, griffe.Function):  # the attribute is described again, with more detail
            return _type_of(cast("griffe.Class", source()[f"errors.{found.bases[0]}"]), name)
        annotation = written.parameters[name].annotation
    return str(annotation)


def properties(found: griffe.Class) -> Iterator[tuple[str, str]]:
    """Yield each public property of a class, and its description."""
    for name, member in found.members.items():
        if isinstance(member, griffe.Attribute) and "property" in member.labels and not name.startswith("_"):
            yield f"`{name}` (`{member.annotation}`)", _text(member)


def operations(variable: str, found: griffe.Class) -> Iterator[tuple[str, str]]:
    """Yield each method of a class that a reader uses, and its description."""
    for name, form in SPECIAL.items():
        member = found.members.get(name)
        if isinstance(member, griffe.Function):
            yield f"`{form.format(variable)}`", _text(member)


def constant(found: griffe.Object | griffe.Alias) -> tuple[str, str]:
    """Return a constant or type alias, without its value if that is long, and its description."""
    assert isinstance(found, griffe.Attribute)
    value = _QUOTED.sub(r"\1", str(found.value)) if "Callable" in str(found.value) else str(found.value)
    definition = f"{found.name} = {value}"
    return f"`{definition if len(definition) <= _LINE_LENGTH else found.name}`", _text(found)


def _text(found: griffe.Object | griffe.Alias) -> str:
    """Return the description of a member in one paragraph, with its errors.

    Raises:
        ValueError: the member has no docstring.
    """
    if found.docstring is None:
        raise ValueError(f"{found.path} has no docstring; add one")
    said: list[str] = []
    for part in found.docstring.parse("google", warnings=False):
        value: Any = part.value
        if part.kind is griffe.DocstringSectionKind.text:
            said.append(value)
        elif part.kind is griffe.DocstringSectionKind.raises:
            said += [f"Raises `{each.annotation}`: {each.description}" for each in value]
    return " ".join(" ".join(said).split())


def attributes(found: griffe.Class) -> dict[str, str]:
    """Return the section Attributes of the docstring of a class: name to text."""
    parts = [] if found.docstring is None else found.docstring.parse("google", warnings=False)
    return {
        each.name: " ".join(each.description.split())
        for part in parts
        if part.kind is griffe.DocstringSectionKind.attributes
        for each in part.value
    }


def description(docstring: griffe.Docstring | None, *, without_attributes: bool = False) -> Iterator[str]:
    """Render a docstring in Google style.

    Args:
        docstring: the docstring.
        without_attributes: whether to leave out the section Attributes.

    Raises:
        ValueError: the docstring has a section that the reference cannot render.
    """
    for part in [] if docstring is None else docstring.parse("google", warnings=False):
        value: Any = part.value
        match part.kind:
            case griffe.DocstringSectionKind.text:
                yield value + "\n"
            case griffe.DocstringSectionKind.parameters:
                yield from bullets("Arguments", ((f"`{each.name}`", each.description) for each in value))
            case griffe.DocstringSectionKind.attributes:
                if not without_attributes:
                    yield from bullets("Attributes", ((f"`{each.name}`", each.description) for each in value))
            case griffe.DocstringSectionKind.raises:
                yield from bullets("Raises", ((f"`{each.annotation}`", each.description) for each in value))
            case griffe.DocstringSectionKind.returns:
                yield "**Returns:** " + " ".join(" ".join(each.description.split()) for each in value) + "\n"
            case _:
                raise ValueError(f"a docstring has a section that the reference cannot render: {part.kind}")


def bullets(title: str, entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Render a titled list of terms and descriptions; nothing if there are no entries."""
    lines = [f"- {term}" + (f": {' '.join(text.split())}" if text else "") for term, text in entries]
    if lines:
        yield "\n".join([f"**{title}**\n" if title else "", *lines, ""]).lstrip("\n")


def returned(kind: Any) -> str:
    """Return the reply type of an endpoint as code, without modules."""
    if kind is NoneType:
        return "nothing"
    text = kind.__name__ if inspect.isclass(kind) and not hasattr(kind, "__args__") else str(kind)
    return f"`{re.sub(r'(?:[a-z_]+[.])+', '', text)}`"


def class_named(module: str, name: str) -> Any:
    """Import a public object of a module below the package."""
    return getattr(import_module(f"{PACKAGE}.{module}"), name)
