"""The rules of the send section: every way of sending, cancelling, and asking for the price."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.records import State
from ippanel_edge.sandbox.replies import (
    Answer,
    invalid,
    label,
    not_found,
    not_valid_text,
    ok,
    unauthorized,
)
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.acceptance import Order, accept, one_text, price_of
from ippanel_edge.sandbox.rules.delivery import state_of
from ippanel_edge.sandbox.rules.pattern_text import fill_pattern, read_contact
from ippanel_edge.sandbox.rules.send_fields import (
    SOONEST,
    check_length,
    is_recipient,
    read_line,
    read_message,
    read_recipients,
    read_send_time,
)
from ippanel_edge.sandbox.rules.sheets import MOST_ROWS, read_messages, read_numbers, read_values
from ippanel_edge.sandbox.rules.targets import (
    country_targets,
    geolocation_targets,
    job_targets,
    keyword_phonebook_texts,
    phonebook_numbers,
    postal_code_targets,
)
from ippanel_edge.sandbox.rules.text import count

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import User

SEND: Final = "/api/send"
MOST_RECIPIENTS: Final = 1000
_VOICE_CODE = re.compile(r"[0-9]{1,14}")
_AN_MCI_NUMBER: Final = "+989120000000"
_ANOTHER_NUMBER: Final = "+989210000000"


@serves("send.webservice", "POST", SEND, sending_type="webservice")
def webservice(call: Call) -> Answer:
    """Send one text to at most 1,000 numbers."""
    recipients = read_recipients(call.body.object("params"), most=MOST_RECIPIENTS)
    return _same_text(call, "webservice", recipients)


@serves("send.file", "POST", SEND, sending_type="file")
def file(call: Call) -> Answer:
    """Send one text to the numbers of a file and to other_recipients."""
    return _same_text(call, "file", [*read_numbers(call.body), *_others(call)])


@serves("send.postal_code", "POST", SEND, sending_type="postal_code")
def postal_code(call: Call) -> Answer:
    """Send one text to people by postal code, and to other_recipients."""
    return _same_text(call, "postal_code", [*postal_code_targets(call.body), *_others(call)])


@serves("send.country", "POST", SEND, sending_type="country")
def country(call: Call) -> Answer:
    """Send one text to people by province, county and city, and to other_recipients."""
    return _same_text(call, "country", [*country_targets(call.body), *_others(call)])


@serves("send.geolocation", "POST", SEND, sending_type="geolocation")
def geolocation(call: Call) -> Answer:
    """Send one text to people by place, second version, and to other_recipients."""
    return _same_text(call, "geolocation", [*geolocation_targets(call.body), *_others(call)])


@serves("send.job", "POST", SEND, sending_type="job")
def job(call: Call) -> Answer:
    """Send one text to people by trade."""
    return _same_text(call, "job", job_targets(call.body))


@serves("send.phonebook", "POST", SEND, sending_type="phonebook")
def phonebook(call: Call) -> Answer:
    """Send one text to whole phonebooks or to chosen numbers of them."""
    return _same_text(call, "phonebook", phonebook_numbers(call))


def _others(call: Call) -> list[str]:
    return read_recipients(call.body, "other_recipients", required=False)


def _same_text(call: Call, sending_type: str, numbers: list[str]) -> Answer:
    """Send the body's message to all these numbers, under one id."""
    text = read_message(call.body)
    if len(numbers) > MOST_ROWS:
        call.body.fail("params", f"تعداد گیرندگان نباید بیشتر از {MOST_ROWS} باشد")
    return _finish(call, sending_type, [one_text(text, numbers)])


def _finish(call: Call, sending_type: str, orders: list[Order]) -> Answer:
    """Read what is left, time and line, and accept."""
    send_at = read_send_time(call, call.body)
    line = read_line(call, call.body)
    call.check()
    return accept(call, sending_type, orders, line=line, send_at=send_at)


@serves("send.peer_to_peer", "POST", SEND, sending_type="peer_to_peer")
def peer_to_peer(call: Call) -> Answer:
    """Send several texts, each to its own numbers, with an id for each."""
    orders = [one_text(read_message(each), read_recipients(each)) for each in call.body.objects("params")]
    return _finish(call, "peer_to_peer", orders)


@serves("send.peer_to_peer_file", "POST", SEND, sending_type="peer_to_peer_file")
def peer_to_peer_file(call: Call) -> Answer:
    """Send each row of a file its own text, with an id for each; at most 10,000 rows."""
    rows = read_messages(call.body)
    check_length(call.body, "files", (text for _, text in rows))
    return _finish(call, "peer_to_peer_file", [one_text(text, [number]) for number, text in rows])


@serves("send.keyword", "POST", SEND, sending_type="keyword")
def keyword(call: Call) -> Answer:
    """Send each row of an XLSX the text with its cells in place of {ex_B}, {ex_C}…; one id for all."""
    template = read_message(call.body)
    return _filled(call, "keyword", template, read_values(call.body, template))


