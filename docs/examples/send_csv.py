"""Send a personal message to each customer in a CSV file and wait for delivery.

The program uses the local sandbox, so nothing is sent to the service:

    python docs/examples/send_csv.py [customers.csv]

To use the service, remove the sandbox: `AsyncEdgeClient()` reads IPPANEL_API_KEY and IPPANEL_FROM_NUMBER.
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
"""Messages per request."""
CONCURRENT_SENDS = 4
CONCURRENT_POLLS = 32
DELIVERY_TIMEOUT = 30.0
"""Seconds to wait for the delivery of a message."""


@attrs.define
class Plan:
    """The messages to send, and the rows that are skipped: the line numbers, and the reason of an invalid row."""

    rows: int = 0
    messages: list[PeerMessage] = attrs.field(factory=list[PeerMessage])
    duplicates: list[int] = attrs.field(factory=list[int])
    invalid: list[tuple[int, str, str]] = attrs.field(factory=list[tuple[int, str, str]])


@attrs.define
class Result:
    """The result of sending a plan."""

    requests: int = 0
    ids: list[int] = attrs.field(factory=list[int])
    failures: list[str] = attrs.field(factory=list[str])
    states: Counter[str] = attrs.field(factory=Counter[str])
    cost: float = 0.0


def read(path: Path) -> Plan:
    """Read a CSV file with the columns `name` and `mobile`. A duplicate number, in any format, is skipped."""
    plan = Plan()
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            plan.rows += 1
            try:
                number = normalize_phone(row["mobile"])
            except ConfigurationError as error:
                plan.invalid.append((reader.line_num, row["mobile"], str(error.args[0])))
                continue
            if number in seen:
                plan.duplicates.append(reader.line_num)
                continue
            seen.add(number)
            text = f"{row['name']} عزیز، جشنواره زمستانی ما آغاز شد. کد تخفیف شما: YALDA"
            plan.messages.append(PeerMessage(recipients=number, message=text))
    return plan


async def send(client: AsyncEdgeClient, plan: Plan, progress: Progress) -> Result:
    """Send the messages in chunks. A failed chunk is recorded with its outcome and not sent again."""
    result = Result()
    chunks = [plan.messages[start : start + CHUNK] for start in range(0, len(plan.messages), CHUNK)]
    bar = progress.add_task("Sending", total=len(plan.messages))
    limiter = anyio.CapacityLimiter(CONCURRENT_SENDS)

    async def send_chunk(chunk: list[PeerMessage]) -> None:
        async with limiter:
            result.requests += 1
            try:
                sent = await client.send.peer_to_peer(chunk)
            except EdgeError as error:
                result.failures.append(f"{len(chunk)} messages, {error.outcome}: {error}")
            else:
                result.ids.extend(sent.message_outbox_ids)
        progress.advance(bar, len(chunk))

    async with anyio.create_task_group() as tasks:
        for chunk in chunks:
            tasks.start_soon(send_chunk, chunk)
    return result


async def wait_for_delivery(client: AsyncEdgeClient, result: Result, progress: Progress) -> None:
    """Wait until each message has a final delivery status, then sum up the costs."""
    bar = progress.add_task("Delivery", total=len(result.ids))
    limiter = anyio.CapacityLimiter(CONCURRENT_POLLS)

    async def wait(message_outbox_id: int) -> None:
        async with limiter:
            rows = await client.reports.wait_delivered(message_outbox_id, timeout=DELIVERY_TIMEOUT, every=1.0)
        result.states.update(getattr(row.message_status, "name", str(row.message_status)) for row in rows)
        progress.advance(bar)

    async with anyio.create_task_group() as tasks:
        for message_outbox_id in result.ids:
            tasks.start_soon(wait, message_outbox_id)
    async for message in client.reports.iter_outbox(limit=1000):
        result.cost += message.cost or 0.0


def show(console: Console, plan: Plan, result: Result) -> None:
    """Print the summary and the invalid rows."""
    summary = Table(title="Summary", show_header=False)
    summary.add_column(justify="left")
    summary.add_column(justify="right")
    summary.add_row("rows read", f"{plan.rows:,}")
    summary.add_row("messages sent", f"{len(result.ids):,}")
    summary.add_row("duplicates skipped", f"{len(plan.duplicates):,}")
    summary.add_row("invalid rows skipped", f"{len(plan.invalid):,}")
    summary.add_row("requests", f"{result.requests:,}")
    summary.add_row("SMS parts", f"{sum(sms_parts(message.message).parts for message in plan.messages):,}")
    summary.add_row("cost in Rials", f"{result.cost:,.1f}")
    for state, count in sorted(result.states.items()):
        summary.add_row(state.lower().replace("_", " "), f"{count:,}")
    console.print(summary)
    invalid = Table("line", "value", "reason", title="Invalid rows")
    for line, value, reason in plan.invalid:
        invalid.add_row(str(line), value or "(empty)", reason)
    console.print(invalid)
    for failure in result.failures:
        console.print(f"[red]failed:[/red] {failure}")


async def main(path: Path) -> int:
    """Send the messages and wait for delivery. Return 0 if every chunk was accepted."""
    console = Console()
    plan = read(path)
    async with Sandbox() as sandbox:
        sandbox.state.delivery_seconds = 0.5
        async with AsyncEdgeClient(
            sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number
        ) as client:
            with Progress(console=console) as progress:
                result = await send(client, plan, progress)
                await wait_for_delivery(client, result, progress)
    show(console, plan, result)
    return 1 if result.failures else 0


if __name__ == "__main__":
    csv_file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("customers.csv")
    sys.exit(anyio.run(main, csv_file))
