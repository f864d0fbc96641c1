"""The values of a campaign: its terms, rows, chunks, states, and the results of its steps. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from ippanel_edge.errors import ConfigurationError, EdgeError


class State(StrEnum):
    """The state of a chunk, and of each of its rows."""

    PENDING = "pending"
    """Not sent. It is sent by the next run."""
    SENDING = "sending"
    """A worker is about to send it, or is sending it. After a crash it becomes unknown."""
    SENT = "sent"
    """The service accepted it."""
    REJECTED = "rejected"
    """The service rejected it. Nothing was sent."""
    UNKNOWN = "unknown"
    """It may have been accepted. It is never sent again unless you say so; `reconcile` may prove that it was."""


class Method(StrEnum):
    """The method that sends a chunk. The values are the names of the methods of ``client.send``."""

    WEBSERVICE = "webservice"
    """One text to up to 1,000 numbers."""
    FILE = "file"
    """One text to up to 1,000,000 numbers in a file."""
    PEER_TO_PEER = "peer_to_peer"
    """A text for each number."""
    PEER_TO_PEER_FILE = "peer_to_peer_file"
    """A text for each number, up to 10,000, in a file."""
    PATTERN = "pattern"
    """The values of a pattern for one number."""


class Kind(StrEnum):
    """What the rows of a campaign have in common."""

    ONE_TEXT = "one_text"
    """All rows have the text of the campaign."""
    OWN_TEXT = "own_text"
    """Each row has its own text."""
    PATTERN = "pattern"
    """Each row has its own values of the variables of a pattern."""


class CampaignError(ConfigurationError):
    """The ledger cannot be used: another process uses it, it belongs to another campaign, or it is not a ledger."""


class LedgerError(EdgeError):
    """The ledger cannot be read or written, for example because the disk is full. Nothing more was sent.

    Chunks whose result could not be recorded are unknown when the ledger is opened again.
    """

    def __str__(self) -> str:
        """Return the problem. It concerns the ledger, not a request."""
        return self._problem()


FINAL: Final = ("delivered", "not_delivered", "blacklisted", "failed", "cancelled")
"""The delivery statuses that no longer change."""


@attrs.frozen(kw_only=True)
class Terms:
    """What all rows of a campaign have in common. It cannot change after the ledger was created.

    Attributes:
        from_number: the sender line.
        kind: what the rows have in common.
        message: the text of the campaign, or the template of the rows' texts; None if each row brings its own.
        pattern: the code of the pattern, of a campaign with a pattern.
        params: the column of each variable of the pattern, by the variable's name.
        send_time: the scheduled time; None for immediately.
        one_per_number: whether a number gets one message only, even if its rows have different texts.
    """

    from_number: str
    kind: Kind
    message: str | None = None
    pattern: str | None = None
    params: Mapping[str, str] | None = None
    send_time: datetime | None = None
    one_per_number: bool = False

    def check_same(self, given: Terms) -> None:
        """Check that the arguments of a campaign are those of its ledger.

        Raises:
            CampaignError: one of them differs; it is named.
        """
        for field in attrs.fields(Terms):
            recorded, now = getattr(self, field.name), getattr(given, field.name)
            if recorded != now:
                raise CampaignError(
                    f"the ledger was created with {_shown(recorded)}, got {_shown(now)}; pass the same value, or use "
                    "another ledger for another campaign",
                    argument=field.name,
                )


_SHOWN: Final = 60


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        value = value.isoformat()
    text = repr(str(value) if isinstance(value, StrEnum) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


NewRow: TypeAlias = tuple[int, str, str | None, int]
"""A row to load: line, recipient in E.164, content, and a hash of recipient and content.

