"""The dry run: what the pending rows of a campaign would need and cost. It asks for prices, and sends nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.reads import Reads
from ippanel_edge.bulk.reconcile import fill_pattern
from ippanel_edge.bulk.records import Kind, Plan, State, TextSize
from ippanel_edge.bulk.texts import parse_template
from ippanel_edge.config import RateLimit
from ippanel_edge.values.segments import SmsParts, sms_parts

_BATCH: Final = 5_000


async def make_plan(ledger: Ledger, client: AsyncEdgeClient, *, rate: RateLimit | None, price: bool) -> Plan:
    """Count the pending rows, their requests and parts, and ask for the price of each distinct length.

    Raises:
        EdgeError: a price, or the text of the pattern, cannot be read.
    """
    sizes = await _sizes(ledger, client)
    requests = await ledger.pending_chunks()
    cost_from, cost_to = await _cost(ledger, client, sizes) if price else (None, None)
    return Plan(
        rows=sum(size.rows for size in sizes),
        requests=requests,
        parts=sum(size.rows * size.parts for size in sizes),
        sizes=sizes,
        cost_from=cost_from,
        cost_to=cost_to,
        seconds=None if rate is None else sum(requests.values()) / rate.per_second,
    )


async def _sizes(ledger: Ledger, client: AsyncEdgeClient) -> list[TextSize]:
    if ledger.terms.kind is Kind.ONE_TEXT:
        rows = (await ledger.counts()).pending
        text = parse_template(ledger.terms.message or "").text
        return [_size(text, sms_parts(text), rows)] if rows else []
    found: dict[tuple[str, int], tuple[str, SmsParts, int]] = {}
    async for text in _texts(ledger, client):
        size = sms_parts(text)
        key = (size.encoding, size.units)
        example, _, rows = found.get(key, (text, size, 0))
        found[key] = (example, size, rows + 1)
    return [_size(*found[key]) for key in sorted(found)]


def _size(text: str, size: SmsParts, rows: int) -> TextSize:
    return TextSize(encoding=size.encoding, parts=size.parts, units=size.units, rows=rows, example=text)


async def _texts(ledger: Ledger, client: AsyncEdgeClient) -> AsyncIterator[str]:
    """Yield the text of each pending row."""
    terms = ledger.terms
    pattern = None
    if terms.kind is Kind.PATTERN:
        pattern = (await client.patterns.get(terms.pattern or "")).pattern_message or ""
    after = 0
    while found := await ledger.report(after=after, limit=_BATCH, states=[State.PENDING]):
        after = found[-1][0]
        for _, row in found:
            content = row.content or ""
            yield content if pattern is None else fill_pattern(pattern, json.loads(content))


async def _cost(ledger: Ledger, client: AsyncEdgeClient, sizes: list[TextSize]) -> tuple[float | None, float | None]:
    """Return the lowest and the highest cost: each number may belong to any operator."""
    line = ledger.terms.from_number
    prices: dict[int, tuple[float | None, float | None]] = {}

    async def ask(item: tuple[int, TextSize]) -> None:
        index, size = item
        price = await client.send.calculate_price(size.example, number=line)
        prices[index] = (price.mci_price, price.other_price)

    await Reads().each(enumerate(sizes), ask)
    low = high = 0.0
    for index, size in enumerate(sizes):
        known = [each for each in prices[index] if each is not None]
        if not known:
            return None, None
        low += min(known) * size.rows
        high += max(known) * size.rows
    return low, high
