"""The JSON bodies and queries of the control address: strict fields, with errors in English that say what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from starlette.requests import Request

from ippanel_edge.sandbox.bodies import parse_json
from ippanel_edge.sandbox.replies import Rejection

if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_INTEGER = 10**15
_MAX_SECONDS = 10 * 365 * 86_400


class ControlError(Exception):
    """A request of the control address that is rejected, with its HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Inputs:
    """The fields of a body or query; each is read once, and `check` rejects those that nobody read.

    Args:
        values: the fields.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._known: list[str] = []

    @classmethod
    async def of_body(cls, request: Request) -> Inputs:
        """Read the JSON body of a request, of any content type, so that `curl -d` is enough.

        Raises:
            ControlError: 400 if it is not a JSON object.
        """
        try:
            return cls(parse_json(await request.body()))
        except Rejection:
            message = "expected a JSON object in UTF-8, without duplicate keys, got another body; send e.g. {}"
            raise ControlError(400, message) from None

    @classmethod
    def of_query(cls, request: Request) -> Inputs:
        """Read the query of a request.

        Raises:
            ControlError: 422 if a name occurs twice.
        """
        names = [name for name, _ in request.query_params.multi_items()]
        for name in names:
            if names.count(name) > 1:
                raise _error(name, "one value", f"{names.count(name)} values", "send it once")
        return cls(request.query_params)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        if name not in self._known:
            self._known.append(name)
        return name in self._values

    def check(self) -> None:
        """Reject unknown fields; call it after all fields were read, and before anything is changed.

        Raises:
            ControlError: 422.
        """
        for name in self._values:
            if name not in self._known:
                fields = ", ".join(self._known) or "no fields"
                raise ControlError(422, f"expected {fields}, got the unknown field {name!r}; remove it")

    def text(self, name: str) -> str:
        """Return a required str that is not empty."""
        value = self._required(name, "a non-empty string")
        if not isinstance(value, str) or not value:
            raise _wrong(name, "a non-empty string", value)
        return value

    def text_or_none(self, name: str) -> str | None:
        """Return an optional str that is not empty."""
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Return a required str that is one of `choices`."""
        expected = f"one of {', '.join(choices)}"
        value = self._required(name, expected)
        if not isinstance(value, str) or value not in choices:
            raise _wrong(name, expected, value)
        return value

    def flag(self, name: str) -> bool:
        """Return a required bool."""
        value = self._required(name, "true or false")
        if not isinstance(value, bool):
            raise _wrong(name, "true or false", value)
        return value

    def integer(self, name: str, *, minimum: int = 0, maximum: int = _MAX_INTEGER) -> int:
        """Return a required int; in a query it is a str of digits."""
        expected = f"an integer of at least {minimum}"
        if maximum != _MAX_INTEGER:
            expected = f"an integer from {minimum} to {maximum}"
        value = self._required(name, expected)
        if isinstance(value, str) and not isinstance(self._values, dict) and value.isascii() and value.isdigit():
            value = int(value[:20])
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise _wrong(name, expected, value)
        return value

    def integer_or(self, name: str, default: int, *, minimum: int = 0, maximum: int = _MAX_INTEGER) -> int:
        """Return an optional int."""
        return self.integer(name, minimum=minimum, maximum=maximum) if self.has(name) else default

    def seconds(self, name: str, *, nullable: bool = False) -> float | None:
        """Return a required number of seconds, at most ten years; None for null if it is `nullable`."""
        return self.number(name, nullable=nullable, maximum=_MAX_SECONDS)

    def number(self, name: str, *, nullable: bool = False, maximum: int = _MAX_INTEGER) -> float | None:
        """Return a required number that is not negative; None for null if it is `nullable`."""
        expected = f"a number {'of at least 0' if maximum == _MAX_INTEGER else f'from 0 to {maximum}'}"
        expected += " or null" if nullable else ""
        value = self._required(name, expected)
        if value is None and nullable:
            return None
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not math.isfinite(value)
            or not 0 <= value <= maximum
        ):
            raise _wrong(name, expected, value)
        return float(value)

    def time(self, name: str) -> datetime:
        """Return a required time with its zone, in UTC."""
        expected = "an ISO 8601 time with a zone, such as 2030-01-01T00:00:00Z"
        value = self._required(name, expected)
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            raise _wrong(name, expected, value) from None
        if moment.tzinfo is None:
            raise _wrong(name, expected, value, "add Z or an offset")
        return moment.astimezone(UTC)

    def mapping(self, name: str) -> dict[str, str]:
        """Return a required object of str values."""
        expected = "an object of strings"
        value = self._required(name, expected)
        if not _is_mapping(value):
            raise _wrong(name, expected, value)
        return value

    def anything(self, name: str) -> object:
        """Return a required value of any type."""
        return self._required(name, "a value")

    def _required(self, name: str, expected: str) -> Any:  # noqa: ANN401 - a JSON value
        if not self.has(name):
            raise _error(name, expected, "nothing", "add it")
        return self._values[name]


def _is_mapping(value: object) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(isinstance(each, str) for each in cast("dict[str, object]", value).values())


def _wrong(name: str, expected: str, value: object, remedy: str = "correct it") -> ControlError:
    return _error(name, expected, repr(value)[:80], remedy)


def _error(name: str, expected: str, got: str, remedy: str) -> ControlError:
    return ControlError(422, f"{name}: expected {expected}, got {got}; {remedy}")
