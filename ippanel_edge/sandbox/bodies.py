"""Reading requests: JSON, forms, files and queries, strictly and with code of its own.

The SDK's codec is not used on purpose: a client that writes something else than the API documents is caught here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard, TypeVar

import attrs

from ippanel_edge.sandbox.replies import (
    invalid,
    label,
    not_valid_text,
    required_text,
    unknown_field_text,
    unreadable,
    wrong_type_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BRACKETS = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")

T = TypeVar("T")


@attrs.frozen
class Upload:
    """A file of a multipart form, whole."""

    name: str
    content_type: str
    content: bytes = attrs.field(repr=False)


def parse_json(raw: bytes) -> dict[str, Any]:
    """Decode a JSON object. Doubled keys, NaN, bad UTF-8 and anything that is no object are refused.

    Raises:
        Refusal: 400.
    """
    if not raw:
        return {}
    try:
        value: object = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise unreadable() from None
    if not _is_object(value):
        raise unreadable()
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is doubled")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def parse_pairs(pairs: Iterable[tuple[str, str | Upload]]) -> dict[str, Any]:
    """Turn the pairs of a query or form into an object: `a[]` and `a[0]` are lists, `filter[code]` is an object.

    Raises:
        Refusal: 400 for a plain name that comes twice.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = _BRACKETS.fullmatch(name)
        if match is None:
            if name in found:
                raise unreadable(f"گزینه {name} تکراری است")
            found[name] = value
        elif match[2] == "" or match[2].isdigit():
            _within(found, match[1], list[Any]).append(value)
        else:
            _within(found, match[1], dict[str, Any])[match[2]] = value
    return found


def _within(found: dict[str, Any], name: str, kind: Callable[[], T]) -> T:
    empty = kind()
    inner: object = found.setdefault(name, empty)
    if isinstance(inner, type(empty)):
        return inner
    raise unreadable(f"گزینه {name} تکراری است")


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


