"""Values of wrong types and shapes for the tests of arguments; each is created anew, as an iterator is used up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Final

from ippanel_edge import Secret

CANARY: Final = "canary-4f1d-secret"


class Number(IntEnum):
    """An int subclass."""

    ONE = 1


class Word(str, Enum):  # noqa: UP042 - the str of such an enum is its name, not its value
    """A str subclass whose str is another text."""

    ONE = "one"


class Plain(Enum):
    """An enum of neither type."""

    ONE = 1


class Text(str):
    """A str subclass."""

    __slots__ = ()


class CallersError(Exception):
    """The exception of a caller's own iterator."""


def _failing() -> Iterator[Any]:
    raise CallersError
    yield


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(2_000):
        value = [value]
    return value


JUNK: Final[dict[str, Callable[[], Any]]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "0": lambda: 0,
    "-1": lambda: -1,
    "2**63": lambda: 2**63,
    "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000,
    "1.5": lambda: 1.5,
    "1e300": lambda: 1e300,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "''": lambda: "",
    "' '": lambda: " ",
    "'no'": lambda: "no",
    "surrogate": lambda: "\ud800",
    "NUL": lambda: "\0",
    "100,000 x": lambda: "x" * 100_000,
    "b'x'": lambda: b"x",
    "bytearray": lambda: bytearray(b"1"),
    "memoryview": lambda: memoryview(b"1"),
    "[]": list,
    "[[]]": lambda: [[]],
    "[None]": lambda: [None],
    "['x']": lambda: ["x"],
    "[True]": lambda: [True],
    "(1, 2, 3)": lambda: (1, 2, 3),
    "((),)": lambda: ((),),
    "{}": dict,
    "{1: 2}": lambda: {1: 2},
    "{True: 'x'}": lambda: {True: "x"},
    "{'x': object}": lambda: {"x": object()},
    "{'x': 10**5000}": lambda: {"x": 10**5000},
    "{10**5000: 1}": lambda: {10**5000: 1},
    "{1, 2}": lambda: {1, 2},
    "object": object,
    "class": lambda: object,
    "enum class": lambda: Number,
    "lambda": lambda: len,
    "failing generator": _failing,
    "iterator of junk": lambda: iter([object()]),
    "endless junk": lambda: itertools.repeat(object()),
    "deep list": _deep,
    "naive datetime": lambda: datetime(2030, 1, 1),  # noqa: DTZ001 - the test data
    "datetime": lambda: datetime(2030, 1, 1, tzinfo=UTC),
    "date": lambda: date(2030, 1, 1),
    "Decimal": lambda: Decimal(1),
    "str subclass": lambda: Text("one"),
    "str enum": lambda: Word.ONE,
    "int enum": lambda: Number.ONE,
    "enum": lambda: Plain.ONE,
    "Secret": lambda: Secret(CANARY),
    "Path": lambda: Path("no such file"),
}
