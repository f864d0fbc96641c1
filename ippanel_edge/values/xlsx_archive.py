"""The zip archive of an XLSX file: what is checked before `ZipFile` reads its directory into memory."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Final
from zipfile import BadZipFile

ENCRYPTED: Final = 1
"""The flag of an encrypted member."""
SAVE: Final = 'in Excel, save it as "Excel Workbook (*.xlsx)" without a password'
"""The remedy for a file that is not a workbook."""
BROKEN: Final = (BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, struct.error)
"""What reading a damaged archive may raise."""

_MAX_DIRECTORY: Final = 1024 * 1024
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x07"
_MAX_END: Final = 22 + 0xFFFF
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


class InvalidWorkbook(Exception):  # noqa: N818 - internal; the public error is InvalidArgument
    """The problem of a file, as a sentence."""


def check_archive(stream: BinaryIO) -> None:
    """Check the beginning of a file and the size of its directory. The position is set to the start.

    Raises:
        InvalidWorkbook: it is not XLSX, or its directory is too large.
        BadZipFile: it is not a zip archive.
    """
    stream.seek(0)
    begin = stream.read(len(_OLD_EXCEL))
    if begin == _OLD_EXCEL:
        raise InvalidWorkbook(f"expected .xlsx, got an .xls file or an encrypted workbook; {SAVE}")
    if not begin.startswith(b"PK"):
        raise InvalidWorkbook(f"expected .xlsx, got another format with this extension; {SAVE}")
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _MAX_END - 20))
    tail = stream.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _MAX_END - 0xFFFF:
        raise BadZipFile
    if tail[max(0, end - 20) :].startswith(_END_64) or struct.unpack_from("<L", tail, end + 12)[0] > _MAX_DIRECTORY:
        raise InvalidWorkbook("the unpacked workbook is too large; split it, or save it as CSV")
    stream.seek(0)
