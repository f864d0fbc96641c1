"""The Excel files of phonebooks: what an import reads, the sample that it is made from, and what an export writes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.rules.phonebook_fields import why_not_a_value
from ippanel_edge.sandbox.rules.sheets import read_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ippanel_edge.sandbox.records import Contact, ContactOption, Phonebook
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.store import World

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADING: Final = ("شماره", "پیشوند", "نام", "ایمیل")
_SHOWN_ERRORS: Final = 10
_MIDNIGHT: Final = " 00:00:00"
"""How a cell ends that Excel keeps as a day."""


@attrs.frozen
class Member:
    """One row of an import."""

    number: str
    pre: str
    name: str
    email: str
    options: dict[int, str]


def read_import(call: Call, book: Phonebook) -> list[Member]:
    """Read the form's `file`; rows that are wrong are noted there, the first ten of them."""
    options = [call.world.contact_options[option_id] for option_id in book.option_ids]
    members: list[Member] = []
    errors = 0
    for place, (number, row) in enumerate(read_members(call.body), 1):
        pre, name, email, *values = (cell.removesuffix(_MIDNIGHT) for cell in _padded(row[1:], len(options)))
        for option, value in zip(options, values, strict=True):
            reason = why_not_a_value(option, option.title, value)
            if reason is not None and errors < _SHOWN_ERRORS:
                errors += 1
                call.body.fail("file", f"ردیف {place}: {reason}")
        ids = (option.option_id for option in options)
        members.append(Member(number, pre, name, email, dict(zip(ids, values, strict=True))))
    return members


def _padded(cells: Sequence[str], options: int) -> list[str]:
    width = len(_HEADING) - 1 + options
    return [*cells, *[""] * width][:width]


def sample(world: World, book: Phonebook) -> bytes:
    """Write a workbook with nothing but the heading of an import into this phonebook."""
    return _workbook([[*_HEADING, *(option.title for option in _options(world, book.option_ids))]])


def table(world: World, contacts: Iterable[Contact]) -> bytes:
    """Write a workbook of contacts: the columns of an import, with those options that any of them has a value of."""
    rows = list(contacts)
    options = _options(world, sorted({option_id for contact in rows for option_id in contact.options}))
    return _workbook(
        [
            [*_HEADING, *(option.title for option in options)],
            *(
                [
                    *(contact.number, contact.pre, contact.name, contact.email),
                    *(contact.options.get(option.option_id, "") for option in options),
                ]
                for contact in rows
            ),
        ]
    )


def _options(world: World, ids: Iterable[int]) -> list[ContactOption]:
    return [world.contact_options[option_id] for option_id in ids]


def _workbook(rows: Iterable[Sequence[str]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, and few calls need it

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()
