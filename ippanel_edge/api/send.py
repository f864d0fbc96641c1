"""The bodies of the sends: arguments put right and checked against the documented limits. Nothing is sent in here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, TypedDict

from ippanel_edge.api import targets
from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    PatternContact,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    WholePhonebooks,
)
from ippanel_edge.values import phones, times
from ippanel_edge.values.checks import characters, identities, identity, instance, items, iterable, text, whole
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.values.secrets import Secret
from ippanel_edge.values.segments import check_message

MOST_RECIPIENTS: Final = 1000
LONGEST_VOTP: Final = 14
TABLES: Final = frozenset({"csv", "xlsx"})
SHEETS: Final = frozenset({"xlsx"})


def base(
    sending_type: str,
    defaults: Defaults,
    *,
    from_number: str | None,
    send_time: datetime | None = None,
    message: str | None = None,
) -> dict[str, Any]:
    """Make what every send has: its type, line, text and time; what is unset is left out.

    Raises:
        ConfigurationError: no sender line, a naive or impossible time, a text over the limits.
    """
    body: dict[str, Any] = {"sending_type": sending_type, "from_number": line(from_number, defaults)}
    if message is not None:
        body["message"] = check_message(message, check_limits=defaults.validate)
    if send_time is not None:
        now = datetime.now(UTC)
        body["send_time"] = times.send_time(send_time, now=now, check_limits=defaults.validate)
    return body


def line(from_number: str | None, defaults: Defaults) -> str:
    """Give the sender line of a send: its own, else the client's.

    Raises:
        ConfigurationError: neither is set.
    """
    if from_number is not None:
        return phones.sender_line(from_number, argument="from_number")
    if defaults.from_number is None:
        raise ConfigurationError(
            "is needed: hand it to this call or to the client, or set IPPANEL_FROM_NUMBER", argument="from_number"
        )
    return defaults.from_number


def webservice(
    defaults: Defaults,
    recipients: Iterable[str] | str,
    message: str,
    *,
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of one text to many: at most 1,000 recipients."""
    body = base("webservice", defaults, from_number=from_number, send_time=send_time, message=required(message))
    numbers = phones.recipients(
        recipients,
        argument="recipients",
        limit=MOST_RECIPIENTS if defaults.validate else None,
        remedy="send the rest in further calls, or all of them with send.file",
    )
    return {**body, "params": {"recipients": numbers}}


def peer_to_peer(
    defaults: Defaults, messages: Iterable[PeerMessage], *, from_number: str | None, send_time: datetime | None
) -> dict[str, Any]:
    """Make the body of many texts, each with its recipients."""
    body = base("peer_to_peer", defaults, from_number=from_number, send_time=send_time)
    params = [
        {
            "recipients": list(item.recipients),
            "message": check_message(
                item.message, argument=f"messages[{index}].message", check_limits=defaults.validate
            ),
        }
        for index, item in enumerate(items(messages, PeerMessage, argument="messages"))
    ]
    return {**body, "params": params}