class Fields:
    """One object of a request, read field by field; what is wrong is gathered and answered at once by `check`.

    A reader of a required field returns an empty value where it is missing or wrong, so read all, then `check()`,
    then use. The `…_or_none` readers are for optional fields.

    Args:
        values: the object.
        textual: the values came as text (query, form), so numbers are read from their digits.
        strict: refuse fields that nobody read, and null or empty optional ones.
        prefix: where this object is within the request, such as `params.0.`.
        errors: the gathered errors, shared with the surrounding object.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        textual: bool = False,
        strict: bool = True,
        prefix: str = "",
        errors: dict[str, list[str]] | None = None,
    ) -> None:
        self.values = values
        self.errors: dict[str, list[str]] = {} if errors is None else errors
        self._textual = textual
        self._strict = strict
        self._prefix = prefix
        self._read: set[str] = set()
        self._children: list[Fields] = []

    # what is wrong

    def fail(self, name: str, text: str) -> None:
        """Note that a field is wrong; `check` will answer it."""
        self.errors.setdefault(f"{self._prefix}{name}", []).append(text)

    def check(self) -> None:
        """Refuse the request if anything so far was wrong or, when strict, if a field is not a known one.

        Raises:
            Refusal: 422 with all the field errors.
        """
        self.note_unknown()
        if self.errors:
            raise invalid(self.errors)

    def note_unknown(self) -> None:
        """When strict, note every field that nobody read."""
        if self._strict:
            for name in self.values:
                if name not in self._read:
                    self._read.add(name)
                    self.fail(name, unknown_field_text(name))
        for child in self._children:
            child.note_unknown()

    # is it there

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        self._read.add(name)
        return self.values.get(name) is not None

    def ignore(self, *names: str) -> None:
        """Count these fields as known: documented ones that change nothing here."""
        self._read.update(names)

    def _take(self, name: str, *, required: bool) -> object:
        self._read.add(name)
        value = self.values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if required or (self._strict and name in self.values):
                self.fail(name, required_text(label(name)))
            return None
        return value

    # single values

    def text(self, name: str, *, most: int | None = None) -> str:
        """Read a required text of at most `most` characters; "" where it is missing or wrong."""
        return self._text(name, most, required=True) or ""

    def text_or_none(self, name: str, *, most: int | None = None) -> str | None:
        """Read an optional text."""
        return self._text(name, most, required=False)

    def _text(self, name: str, most: int | None, *, required: bool) -> str | None:
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(name, wrong_type_text(label(name), "متن"))
            return None
        if most is not None and len(value) > most:
            self.fail(name, f"گزینه {label(name)} نباید بیشتر از {most} کاراکتر باشد")
        return value

    def integer(self, name: str, *, least: int | None = None, most: int | None = None, spelled: bool = False) -> int:
        """Read a required whole number within bounds; 0 where it is missing or wrong.

        `spelled` accepts its digits as JSON text too, for the fields that the documents show as text.
        """
        return self._integer(name, least, most, spelled=spelled, required=True) or 0

    def integer_or_none(
        self, name: str, *, least: int | None = None, most: int | None = None, spelled: bool = False
    ) -> int | None:
        """Read an optional whole number."""
        return self._integer(name, least, most, spelled=spelled, required=False)

    def _integer(self, name: str, least: int | None, most: int | None, *, spelled: bool, required: bool) -> int | None:
        value = self._take(name, required=required)
        if value is None:
            return None
        number = self._whole(value, spelled=spelled)
        if number is None:
            self.fail(name, wrong_type_text(label(name), "عدد صحیح"))
        elif (least is not None and number < least) or (most is not None and number > most):
            self.fail(name, not_valid_text(label(name)))
        return number

    def _whole(self, value: object, *, spelled: bool) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and (spelled or self._textual) and _INTEGER.fullmatch(value):
            return int(value)
        return None

    def flag(self, name: str) -> bool:
        """Read a required yes or no: a JSON boolean, or "1" and "0" in a form; False where it is missing or wrong."""
        return self._flag(name, required=True) or False

    def flag_or_none(self, name: str) -> bool | None:
        """Read an optional yes or no."""
        return self._flag(name, required=False)

    def _flag(self, name: str, *, required: bool) -> bool | None:
        value = self._take(name, required=required)
        if value is None or isinstance(value, bool):
            return value
        if self._textual and value in ("0", "1", "true", "false"):
            return value in ("1", "true")
        self.fail(name, wrong_type_text(label(name), "true یا false"))
        return None

    def choice(self, name: str, options: Iterable[str]) -> str:
        """Read a required text that is one of `options`; "" where it is missing or wrong."""
        return self._choice(name, self.text(name), options) or ""

    def choice_or_none(self, name: str, options: Iterable[str]) -> str | None:
        """Read an optional text that is one of `options`."""
        return self._choice(name, self.text_or_none(name), options)

    def _choice(self, name: str, value: str | None, options: Iterable[str]) -> str | None:
        if not value or value in options:
            return value
        self.fail(name, not_valid_text(label(name)))
        return None

    # lists and objects

    def items(self, name: str, *, required: bool = True, most: int | None = None) -> list[Any]:
        """Read a list as it is; [] where it is missing or wrong. An empty one counts as missing."""
        value = self._take(name, required=required)
        if value is None:
            return []
        if not _is_list(value):
            self.fail(name, wrong_type_text(label(name), "آرایه"))
            return []
        if not value and (required or self._strict):
            self.fail(name, required_text(label(name)))
        if most is not None and len(value) > most:
            self.fail(name, f"گزینه {label(name)} نباید بیشتر از {most} مورد داشته باشد")
            return []
        return value

    def texts(self, name: str, *, required: bool = True, most: int | None = None) -> list[str]:
        """Read a list of texts."""
        found = self.items(name, required=required, most=most)
        for place, value in enumerate(found):
            if not isinstance(value, str):
                self.fail(f"{name}.{place}", wrong_type_text(label(name), "متن"))
        return [value for value in found if isinstance(value, str)]

    def integers(
        self, name: str, *, required: bool = True, most: int | None = None, spelled: bool = False
    ) -> list[int]:
        """Read a list of whole numbers."""
        numbers: list[int] = []
        for place, value in enumerate(self.items(name, required=required, most=most)):
            number = self._whole(value, spelled=spelled)
            if number is None:
                self.fail(f"{name}.{place}", wrong_type_text(label(name), "عدد صحیح"))
            else:
                numbers.append(number)
        return numbers

    def object(self, name: str) -> Fields:
        """Read a required object; an empty one where it is missing or wrong."""
        return self.object_or_none(name, required=True) or Fields({}, strict=False)

    def object_or_none(self, name: str, *, required: bool = False) -> Fields | None:
        """Read an optional object. `{}` counts as there."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not _is_object(value):
            self.fail(name, wrong_type_text(label(name), "شیء"))
            return None
        return self._child(value, f"{name}.")

    def mapping(self, name: str, *, required: bool = True) -> dict[str, Any]:
        """Read an object whose names are the caller's own, such as a pattern's values; `{}` counts as there."""
        value = self._take(name, required=required)
        if value is None:
            return {}
        if not _is_object(value):
            self.fail(name, wrong_type_text(label(name), "شیء"))
            return {}
        return value

    def objects(self, name: str, *, required: bool = True, most: int | None = None) -> list[Fields]:
        """Read a list of objects."""
        children: list[Fields] = []
        for place, value in enumerate(self.items(name, required=required, most=most)):
            if _is_object(value):
                children.append(self._child(value, f"{name}.{place}."))
            else:
                self.fail(f"{name}.{place}", wrong_type_text(label(name), "شیء"))
        return children

    def _child(self, values: dict[str, Any], prefix: str) -> Fields:
        child = Fields(
            values,
            textual=self._textual,
            strict=self._strict,
            prefix=f"{self._prefix}{prefix}",
            errors=self.errors,
        )
        self._children.append(child)
        return child

    def uploads(self, name: str, *, required: bool = True, most: int = 1) -> list[Upload]:
        """Read the files of a form, sent as `file`, as `files[]` or as `files[0]` and so on."""
        self._read.add(name)
        value = self.values.get(name)
        found = value if _is_list(value) else [] if value is None else [value]
        files = [item for item in found if isinstance(item, Upload)]
        if len(files) != len(found):
            self.fail(name, wrong_type_text(label(name), "فایل"))
        elif not files and required:
            self.fail(name, required_text(label(name)))
        elif len(files) > most:
            self.fail(name, f"گزینه {label(name)} نباید بیشتر از {most} مورد داشته باشد")
        return files

    def upload_or_none(self, name: str) -> Upload | None:
        """Read one optional file of a form."""
        files = self.uploads(name, required=False)
        return files[0] if files else None

    # pages

    def paging(self, *, size: str = "per_page", most: int = 1000) -> tuple[int, int]:
        """Read `page` (from 1) and the page's size (10 without it, at most `most`)."""
        number = self.integer_or_none("page", least=1, spelled=True)
        rows = self.integer_or_none(size, least=1, most=most, spelled=True)
        return number or 1, rows or 10
