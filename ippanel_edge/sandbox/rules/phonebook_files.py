"""The Excel files of phonebooks: parsing of imports, and creation of import templates and exports."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.rules.phonebook_fields import option_value_error
from ippanel_edge.sandbox.rules.sheets import read_import_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ippanel_edge.sandbox.records import Contact, ContactOption, Phonebook
    from ippanel_edge.sandbox.routes import Call
    from ippanel_edge.sandbox.state import SandboxState

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADING: Final = ("شماره", "پیشوند", "نام", "ایمیل")
_MAX_ERRORS: Final = 10
_MIDNIGHT: Final = " 00:00:00"
"""The suffix of a cell that Excel stores as a date."""


@attrs.frozen
class ImportRow:
    """One row of an import."""

    number: str
    pre: str
    name: str
    email: str
    options: dict[int, str]


def read_import(call: Call, book: Phonebook) -> list[ImportRow]:
    """Return the rows of the uploaded `file`; record errors of at most ten invalid rows."""
    options = [call.state.contact_options[option_id] for option_id in book.option_ids]
    rows: list[ImportRow] = []
    errors = 0
    for index, (number, row) in enumerate(read_import_rows(call.body), 1):
        pre, name, email, *values = (cell.removesuffix(_MIDNIGHT) for cell in _padded(row[1:], len(options)))
        for option, value in zip(options, values, strict=True):
            reason = option_value_error(option, option.title, value)
            if reason is not None and errors < _MAX_ERRORS:
                errors += 1
                call.body.add_error("file", f"ردیف {index}: {reason}")
        ids = (option.option_id for option in options)
        rows.append(ImportRow(number, pre, name, email, dict(zip(ids, values, strict=True))))
    return rows


def _padded(cells: Sequence[str], options: int) -> list[str]:
    width = len(_HEADING) - 1 + options
    return [*cells, *[""] * width][:width]


def sample_workbook(state: SandboxState, book: Phonebook) -> bytes:
    """Return an XLSX file that contains only the header row of an import into this phonebook."""
    return _workbook([[*_HEADING, *(option.title for option in _options(state, book.option_ids))]])


def contacts_workbook(state: SandboxState, contacts: Iterable[Contact]) -> bytes:
    """Return an XLSX file of contacts in the import format, with the options that at least one contact has."""
    rows = list(contacts)
    options = _options(state, sorted({option_id for contact in rows for option_id in contact.options}))
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


def _options(state: SandboxState, ids: Iterable[int]) -> list[ContactOption]:
    return [state.contact_options[option_id] for option_id in ids]


def _workbook(rows: Iterable[Sequence[str]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import and rarely needed

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()
