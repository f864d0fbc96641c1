"""The rules of the send section but `send.url`: all sending types, cancellation and price calculation."""

from __future__ import annotations

import re
from typing import Final

from ippanel_edge.sandbox.bodies import MULTIPART
from ippanel_edge.sandbox.records import MessageState
from ippanel_edge.sandbox.replies import Reply, not_found, ok
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.acceptance import PlannedMessage, accept, broadcast
from ippanel_edge.sandbox.rules.billing import message_price
from ippanel_edge.sandbox.rules.delivery import message_state
from ippanel_edge.sandbox.rules.pattern_text import fill_pattern, read_contact
from ippanel_edge.sandbox.rules.segments import count_segments
from ippanel_edge.sandbox.rules.send_fields import (
    MIN_SCHEDULE_DELAY,
    check_length,
    read_line,
    read_message,
    read_recipients,
    read_send_time,
)
from ippanel_edge.sandbox.rules.sheets import MAX_ROWS, read_messages, read_numbers, read_values
from ippanel_edge.sandbox.rules.targets import (
    country_targets,
    geolocation_targets,
    job_targets,
    keyword_phonebook_texts,
    phonebook_numbers,
    postal_code_targets,
)

SEND: Final = "/api/send"
MAX_RECIPIENTS: Final = 1000
_VOICE_CODE = re.compile(r"[0-9]{1,14}")
_NOT_CANCELLABLE: Final = "پیام یافت نشد یا قابل لغو نیست"
_MCI_EXAMPLE: Final = "+989120000000"
_OTHER_EXAMPLE: Final = "+989210000000"


@serves("send.webservice", "POST", SEND, sending_type="webservice")
def webservice(call: Call) -> Reply:
    """Send one message to at most 1,000 numbers."""
    recipients = read_recipients(call.body.object("params"), max_items=MAX_RECIPIENTS)
    return _broadcast(call, "webservice", recipients)


@serves("send.file", "POST", SEND, content_types=(MULTIPART,), sending_type="file")
def file(call: Call) -> Reply:
    """Send one message to the numbers in a file and to other_recipients."""
    return _broadcast(call, "file", [*read_numbers(call.body), *_other_recipients(call)])


@serves("send.postal_code", "POST", SEND, sending_type="postal_code")
def postal_code(call: Call) -> Reply:
    """Send one message to people selected by postal code, and to other_recipients."""
    return _broadcast(call, "postal_code", [*postal_code_targets(call.body), *_other_recipients(call)])


@serves("send.country", "POST", SEND, sending_type="country")
def country(call: Call) -> Reply:
    """Send one message to people selected by province, county and city, and to other_recipients."""
    return _broadcast(call, "country", [*country_targets(call.body), *_other_recipients(call)])


@serves("send.geolocation", "POST", SEND, sending_type="geolocation")
def geolocation(call: Call) -> Reply:
    """Send one message to people selected by place (version 2), and to other_recipients."""
    return _broadcast(call, "geolocation", [*geolocation_targets(call.body), *_other_recipients(call)])


@serves("send.job", "POST", SEND, sending_type="job")
def job(call: Call) -> Reply:
    """Send one message to people selected by job category."""
    return _broadcast(call, "job", job_targets(call.body))


@serves("send.phonebook", "POST", SEND, sending_type="phonebook")
def phonebook(call: Call) -> Reply:
    """Send one message to whole phonebooks or to selected contacts of a phonebook."""
    return _broadcast(call, "phonebook", phonebook_numbers(call))


def _other_recipients(call: Call) -> list[str]:
    return read_recipients(call.body, "other_recipients", required=False)


def _broadcast(call: Call, sending_type: str, numbers: list[str]) -> Reply:
    """Send the message of the body to all numbers, with one outbox id."""
    text = read_message(call.body)
    if len(numbers) > MAX_ROWS:
        call.body.add_error("params", f"تعداد گیرندگان نباید بیشتر از {MAX_ROWS} باشد")
    return _accept(call, sending_type, [broadcast(text, numbers)])


def _accept(call: Call, sending_type: str, messages: list[PlannedMessage]) -> Reply:
    """Read the send time and the sender line, and accept the messages."""
    send_at = read_send_time(call, call.body)
    line = read_line(call, call.body)
    call.check()
    return accept(call, sending_type, messages, line=line, send_at=send_at)


@serves("send.peer_to_peer", "POST", SEND, sending_type="peer_to_peer")
def peer_to_peer(call: Call) -> Reply:
    """Send several messages, each to its own numbers and with its own outbox id."""
    messages = [broadcast(read_message(each), read_recipients(each)) for each in call.body.objects("params")]
    return _accept(call, "peer_to_peer", messages)


