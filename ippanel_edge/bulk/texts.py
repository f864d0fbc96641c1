"""The content of each row: a template with {column} fields, the text of the row itself, or the values of a pattern."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

import attrs

from ippanel_edge.bulk.raw_rows import RawRow
from ippanel_edge.bulk.records import BadRow, Kind, NewRow, Terms
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones
from ippanel_edge.values.checks import check_value
from ippanel_edge.values.segments import check_message

Make: TypeAlias = Callable[[Sequence[object]], str]
"""Makes the content of a row from the values of the wanted columns."""

_SHOWN: Final = 40
_BYTES: Final = 8


@attrs.frozen
class Template:
    """A text with fields.

    Attributes:
        columns: the names of the columns in its fields, each once.
        positional: the text with ``{0}`` for the first of the columns, and so on.
    """

    columns: tuple[str, ...]
    positional: str

    @property
    def text(self) -> str:
        """The text of a template without fields."""
        return self.positional.format()


def parse_template(message: str) -> Template:
    """Parse a text with ``{column}`` fields. A brace is written twice: ``{{`` and ``}}``.

    Raises:
        InvalidArgument: a brace is single, or a field has no name or more than a name.
    """
    if not isinstance(message, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(f"expected a str, got {type(message).__name__}", argument="message")
    columns: dict[str, int] = {}
    pieces: list[str] = []
    problem = ""
    try:
        for literal, name, spec, conversion in string.Formatter().parse(message):
            pieces.append(literal.replace("{", "{{").replace("}", "}}"))
            if name is None:
                continue
            if not name.strip() or spec or conversion:
                problem = f"the field {{{name}}} must be the name of a column and nothing else"
                break
            pieces.append(f"{{{columns.setdefault(name.strip(), len(columns))}}}")
    except ValueError as error:
        problem = str(error)
    if not problem:
        return Template(tuple(columns), "".join(pieces))
    raise InvalidArgument(
        f"not a valid template: {problem}; write {{column}} for a column and {{{{ for a brace", argument="message"
    )


def wanted_columns(terms: Terms) -> tuple[str, ...] | None:
    """Return the columns that the rows need; None if each row brings its own text."""
    if terms.kind is Kind.PATTERN:
        return tuple((terms.params or {}).values())
    return None if terms.message is None else parse_template(terms.message).columns


def preparer(terms: Terms, source: str) -> Callable[[Sequence[RawRow]], tuple[list[NewRow], list[BadRow]]]:
    """Return a function that checks rows and makes their contents. What is invalid is set aside with the reason."""
    if terms.kind is Kind.ONE_TEXT:
        return lambda rows: _without_content(rows, source)
    make = _values_maker(terms) if terms.kind is Kind.PATTERN else _text_maker(terms)
    hashed = _number_hash if terms.one_per_number else content_hash
    return lambda rows: _with_content(rows, source, make, hashed)


def _without_content(rows: Sequence[RawRow], source: str) -> tuple[list[NewRow], list[BadRow]]:
    good: list[NewRow] = []
    bad: list[BadRow] = []
    normalise = phones.recipient
    for line, value, values in rows:
        try:
            number = normalise(value, argument="recipient")
        except InvalidArgument as error:
            bad.append(_bad(source, line, value, error))
            continue
        if isinstance(values, str):
            bad.append(BadRow(source, line, _text(value), values))
        else:
            good.append((line, number, None, int(number)))
    return good, bad


def _with_content(
    rows: Sequence[RawRow], source: str, make: Make, hashed: Callable[[str, str], int]
) -> tuple[list[NewRow], list[BadRow]]:
    good: list[NewRow] = []
    bad: list[BadRow] = []
    normalise = phones.recipient
    for line, value, values in rows:
        if isinstance(values, str):
            bad.append(BadRow(source, line, _text(value), values))
            continue
        try:
            number = normalise(value, argument="recipient")
            content = make(values)
        except InvalidArgument as error:
            bad.append(_bad(source, line, value, error))
            continue
        good.append((line, number, content, hashed(number, content)))
    return good, bad


def _number_hash(number: str, _: str) -> int:
    return int(number)


def content_hash(number: str, content: str) -> int:
    """Return a hash of a number and its content, as an int that SQL can store. Equal hashes are compared in full."""
    digest = blake2b(f"{number}{content}".encode(), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def _text_maker(terms: Terms) -> Make:
    if terms.message is None:
        return _own_text
    template = parse_template(terms.message)
    fill = template.positional.format
    names = template.columns

    def make(values: Sequence[object]) -> str:
        if None in values:
            raise InvalidArgument("has no value", argument=f"column {names[values.index(None)]!r}")
        try:
            text = fill(*values)
        except ValueError as error:  # for example of an int with more digits than Python converts
            problem = f"a value of {{{'}, {'.join(names)}}} cannot be written as text ({error})"
        else:
            return check_message(text)
        raise InvalidArgument(problem, argument="message")

    return make


def _own_text(values: Sequence[object]) -> str:
    (text,) = values
    return check_message(text)  # type: ignore[arg-type]  # it checks the type


def _values_maker(terms: Terms) -> Make:
    names = tuple(terms.params or {})

    def make(values: Sequence[object]) -> str:
        for name, value in zip(names, values, strict=True):
            if value is None or value == "":
                raise InvalidArgument("has no value; a pattern needs all its values", argument=f"params[{name!r}]")
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise InvalidArgument(
                    f"expected a str or an int, got {type(value).__name__}", argument=f"params[{name!r}]"
                )
            check_value(value, argument=f"params[{name!r}]")  # the check of the send, which nothing loaded may fail
        return json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False, separators=(",", ":"))

    return make


def _bad(source: str, line: int, value: object, error: InvalidArgument) -> BadRow:
    return BadRow(source, line, _text(value), str(error))


def _text(value: object) -> str:
    if value is None:
        return ""
    try:
        return str(value)[:_SHOWN]
    except ValueError:  # as above
        return type(value).__name__
