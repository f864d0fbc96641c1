"""Strict parsing of requests: JSON bodies, forms, uploaded files and queries.

The SDK's codec is deliberately not used, so that a client whose requests differ from the API documentation fails.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeGuard, TypeVar
from urllib.parse import unquote_to_bytes

import attrs

from ippanel_edge.sandbox.replies import (
    bad_request,
    invalid,
    invalid_message,
    label,
    required_message,
    unknown_field_message,
    unsupported_media_type,
    wrong_type_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
FORM: Final = "application/x-www-form-urlencoded"

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BRACKETS = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")

T = TypeVar("T")


@attrs.frozen
class Upload:
    """An uploaded file of a multipart form, read completely."""

    name: str
    content_type: str
    content: bytes = attrs.field(repr=False)


def parse_json(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object. Duplicate keys, NaN, invalid UTF-8, lone surrogates and other values are rejected.

    Raises:
        Rejection: 400.
    """
    if not raw:
        return {}
    try:
        text = raw.decode()
        value: object = json.loads(text, object_pairs_hook=_unique_object, parse_constant=_reject_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
    except (ValueError, RecursionError):
        raise bad_request() from None
    if not _is_object(value):
        raise bad_request()
    return value


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key in a JSON object")
    return result


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"expected standard JSON, got {name}")


