"""A whole campaign in one call, for asynchronous and for synchronous programs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial

import anyio

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.campaign import AnyRows, Campaign, OnBadRow
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.records import Method, Report
from ippanel_edge.bulk.runner import OnProgress
from ippanel_edge.config import RateLimit


async def send_campaign(
    ledger: str | os.PathLike[str] | Ledger,
    rows: AnyRows,
    *,
    client: AsyncEdgeClient | None = None,
    from_number: str | None = None,
    message: str | None = None,
    pattern: str | None = None,
    params: Mapping[str, str] | Iterable[str] | None = None,
    send_time: datetime | None = None,
    one_per_number: bool = False,
    method: Method | str | None = None,
    chunk_size: int | None = None,
    on_bad_row: OnBadRow = "set_aside",
    concurrency: int = 8,
    rate: RateLimit | float | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Load rows and send them. Call it again with the same arguments to go on after a crash: no row is sent twice.

    Args:
        ledger: as for `Campaign.open`.
        rows: as for `Campaign.load`.
        client: the client; a new one with the settings of the environment if omitted.
        from_number: as for `Campaign.open`, like the next seven arguments.
        message: the text, or a template with ``{column}`` fields.
        pattern: the code of a pattern, instead of a message.
        params: the column of each variable of the pattern.
        send_time: timezone-aware time to send at; sent immediately if omitted.
        one_per_number: whether a number gets one message only, even if its rows have different texts.
        method: the method of `client.send`; chosen by the number of rows if omitted.
        chunk_size: the maximum number of rows of a request.
        on_bad_row: as for `Campaign.load`.
        concurrency: as for `Campaign.run`, like the next two arguments.
        rate: the maximum rate of requests, or its requests per second.
        on_progress: a plain function that receives the progress after each request.

    Raises:
        InvalidArgument: an argument or the file is invalid.
        CampaignError: the ledger belongs to another campaign, or another process uses it.
        LedgerError: the ledger cannot be written.
    """
    async with AsyncExitStack() as stack:
        if client is None:
            client = await stack.enter_async_context(AsyncEdgeClient())
        campaign = Campaign.open(
            ledger,
            client,
            from_number=from_number,
            message=message,
            pattern=pattern,
            params=params,
            send_time=send_time,
            one_per_number=one_per_number,
            method=method,
            chunk_size=chunk_size,
        )
        await stack.enter_async_context(campaign)
        await campaign.load(rows, on_bad_row=on_bad_row)
        return await campaign.run(concurrency=concurrency, rate=rate, on_progress=on_progress)


def send_campaign_sync(
    ledger: str | os.PathLike[str] | Ledger,
    rows: AnyRows,
    *,
    client: AsyncEdgeClient | None = None,
    from_number: str | None = None,
    message: str | None = None,
    pattern: str | None = None,
    params: Mapping[str, str] | Iterable[str] | None = None,
    send_time: datetime | None = None,
    one_per_number: bool = False,
    method: Method | str | None = None,
    chunk_size: int | None = None,
    on_bad_row: OnBadRow = "set_aside",
    concurrency: int = 8,
    rate: RateLimit | float | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Do the same as `send_campaign` in a synchronous program, in an event loop of its own.

    The arguments and errors are those of `send_campaign`. An `AsyncEdgeClient` that is passed must not be in use by
    another event loop.
    """
    return anyio.run(
        partial(
            send_campaign,
            ledger,
            rows,
            client=client,
            from_number=from_number,
            message=message,
            pattern=pattern,
            params=params,
            send_time=send_time,
            one_per_number=one_per_number,
            method=method,
            chunk_size=chunk_size,
            on_bad_row=on_bad_row,
            concurrency=concurrency,
            rate=rate,
            on_progress=on_progress,
        )
    )
