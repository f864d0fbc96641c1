"""Campaigns: load rows, send them, reconcile and track them. The ledger keeps their states, so no row is sent twice."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, TypeVar, cast

import anyio
import anyio.to_thread
import attrs

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge._async.settings import check_rate_limit
from ippanel_edge.bulk import reconcile, track
from ippanel_edge.bulk.calls import DEFAULT_ROWS, MAX_ROWS, METHODS, choose_method
from ippanel_edge.bulk.export import export_report
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.planning import make_plan
from ippanel_edge.bulk.records import (
    BadRow,
    CampaignError,
    Counts,
    Kind,
    LoadReport,
    Method,
    Plan,
    Reconciled,
    Report,
    ReportRow,
    State,
    Terms,
    Tracked,
)
from ippanel_edge.bulk.runner import Gate, OnProgress, Run
from ippanel_edge.bulk.sources import Item, Rows, as_rows
from ippanel_edge.bulk.sqlite import SqliteLedger
from ippanel_edge.bulk.texts import parse_template, preparer, wanted_columns
from ippanel_edge.config import RateLimit
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones, times
from ippanel_edge.values.checks import (
    check_choice,
    check_int,
    check_iterable,
    check_range,
    check_str,
    check_text,
    check_type,
)
from ippanel_edge.values.segments import check_message

T = TypeVar("T")

OnBadRow: TypeAlias = Literal["set_aside", "stop"]
"""What `Campaign.load` does with an invalid row."""

AnyRows: TypeAlias = Rows | str | os.PathLike[str] | Iterable[Item] | AsyncIterable[Item]
"""What `Campaign.load` accepts: `read_rows`, a path, or an iterable of numbers, (number, text) or (number, values)."""

_STATES: Final = tuple(State)
_BATCH: Final = 2_000
_MAX_CHARACTERS: Final = 1_000_000
"""The number of characters of a request, on average, by which its rows are limited: it is held in memory."""
MAX_CONCURRENCY: Final = 1_000


class Campaign:
    """A campaign: rows that are each sent at most once, whatever crashes.

    Every row is submitted at most once unless an earlier attempt provably was not accepted, and after any crash every
    row is pending, sent, rejected or unknown; an unknown row is never resent unless you say so.

    Use `Campaign.open` as an async context manager.
    """

    def __init__(
        self,
        ledger: Ledger,
        client: AsyncEdgeClient | None,
        *,
        terms: Terms | None = None,
        method: Method | None = None,
        chunk_size: int | None = None,
    ) -> None:
        self._ledger = ledger
        self._optional_client = client
        self._given = terms
        self._method = method
        self._chunk_size = chunk_size
        self._gate = Gate()
        self._is_running = False

    @classmethod
    def open(
        cls,
        ledger: str | os.PathLike[str] | Ledger,
        client: AsyncEdgeClient,
        *,
        from_number: str | None = None,
        message: str | None = None,
        pattern: str | None = None,
        params: Mapping[str, str] | Iterable[str] | None = None,
        send_time: datetime | None = None,
        one_per_number: bool = False,
        method: Method | str | None = None,
        chunk_size: int | None = None,
    ) -> Self:
        """Return a campaign, to be used as ``async with Campaign.open(…) as campaign``.

        The ledger is created, or, if it exists, opened to go on: the sender line, the message, the pattern and the
        time must then be the same as before. One process at a time may have a SQLite ledger open.

        Args:
            ledger: the path of a SQLite file, or a ledger such as `PostgresLedger`.
            client: the client. It is not closed.
            from_number: the sender line; defaults to the client's.
            message: the text of all rows, or a template with ``{column}`` fields. If there is neither a message nor a
                pattern, each row brings its own text.
            pattern: the code of a pattern, instead of a message.
            params: the column of each variable of the pattern, by the variable's name; or the names of the variables,
                if the columns have the same names. By default the variables of the pattern, which are then read from
                the service.
            send_time: timezone-aware time to send at; sent immediately if omitted.
            one_per_number: whether a number gets one message only, even if its rows have different texts.
            method: the method of `client.send` for the rows of the next loads; chosen by their number if omitted.
            chunk_size: the maximum number of rows of a request; by default 1,000, or 10,000 in a file, and fewer if
                the texts are long.

        Raises:
            InvalidArgument: an argument is invalid, or a message and a pattern are given.
        """
        default = client._defaults.from_number  # noqa: SLF001 - a setting that every send uses
        terms = _terms(default if from_number is None else from_number, message, pattern, params, send_time)
        terms = attrs.evolve(terms, one_per_number=check_type(one_per_number, bool, argument="one_per_number"))
        check_choice(method, [each.value for each in Method], argument="method")
        chosen = None if method is None else Method(method)
        size = None if chunk_size is None else check_int(chunk_size, argument="chunk_size")
        _check_sizes(terms.kind, chosen, size)
        return cls(_ledger(ledger), client, terms=terms, method=chosen, chunk_size=size)

    @classmethod
    def resume(cls, ledger: str | os.PathLike[str] | Ledger, client: AsyncEdgeClient) -> Self:
        """Return a campaign whose ledger exists, with the sender line, message and time recorded in it.

        Args:
            ledger: the path of a SQLite file, or a ledger such as `PostgresLedger`.
            client: the client. It is not closed.
        """
        return cls(_ledger(ledger), client)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Self:
        """Return a campaign to read only, while another process may run it: `counts`, `rows`, `bad_rows`, `export`.

        Args:
            path: the path of its SQLite file.
        """
        return cls(SqliteLedger(path, read_only=True), None)

    async def __aenter__(self) -> Self:
        """Open the ledger."""
        given = self._given
        if given is not None and given.kind is Kind.PATTERN and given.params is None:
            given = await self._with_variables(given)
        terms = await self._ledger.open(given)
        _check_sizes(terms.kind, self._method, self._chunk_size)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the ledger."""
        await self._ledger.aclose()

    @property
    def _client(self) -> AsyncEdgeClient:
        if self._optional_client is None:
            raise CampaignError("the campaign was opened to read only; use Campaign.open or Campaign.resume")
        return self._optional_client

    @property
    def terms(self) -> Terms:
        """The sender line, the message or pattern, and the time."""
        return self._ledger.terms

    async def _with_variables(self, terms: Terms) -> Terms:
        pattern = await self._client.patterns.get(terms.pattern or "")
        names = [variable.name for variable in pattern.variable or () if variable.name]
        return attrs.evolve(terms, params=_columns(names))

    async def load(self, rows: AnyRows, *, on_bad_row: OnBadRow = "set_aside") -> LoadReport:
        """Read rows, check them and add them to the ledger: all of them, or none if it fails.

        A row with the number and text of another one (or the number alone, with `one_per_number`) is left out and
        counted. So a load may be repeated: rows that
        were loaded before are left out.

        Args:
            rows: `read_rows`, the path of a CSV or XLSX file, or an iterable or async iterable of numbers, of (number,
                text) or (number, {column: value}) tuples, or of {column: value} mappings.
            on_bad_row: ``"set_aside"`` records an invalid row with its line and reason, and goes on; ``"stop"`` raises
                the first one.

        Raises:
            InvalidArgument: the file cannot be read, a column is missing, or `on_bad_row` is ``"stop"`` and a row is
                invalid. Nothing was added.
            LedgerError: the ledger cannot be written. Nothing was added.
        """
        check_choice(on_bad_row, ["set_aside", "stop"], argument="on_bad_row")
        source = as_rows(rows)
        terms = self._ledger.terms
        prepare = preparer(terms, source.name)
        load = await self._ledger.begin_load(source.name)
        rows_read = characters = 0
        try:
            # A trio loop does not close a generator that a cancellation leaves.
            async with _closing(source.batches(wanted_columns(terms))) as batches:
                async for batch in batches:
                    good, bad = await anyio.to_thread.run_sync(prepare, batch)
                    if on_bad_row == "stop":
                        _check_good(bad)
                    await self._ledger.add(load, good, bad)
                    rows_read += len(good)
                    characters += sum(len(content or "") for _, _, content, _ in good)
            return await self._ledger.finish_load(load, partial(self._cut, length=characters / max(rows_read, 1)))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._ledger.abandon_load(load)
            raise

    def _cut(self, rows: int, *, length: float) -> tuple[Method, int]:
        """Return the method and the rows of a request, for rows whose texts have a length on average."""
        method = self._method or choose_method(self._ledger.terms.kind, rows, self._chunk_size)
        fitting = max(1, int(_MAX_CHARACTERS / max(length, 1.0)))
        return method, self._chunk_size or min(DEFAULT_ROWS[method], fitting)

    async def plan(self, *, rate: RateLimit | float | None = None, price: bool = True) -> Plan:
        """Return what a run would do: a dry run, which sends nothing.

        Args:
            rate: the maximum rate of requests, or its requests per second, for the duration.
            price: whether to ask the service for the price of each distinct length of the texts.

        Raises:
            EdgeError: a price cannot be read.
        """
        return await make_plan(self._ledger, self._client, rate=check_rate_limit(rate, argument="rate"), price=price)

    async def run(
        self,
        *,
        concurrency: int = 8,
        rate: RateLimit | float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Report:
        """Send the pending rows.

        It stops before the end if three chunks in a row are unknown or cannot be sent, or if the account is the reason
        for a rejection (`Report.stopped`). Call it again to go on. A cancellation (Ctrl-C) lets the requests in
        progress finish, for up to 10 seconds; a request without a response after 5 seconds is unknown.

        Args:
            concurrency: the number of requests in progress.
            rate: the maximum rate of requests, or its requests per second.
            on_progress: a plain function that receives the progress after each request.

        Raises:
            InvalidArgument: an argument is invalid.
            LedgerError: the ledger cannot be written. Nothing more was sent.
        """
        check_range(concurrency, 1, MAX_CONCURRENCY, argument="concurrency")
        limit = check_rate_limit(rate, argument="rate")
        if self._is_running:
            raise CampaignError("the campaign is running already", argument="run")
        client = self._client
        self._is_running = True
        try:
            run = Run(
                self._ledger,
                client,
                gate=self._gate,
                turns=None if limit is None else self._ledger.turns(limit, self._ledger.terms.from_number),
                counts=await self._ledger.counts(),
                on_progress=on_progress,
            )
            return await run.run(concurrency)
        finally:
            self._is_running = False

    def pause(self) -> None:
        """Stop a run before its next requests, until `unpause`. Requests in progress finish."""
        self._gate.close()

    def unpause(self) -> None:
        """Let a paused run go on."""
        self._gate.open()

    async def reconcile(self) -> Reconciled:
        """Look the unknown rows up in the outbox: those that it proves to have been accepted are sent.

        Nothing is sent. A row that the outbox does not list stays unknown, because the outbox may lag behind.

        Raises:
            EdgeError: the outbox cannot be read.
        """
        return await reconcile.reconcile(self._ledger, self._client)

    async def track(self, *, timeout: float = 3600.0, every: float = 10.0) -> Tracked:  # noqa: ASYNC109 - the end of the polling
        """Read the delivery status of the sent rows until none can change any more.

        Args:
            timeout: the maximum of seconds. Reads in progress are then cancelled, and the result is what is known.
            every: seconds between two rounds.

        Raises:
            EdgeError: the service rejects a request, or five rounds in a row failed.
        """
        return await track.track(self._ledger, self._client, seconds=timeout, every=every)

    async def counts(self) -> Counts:
        """Return the number of rows in each state."""
        return await self._ledger.counts()

    async def rows(self, *states: State) -> AsyncIterator[ReportRow]:
        """Yield the rows in some states, or all rows, in their order.

        Args:
            states: the states; all if omitted.
        """
        after = 0
        while found := await self._ledger.report(after=after, limit=_BATCH, states=states or _STATES):
            for _, row in found:
                yield row
            after = found[-1][0]

    async def bad_rows(self) -> AsyncIterator[BadRow]:
        """Yield the rows that were set aside, in their order."""
        after = 0
        while found := await self._ledger.bad_rows(after=after, limit=_BATCH):
            for _, row in found:
                yield row
            after = found[-1][0]

    async def export(self, path: str | os.PathLike[str], *states: State, overwrite: bool = False) -> int:
        """Write the rows with their states to a CSV or XLSX file, and return their number.

        Texts that a spreadsheet would take for formulas are neutralised. The file has the mode 0600.

        Args:
            path: the file, .csv or .xlsx.
            states: the states; all rows, and those that were set aside, if omitted.
            overwrite: whether to replace an existing file.

        Raises:
            InvalidArgument: the file exists, or has another type.
        """
        terms = self._ledger.terms
        message = parse_template(terms.message or "").text if terms.kind is Kind.ONE_TEXT else None
        async with (
            _closing(self.rows(*states)) as rows,
            _closing(_no_rows() if states else self.bad_rows()) as bad_rows,
        ):
            return await export_report(path, rows, bad_rows, message=message, overwrite=overwrite)

    async def resend_unknown(self) -> int:
        """Make the unknown rows pending, so that the next run sends them. They may have been sent already.

        Call `reconcile` before, and wait until the outbox lists what was sent.

        Returns:
            The number of rows.
        """
        return await self._ledger.release(State.UNKNOWN)

    async def retry_rejected(self) -> int:
        """Make the rejected rows pending, so that the next run sends them.

        Returns:
            The number of rows.
        """
        return await self._ledger.release(State.REJECTED)


def _ledger(ledger: str | os.PathLike[str] | Ledger) -> Ledger:
    return SqliteLedger(ledger) if isinstance(ledger, str | os.PathLike) else ledger


def _check_good(rows: Sequence[BadRow]) -> None:
    if rows:
        first = rows[0]
        raise InvalidArgument(f"{first.source}, line {first.line:,}: {first.reason}", argument="rows")


def _terms(
    line: str | None,
    message: str | None,
    pattern: str | None,
    params: Mapping[str, str] | Iterable[str] | None,
    send_time: datetime | None,
) -> Terms:
    if line is None:
        raise InvalidArgument(
            "is required: pass it to the campaign or to the client, or set IPPANEL_FROM_NUMBER", argument="from_number"
        )
    if message is not None and pattern is not None:
        raise InvalidArgument("must not be combined with message: a pattern has its own text", argument="pattern")
    if params is not None and pattern is None:
        raise InvalidArgument("must not be passed without a pattern", argument="params")
    kind = Kind.OWN_TEXT
    if pattern is not None:
        kind = Kind.PATTERN
    elif message is not None:
        template = parse_template(check_str(message, argument="message"))
        kind = Kind.OWN_TEXT if template.columns else Kind.ONE_TEXT
        if not template.columns:
            check_message(template.text)
    return Terms(
        from_number=phones.sender_line(line),
        kind=kind,
        message=message,
        pattern=None if pattern is None else check_text(pattern, argument="pattern"),
        params=None if params is None else _columns(params),
        send_time=None if send_time is None else times.utc(send_time, argument="send_time"),
    )


def _columns(params: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    if isinstance(params, Mapping):
        given = dict(cast("Mapping[str, str]", params))
    else:
        given = {name: name for name in check_iterable(params, argument="params", of="names of variables")}
    for variable, column in given.items():
        check_text(variable, argument="params")
        check_text(column, argument=f"params[{variable!r}]")
    return given


def _check_sizes(kind: Kind, method: Method | None, chunk_size: int | None) -> None:
    if method is not None and method not in METHODS[kind]:
        allowed = " or ".join(METHODS[kind])
        raise InvalidArgument(f"expected {allowed} for these rows, got {method}", argument="method")
    if chunk_size is not None:
        limit = MAX_ROWS[method] if method is not None else max(MAX_ROWS[each] for each in METHODS[kind])
        check_range(chunk_size, 1, limit, argument="chunk_size")


async def _no_rows() -> AsyncIterator[BadRow]:
    return
    yield


@asynccontextmanager
async def _closing(iterator: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T]]:
    """Close an iterator that is a generator when it is left early."""
    try:
        yield iterator
    finally:
        if isinstance(iterator, AsyncGenerator):
            await cast("AsyncGenerator[T]", iterator).aclose()
