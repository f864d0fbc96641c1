"""The cattrs converter of the SDK: lenient when structuring responses, exact when unstructuring requests.

The service serialises one value in several ways (`"6"`, `6`, `6.0`; `yes`, `1`, `true`; four time formats) and omits
documented fields. All of these are accepted; any other value is a `DecodeError` that names the row and the field.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from ippanel_edge.errors import DecodeError
from ippanel_edge.models.common import Page
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values import times
from ippanel_edge.wire.hints import api_name, enum_of, is_open_enum, is_optional, is_rows, without_none
from ippanel_edge.wire.structure import Hook, structure_fn

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "active", "on"})
_FALSE = frozenset({"false", "0", "no", "inactive", "off", ""})
_MAX_NUMBER_LENGTH = 40
# Stricter than int() and float(), which also accept 1_000 and words such as "infinity".
_NUMBER = re.compile(r"[+-]?\d+(?P<rest>(?:\.\d+)?(?:[eE][+-]?\d+)?)")
_SEND_IDS = ("message_outbox_ids", "message_outbox_id", "messages_outbox_id", "bulk_id")


def to_int(value: object, _: object = int) -> int:
    """Parse an int: 6, 6.0, "6", True.

    Raises:
        ValueError: any other value.
    """
    number = _parse_number(value) if isinstance(value, str) else value
    if isinstance(number, int):
        return int(number)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise ValueError(f"expected an integer, got {_shown(value)}")


def to_float(value: object, _: object = float) -> float:
    """Parse a finite float: 3990.2, "3990.2", 6.

    Raises:
        ValueError: any other value.
    """
    number = _parse_number(value) if isinstance(value, str) else value
    if isinstance(number, int | float) and not isinstance(number, bool):
        try:
            parsed = float(number)
        except OverflowError:
            parsed = math.inf
        if math.isfinite(parsed):
            return parsed
    raise ValueError(f"expected a number, got {_shown(value)}")


def _parse_number(text: str) -> float | None:
    """Parse a number. Return None if the text is not a number."""
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= _MAX_NUMBER_LENGTH else None
    if found is None:
        return None
    return float(found[0]) if found["rest"] else int(found[0])


def to_bool(value: object, _: object = bool) -> bool:
    """Parse a bool: true, 1, "1", "yes", "active", and their opposites.

    Raises:
        ValueError: any other value.
    """
    if value is True or value is False:
        return value
    if isinstance(value, int | str):
        word = str(value).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise ValueError(f"expected a boolean, got {_shown(value)}")


def to_str(value: object, _: object = str) -> str:
    """Parse a str; a number becomes its digits.

    Raises:
        ValueError: any other value.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"expected a string, got {_shown(value)}")


def _to_datetime(value: object, _: object = datetime) -> datetime:
    moment = times.parse_moment(value)
    if moment is None:
        raise ValueError(f"expected a time, got {_shown(value)}")
    return moment


def _shown(value: object) -> str:
    """Format a value for an error, truncated. A list or an object may hold a secret: only its type is shown."""
    if value is None or _is_container(value):
        return _kind(value)
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**_MAX_NUMBER_LENGTH else "a huge number"
    return text if len(text) <= _MAX_NUMBER_LENGTH else f"{text[:_MAX_NUMBER_LENGTH]}…"


def _kind(value: object) -> str:
    """Return the name of a value's JSON type."""
    if value is None:
        return "null"
    if _is_container(value):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"


def _is_container(value: object) -> bool:
    return isinstance(value, list | dict)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _is_mapping(cls: Any) -> bool:
    return get_origin(cls) in (dict, Mapping)


def _open_enum_hook(cls: Any) -> Callable[[object, object], object]:
    enum = enum_of(cls)
    plain: Callable[[object], object] = to_int if int in get_args(cls) else to_str
    optional = is_optional(cls)

    def structure(value: object, _: object) -> object:
        if optional and (value is None or _is_blank(value)):
            return None
        known = plain(value)
        try:
            return enum(known)
        except ValueError:
            return known

    return structure


def _optional_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[object, object], object]]:
    """Structure null as None; also "" for anything but a str, and PHP's empty list for an object."""

    def factory(cls: Any) -> Callable[[object, object], object]:
        (inner,) = without_none(cls)
        takes_text = inner is str
        is_model = attrs.has(inner)

        def structure(value: object, _: object) -> object:
            if value is None or (not takes_text and _is_blank(value)) or (is_model and value == []):
                return None
            if inner is datetime:
                return times.parse_moment(value)
            return converter.structure(value, inner)

        return structure

    return factory