The content is None in a campaign of one text, the text of the row, or the values of the pattern as a JSON object.
"""

LedgerRow: TypeAlias = tuple[int, str, str | None]
"""A row of the ledger: id, recipient in E.164 and content."""


@attrs.frozen
class BadRow:
    """A row that was set aside: it is not sent.

    Attributes:
        source: the name of the file, or of the iterable.
        line: the line of the file, or the position in the iterable, from 1.
        value: the value of the recipient, shortened.
        reason: why it cannot be sent, and the remedy.
    """

    source: str
    line: int
    value: str
    reason: str


@attrs.frozen(kw_only=True)
class Chunk:
    """Rows that are sent by one request.

    Attributes:
        id: the number of the chunk, from 1.
        method: the method that sends it.
        state: its state.
        rows: the number of its rows.
        message_outbox_ids: the ids of its messages, if it was sent: one for all rows, or one for each row.
        error: why it was rejected or is unknown, or why the last attempt to send it failed.
        sending_at: the time (UTC) just before it was last sent, by the clock of this machine.
        attempts: the number of times that it was sent, at most once after an attempt that was accepted or is unknown.
        unknown_since: the same time of the first attempt whose outcome is unknown, if it was released after that.
    """

    id: int
    method: Method
    state: State
    rows: int
    message_outbox_ids: tuple[int, ...] = ()
    error: str | None = None
    sending_at: datetime | None = None
    attempts: int = 0
    unknown_since: datetime | None = None


@attrs.frozen(kw_only=True)
class Settlement:
    """The result of sending a chunk.

    Attributes:
        state: SENT, REJECTED, UNKNOWN; or PENDING if it provably was not accepted and can be sent again.
        message_outbox_ids: the ids that the service returned.
        error: the error, in words.
        stop: why no further chunk should be sent now, or None.
    """

    state: State
    message_outbox_ids: tuple[int, ...] = ()
    error: str | None = None
    stop: str | None = None


@attrs.frozen(kw_only=True)
class Processed:
    """The result of `process_chunk`.

    Attributes:
        chunk_id: the chunk.
        rows: the number of its rows.
        settlement: their state and the ids of their messages.
    """

    chunk_id: int
    rows: int
    settlement: Settlement


@attrs.frozen(kw_only=True)
class Counts:
    """The number of rows in each state.

    Attributes:
        pending: not sent.
        sending: being sent by a running worker.
        sent: accepted by the service.
        rejected: rejected by the service.
        unknown: perhaps accepted.
        set_aside: invalid, so they are not in any state.
        duplicates: left out because an earlier row has the same number and text.
        delivered: sent rows that `track` found delivered.
        not_delivered: sent rows that `track` found not delivered, or blacklisted.
    """

    pending: int = 0
    sending: int = 0
    sent: int = 0
    rejected: int = 0
    unknown: int = 0
    set_aside: int = 0
    duplicates: int = 0
    delivered: int = 0
    not_delivered: int = 0

    @property
    def rows(self) -> int:
        """The number of rows to send."""
        return self.pending + self.sending + self.sent + self.rejected + self.unknown

    def moved(self, rows: int, state: State) -> Counts:
        """Return the counts after pending rows have changed their state."""
        changed = attrs.evolve(self, pending=self.pending - rows)
        return attrs.evolve(changed, **{state.value: getattr(changed, state.value) + rows})


@attrs.frozen(kw_only=True)
class LoadReport:
    """The result of `Campaign.load`.

    Attributes:
        source: the name of the file, or of the iterable.
        rows: the number of rows that were read.
        added: the number of rows that were added to the ledger.
        set_aside: the number of invalid rows. `Campaign.bad_rows` lists them.
        duplicates: the number of rows with the number and text of another row of this load.
        already_loaded: the number of rows with the number and text of a row of an earlier load.
    """

    source: str
    rows: int
    added: int
    set_aside: int
    duplicates: int
    already_loaded: int


@attrs.frozen(kw_only=True)
class Progress:
    """The progress of a run.

    Attributes:
        counts: the number of rows in each state.
        done: the number of rows that this run has settled.
        seconds: the time since the start of this run.
    """

    counts: Counts
    done: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second of this run."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The estimated time until no row is pending; None if there is no rate yet."""
        return self.counts.pending / self.rate if self.rate else None


@attrs.frozen(kw_only=True)
class Report:
    """The result of a run: the state of all rows of the campaign.

    Attributes:
        counts: the number of rows in each state.
        done: the number of rows that this run settled.
        requests: the number of requests of this run.
        seconds: the duration of this run.
        stopped: why the run ended before all rows were settled, or None.
    """

    counts: Counts
    done: int
    requests: int
    seconds: float
    stopped: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every row was sent or rejected."""
        return not (self.counts.pending or self.counts.sending or self.counts.unknown)


@attrs.frozen(kw_only=True)
class ReportRow:
    """A row with its state, for exports.

    Attributes:
        source: the name of the file, or of the iterable.
        line: the line or position in it, from 1.
        recipient: the number in E.164.
        content: the text of the row, or the values of the pattern as JSON; None in a campaign of one text.
        state: the state.
        message_outbox_id: the id of its message, if it was sent.
        error: why it was rejected or is unknown.
        delivery: the delivery status that `track` found: the name of a `DeliveryStatus` in lower case, or ``failed``
            or ``cancelled`` if the service did not send the message at all.
    """

    source: str
    line: int
    recipient: str
    content: str | None
    state: State
    message_outbox_id: int | None = None
    error: str | None = None
    delivery: str | None = None


@attrs.frozen(kw_only=True)
class Reconciled:
    """The result of `Campaign.reconcile`.

    Attributes:
        found: the number of unknown rows that the outbox proves to have been accepted; they are sent now.
        unknown: the number of rows that are still unknown.
        ambiguous: the number of unknown chunks for which the outbox has a message that may be theirs, but also another
            one's: several match, or it was created up to 10 minutes before the chunk began to be sent.
        messages: the number of messages of the outbox that were looked at.
    """

    found: int
    unknown: int
    ambiguous: int
    messages: int


@attrs.frozen(kw_only=True)
class Tracked:
    """The result of `Campaign.track`.

    Attributes:
        delivered: the number of sent rows that were delivered.
        not_delivered: the number of sent rows that were not delivered, or whose number is blacklisted.
        open: the number of sent rows whose status may still change.
    """

    delivered: int
    not_delivered: int
    open: int


@attrs.frozen(kw_only=True)
class TextSize:
    """Rows whose texts have the same encoding and length.

    Attributes:
        encoding: ``gsm-7`` or ``ucs-2``.
        parts: the number of parts (SMS segments) of each.
        units: the encoded length of each.
        rows: the number of rows.
        example: one of the texts.
    """

    encoding: str
    parts: int
    units: int
    rows: int
    example: str


@attrs.frozen(kw_only=True)
class Plan:
    """What a run would do: the result of a dry run.

    Attributes:
        rows: the number of pending rows.
        requests: the number of requests, by method.
        parts: the number of parts (SMS segments) of all rows.
        sizes: the rows by encoding and length.
        cost_from: the cost in Rials if each number had the cheaper operator; None if the price is not known.
        cost_to: the cost in Rials if each number had the more expensive operator; None if the price is not known.
        seconds: the duration at the rate; None without a rate.
    """

    rows: int
    requests: Mapping[Method, int]
    parts: int
    sizes: Sequence[TextSize]
    cost_from: float | None
    cost_to: float | None
    seconds: float | None
