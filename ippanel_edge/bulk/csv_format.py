"""Detection of the encoding and of the delimiter of a CSV file from its beginning. Nothing is read here."""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice
from typing import Final

from ippanel_edge.bulk.columns import Wanted

SAMPLE: Final = 1024 * 1024
"""The number of bytes that decide the encoding."""
_SAMPLE_TEXT: Final = 256 * 1024
"""The number of characters that decide the delimiter."""
_SAMPLE_ROWS: Final = 200
DELIMITERS: Final = (",", ";", "\t", "|")
_SEP: Final = re.compile(r'"?sep=([^\r\n"])"?\1*\r?\n?', re.IGNORECASE)
"""The first line by which Excel recognises a delimiter, such as ``sep=;``."""
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MIN_NUL: Final = 0.05
"""The share of NUL bytes in UTF-16 text: the delimiters, spaces, digits and line breaks have one each."""
_OTHER_NUL: Final = 0.02


def detect_encoding(sample: bytes, *, is_whole: bool) -> str:
    """Return the name of the codec of a file.

    Args:
        sample: the beginning of the file.
        is_whole: whether it is the whole file.

    Returns:
        The codec of the byte order mark; UTF-16 if every other byte is often NUL; UTF-8 if the sample is valid UTF-8;
        else Windows-1256, the encoding in which Excel saves Persian and Arabic as "CSV".
    """
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) * _MIN_NUL and min(even, odd) <= max(even, odd) * _OTHER_NUL:
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=is_whole)
    except UnicodeDecodeError:
        return "cp1256"
    return "utf-8"


def declared_delimiter(text: str) -> str | None:
    """Return the delimiter that the first line ``sep=…`` declares, or None."""
    first = text[:16].partition("\n")[0] + "\n"
    declared = _SEP.fullmatch(first)
    return declared[1] if declared else None


def detect_delimiter(text: str, wanted: Wanted, *, is_whole: bool) -> str:
    """Return the delimiter of a CSV file: the one with which most rows have as many columns as the header.

    Args:
        text: the beginning of the file.
        wanted: the wanted columns. A delimiter with which the first row has one of them is preferred.
        is_whole: whether it is the whole file.

    Returns:
        A comma, semicolon, tab or vertical bar; a comma if the file has one column.
    """
    sample = text[:_SAMPLE_TEXT]
    if not is_whole or len(sample) < len(text):
        end = max(sample.rfind("\n"), sample.rfind("\r"))
        sample = sample[: end + 1] or sample
    return max(DELIMITERS, key=lambda delimiter: _fitness(sample, delimiter, wanted))


def _fitness(sample: str, delimiter: str, wanted: Wanted) -> tuple[bool, float, int]:
    """Return how well a delimiter fits: if a column is known, the share of rows as wide as the first, its width."""
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    first: list[str] = []
    widths: list[int] = []
    try:
        for row in islice(rows, _SAMPLE_ROWS):
            first = first or row
            widths += [len(row)] * bool(row)
    except csv.Error:
        # A quote may not begin a text with a wrong delimiter. The rows before it are compared.
        widths += [0]
    if len(first) < 2:  # noqa: PLR2004 - a delimiter separates at least two columns
        return False, 0.0, 0
    return wanted.knows(first), widths.count(len(first)) / len(widths), len(first)
