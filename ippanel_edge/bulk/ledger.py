"""What a campaign needs from a ledger: the durable record of its rows and of what was sent. `sqlite` and `postgres`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

import attrs

from ippanel_edge.bulk.records import (
    BadRow,
    CampaignError,
    Chunk,
    Counts,
    LedgerRow,
    LoadReport,
    Method,
    NewRow,
    ReportRow,
    Settlement,
    State,
    Terms,
)
from ippanel_edge.config import RateLimit

T = TypeVar("T")

Build: TypeAlias = Callable[[Chunk, Sequence[LedgerRow]], T]
"""Builds what is sent for a chunk, before the ledger says that it is being sent."""

Cut: TypeAlias = Callable[[int], tuple[Method, int]]
"""Returns the method and the maximum number of rows of the chunks of a load, from the number of its rows."""


@attrs.frozen
class Claimed(Generic[T]):
    """A chunk that the caller, and nobody else, may send now: the ledger says ``sending``.

    Attributes:
        chunk: the chunk.
        rows: its rows that were not settled before.
        built: what `build` returned.
        token: identifies this claim.
    """

    chunk: Chunk
    rows: Sequence[LedgerRow]
    built: T
    token: str = ""


def check_releasable(state: State) -> None:
    """Check that the rows in a state may be made pending again.

    Raises:
        CampaignError: they may not: they would be sent twice.
    """
    if state not in (State.REJECTED, State.UNKNOWN):
        raise CampaignError(f"only rejected and unknown rows can be pending again, got {state}", argument="state")


def storable(text: str) -> str:
    """Return a text without what databases cannot store: NUL and lone surrogates.

    The value of a row that was set aside may have them, and the name of a file.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Turns(Protocol):
    """The rate of the requests of a campaign."""

    @abstractmethod
    async def wait(self) -> None:
        """Wait for the turn of the next request."""
        ...


class Ledger(Protocol):
    """The durable record of a campaign.

    A chunk is pending, then sending, then sent, rejected or unknown. Two rules hold whatever crashes:

    - `claim` returns after the state ``sending`` is durable, so a chunk that was not claimed was not sent.
    - A chunk whose worker died while it was sending becomes unknown, never pending.
    """

    @abstractmethod
    async def open(self, terms: Terms | None) -> Terms:
        """Open or create the ledger, and settle what dead workers left: ``sending`` becomes ``unknown``.

        Args:
            terms: the terms of the campaign; None to use those of an existing ledger.

        Returns:
            The terms of the ledger.

        Raises:
            CampaignError: the terms differ from the recorded ones, there is no ledger and no terms, or another
                process owns the ledger.
        """
        ...

    @abstractmethod
    async def aclose(self) -> None:
        """Release the ledger."""
        ...

    @abstractmethod
    async def begin_load(self, source: str) -> int:
        """Begin a load and return its id. Its rows are not part of the campaign until it is finished."""
        ...

    @abstractmethod
    async def add(self, load: int, rows: Sequence[NewRow], bad_rows: Sequence[BadRow]) -> None:
        """Add rows to a load."""
        ...

    @abstractmethod
    async def finish_load(self, load: int, cut: Cut) -> LoadReport:
        """Leave out duplicates, divide the rows of a load into chunks, and make it part of the campaign, atomically."""
        ...

    @abstractmethod
    async def abandon_load(self, load: int) -> None:
        """Delete the rows of a load that was not finished."""
        ...

    @abstractmethod
    async def claim(self, build: Build[T], chunk_id: int | None = None) -> Claimed[T] | None:
        """Record durably that a pending chunk is being sent.

        Args:
            build: builds what is sent. If it raises an error, the chunk stays pending.
            chunk_id: the chunk; the first one that is pending if omitted.

        Returns:
            The chunk; None if it is not pending, or none is.
        """
        ...

    @abstractmethod
    async def settle(self, chunk_id: int, settlement: Settlement, *, token: str | None = None) -> None:
        """Record the result of sending a chunk that was claimed.

        Args:
            chunk_id: the chunk.
            settlement: the result.
            token: that of the claim; by default that of the last claim of this ledger. A result is never recorded for
                another claim.

        Raises:
            CampaignError: the chunk is not being sent, or it was claimed again.
        """
        ...

    @abstractmethod
    async def counts(self) -> Counts:
        """Return the number of rows in each state."""
        ...

    @abstractmethod
    async def chunks(self, state: State, *, after: int = 0, limit: int = 1000) -> Sequence[Chunk]:
        """Return chunks in a state, in their order, with ids above `after`."""
        ...

    @abstractmethod
    async def rows(self, chunk_id: int) -> Sequence[LedgerRow]:
        """Return the rows of a chunk that have its state: without those that were settled one by one."""
        ...

    @abstractmethod
    async def prove_sent(self, chunk_id: int, message_outbox_ids: Mapping[int, int]) -> int:
        """Record that rows of an unknown chunk were accepted. If all its rows were, so was the chunk.

        A chunk that is not unknown any more is left as it is: it was released or settled meanwhile.

        Args:
            chunk_id: the chunk.
            message_outbox_ids: the id of the message by row id.

        Returns:
            The number of rows that are sent now.
        """
        ...

    @abstractmethod
    async def known_ids(self, message_outbox_ids: Sequence[int]) -> set[int]:
        """Return those of the ids that belong to sent rows of this campaign."""
        ...

    @abstractmethod
    async def release(self, state: State) -> int:
        """Make the rejected or unknown rows pending again, and return their number. The caller has asked for it.

        Raises:
            CampaignError: the state is another one: the rows would be sent twice.
        """
        ...

    @abstractmethod
    async def report(self, *, after: int, limit: int, states: Sequence[State]) -> Sequence[tuple[int, ReportRow]]:
        """Return rows in any of the states with their ids, in their order, with ids above `after`."""
        ...

    @abstractmethod
    async def bad_rows(self, *, after: int, limit: int) -> Sequence[tuple[int, BadRow]]:
        """Return rows that were set aside with their numbers, in their order, with numbers above `after`."""
        ...

    @abstractmethod
    async def pending_chunks(self) -> Mapping[Method, int]:
        """Return the number of pending chunks by method."""
        ...

    @abstractmethod
    async def undelivered(self, *, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return (message id, number of rows) of sent messages with rows without a final status, above `after`."""
        ...

    @abstractmethod
    async def set_delivery(self, message_outbox_id: int, statuses: Mapping[str, str]) -> None:
        """Record the delivery status of the recipients of a message, by number; ``""`` stands for all others."""
        ...

    @abstractmethod
    def turns(self, rate: RateLimit, line: str) -> Turns:
        """Return the turns of a sender line at a rate. All workers of the ledger share them."""
        ...

    @property
    @abstractmethod
    def terms(self) -> Terms:
        """The terms of the campaign. The ledger must be open."""
        ...