def parse_json_in_form(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object that is the only key of a form, encoded or not.

    Raises:
        Rejection: 415 for other forms, 400 as of `parse_json`.
    """
    document = unquote_to_bytes(raw.replace(b"+", b" ")).rstrip(b"=")
    if not document.lstrip().startswith(b"{"):
        raise unsupported_media_type([JSON])
    return parse_json(document)


def parse_pairs(pairs: Iterable[tuple[str, str | Upload]]) -> dict[str, Any]:
    """Parse the pairs of a query or form into a dict: `a[]` and `a[0]` are lists, `filter[code]` is an object.

    Raises:
        Rejection: 400 if a name without brackets occurs twice, or if a name is used in two different forms.
    """
    fields: dict[str, Any] = {}
    for name, value in pairs:
        match = _BRACKETS.fullmatch(name)
        if match is None:
            if name in fields:
                raise bad_request(f"گزینه {name} تکراری است")
            fields[name] = value
        elif match[2] == "" or match[2].isdigit():
            _container(fields, match[1], list[Any]).append(value)
        else:
            _container(fields, match[1], dict[str, Any])[match[2]] = value
    return fields


def _container(fields: dict[str, Any], name: str, kind: Callable[[], T]) -> T:
    empty = kind()
    inner: object = fields.setdefault(name, empty)
    if isinstance(inner, type(empty)):
        return inner
    raise bad_request(f"گزینه {name} تکراری است")


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


class Fields:
    """One object of a request, read field by field; errors are collected and raised together by `check`.

    A reader of a required field returns an empty value if the field is missing or invalid. Read all fields, call
    `check()`, then use the values. The `…_or_none` readers are for optional fields.

    Args:
        values: the fields of the object.
        from_strings: whether the values are str values of a query or form, so that ints are parsed from digits.
        strict: reject fields that were not read, and optional fields that are null or empty.
        prefix: the path of this object within the request, such as `params.0.`.
        errors: the collected errors, shared with the enclosing object.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        from_strings: bool = False,
        strict: bool = True,
        prefix: str = "",
        errors: dict[str, list[str]] | None = None,
    ) -> None:
        self.values = values
        self.errors: dict[str, list[str]] = {} if errors is None else errors
        self._from_strings = from_strings
        self._strict = strict
        self._prefix = prefix
        self._read: set[str] = set()
        self._children: list[Fields] = []
        self._by_path = False

    # Errors

    def add_error(self, name: str, message: str) -> None:
        """Record an error of a field; `check` raises it."""
        self.errors.setdefault(f"{self._prefix}{name}", []).append(message)

    def check(self) -> None:
        """Reject the request if an error was recorded or, when strict, if a field is unknown.

        Raises:
            Rejection: 422 with all field errors.
        """
        self.add_unknown_field_errors()
        if self.errors:
            raise invalid(self.errors)

    def add_unknown_field_errors(self) -> None:
        """Record an error for every field that was not read, if strict."""
        if self._strict:
            for name in self.values:
                if name not in self._read:
                    self._read.add(name)
                    self.add_error(name, unknown_field_message(name))
        for child in self._children:
            child.add_unknown_field_errors()

    def name_by_path(self) -> None:
        """Use paths such as variable.0.name in the messages, as the pages of drafts and patterns do."""
        self._by_path = True

    def _label(self, name: str) -> str:
        return f"{self._prefix}{name}".replace("_", " ") if self._by_path else label(name)

    # Presence

    def has(self, name: str) -> bool:
        """Whether the field is present and not null."""
        self._read.add(name)
        return self.values.get(name) is not None

    def ignore(self, *names: str) -> None:
        """Treat these fields as known: they are documented, but have no effect here."""
        self._read.update(names)

    def _get(self, name: str, *, required: bool) -> object:
        self._read.add(name)
        value = self.values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if required or (self._strict and name in self.values):
                self.add_error(name, required_message(self._label(name)))
            return None
        return value

    # Single values

    def string(self, name: str, *, max_length: int | None = None) -> str:
        """Return a required str of at most `max_length` characters; "" if it is missing or invalid."""
        return self._string(name, max_length, required=True) or ""

    def string_or_none(self, name: str, *, max_length: int | None = None) -> str | None:
        """Return an optional str."""
        return self._string(name, max_length, required=False)

    def _string(self, name: str, max_length: int | None, *, required: bool) -> str | None:
        value = self._get(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.add_error(name, wrong_type_message(self._label(name), "متن"))
            return None
        if max_length is not None and len(value) > max_length:
            self.add_error(name, f"گزینه {self._label(name)} نباید بیشتر از {max_length} کاراکتر باشد")
        return value

    def integer(
        self, name: str, *, minimum: int | None = None, maximum: int | None = None, allow_string: bool = False
    ) -> int:
        """Return a required int within bounds; 0 if it is missing or invalid.

        `allow_string` also accepts the digits as a JSON string, for the fields that the API documents as strings.
        """
        return self._integer(name, minimum, maximum, allow_string=allow_string, required=True) or 0

    def integer_or_none(
        self, name: str, *, minimum: int | None = None, maximum: int | None = None, allow_string: bool = False
    ) -> int | None:
        """Return an optional int."""
        return self._integer(name, minimum, maximum, allow_string=allow_string, required=False)

    def _integer(
        self, name: str, minimum: int | None, maximum: int | None, *, allow_string: bool, required: bool
    ) -> int | None:
        value = self._get(name, required=required)
        if value is None:
            return None
        number = self._as_integer(value, allow_string=allow_string)
        if number is None:
            self.add_error(name, wrong_type_message(self._label(name), "عدد صحیح"))
        elif (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            self.add_error(name, invalid_message(self._label(name)))
        return number

    def _as_integer(self, value: object, *, allow_string: bool) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and (allow_string or self._from_strings) and _INTEGER.fullmatch(value):
            return int(value)
        return None

    def boolean(self, name: str) -> bool:
        """Return a required bool: a JSON boolean, or "1" or "0" in a form; False if it is missing or invalid."""
        return self._boolean(name, required=True) or False

    def boolean_or_none(self, name: str) -> bool | None:
        """Return an optional bool."""
        return self._boolean(name, required=False)

    def _boolean(self, name: str, *, required: bool) -> bool | None:
        value = self._get(name, required=required)
        if value is None or isinstance(value, bool):
            return value
        if self._from_strings and value in ("0", "1", "true", "false"):
            return value in ("1", "true")
        self.add_error(name, wrong_type_message(self._label(name), "true یا false"))
        return None

    def choice(self, name: str, options: Iterable[str]) -> str:
        """Return a required str that is one of `options`; "" if it is missing or invalid."""
        return self._choice(name, self.string(name), options) or ""

    def choice_or_none(self, name: str, options: Iterable[str]) -> str | None:
        """Return an optional str that is one of `options`."""
        return self._choice(name, self.string_or_none(name), options)

    def _choice(self, name: str, value: str | None, options: Iterable[str]) -> str | None:
        if not value or value in options:
            return value
        self.add_error(name, invalid_message(self._label(name)))
        return None

    # Lists and objects

    def array(self, name: str, *, required: bool = True, max_items: int | None = None) -> list[Any]:
        """Return a list without checking its items; [] if it is missing or invalid. An empty list counts as missing."""
        value = self._get(name, required=required)
        if value is None:
            return []
        if not _is_list(value):
            self.add_error(name, wrong_type_message(self._label(name), "آرایه"))
            return []
        if not value and (required or self._strict):
            self.add_error(name, required_message(self._label(name)))
        if max_items is not None and len(value) > max_items:
            self.add_error(name, f"گزینه {self._label(name)} نباید بیشتر از {max_items} مورد داشته باشد")
            return []
        return value

    def strings(self, name: str, *, required: bool = True, max_items: int | None = None) -> list[str]:
        """Return a list of str."""
        values = self.array(name, required=required, max_items=max_items)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.add_error(f"{name}.{index}", wrong_type_message(self._label(name), "متن"))
        return [value for value in values if isinstance(value, str)]

    def integers(
        self, name: str, *, required: bool = True, max_items: int | None = None, allow_string: bool = False
    ) -> list[int]:
        """Return a list of int."""
        numbers: list[int] = []
        for index, value in enumerate(self.array(name, required=required, max_items=max_items)):
            number = self._as_integer(value, allow_string=allow_string)
            if number is None:
                self.add_error(f"{name}.{index}", wrong_type_message(self._label(name), "عدد صحیح"))
            else:
                numbers.append(number)
        return numbers

    def object(self, name: str) -> Fields:
        """Return a required object; an empty one if it is missing or invalid."""
        return self.object_or_none(name, required=True) or Fields({}, strict=False)

    def object_or_none(self, name: str, *, required: bool = False) -> Fields | None:
        """Return an optional object; `{}` counts as present."""
        value = self._get(name, required=required)
        if value is None:
            return None
        if not _is_object(value):
            self.add_error(name, wrong_type_message(self._label(name), "شیء"))
            return None
        return self._child(value, f"{name}.")

    def mapping(self, name: str, *, required: bool = True) -> dict[str, Any]:
        """Return an object with arbitrary keys, such as the values of a pattern, as a dict; `{}` counts as present."""
        value = self._get(name, required=required)
        if value is None:
            return {}
        if not _is_object(value):
            self.add_error(name, wrong_type_message(self._label(name), "شیء"))
            return {}
        return value

    def objects(self, name: str, *, required: bool = True, max_items: int | None = None) -> list[Fields]:
        """Return a list of objects."""
        children: list[Fields] = []
        for index, value in enumerate(self.array(name, required=required, max_items=max_items)):
            if _is_object(value):
                children.append(self._child(value, f"{name}.{index}."))
            else:
                self.add_error(f"{name}.{index}", wrong_type_message(self._label(name), "شیء"))
        return children

    def _child(self, values: dict[str, Any], prefix: str) -> Fields:
        child = Fields(
            values,
            from_strings=self._from_strings,
            strict=self._strict,
            prefix=f"{self._prefix}{prefix}",
            errors=self.errors,
        )
        child._by_path = self._by_path
        self._children.append(child)
        return child

    def uploads(self, name: str, *, required: bool = True, max_items: int | None = 1) -> list[Upload]:
        """Return the uploaded files of a field, sent as `name`, `name[]` or `name[0]`, `name[1]` and so on."""
        self._read.add(name)
        value = self.values.get(name)
        items = value if _is_list(value) else [] if value is None else [value]
        files = [item for item in items if isinstance(item, Upload)]
        if len(files) != len(items):
            self.add_error(name, wrong_type_message(self._label(name), "فایل"))
        elif not files and required:
            self.add_error(name, required_message(self._label(name)))
        elif max_items is not None and len(files) > max_items:
            self.add_error(name, f"گزینه {self._label(name)} نباید بیشتر از {max_items} مورد داشته باشد")
        return files

    def upload_or_none(self, name: str) -> Upload | None:
        """Return one optional uploaded file."""
        files = self.uploads(name, required=False)
        return files[0] if files else None

    # Pagination

    def paging(self, *, size_field: str = "per_page", max_size: int = 1000) -> tuple[int, int]:
        """Return `page` (default 1) and the page size (default 10, at most `max_size`) of the field `size_field`."""
        number = self.integer_or_none("page", minimum=1, allow_string=True)
        size = self.integer_or_none(size_field, minimum=1, maximum=max_size, allow_string=True)
        return number or 1, size or 10