@serves("send.keyword_phonebook", "POST", SEND, sending_type="keyword_phonebook")
def keyword_phonebook(call: Call) -> Answer:
    """Send each contact the text with its option values in place of {ex_ID}; one id for all."""
    template = read_message(call.body)
    return _filled(call, "keyword_phonebook", template, keyword_phonebook_texts(call, template))


def _filled(call: Call, sending_type: str, template: str, texts: list[tuple[str, str]]) -> Answer:
    check_length(call.body, "message", (text for _, text in texts))
    return _finish(call, sending_type, [Order(template, texts)])


@serves("send.pattern", "POST", SEND, sending_type="pattern")
def pattern(call: Call) -> Answer:
    """Send an active pattern with its values to one number, at once and unreviewed."""
    body = call.body
    code = body.text("code")
    recipients = read_recipients(body, most=1)
    values = body.mapping("params")
    contact_fields = body.object_or_none("phonebook")
    contact = read_contact(call, contact_fields, recipients) if contact_fields else None
    send_at = read_send_time(call, body)
    line = read_line(call, body)
    call.check()
    text = fill_pattern(call, code, values)
    check_length(body, "params", [text])
    call.check()
    answer = accept(call, "pattern", [one_text(text, recipients)], line=line, send_at=send_at)
    if contact is not None:
        contact.keep(call, recipients[0])
    return answer


@serves("send.votp", "POST", SEND, sending_type="votp")
def votp(call: Call) -> Answer:
    """Call one number and read out a code of at most 14 digits."""
    code = call.body.text("message")
    if code and not _VOICE_CODE.fullmatch(code):
        call.body.fail("message", "متن پیام باید عددی و کمتر از 15 رقم باشد")
    recipients = read_recipients(call.body.object("params"), most=1)
    call.check()
    return accept(call, "votp", [one_text(code, recipients)], line=None)


@serves("send.url", "POST", "/api/send/webservice", also=("GET",), auth="none")
def url(call: Call) -> Answer:
    """Send one text to one number, with the credentials among the arguments: in the address or in a form."""
    fields = call.body if call.body.values else call.query
    user = _user_by_arguments(call, fields)
    text = read_message(fields)
    recipient = fields.text("to")
    if recipient and not is_recipient(recipient):
        fields.fail("to", not_valid_text(label("to")))
    call = attrs.evolve(call, caller=user)
    line = read_line(call, fields, "from")
    call.check()
    return accept(call, "url", [one_text(text, [recipient])], line=line)


def _user_by_arguments(call: Call, fields: Fields) -> User:
    """Find who sends: by apikey, or by username and password; both together are refused."""
    api_key = fields.text_or_none("apikey")
    username = fields.text_or_none("username")
    password = fields.text_or_none("password")
    if api_key is not None:
        for name in ("username", "password"):
            if fields.has(name):
                fields.fail(name, f"گزینه {label(name)} همراه با apikey مجاز نیست")
        user_id = call.world.api_keys.get(api_key)
        user = None if user_id is None else call.world.users.get(user_id)
    else:
        user = call.world.user_named(username or "")
        if user is not None and user.password != password:
            user = None
    if user is None or user.status != "active":
        raise unauthorized()
    return user


@serves("send.cancel", "POST", "/api/send/cancel")
def cancel(call: Call) -> Answer:
    """Cancel a scheduled send until 5 minutes before its time; its cost is given back. Again changes nothing."""
    outbox_id = call.body.integer("message_outbox_id")
    call.check()
    message = call.world.outbox.get(outbox_id)
    if message is None or message.user_id not in {user.user_id for user in call.world.family(call.user)}:
        raise not_found("پیام مورد نظر یافت نشد")
    if message.settled is State.CANCELLED:
        return ok()
    waits = state_of(message, call.world) in {State.QUEUED, State.REVIEW}
    if not (message.scheduled and waits and call.now <= message.send_at - SOONEST):
        raise invalid({"message_outbox_id": ["امکان لغو این پیام وجود ندارد"]})
    call.world.settle(message, State.CANCELLED)
    return ok()


@serves("send.calculate_price", "POST", "/api/send/calculate-price")
def calculate_price(call: Call) -> Answer:
    """Say what a text costs from a line, in Rials, to MCI and to the others; an opt-out suffix is not counted in."""
    text = read_message(call.body)
    line = read_line(call, call.body, "number")
    call.check()
    counted = count(text)
    tariff = call.world.tariffs[line.tariff_id]
    return ok(
        {
            "mci_price": price_of(tariff, _AN_MCI_NUMBER, counted),
            "other_price": price_of(tariff, _ANOTHER_NUMBER, counted),
            "parts": counted.parts,
        },
        message="calculate successfully",
    )