def _rows_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[object, object], object]]:
    """Structure a list; null and PHP's empty object are an empty list."""

    def factory(cls: Any) -> Callable[[object, object], object]:
        row = get_args(cls)[0]
        is_list = get_origin(cls) is list

        def structure(value: object, _: object) -> object:
            rows = _rows(value, converter.get_structure_hook(row), row)
            return rows if is_list else tuple(rows)

        return structure

    return factory


def _rows(value: object, structure: Hook, row: Any) -> list[Any]:
    """Structure each row of a list; the error of an invalid row carries its index."""
    if value is None or value == {}:
        return []
    if not isinstance(value, list):
        raise ValueError(f"expected a list, got {_kind(value)}")
    rows: list[Any] = []
    for index, item in enumerate(cast("list[object]", value)):
        try:
            rows.append(structure(item, row))
        except Exception as error:
            raise _InvalidValue(f"[{index}]", error) from error
    return rows


def _mapping_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[object, object], object]]:
    """Structure an object by key; null and PHP's empty list are an empty object."""

    def factory(cls: Any) -> Callable[[object, object], object]:
        key_type, value_type = get_args(cls)

        def structure(value: object, _: object) -> object:
            if value is None or value == []:
                return {}
            if not isinstance(value, dict):
                raise ValueError(f"expected an object, got {_kind(value)}")
            items: dict[Any, Any] = {}
            for key, item in cast("dict[str, object]", value).items():
                try:
                    items[converter.structure(key, key_type)] = converter.structure(item, value_type)
                except Exception as error:
                    raise _InvalidValue(f".{key}", error) from error
            return items

        return structure

    return factory


class _InvalidValue(ValueError):
    """An invalid value and its path so far; each level that the error passes prepends to the path."""

    def __init__(self, place: str, error: Exception) -> None:
        inner_place, self.reason = _placed(error)
        self.place = place + inner_place
        super().__init__(f"{self.place}: {self.reason}")


def _placed(error: BaseException) -> tuple[str, str]:
    """Return the path (in the API's names) and the problem of the first invalid value in an error of cattrs."""
    if isinstance(error, _InvalidValue):
        return error.place, error.reason
    if isinstance(error, cattrs.ClassValidationError):
        of_fields, of_the_whole = error.group_exceptions()
        if not of_fields:
            return _placed(of_the_whole[0])
        inner, note = of_fields[0]
        place, reason = _placed(inner)
        return f".{api_name(attrs.fields_dict(error.cl)[note.name])}{place}", reason
    if isinstance(error, KeyError):
        return "", "is missing"
    return "", str(error)


def _model_hook(converter: cattrs.Converter) -> Callable[[Any], Hook]:
    """Structure an object by a generated function; if that fails, by the hook whose error names the place."""
    generated: dict[Any, Hook] = {}

    @functools.cache
    def with_places(cls: Any) -> Hook:
        return _hook_with_places(cls, converter)

    @functools.cache
    def inner(cls: Any) -> Hook:
        hook: Hook = converter.get_structure_hook(cls)
        return generated.get(cls, hook)

    def nested(cls: Any) -> Hook:
        # Looked up at the first use, because a model may contain itself.
        return lambda value, _: inner(cls)(value, cls)

    def factory(cls: Any) -> Hook:
        fast = structure_fn(cls, converter.get_structure_hook, nested)
        if fast is None:
            return with_places(cls)
        generated[cls] = fast

        def structure(value: object, _: object) -> object:
            if type(value) is dict:
                try:
                    return fast(value, cls)
                except Exception:  # noqa: BLE001, S110 - the other hook raises it again, or accepts the value
                    pass
            return with_places(cls)(value, cls)

        return structure

    return factory


def _hook_with_places(cls: Any, converter: cattrs.Converter) -> Hook:
    """Structure an object; PHP's empty list is an empty one, and a field marked `alone` may replace the object."""
    renamed = {field.name: override(rename=api_name(field)) for field in attrs.fields(cls)}
    build = make_dict_structure_fn(cls, converter, **renamed)  # type: ignore[arg-type]  # cattrs types overrides as its own keyword flags
    alone = next((api_name(field) for field in attrs.fields(cls) if field.metadata.get("alone")), None)

    def structure(value: object, _: object) -> object:
        if value == []:
            return build({}, cls)
        if alone is not None and isinstance(value, int | str):
            return build({alone: value}, cls)
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, got {_kind(value)}")
        return build(cast("dict[str, Any]", value), cls)

    return structure


