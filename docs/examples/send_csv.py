"""The main job, start to end: a CSV of customers, each texted by name, followed until every text has arrived or failed.

It runs on the sandbox, so nothing leaves this machine:

    python docs/examples/send_csv.py [customers.csv]

For the real service leave the sandbox out: `AsyncEdgeClient()` reads IPPANEL_API_KEY and IPPANEL_FROM_NUMBER.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import anyio
import attrs
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ippanel_edge import AsyncEdgeClient, ConfigurationError, EdgeError, normalize_phone, sms_parts
from ippanel_edge.models.send import PeerMessage
from ippanel_edge.sandbox import Sandbox

CHUNK = 100
"""Texts in one request."""
REQUESTS_AT_ONCE = 4
LOOKS_AT_ONCE = 32
DELIVERED_WITHIN = 30.0
"""Seconds that a text is followed for."""


@attrs.define
class Plan:
    """What a file comes to: the texts to send, and the rows that are not sent, each with its line and the reason."""

    rows: int = 0
    messages: list[PeerMessage] = attrs.field(factory=list[PeerMessage])
    duplicates: list[int] = attrs.field(factory=list[int])
    bad: list[tuple[int, str, str]] = attrs.field(factory=list[tuple[int, str, str]])


@attrs.define
class Outcome:
    """What became of a plan."""

    requests: int = 0
    ids: list[int] = attrs.field(factory=list[int])
    failures: list[str] = attrs.field(factory=list[str])
    states: Counter[str] = attrs.field(factory=Counter[str])
    cost: float = 0.0


def read(path: Path) -> Plan:
    """Read a CSV with the columns `name` and `mobile`; a number that comes again, in any spelling, is left out."""
    plan = Plan()
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            plan.rows += 1
            try:
                number = normalize_phone(row["mobile"])
            except ConfigurationError as error:
                plan.bad.append((reader.line_num, row["mobile"], str(error.args[0])))
                continue
            if number in seen:
                plan.duplicates.append(reader.line_num)
                continue
            seen.add(number)
            text = f"{row['name']} عزیز، جشنواره زمستانی ما آغاز شد. کد تخفیف شما: YALDA"
            plan.messages.append(PeerMessage(recipients=number, message=text))
    return plan


async def send(client: AsyncEdgeClient, plan: Plan, progress: Progress) -> Outcome:
    """Send the texts in chunks, some at a time. A chunk that fails is noted with its outcome, never sent again."""
    outcome = Outcome()
    chunks = [plan.messages[start : start + CHUNK] for start in range(0, len(plan.messages), CHUNK)]
    bar = progress.add_task("Sending", total=len(plan.messages))
    places = anyio.CapacityLimiter(REQUESTS_AT_ONCE)

    async def send_chunk(chunk: list[PeerMessage]) -> None:
        async with places:
            outcome.requests += 1
            try:
                result = await client.send.peer_to_peer(chunk)
            except EdgeError as error:
                outcome.failures.append(f"{len(chunk)} texts, {error.outcome}: {error}")
            else:
                outcome.ids.extend(result.message_outbox_ids)
        progress.advance(bar, len(chunk))

    async with anyio.create_task_group() as tasks:
        for chunk in chunks:
            tasks.start_soon(send_chunk, chunk)
    return outcome


async def follow(client: AsyncEdgeClient, outcome: Outcome, progress: Progress) -> None:
    """Wait until each text has arrived or failed, then add up what they cost."""
    bar = progress.add_task("Delivery", total=len(outcome.ids))
    places = anyio.CapacityLimiter(LOOKS_AT_ONCE)

    async def look(message_outbox_id: int) -> None:
        async with places:
            rows = await client.reports.wait_delivered(message_outbox_id, timeout=DELIVERED_WITHIN, every=1.0)
        outcome.states.update(getattr(row.message_status, "name", str(row.message_status)) for row in rows)
        progress.advance(bar)

    async with anyio.create_task_group() as tasks:
        for message_outbox_id in outcome.ids:
            tasks.start_soon(look, message_outbox_id)
    async for message in client.reports.iter_outbox(limit=1000):
        outcome.cost += message.cost or 0.0


def show(console: Console, plan: Plan, outcome: Outcome) -> None:
    """Print the figures, and every row that was not sent."""
    figures = Table(title="The campaign", show_header=False)
    figures.add_column(justify="left")
    figures.add_column(justify="right")
    figures.add_row("rows read", f"{plan.rows:,}")
    figures.add_row("texts sent", f"{len(outcome.ids):,}")
    figures.add_row("duplicates left out", f"{len(plan.duplicates):,}")
    figures.add_row("bad rows left out", f"{len(plan.bad):,}")
    figures.add_row("requests made", f"{outcome.requests:,}")
    figures.add_row("parts", f"{sum(sms_parts(message.message).parts for message in plan.messages):,}")
    figures.add_row("cost in Rials", f"{outcome.cost:,.1f}")
    for state, count in sorted(outcome.states.items()):
        figures.add_row(state.lower().replace("_", " "), f"{count:,}")
    console.print(figures)
    bad = Table("line", "value", "reason", title="Bad rows")
    for line, value, reason in plan.bad:
        bad.add_row(str(line), value or "(empty)", reason)
    console.print(bad)
    for failure in outcome.failures:
        console.print(f"[red]not sent or unknown:[/red] {failure}")


async def main(path: Path) -> int:
    """Send the file and follow it; 0 where every chunk was accepted."""
    console = Console()
    plan = read(path)
    async with Sandbox() as sandbox:
        sandbox.state.delivery_seconds = 0.5
        async with AsyncEdgeClient(
            sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number
        ) as client:
            with Progress(console=console) as progress:
                outcome = await send(client, plan, progress)
                await follow(client, outcome, progress)
    show(console, plan, outcome)
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("customers.csv")
    sys.exit(anyio.run(main, given))