def postal_code(
    defaults: Defaults,
    chosen: Iterable[PostalCodeTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to postal codes."""
    body = base("postal_code", defaults, from_number=from_number, send_time=send_time, message=required(message))
    others = _others(other_recipients, defaults)
    params = targets.postal_codes(chosen, others=len(others), check=defaults.validate)
    return {**body, "params": params, **_under("other_recipients", others)}


def country(
    defaults: Defaults,
    chosen: Iterable[CountryTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to places, first version."""
    body = base("country", defaults, from_number=from_number, send_time=send_time, message=required(message))
    others = _others(other_recipients, defaults)
    params = targets.countries(chosen, others=len(others), check=defaults.validate)
    return {**body, "params": params, **_under("other_recipients", others)}


def geolocation(
    defaults: Defaults,
    chosen: Iterable[GeolocationTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to places, second version."""
    body = base("geolocation", defaults, from_number=from_number, send_time=send_time, message=required(message))
    others = _others(other_recipients, defaults)
    params = targets.geolocations(chosen, others=len(others), check=defaults.validate)
    return {**body, "params": params, **_under("other_recipients", others)}


def job(
    defaults: Defaults,
    chosen: Iterable[JobTarget],
    message: str,
    *,
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to trades."""
    body = base("job", defaults, from_number=from_number, send_time=send_time, message=required(message))
    params = targets.jobs(chosen, check=defaults.validate)
    return {**body, "params": params}


def keyword_phonebook(
    defaults: Defaults,
    phonebook_ids: Iterable[int],
    message: str,
    *,
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to phonebooks whose text names their fields ({ex_…})."""
    body = base("keyword_phonebook", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": [{"phonebook_id": each} for each in identities(phonebook_ids, argument="phonebook_ids")]}


def phonebook(
    defaults: Defaults,
    selections: Iterable[WholePhonebooks | PhonebookNumbers],
    message: str,
    *,
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to phonebooks, whole or in part."""
    body = base("phonebook", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": targets.phonebooks(selections, check=defaults.validate)}


def pattern(
    defaults: Defaults,
    code: str,
    recipient: str,
    params: Mapping[str, object],
    *,
    from_number: str | None,
    send_time: datetime | None,
    phonebook: PatternContact | None,
) -> dict[str, Any]:
    """Make the body of a pattern send: one recipient, variables by name."""
    instance(params, Mapping, argument="params")
    for name, value in params.items():
        _check_value(value, argument=f"params[{name!r}]")
    body = base("pattern", defaults, from_number=from_number, send_time=send_time)
    body.update(
        code=text(code, argument="code"),
        recipients=[_single(recipient)],
        params={text(name, argument="params"): value for name, value in params.items()},
    )
    if phonebook is not None:
        body["phonebook"] = _contact(phonebook)
    return body


def _contact(contact: PatternContact) -> dict[str, Any]:
    instance(contact, PatternContact, argument="phonebook")
    written: dict[str, Any] = {"id": identity(contact.id, argument="phonebook.id")}
    for name in ("name", "pre", "email"):
        value = getattr(contact, name)
        if value is not None:
            written[name] = text(value, argument=f"phonebook.{name}")
    instance(contact.options, Mapping, argument="phonebook.options")
    options: dict[str, object] = {}
    for field, value in contact.options.items():
        _check_value(value, argument=f"phonebook.options[{field!r}]")
        options[str(identity(field, argument="phonebook.options"))] = value
    return {**written, **_under("options", options)}


def _check_value(value: object, *, argument: str) -> None:
    """Refuse what is neither a text nor a number, and what of these JSON cannot carry."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigurationError(f"must be a text or a number, not {type(value).__name__}", argument=argument)
    if isinstance(value, str):
        characters(value, argument=argument)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"must be a finite number, not {value}", argument=argument)


def votp(defaults: Defaults, recipient: str, code: str | int) -> dict[str, Any]:
    """Make the body of a spoken code: digits only, fewer than 15."""
    digits = phones.digits(code) if isinstance(code, str) else str(whole(code, argument="code"))
    if not re.fullmatch(r"[0-9]+", digits):
        raise ConfigurationError(f"must be 1 to {LONGEST_VOTP} digits, and nothing else", argument="code")
    if defaults.validate and len(digits) > LONGEST_VOTP:
        raise ConfigurationError(f"must be at most {LONGEST_VOTP} digits, not {len(digits)}", argument="code")
    return {"sending_type": "votp", "message": digits, "params": {"recipients": [_single(recipient)]}}


class UrlFields(TypedDict, total=False):
    """Where the fields of the URL send go: into the form of a POST, or into the query of a GET."""

    form: dict[str, Any]
    query: dict[str, Any]


def url(
    defaults: Defaults,
    secret: Secret | None,
    recipient: str,
    message: str,
    *,
    from_number: str | None,
    username: str | None,
    password: str | None,
    in_url: bool,
) -> UrlFields:
    """Make the fields of the URL send: with a user name and password, or with the client's key, never both."""
    fields: dict[str, Any] = {
        "from": line(from_number, defaults),
        "to": _single(recipient),
        "message": check_message(required(message), check_limits=defaults.validate),
        **_credentials(secret, username, password),
    }
    return {"query": fields} if in_url else {"form": fields}


def _credentials(secret: Secret | None, username: str | None, password: str | None) -> dict[str, str]:
    if username is None and password is None:
        if secret is None:
            raise ConfigurationError(
                "is needed: this client has no key, so hand over username= and password=", argument="username"
            )
        return {"apikey": secret}
    if username is None or password is None:
        missing = "username" if username is None else "password"
        raise ConfigurationError("is needed: a user name and a password go together", argument=missing)
    return {
        "username": text(username, argument="username"),
        "password": Secret(text(password, argument="password")),
    }


def file_form(
    sending_type: str,
    defaults: Defaults,
    message: str | None,
    *,
    from_number: str | None,
    send_time: datetime | None,
    other_recipients: Iterable[str] = (),
) -> dict[str, Any]:
    """Make the fields beside the file of a send by file."""
    form = base(sending_type, defaults, from_number=from_number, send_time=send_time, message=message)
    return {**form, **_under("other_recipients[]", _others(other_recipients, defaults))}


def required(message: str) -> str:
    """Refuse a message that is None: the type says so, a caller may not know.

    Raises:
        ConfigurationError: it is None.
    """
    if message is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ConfigurationError("is needed", argument="message")
    return message


def _single(recipient: str) -> str:
    if not isinstance(recipient, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            "takes exactly one number, as text: call it once for each recipient", argument="recipient"
        )
    return phones.recipient(recipient, argument="recipient")


def _others(other_recipients: Iterable[str], defaults: Defaults) -> list[str]:
    """Put further numbers right; there may be none."""
    limit = targets.MOST_NUMBERS if defaults.validate else None
    given = [other_recipients] if isinstance(other_recipients, str) else other_recipients
    numbers = iterable(given, argument="other_recipients", of="numbers")
    listed = list(islice(numbers, None if limit is None else limit + 1))
    if not listed:
        return []
    remedy = "send to the rest in a further call"
    return phones.recipients(listed, argument="other_recipients", limit=limit, remedy=remedy)


def _under(name: str, value: object) -> dict[str, Any]:
    return {name: value} if value else {}


def table(file: FileInput, defaults: Defaults, *, kinds: frozenset[str] = TABLES) -> Upload:
    """Describe the file of a send: CSV or XLSX, of any size."""
    return open_upload(file, argument="file", kinds=kinds, max_bytes=None, check_limits=defaults.validate)


def price(defaults: Defaults, message: str, *, number: str | None) -> dict[str, Any]:
    """Make the question for a text's price."""
    sender = line(None, defaults) if number is None else phones.sender_line(number, argument="number")
    return {"number": sender, "message": check_message(required(message), check_limits=defaults.validate)}
