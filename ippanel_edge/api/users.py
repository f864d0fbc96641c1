"""The arguments of users and their documents, checked against the documented rules. Nothing is sent in here."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

from ippanel_edge.api.fields import written
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.users import NewUser, UserChanges, UserFilters
from ippanel_edge.values import phones
from ippanel_edge.values.checks import identity, one_of, text
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.values.secrets import Secret

SHORTEST_PASSWORD: Final = 8
NATIONAL_CODE_DIGITS: Final = 10
JALALI_YEARS: Final = range(1200, 1600)
_KINDS_OF_CHARACTERS: Final = (
    ("a small letter", re.compile(r"[a-z]")),
    ("a capital letter", re.compile(r"[A-Z]")),
    ("a digit", re.compile(r"[0-9]")),
    ("a sign that is neither letter nor digit", re.compile(r"[^A-Za-z0-9]")),
)


def password(value: str, *, argument: str, check: bool = True) -> Secret:
    """Accept a new password; an error tells what it lacks and never what it is.

    Raises:
        ConfigurationError: it is empty, shorter than 8 characters, or lacks a kind of character.

    Source: user/register-user.md.
    """
    secret = Secret(text(value, argument=argument))
    lacking = [kind for kind, pattern in _KINDS_OF_CHARACTERS if not pattern.search(secret)]
    if len(secret) < SHORTEST_PASSWORD:
        lacking.insert(0, f"{SHORTEST_PASSWORD - len(secret)} more characters")
    if check and lacking:
        raise ConfigurationError(f"lacks {', '.join(lacking)}", argument=argument)
    return secret


def national_code(value: str, *, argument: str, check: bool = True) -> str:
    """Accept an Iranian national code: 10 digits, of which the last checks the others. Persian digits become ASCII.

    Raises:
        ConfigurationError: other than 10 digits, or a wrong check digit.

    Source: user/register-user.md.
    """
    code = phones.digits(text(value, argument=argument)).strip()
    if not check:
        return code
    if not re.fullmatch(rf"[0-9]{{{NATIONAL_CODE_DIGITS}}}", code):
        raise ConfigurationError(f"must be {NATIONAL_CODE_DIGITS} digits, leading zeros included", argument=argument)
    *digits, last = map(int, code)
    rest = sum(digit * (NATIONAL_CODE_DIGITS - place) for place, digit in enumerate(digits)) % 11
    if last != (rest if rest < 2 else 11 - rest):  # noqa: PLR2004 - the rule of the check digit
        raise ConfigurationError("is not a national code: its check digit does not fit", argument=argument)
    return code


def gregorian(value: date, *, argument: str, check: bool = True) -> date:
    """Accept a Gregorian date.

    Raises:
        ConfigurationError: its year is one of the Jalali calendar.
    """
    if check and value.year in JALALI_YEARS:
        raise ConfigurationError(f"must be Gregorian: {value.year} is a year of the Jalali calendar", argument=argument)
    return value


def new_user(user: NewUser, *, check: bool) -> dict[str, Any]:
    """Make the body of a registration.

    Raises:
        ConfigurationError: a field is empty or breaks a documented rule.
    """
    body = written(user, NewUser, argument="user")
    identity(user.acl_id, argument="user.acl_id")
    gregorian(user.birth_date, argument="user.birth_date", check=check)
    if user.expire_time is not None:
        gregorian(user.expire_time, argument="user.expire_time", check=check)
    return {
        **body,
        "password": password(user.password, argument="user.password", check=check),
        "national_code": national_code(user.national_code, argument="user.national_code", check=check),
    }


def changes(user_id: int, wanted: UserChanges, *, check: bool) -> dict[str, Any]:
    """Make the body of a change.

    Raises:
        ConfigurationError: nothing is to change, or a field is empty or breaks a documented rule.
    """
    body = {
        "user_id": identity(user_id, argument="user_id"),
        **written(wanted, UserChanges, argument="changes"),
    }
    if len(body) == 1:
        raise ConfigurationError("has no field set: there is nothing to change", argument="changes")
    if wanted.password is not None:
        body["password"] = password(wanted.password, argument="changes.password", check=check)
    if wanted.acl_id is not None:
        identity(wanted.acl_id, argument="changes.acl_id")
    if wanted.expire_time is not None:
        gregorian(wanted.expire_time, argument="changes.expire_time", check=check)
    one_of(wanted.status, ("active", "inactive"), argument="changes.status", check=check)
    return body


def filters(wanted: UserFilters | None, *, check: bool) -> dict[str, Any]:
    """Make the query of the filters.

    Raises:
        ConfigurationError: a value that the service does not know.
    """
    if wanted is None:
        return {}
    query = written(wanted, UserFilters, argument="filters")
    statuses = ("normal", "online", "webservice")
    one_of(wanted.add_status, statuses, argument="filters.add_status", check=check)
    one_of(wanted.login_status, (0,), argument="filters.login_status", check=check)
    return query


def documents(files: Sequence[FileInput]) -> list[tuple[str, Upload]]:
    """Describe the files of a document: ``files[0]``, ``files[1]`` and so on.

    Raises:
        ConfigurationError: a lone file instead of a list, none, or one that cannot be sent.
    """
    given = cast("object", files)
    if isinstance(given, str | bytes | os.PathLike) or hasattr(given, "read") or _is_pair(given):
        raise ConfigurationError("must be a list: put the file into [ ]", argument="files")
    if not files:
        raise ConfigurationError("must not be empty", argument="files")
    return [
        (f"files[{index}]", open_upload(file, argument=f"files[{index}]", kinds=None, max_bytes=None))
        for index, file in enumerate(files)
    ]


def _is_pair(value: object) -> bool:
    """Whether this is one file as a name with its content, rather than two paths."""
    if not isinstance(value, tuple):
        return False
    items = cast("tuple[object, ...]", value)
    return len(items) == 2 and isinstance(items[1], bytes | bytearray)  # noqa: PLR2004 - a pair