@serves("send.peer_to_peer_file", "POST", SEND, content_types=(MULTIPART,), sending_type="peer_to_peer_file")
def peer_to_peer_file(call: Call) -> Reply:
    """Send each row of a file its own message, with its own outbox id; at most 10,000 rows."""
    rows = read_messages(call.body)
    check_length(call.body, "files", (text for _, text in rows))
    return _accept(call, "peer_to_peer_file", [broadcast(text, [number]) for number, text in rows])


@serves("send.keyword", "POST", SEND, content_types=(MULTIPART,), sending_type="keyword")
def keyword(call: Call) -> Reply:
    """Send each row of an XLSX file the text with {ex_B}, {ex_C}… replaced by its cells, with one outbox id."""
    template = read_message(call.body)
    return _accept_filled(call, "keyword", template, read_values(call.body, template))


@serves("send.keyword_phonebook", "POST", SEND, sending_type="keyword_phonebook")
def keyword_phonebook(call: Call) -> Reply:
    """Send each contact the text with {ex_ID} replaced by its option values, with one outbox id."""
    template = read_message(call.body)
    return _accept_filled(call, "keyword_phonebook", template, keyword_phonebook_texts(call, template))


def _accept_filled(call: Call, sending_type: str, template: str, texts: list[tuple[str, str]]) -> Reply:
    check_length(call.body, "message", (text for _, text in texts))
    return _accept(call, sending_type, [PlannedMessage(template, texts)])


@serves("send.pattern", "POST", SEND, sending_type="pattern")
def pattern(call: Call) -> Reply:
    """Send an active pattern with its values to one number, without review."""
    body = call.body
    code = body.string("code")
    recipients = read_recipients(body, max_items=1)
    values = body.mapping("params")
    contact_fields = body.object_or_none("phonebook")
    contact = read_contact(call, contact_fields) if contact_fields else None
    send_at = read_send_time(call, body)
    line = read_line(call, body)
    call.check()
    text = fill_pattern(call, code, values)
    check_length(body, "params", [text])
    call.check()
    reply = accept(call, "pattern", [broadcast(text, recipients, code)], line=line, send_at=send_at)
    if contact is not None:
        contact.save(call, recipients[0])
    return reply


@serves("send.votp", "POST", SEND, sending_type="votp")
def votp(call: Call) -> Reply:
    """Call one number and read out a code of at most 14 digits."""
    code = call.body.string("message")
    if code and not _VOICE_CODE.fullmatch(code):
        call.body.add_error("message", "متن پیام باید عددی و کمتر از 15 رقم باشد")
    recipients = read_recipients(call.body.object("params"), max_items=1)
    call.check()
    return accept(call, "votp", [broadcast(code, recipients)], line=None)


@serves("send.cancel", "POST", "/api/send/cancel")
def cancel(call: Call) -> Reply:
    """Cancel a scheduled send until 5 minutes before its send time; the call is idempotent."""
    outbox_id = call.body.integer("message_outbox_id")
    call.check()
    message = call.state.outbox.get(outbox_id)
    if message is None or message.user_id not in {user.user_id for user in call.state.with_sub_users(call.user)}:
        raise not_found(_NOT_CANCELLABLE, code="404-1")
    if message.final_state is MessageState.CANCELLED:
        return ok()
    is_waiting = message_state(message, call.state) in {MessageState.QUEUED, MessageState.REVIEW}
    if not (message.scheduled and is_waiting and call.now <= message.send_at - MIN_SCHEDULE_DELAY):
        raise not_found(_NOT_CANCELLABLE, code="404-1")
    call.state.finish(message, MessageState.CANCELLED)
    return ok()


@serves("send.calculate_price", "POST", "/api/send/calculate-price")
def calculate_price(call: Call) -> Reply:
    """Return the price in Rials of a message to MCI and to other operators, without an opt-out suffix."""
    text = read_message(call.body)
    line = read_line(call, call.body, "number")
    call.check()
    count = count_segments(text, is_66_char=line.is_66_char)
    tariff = call.state.tariffs[line.tariff_id]
    return ok(
        {
            "mci_price": message_price(tariff, _MCI_EXAMPLE, count.parts, is_persian=count.is_persian),
            "other_price": message_price(tariff, _OTHER_EXAMPLE, count.parts, is_persian=count.is_persian),
            "parts": count.parts,
        },
        message="calculate successfully",
    )
