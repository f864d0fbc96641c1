"""The queries, bodies and files of users and their documents, checked against the documented rules."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

from ippanel_edge.api.fields import fields_of, filters_of
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.models.users import NewUser, UserChanges, UserFilters
from ippanel_edge.values import phones
from ippanel_edge.values.checks import check_choice, check_id, check_iterable, check_text, ids
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.secrets import Secret
from ippanel_edge.values.uploads import open_upload

MIN_PASSWORD: Final = 8
NATIONAL_CODE_DIGITS: Final = 10
JALALI_YEARS: Final = range(1200, 1600)
_CHARACTER_CLASSES: Final = (
    ("a lower-case letter", re.compile(r"[a-z]")),
    ("an upper-case letter", re.compile(r"[A-Z]")),
    ("a digit", re.compile(r"[0-9]")),
    ("a special character", re.compile(r"[^A-Za-z0-9]")),
)


def password(value: str, *, argument: str, check: bool = True) -> Secret:
    """Return a new password. An error names what it lacks, never the password.

    Raises:
        InvalidArgument: it is empty, shorter than 8 characters, or lacks a class of characters.

    Source: user/register-user.md.
    """
    secret = Secret(check_text(value, argument=argument))
    missing = [kind for kind, pattern in _CHARACTER_CLASSES if not pattern.search(secret)]
    if len(secret) < MIN_PASSWORD:
        missing.insert(0, f"{MIN_PASSWORD - len(secret)} more characters")
    if check and missing:
        raise InvalidArgument(f"must also have {', '.join(missing)}", argument=argument)
    return secret


def national_code(value: str, *, argument: str, check: bool = True) -> str:
    """Return an Iranian national code: 10 digits, the last of which is a check digit. Persian digits become ASCII.

    Raises:
        InvalidArgument: it does not have 10 digits, or the check digit is wrong.

    Source: user/register-user.md.
    """
    code = phones.digits(check_text(value, argument=argument)).strip()
    if not check:
        return code
    if not re.fullmatch(rf"[0-9]{{{NATIONAL_CODE_DIGITS}}}", code):
        raise InvalidArgument(f"expected {NATIONAL_CODE_DIGITS} digits, including leading zeros", argument=argument)
    *digits, last = map(int, code)
    rest = sum(digit * (NATIONAL_CODE_DIGITS - place) for place, digit in enumerate(digits)) % 11
    if last != (rest if rest < 2 else 11 - rest):  # noqa: PLR2004 - the rule of the check digit
        raise InvalidArgument("is not a national code: the check digit is wrong", argument=argument)
    return code


def gregorian(value: date, *, argument: str, check: bool = True) -> date:
    """Return a Gregorian date.

    Raises:
        InvalidArgument: the year is in the range of the Jalali calendar.
    """
    if check and value.year in JALALI_YEARS:
        raise InvalidArgument(f"expected a Gregorian date, got the Jalali year {value.year}", argument=argument)
    return value


def new_user(user: NewUser, *, check: bool) -> dict[str, Any]:
    """Return the body of a registration.

    Raises:
        InvalidArgument: a field is empty or violates a documented rule.
    """
    body = fields_of(user, NewUser, argument="user")
    check_id(user.acl_id, argument="user.acl_id")
    gregorian(user.birth_date, argument="user.birth_date", check=check)
    if user.expire_time is not None:
        gregorian(user.expire_time, argument="user.expire_time", check=check)
    return {
        **body,
        "password": password(user.password, argument="user.password", check=check),
        "national_code": national_code(user.national_code, argument="user.national_code", check=check),
    }


def changes(user_id: int, wanted: UserChanges, *, check: bool) -> dict[str, Any]:
    """Return the body of a change.

    Raises:
        InvalidArgument: no field is set, or a field is empty or violates a documented rule.
    """
    body = {
        **ids(user_id=user_id),
        **fields_of(wanted, UserChanges, argument="changes"),
    }
    if len(body) == 1:
        raise InvalidArgument("has no field set: there is nothing to change", argument="changes")
    if wanted.password is not None:
        body["password"] = password(wanted.password, argument="changes.password", check=check)
    if wanted.acl_id is not None:
        check_id(wanted.acl_id, argument="changes.acl_id")
    if wanted.expire_time is not None:
        gregorian(wanted.expire_time, argument="changes.expire_time", check=check)
    check_choice(wanted.status, ("active", "inactive"), argument="changes.status", check=check)
    return body


def filters(wanted: UserFilters | None, *, check: bool) -> dict[str, Any]:
    """Return the query of the filters.

    Raises:
        InvalidArgument: the service does not document a value.
    """
    query = filters_of(wanted, UserFilters)
    if wanted is None:
        return query
    statuses = ("status", "normal", "online", "webservice")
    check_choice(wanted.add_status, statuses, argument="filters.add_status", check=check)
    check_choice(wanted.login_status, (0,), argument="filters.login_status", check=check)
    return query


def documents(files: Sequence[FileInput]) -> list[tuple[str, Upload]]:
    """Describe the files of a document: ``files[0]``, ``files[1]`` and so on.

    Raises:
        InvalidArgument: the value is one file instead of a list, is empty, or has a file that cannot be sent.
    """
    given = cast("object", files)
    if isinstance(given, str | bytes | os.PathLike) or hasattr(given, "read") or _is_pair(given):
        raise InvalidArgument("expected a list of files; put the file into [ ]", argument="files")
    uploads = [
        (f"files[{index}]", open_upload(file, argument=f"files[{index}]", kinds=None, max_bytes=None))
        for index, file in enumerate(check_iterable(files, argument="files", of="files"))
    ]
    if not uploads:
        raise InvalidArgument("must not be empty", argument="files")
    return uploads


def _is_pair(value: object) -> bool:
    """Whether the value is one file, a name with its content, and not two paths."""
    if not isinstance(value, tuple):
        return False
    items = cast("tuple[object, ...]", value)
    return len(items) == 2 and isinstance(items[1], bytes | bytearray)  # noqa: PLR2004 - a pair
