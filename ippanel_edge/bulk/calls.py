"""The call that sends a chunk, and its result as a settlement: pure functions. Nothing here sends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

from ippanel_edge import endpoints
from ippanel_edge.api import send
from ippanel_edge.bulk.records import Chunk, Kind, LedgerRow, Method, Settlement, State, Terms
from ippanel_edge.bulk.texts import parse_template
from ippanel_edge.config import Defaults
from ippanel_edge.errors import (
    AuthenticationError,
    ConfigurationError,
    DuplicateMessage,
    EdgeError,
    InsufficientCredit,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
)
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.wire.call import Call

MAX_ROWS: Final = {
    Method.WEBSERVICE: 1_000,
    Method.FILE: 1_000_000,
    Method.PEER_TO_PEER: 1_000,
    Method.PEER_TO_PEER_FILE: 10_000,
    Method.PATTERN: 1,
}
"""The maximum number of rows of a chunk. Of `peer_to_peer`, no document states a limit: the number is our choice."""

DEFAULT_ROWS: Final = {**MAX_ROWS, Method.FILE: 10_000}
"""The number of rows of a chunk by default. The larger a chunk, the more rows are unknown if its outcome is."""

METHODS: Final[Mapping[Kind, Sequence[Method]]] = {
    Kind.ONE_TEXT: (Method.WEBSERVICE, Method.FILE),
    Kind.OWN_TEXT: (Method.PEER_TO_PEER, Method.PEER_TO_PEER_FILE),
    Kind.PATTERN: (Method.PATTERN,),
}
"""The methods that can send each kind of campaign."""

_EVERY_CHUNK: Final = (AuthenticationError, PermissionDenied, InsufficientCredit, ConfigurationError)
"""Errors that concern the account or the settings, so that every other chunk would fail too."""


def choose_method(kind: Kind, rows: int, chunk_size: int | None) -> Method:
    """Return the method that sends rows at the lowest cost.

    One text is sent by `webservice`: a request whose outcome is unknown concerns at most 1,000 rows. Own texts are sent
    by `peer_to_peer`; more than 10,000 of them by `peer_to_peer_file`, which needs a tenth of the requests. A chunk
    size above the maximum of the first method requires the second.
    """
    first, *others = METHODS[kind]
    if not others:
        return first
    if chunk_size is not None:
        return first if chunk_size <= MAX_ROWS[first] else others[0]
    return others[0] if kind is Kind.OWN_TEXT and rows > MAX_ROWS[others[0]] else first


def build_call(terms: Terms, chunk: Chunk, rows: Sequence[LedgerRow]) -> Call[SendResult]:
    """Build the call that sends rows.

    Raises:
        ConfigurationError: the scheduled time is less than 5 minutes ahead, or an argument is invalid otherwise.
    """
    defaults = Defaults(from_number=terms.from_number)
    match chunk.method:
        case Method.WEBSERVICE:
            fields = send.to_recipients(defaults, [recipient for _, recipient, _ in rows])
            text = send.text(defaults, _text(terms))
            return send.build(endpoints.SEND_WEBSERVICE, defaults, None, terms.send_time, text, fields)
        case Method.PEER_TO_PEER:
            messages = send.to_each(defaults, [(recipient, content or "") for _, recipient, content in rows])
            return send.build(endpoints.SEND_PEER_TO_PEER, defaults, None, terms.send_time, messages)
        case Method.FILE:
            file = _csv(chunk, ["phone_number"], ([recipient] for _, recipient, _ in rows))
            upload = send.table(defaults, file, send.NUMBERS)
            text = send.text(defaults, _text(terms))
            return send.build(endpoints.SEND_FILE, defaults, None, terms.send_time, text, upload=upload)
        case Method.PEER_TO_PEER_FILE:
            file = _csv(chunk, ["recipient", "message"], ([recipient, content] for _, recipient, content in rows))
            upload = send.table(defaults, file, send.MESSAGES)
            return send.build(endpoints.SEND_PEER_TO_PEER_FILE, defaults, None, terms.send_time, upload=upload)
        case Method.PATTERN:
            ((_, recipient, content),) = rows
            values = send.with_values(terms.pattern or "", recipient, json.loads(content or "{}"), None)
            return send.build(endpoints.SEND_PATTERN, defaults, None, terms.send_time, values)


def _text(terms: Terms) -> str:
    return parse_template(terms.message or "").text


def _csv(chunk: Chunk, header: Sequence[str], rows: object) -> tuple[str, bytes]:
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)  # type: ignore[arg-type]  # lists of str
    return f"chunk-{chunk.id}.csv", content.getvalue().encode()


def settlement_of(error: EdgeError, chunk: Chunk) -> Settlement:
    """Decide what an error of a send means for its chunk.

    Args:
        error: the error.
        chunk: the chunk as it was before this attempt.

    - UNKNOWN stays unknown, unless the ids of the messages arrived before the error.
    - NOT_SENT is pending again: nothing was accepted. The run counts such errors, and stops after some of them.
    - REJECTED is rejected; but if the account is the reason (the key, the credit), the chunk is pending again and the
      run stops, because the same would happen to every other chunk.
    - REJECTED after an attempt that may have been accepted is unknown: only this attempt was rejected. The same holds
      for a duplicate after any attempt, because the text that the service has may be that of the chunk.
    """
    text = str(error)
    if isinstance(error, OutcomeUnknown) and error.message_outbox_ids:
        return Settlement(state=State.SENT, message_outbox_ids=error.message_outbox_ids)
    if error.outcome is Outcome.UNKNOWN:
        return Settlement(state=State.UNKNOWN, error=text)
    if isinstance(error, _EVERY_CHUNK):
        return Settlement(state=State.PENDING, error=text, stop=text)
    if error.outcome is Outcome.NOT_SENT:
        return Settlement(state=State.PENDING, error=text)
    if chunk.unknown_since is not None or (isinstance(error, DuplicateMessage) and chunk.attempts):
        return Settlement(state=State.UNKNOWN, error=f"an earlier attempt may have been accepted; the last one: {text}")
    return Settlement(state=State.REJECTED, error=text)
