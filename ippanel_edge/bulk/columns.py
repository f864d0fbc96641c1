"""The columns of a source: which one holds the recipients, which one the texts, and where the wanted ones are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones

_MAX_LISTED: Final = 30
_SHOWN: Final = 40
_NUMBER_LIKE: Final = re.compile(r"[0-9+()\-.\s]{7,20}")
"""A mistyped number in the first row, which must not be mistaken for the name of a column."""

_BROKEN_NUMBER: Final = re.compile(r"[0-9]{5}")
"""What a mistyped number has, which is the first row of a file with one column."""

_LETTERS: Final = str.maketrans({"ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا"})
_IGNORED: Final = frozenset({"Cf", "Mn", "Pc", "Pd", "Po", "Lm", "Cc", "Zs", "Zl", "Zp", "Ps", "Pe"})
"""Categories of characters that do not distinguish names: spaces, half-spaces, dashes, diacritics, punctuation."""


def fold(name: str) -> str:
    """Return a name of a column without what people write differently: case, spaces, underscores, Arabic letters."""
    text = phones.digits(unicodedata.normalize("NFKC", name).translate(_LETTERS)).casefold()
    return "".join(character for character in text if unicodedata.category(character) not in _IGNORED)


def _folded(*names: str) -> frozenset[str]:
    return frozenset(map(fold, names))


RECIPIENT_NAMES: Final = _folded(
    *("recipient", "recipients", "recipient number", "phone", "phones", "phone number", "phone no", "mobile"),
    *("mobiles", "mobile number", "mobile no", "mobile phone", "mobile phone number", "msisdn", "number", "cell"),
    *("cell number", "cell phone", "cellphone number", "tel", "telephone", "telephone number"),
    *("شماره", "شماره ها", "شماره موبایل", "شماره همراه", "شماره تلفن", "شماره تلفن همراه", "شماره تماس"),
    *("شماره گیرنده", "شماره مشتری", "موبایل", "تلفن", "تلفن همراه", "تلفن موبایل", "تلفن تماس", "همراه"),
    *("گیرنده", "گیرندگان"),
)
MESSAGE_NAMES: Final = _folded(
    *("message", "messages", "message text", "text", "sms", "sms text"),
    *("متن", "پیام", "متن پیام", "پیامک", "متن پیامک"),
)


@attrs.frozen
class Header:
    """The names of the columns of a source.

    Attributes:
        source: the name of the source.
        names: the names, in the order of the columns.
        recipients: the index of the column with a mobile number, of a file without a header; else None.
    """

    source: str
    names: tuple[str, ...]
    recipients: int | None = None

    @property
    def is_first_row(self) -> bool:
        """Whether the first row holds the names. If not, it is a row like the others."""
        return self.recipients is None

    def listed(self) -> str:
        """Return the names for an error."""
        names = [repr(_shortened(name)) for name in self.names[:_MAX_LISTED]]
        more = [f"and {len(self.names) - _MAX_LISTED} more"] if len(self.names) > _MAX_LISTED else []
        return ", ".join(names + more)

    def find(self, name: str, *, argument: str) -> int:
        """Return the index of a column.

        Args:
            name: the name. If no column has exactly this name, case, spaces and the like are ignored.
            argument: the argument's name in the error.

        Raises:
            InvalidArgument: no column has the name, or several have it.
        """
        found = [index for index, each in enumerate(self.names) if each == name.strip()]
        if not found:
            folded = fold(name)
            found = [index for index, each in enumerate(self.names) if fold(each) == folded != ""]
        if len(found) == 1:
            return found[0]
        if found:
            places = " and ".join(str(index + 1) for index in found)
            raise InvalidArgument(
                f"{self.source}: columns {places} are both named {_shortened(name)!r}; rename one of them",
                argument=argument,
            )
        header = "" if self.is_first_row else "the file has no header, so "
        raise InvalidArgument(
            f"{self.source}: no column is named {_shortened(name)!r}; {header}the columns are {self.listed()}",
            argument=argument,
        )

    def known(self, names: frozenset[str]) -> list[int]:
        """Return the indexes of the columns with one of these folded names."""
        return [index for index, each in enumerate(self.names) if fold(each) in names]


@attrs.frozen
class Selection:
    """The columns to read, as indexes: that of the recipients, and those of the values."""

    recipient: int
    values: tuple[int, ...]


@attrs.frozen
class Wanted:
    """The columns that a caller wants.

    Attributes:
        columns: the names of the columns of the values; None for the column of the texts.
        recipient: the name of the column of the recipients; None to recognise it.
        message: the name of the column of the texts; None to recognise it.
    """

    columns: Sequence[str] | None
    recipient: str | None = None
    message: str | None = None

    def header(self, row: Sequence[str], *, source: str, first: int = 0) -> Header:
        """Return the header of a file.

        Args:
            row: its first row.
            source: the name of the file.
            first: the index of its first column in the sheet, for the letters of a file without a header.
        """
        names = tuple(name.strip() for name in row)
        if not self._names(names):
            numbers = [index for index, cell in enumerate(names) if is_mobile(cell)] or [
                index for index, cell in enumerate(names) if _NUMBER_LIKE.fullmatch(phones.digits(cell))
            ]
            if not numbers and len(names) == 1 and self._is_broken_number(names[0]):
                numbers = [0]
            if numbers:
                letters = tuple(_letters(first + index) for index in range(len(names)))
                return Header(source, letters, numbers[0])
        return Header(source, names)

    def _is_broken_number(self, cell: str) -> bool:
        """Whether the only cell of the first row is rather a number with a mistake than the name of a column."""
        is_wanted = fold(cell) in map(fold, self.columns or ())
        return not is_wanted and _BROKEN_NUMBER.search(phones.digits(cell)) is not None

    def knows(self, row: Sequence[str]) -> bool:
        """Whether the first row of a file has the name of a known column, or a mobile number."""
        return self._names(row) or any(map(is_mobile, row))

    def _names(self, row: Sequence[str]) -> bool:
        """Whether a row has the name of a column of recipients or texts."""
        given = {fold(each) for each in (self.recipient, self.message) if each}
        return not (given | RECIPIENT_NAMES | MESSAGE_NAMES).isdisjoint(map(fold, row))

    def select(self, header: Header) -> Selection:
        """Return where the wanted columns are.

        Raises:
            InvalidArgument: one is missing, is there twice or cannot be recognised; the error lists the columns.
        """
        return Selection(self.select_recipient(header), self.select_values(header))

    def select_recipient(self, header: Header) -> int:
        """Return the index of the column of the recipients. Raises as `select`."""
        if self.recipient is not None:
            return header.find(self.recipient, argument="recipient")
        if header.recipients is not None:
            return header.recipients
        found = header.known(RECIPIENT_NAMES)
        if not found and len(header.names) == 1:
            return 0
        return _only(found, header, "recipients", argument="recipient")

    def select_values(self, header: Header) -> tuple[int, ...]:
        """Return the indexes of the columns of the values. Raises as `select`."""
        if self.columns is not None:
            return tuple(header.find(name, argument="columns") for name in self.columns)
        if self.message is not None:
            return (header.find(self.message, argument="message"),)
        return (_only(header.known(MESSAGE_NAMES), header, "texts", argument="message"),)


def is_mobile(value: str) -> bool:
    """Whether a cell is a valid mobile number."""
    try:
        phones.recipient(value, argument="value")
    except InvalidArgument:
        return False
    return True


def _only(found: Sequence[int], header: Header, content: str, *, argument: str) -> int:
    if len(found) == 1:
        return found[0]
    if found:
        names = [header.names[index] for index in found]
        several = ", ".join(repr(_shortened(name)) for name in names)
        remedy = f"pass {argument}= with one of them" if len(set(names)) == len(names) else "rename all but one of them"
        problem = f"several columns may hold the {content}: {several}; {remedy}"
    else:
        problem = (
            f"no column is recognised as that of the {content}; pass {argument}= with the name of the column. "
            f"The columns are {header.listed()}"
        )
    raise InvalidArgument(f"{header.source}: {problem}", argument=argument)


def _shortened(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _letters(index: int) -> str:
    """Return the letters by which a spreadsheet names a column: A, …, Z, AA, …."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
