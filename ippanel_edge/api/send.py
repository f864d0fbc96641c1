"""The calls of the section `send`: every way to send, checked against the documented limits and ready to be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from ippanel_edge import endpoints
from ippanel_edge.api import targets
from ippanel_edge.config import Defaults
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.errors import ConfigurationError, InvalidArgument
from ippanel_edge.models.send import PatternContact, PeerMessage, Price
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values import phones, times
from ippanel_edge.values.checks import (
    check_id,
    check_ids,
    check_int,
    check_iterable,
    check_text,
    check_type,
    check_value,
    optional_texts,
    secrets,
    texts,
)
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.secrets import Secret, SecretInt
from ippanel_edge.values.segments import check_message
from ippanel_edge.values.tables import Table, check_table
from ippanel_edge.values.uploads import open_upload
from ippanel_edge.wire.call import Call, call

Target_contra = TypeVar("Target_contra", contravariant=True)

MAX_RECIPIENTS: Final = 1000
MAX_VOTP_DIGITS: Final = 14
_PAIR: Final = 2
NUMBERS: Final = Table(header=("phone_number",), max_rows=1_000_000)
MESSAGES: Final = Table(header=("recipient", "message"), max_rows=10_000, has_messages=True)
VALUES: Final = Table()
_KINDS: Final = frozenset({"csv", "xlsx"})
_SHEETS: Final = frozenset({"xlsx"})


class Serialise(Protocol[Target_contra]):
    """A function of `targets`."""

    def __call__(self, targets: Iterable[Target_contra], /, *, others: int, check: bool) -> list[dict[str, Any]]:
        """Check targets and serialise them."""
        ...


def build(
    endpoint: Endpoint[SendResult],
    defaults: Defaults,
    from_number: str | None,
    send_time: datetime | None,
    *fields: Mapping[str, object],
    upload: Upload | None = None,
) -> Call[SendResult]:
    """Build a send.

    Args:
        endpoint: one of the sends; its name is the sending type.
        defaults: the client's settings.
        from_number: the sender line; defaults to the client's.
        send_time: the time to send at; now if None.
        fields: the message and the recipients, from the functions below.
        upload: the file of a send by file; the fields are then those of a form.

    Raises:
        InvalidArgument: there is no sender line, or the time is naive or out of range.
    """
    body: dict[str, object] = {
        "sending_type": endpoint.name.removeprefix("send."),
        "from_number": _line(from_number, defaults),
    }
    for group in fields:
        body.update(group)
    if send_time is not None:
        now = datetime.now(UTC)
        body["send_time"] = times.send_time(send_time, now=now, check_limits=defaults.validate)
    if upload is None:
        return call(endpoint, json=body, recipients=_count(body))
    return call(endpoint, form=body, files=[("files[]", upload)])


def _count(body: Mapping[str, Any]) -> int | None:
    """Return the number of recipients, or None if the service chooses some of them."""
    if "recipients" in body:
        return len(body["recipients"])
    params = body.get("params", ())
    groups: list[Mapping[str, Any]] = [params] if isinstance(params, dict) else list(params)
    if not groups or any("recipients" not in each for each in groups):
        return None
    return sum(len(each["recipients"]) for each in groups)


def text(defaults: Defaults, message: str, *, within: str = "") -> dict[str, str]:
    """Return the field of a message, checked against the limits of its length."""
    if message is None:  # pyright: ignore[reportUnnecessaryComparison] - callers without a type checker
        raise InvalidArgument("is required", argument=f"{within}message")
    return {"message": check_message(message, argument=f"{within}message", check_limits=defaults.validate)}


def to_recipients(defaults: Defaults, recipients: Iterable[str] | str) -> dict[str, object]:
    """Return the field of at most 1,000 recipients."""
    numbers = phones.recipients(
        recipients,
        argument="recipients",
        limit=MAX_RECIPIENTS if defaults.validate else None,
        remedy="split them into several calls, or use send.file",
    )
    return {"params": {"recipients": numbers}}


def to_each(defaults: Defaults, messages: Iterable[PeerMessage | tuple[Iterable[str] | str, str]]) -> dict[str, object]:
    """Return the field of messages that each have their own recipients."""
    given = check_iterable(messages, argument="messages", of="PeerMessage or (recipients, text) tuples")
    listed = [_peer(each, argument=f"messages[{index}]") for index, each in enumerate(given)]
    if not listed:
        raise InvalidArgument("must not be empty", argument="messages")
    return {
        "params": [
            {"recipients": recipients, **text(defaults, message, within=f"messages[{index}].")}
            for index, (recipients, message) in enumerate(listed)
        ]
    }


def _peer(item: PeerMessage | tuple[Any, ...], *, argument: str) -> tuple[list[str], str]:
    """Return the recipients and the text of a PeerMessage or of a (recipients, text) tuple."""
    if isinstance(item, PeerMessage):
        return list(item.recipients), item.message
    if not isinstance(item, tuple):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(
            f"expected a PeerMessage or a (recipients, text) tuple, got {type(item).__name__}", argument=argument
        )
    if len(item) != _PAIR:
        raise InvalidArgument(f"expected a tuple of 2 items, (recipients, text), got {len(item)}", argument=argument)
    recipients, message = item
    return phones.recipients(recipients, argument=f"{argument}.recipients", limit=None), message


def to_targets(
    defaults: Defaults,
    serialise: Serialise[Target_contra],
    chosen: Iterable[Target_contra],
    other_recipients: Iterable[str] = (),
) -> dict[str, object]:
    """Return the fields of targets, which a function of `targets` serialises, and of other recipients."""
    others = to_others(defaults, other_recipients)
    numbers = others.get("other_recipients", ())
    return {"params": serialise(chosen, others=len(numbers), check=defaults.validate), **others}


def to_fields(phonebook_ids: Iterable[int]) -> dict[str, object]:
    """Return the field of phonebooks whose contacts have the fields of a message."""
    return {"params": [{"phonebook_id": each} for each in check_ids(phonebook_ids, argument="phonebook_ids")]}


def to_others(
    defaults: Defaults, other_recipients: Iterable[str], *, name: str = "other_recipients"
) -> dict[str, list[str]]:
    """Return the field of other recipients, under the name that the endpoint uses; nothing if there are none."""
    limit = targets.MAX_NUMBERS if defaults.validate else None
    given = [other_recipients] if isinstance(other_recipients, str) else other_recipients
    numbers = check_iterable(given, argument="other_recipients", of="phone numbers")
    listed = list(islice(numbers, None if limit is None else limit + 1))
    if not listed:
        return {}
    remedy = "split them into several calls"
    return {name: phones.recipients(listed, argument="other_recipients", limit=limit, remedy=remedy)}


def table(defaults: Defaults, file: FileInput, content: Table) -> Upload:
    """Describe the file of a send: CSV (if the content has a header) or XLSX, of any size."""
    return open_upload(
        file,
        argument="file",
        kinds=_KINDS if content.header else _SHEETS,
        max_bytes=None,
        check_limits=defaults.validate,
        check_content=partial(check_table, table=content, check_limits=defaults.validate),
    )


def with_values(
    code: str, recipient: str, params: Mapping[str, object], phonebook: PatternContact | None
) -> dict[str, object]:
    """Return the fields of a pattern, the values of its variables, and its one recipient."""
    check_type(params, Mapping, argument="params")
    for name, value in params.items():
        check_text(name, argument="params")
        check_value(value, argument=f"params[{name!r}]")
    return {
        **texts(code=code),
        "recipients": [_recipient(recipient)],
        "params": {name: _hidden(value) for name, value in params.items()},
        **({} if phonebook is None else {"phonebook": _contact(phonebook)}),
    }


def votp(defaults: Defaults, recipient: str, code: str | int) -> Call[SendResult]:
    """Build the voice call that speaks a code: digits only, fewer than 15."""
    digits = phones.digits(code) if isinstance(code, str) else str(check_int(code, argument="code"))
    if not re.fullmatch(r"[0-9]+", digits):
        raise InvalidArgument(f"expected 1 to {MAX_VOTP_DIGITS} digits and nothing else", argument="code")
    if defaults.validate and len(digits) > MAX_VOTP_DIGITS:
        raise InvalidArgument(f"expected at most {MAX_VOTP_DIGITS} digits, got {len(digits)}", argument="code")
    params = {"recipients": [_recipient(recipient)]}
    return call(
        endpoints.SEND_VOTP, json={"sending_type": "votp", "message": Secret(digits), "params": params}, recipients=1
    )


def url(
    defaults: Defaults,
    secret: Secret | None,
    recipient: str,
    message: str,
    *,
    from_number: str | None,
    username: str | None,
    password: str | None,
) -> Call[SendResult]:
    """Build the send by the legacy URL endpoint, with a user name and password or with the client's key.

    It is always a form: the documented GET would put the credentials and the message into the URL.
    """
    fields = {
        "from": _line(from_number, defaults),
        "to": _recipient(recipient),
        **text(defaults, message),
        **_credentials(secret, username, password),
    }
    return call(endpoints.SEND_URL, form=fields, recipients=1)


def calculate_price(defaults: Defaults, message: str, *, number: str | None) -> Call[Price]:
    """Build the query for the price of a message."""
    sender = _line(None, defaults) if number is None else phones.sender_line(number, argument="number")
    return call(endpoints.SEND_CALCULATE_PRICE, json={"number": sender, **text(defaults, message)})


def _line(from_number: str | None, defaults: Defaults) -> str:
    """Return the sender line of a send; defaults to the client's.

    Raises:
        InvalidArgument: neither is set.
    """
    if from_number is not None:
        return phones.sender_line(from_number, argument="from_number")
    if defaults.from_number is None:
        raise ConfigurationError(
            "is required: pass it to this call or to the client, or set IPPANEL_FROM_NUMBER", argument="from_number"
        )
    return defaults.from_number


def _recipient(recipient: str) -> str:
    if not isinstance(recipient, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(
            f"expected one phone number as str, got {type(recipient).__name__}; call once for each recipient",
            argument="recipient",
        )
    return phones.recipient(recipient, argument="recipient")


def _contact(contact: PatternContact) -> dict[str, Any]:
    check_type(contact, PatternContact, argument="phonebook")
    names = ("name", "pre", "email")
    optional = optional_texts(**{f"phonebook.{name}": getattr(contact, name) for name in names})
    options: dict[str, object] = {}
    check_type(contact.options, Mapping, argument="phonebook.options")
    for field, value in contact.options.items():
        name = str(check_id(field, argument="phonebook.options"))
        check_value(value, argument=f"phonebook.options[{name}]")
        options[name] = value
    return {
        "id": check_id(contact.id, argument="phonebook.id"),
        **{name.removeprefix("phonebook."): value for name, value in optional.items()},
        **({"options": options} if options else {}),
    }


def _hidden(value: object) -> object:
    """Hide the value of a pattern's variable: it may be a one-time password."""
    if isinstance(value, str):
        return Secret(value)
    return SecretInt(value) if isinstance(value, int) else value


def _credentials(secret: Secret | None, username: str | None, password: str | None) -> dict[str, str]:
    if username is None and password is None:
        if secret is None:
            raise InvalidArgument(
                "is required: the client has no key, so pass username= and password=", argument="username"
            )
        return {"apikey": secret}
    if username is None or password is None:
        missing = "username" if username is None else "password"
        raise InvalidArgument("is required: pass username= and password= together", argument=missing)
    return {**texts(username=username), **secrets(password=password)}
