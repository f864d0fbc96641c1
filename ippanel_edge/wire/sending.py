"""The bodies of the sends: arguments put right and checked against the documented limits. Nothing is sent in here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ippanel_edge.config import Defaults, Secret
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    OperatorSlice,
    PatternContact,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    WholePhonebooks,
)
from ippanel_edge.text import check_message
from ippanel_edge.wire import codec, moments, phones
from ippanel_edge.wire.files import FileInput, Upload, open_upload
from ippanel_edge.wire.limits import between, identities, identity, one_of, text
from ippanel_edge.wire.places import prefix, years

MOST_RECIPIENTS: Final = 1000
MOST_OTHER_RECIPIENTS: Final = 1_000_000
MOST_PHONEBOOK_PARAMS: Final = 100
LONGEST_VOTP: Final = 14
TABLES: Final = frozenset({"csv", "xlsx"})
SHEETS: Final = frozenset({"xlsx"})
_OPERATORS = (1, 2, 13)


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
        body["send_time"] = moments.send_time(send_time, now=now, check_limits=defaults.validate)
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
        for index, item in enumerate(_items(messages, PeerMessage, argument="messages"))
    ]
    return {**body, "params": params}


def postal_code(
    defaults: Defaults,
    targets: Iterable[PostalCodeTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to postal codes."""
    listed = _items(targets, PostalCodeTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        between(target.postal_code, 10, 99999, argument=f"{place}.postal_code", check=defaults.validate)
        _bank_limits(target, place, check=defaults.validate)
    body = base("postal_code", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": codec.encode(listed), **_others(other_recipients, defaults)}


def country(
    defaults: Defaults,
    targets: Iterable[CountryTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to places, first version."""
    listed = _items(targets, CountryTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        identity(target.province_id, argument=f"{place}.province_id")
        _nested_place(target.county_id, target.city_id, place)
        between(target.pre, 10, 999999, argument=f"{place}.pre", check=defaults.validate)
        _bank_limits(target, place, check=defaults.validate)
    body = base("country", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": codec.encode(listed), **_others(other_recipients, defaults)}


def geolocation(
    defaults: Defaults,
    targets: Iterable[GeolocationTarget],
    message: str,
    *,
    other_recipients: Iterable[str],
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to places, second version."""
    listed = _items(targets, GeolocationTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        prefix(target.pre, argument=f"{place}.pre", check=defaults.validate)
        one_of(target.gender, (0, 1, 2), argument=f"{place}.gender", check=defaults.validate)
        years(target.from_age, target.to_age, (f"{place}.from_age", f"{place}.to_age"), check=defaults.validate)
        _operators(target.operator, place, check=defaults.validate)
    body = base("geolocation", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": _without_empty_operator(codec.encode(listed)), **_others(other_recipients, defaults)}


def job(
    defaults: Defaults,
    targets: Iterable[JobTarget],
    message: str,
    *,
    from_number: str | None,
    send_time: datetime | None,
) -> dict[str, Any]:
    """Make the body of a send to trades."""
    listed = _items(targets, JobTarget, argument="targets")
    for index, target in enumerate(listed):
        identity(target.main_category_id, argument=f"targets[{index}].main_category_id")
        _operators(target.operator, f"targets[{index}]", check=defaults.validate)
    body = base("job", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": _without_empty_operator(codec.encode(listed))}


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
    """Make the body of a send to phonebooks. The API's examples write every number of it as text."""
    listed = _items(selections, (WholePhonebooks, PhonebookNumbers), argument="selections")
    if defaults.validate and len(listed) > MOST_PHONEBOOK_PARAMS:
        raise ConfigurationError(
            f"takes at most {MOST_PHONEBOOK_PARAMS} entries, not {len(listed)}: name several phonebooks in one entry",
            argument=f"selections[{MOST_PHONEBOOK_PARAMS}]",
        )
    body = base("phonebook", defaults, from_number=from_number, send_time=send_time, message=required(message))
    return {**body, "params": [_selection(each, f"selections[{index}]") for index, each in enumerate(listed)]}


def _selection(selection: WholePhonebooks | PhonebookNumbers, place: str) -> dict[str, Any]:
    if isinstance(selection, PhonebookNumbers):
        return {
            "phonebook_id": str(identity(selection.phonebook_id, argument=f"{place}.phonebook_id")),
            "type": "detail",
            "number_ids": [str(each) for each in identities(selection.number_ids, argument=f"{place}.number_ids")],
        }
    params: dict[str, Any] = {
        "phonebook_ids": [str(each) for each in identities(selection.phonebook_ids, argument=f"{place}.phonebook_ids")],
        "type": "all",
    }
    for name, value in (("start", selection.start), ("size", selection.size)):
        if value is not None:
            params[name] = str(between(value, 0, None, argument=f"{place}.{name}"))
    return params


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
    if not isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            "must be a mapping of variable names to values, such as {'code': '1234'}", argument="params"
        )
    for name, value in params.items():
        if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ConfigurationError(
                f"must be a text or a number, not {type(value).__name__}", argument=f"params[{name!r}]"
            )
    body = base("pattern", defaults, from_number=from_number, send_time=send_time)
    body.update(
        code=text(code, argument="code"),
        recipients=[_single(recipient)],
        params={str(name): value for name, value in params.items()},
    )
    if phonebook is not None:
        contact = codec.encode(phonebook)
        if not phonebook.options:
            del contact["options"]
        else:
            contact["options"] = {str(each): value for each, value in phonebook.options.items()}
        body["phonebook"] = contact
    return body


def votp(recipient: str, code: str | int) -> dict[str, Any]:
    """Make the body of a spoken code: digits only, fewer than 15."""
    digits = "" if isinstance(code, bool) else phones.digits(str(code))
    if not re.fullmatch(rf"[0-9]{{1,{LONGEST_VOTP}}}", digits):
        raise ConfigurationError(f"must be 1 to {LONGEST_VOTP} digits, and nothing else", argument="code")
    return {"sending_type": "votp", "message": digits, "params": {"recipients": [_single(recipient)]}}


def url(
    defaults: Defaults,
    secret: Secret | None,
    recipient: str,
    message: str,
    *,
    from_number: str | None,
    username: str | None,
    password: str | None,
) -> dict[str, Any]:
    """Make the form of the URL send: with a user name and password, or with the client's key, never both."""
    form: dict[str, Any] = {
        "from": line(from_number, defaults),
        "to": _single(recipient),
        "message": check_message(message, check_limits=defaults.validate),
    }
    if (username is None) != (password is None):
        missing = "password" if password is None else "username"
        raise ConfigurationError("is needed: a user name and a password go together", argument=missing)
    if username is not None and password is not None:
        return {
            **form,
            "username": text(username, argument="username"),
            "password": Secret(text(password, argument="password")),
        }
    if secret is None:
        raise ConfigurationError(
            "is needed: this client has no key, so hand over username= and password=", argument="username"
        )
    return {**form, "apikey": secret}


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
    others = _others(other_recipients, defaults)
    return {**form, **{f"{name}[]": numbers for name, numbers in others.items()}}


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


def _others(other_recipients: Iterable[str], defaults: Defaults) -> dict[str, list[str]]:
    listed = [other_recipients] if isinstance(other_recipients, str) else list(other_recipients)
    if not listed:
        return {}
    limit = MOST_OTHER_RECIPIENTS if defaults.validate else None
    return {"other_recipients": phones.recipients(listed, argument="other_recipients", limit=limit)}


def _items(values: Iterable[Any], kinds: type | tuple[type, ...], *, argument: str) -> list[Any]:
    """List some input objects; the first of another class is named."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    names = " or ".join(kind.__name__ for kind in wanted)
    if isinstance(values, (*wanted, str, bytes, Mapping)):
        raise ConfigurationError(f"must be a list of {names}", argument=argument)
    listed = list(values)
    for index, value in enumerate(listed):
        if not isinstance(value, wanted):
            raise ConfigurationError(f"must be a {names}, not {type(value).__name__}", argument=f"{argument}[{index}]")
    if not listed:
        raise ConfigurationError("must not be empty", argument=argument)
    return listed


def _bank_limits(target: PostalCodeTarget | CountryTarget, place: str, *, check: bool) -> None:
    years(target.age_from, target.age_to, (f"{place}.age_from", f"{place}.age_to"), check=check)
    one_of(target.gender, (0, 1, 2), argument=f"{place}.gender", check=check)
    one_of(target.bank, ("all", "white"), argument=f"{place}.bank", check=check)
    for name, part in (("mci", target.mci), ("irancell", target.irancell), ("other", target.other)):
        between(part.start, 0, None, argument=f"{place}.{name}.start")
        between(part.size, 0, None, argument=f"{place}.{name}.size")


def _nested_place(county_id: int | None, city_id: int | None, place: str) -> None:
    if county_id is not None:
        identity(county_id, argument=f"{place}.county_id")
    if city_id is not None:
        identity(city_id, argument=f"{place}.city_id")
        if county_id is None:
            raise ConfigurationError("is needed beside city_id", argument=f"{place}.county_id")


def _operators(operators: Iterable[OperatorSlice], place: str, *, check: bool) -> None:
    for index, each in enumerate(operators):
        where = f"{place}.operator[{index}]"
        one_of(each.id, _OPERATORS, argument=f"{where}.id", check=check)
        between(each.start, 0, None, argument=f"{where}.start")
        between(each.size, 0, None, argument=f"{where}.size")


def _without_empty_operator(params: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "operator" or value} for each in params]


def table(file: FileInput, defaults: Defaults, *, kinds: frozenset[str] = TABLES) -> Upload:
    """Describe the file of a send: CSV or XLSX, of any size."""
    return open_upload(file, argument="file", kinds=kinds, max_bytes=None, check_limits=defaults.validate)


def price(defaults: Defaults, message: str, *, number: str | None) -> dict[str, Any]:
    """Make the question for a text's price."""
    sender = line(None, defaults) if number is None else phones.sender_line(number, argument="number")
    return {"number": sender, "message": check_message(required(message), check_limits=defaults.validate)}