def _read_id(value: object, _: object = int) -> int:
    number = 0 if isinstance(value, bool) else to_int(value)
    if number < 1:
        raise ValueError(f"expected an id, an integer from 1, got {_shown(value)}")
    return number


def _read_ids(value: object) -> tuple[int, ...]:
    if not _is_container(value):
        return (_read_id(value),)
    found = tuple(_rows(value, _read_id, int))
    if not found:
        raise ValueError("contains no id")
    return found


def _structure_send(value: object, _: object) -> SendResult:
    """Structure the ids of a send, under any of their four names; a send without ids is an error."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object with message_outbox_ids, got {_kind(value)}")
    data = cast("dict[str, object]", value)
    for name in _SEND_IDS:
        ids = data.get(name)
        if ids is None:
            continue
        try:
            return _sent(_read_ids(ids))
        except ValueError as error:
            raise _InvalidValue(f".{name}", error) from error
    raise _InvalidValue(".message_outbox_ids", ValueError("is missing"))


def _sent(ids: tuple[int, ...]) -> SendResult:
    """Return the result with ids that were checked already: its constructor would check them again."""
    result = SendResult.__new__(SendResult)
    object.__setattr__(result, "message_outbox_ids", ids)
    return result


def _unstructure_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[Any], Any]]:
    """Unstructure an input class: unset fields are omitted, fields have the API's names."""

    def factory(cls: Any) -> Callable[[Any], Any]:
        written = {
            field.name: override(rename=api_name(field), unstruct_hook=_as_text if as_ is str else as_)
            for field in attrs.fields(cls)
            for as_ in [field.metadata.get("as")]
        }
        write = make_dict_unstructure_fn(cls, converter, **written)  # type: ignore[arg-type]  # as above

        def unstructure(value: Any) -> dict[str, Any]:
            return {name: item for name, item in write(value).items() if item is not None}

        return unstructure

    return factory


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    return str(value.value) if isinstance(value, Enum) else str(value)


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(int, to_int)
    converter.register_structure_hook(float, to_float)
    converter.register_structure_hook(bool, to_bool)
    converter.register_structure_hook(str, to_str)
    converter.register_structure_hook(datetime, _to_datetime)
    converter.register_structure_hook_factory(attrs.has, _model_hook(converter))
    converter.register_structure_hook_factory(is_rows, _rows_hook(converter))
    converter.register_structure_hook_factory(_is_mapping, _mapping_hook(converter))
    converter.register_structure_hook_factory(is_optional, _optional_hook(converter))
    converter.register_structure_hook_factory(is_open_enum, _open_enum_hook)
    converter.register_structure_hook(SendResult, _structure_send)
    converter.register_unstructure_hook(datetime, lambda value: times.unix_seconds(value, argument="time"))
    converter.register_unstructure_hook(date, lambda value: value.isoformat())
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook(converter))
    return converter


_CONVERTER = _make_converter()


def decode(data: object, cls: type[T], *, meta: Mapping[str, object] | None = None) -> T:
    """Structure the data of a reply as a model, a list of models or a page.

    Raises:
        DecodeError: an invalid value; `where` names its row and field, such as ``data[3].cost``.
    """
    try:
        row = _row_of(cast("Any", cls))
        if row is not None:
            return _page(data, row, meta or {})  # type: ignore[return-value]  # cls is a Page of that row
        structured: T = _CONVERTER.get_structure_hook(cls)(data, cls)
    except Exception as error:
        place, reason = _placed(error)
        raise DecodeError(reason, where=f"data{place}") from error
    return structured


@functools.cache
def _row_of(cls: Any) -> Any:
    """Return the class of the rows of a page, or None for any other class."""
    return get_args(cls)[0] if get_origin(cls) is Page else None


def _page(data: object, row: Any, meta: Mapping[str, object]) -> Page[Any]:
    items = tuple(_rows(data, _CONVERTER.get_structure_hook(row), row))
    numbers: dict[str, int | None] = {}
    for name in ("current_page", "last_page", "per_page", "total"):
        try:
            numbers[name] = to_int(meta[name]) if meta.get(name) is not None else None
        except ValueError:
            numbers[name] = None
    current = numbers.pop("current_page")
    return Page[Any](items=items, current_page=1 if current is None else current, **numbers)


def encode(value: object) -> Any:
    """Unstructure an input class, or a list of them, as JSON data; unset fields are omitted."""
    return _CONVERTER.unstructure(value)
