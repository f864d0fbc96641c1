"""Send a personal message to each customer in a CSV file and wait for delivery.

The program uses the local sandbox, so nothing is sent to the service:

    python docs/examples/send_csv.py [customers.csv [campaign.db]]

To use the service, remove the sandbox: `AsyncEdgeClient()` reads IPPANEL_API_KEY and IPPANEL_FROM_NUMBER. The ledger
(campaign.db) records what was sent: after a crash, run the program again, and it goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, LoadReport, Plan, Report, Tracked, read_rows
from ippanel_edge.sandbox import Sandbox

MESSAGE = "{name} عزیز، جشنواره زمستانی ما آغاز شد. کد تخفیف شما: YALDA"
CHUNK = 100
"""Messages per request."""


async def send(campaign: Campaign, path: Path, console: Console) -> tuple[LoadReport, Plan, Report, Tracked]:
    """Load the file, send it with a progress bar, and wait for delivery."""
    loaded = await campaign.load(read_rows(path, recipient="mobile"))
    plan = await campaign.plan()
    with Progress(console=console) as progress:
        bar = progress.add_task("Sending", total=plan.rows)
        report = await campaign.run(
            concurrency=4, rate=50, on_progress=lambda now: progress.update(bar, completed=now.done)
        )
    with console.status("Waiting for delivery"):
        tracked = await campaign.track(timeout=30, every=0.5)
    return loaded, plan, report, tracked


def show(console: Console, figures: Mapping[str, str]) -> None:
    """Print the summary."""
    summary = Table(title="Summary", show_header=False)
    summary.add_column(justify="left")
    summary.add_column(justify="right")
    for name, figure in figures.items():
        summary.add_row(name, figure)
    console.print(summary)


async def show_invalid(console: Console, campaign: Campaign) -> None:
    """Print the rows that were set aside."""
    invalid = Table("line", "value", "reason", title="Invalid rows")
    async for row in campaign.bad_rows():
        invalid.add_row(str(row.line), row.value or "(empty)", row.reason)
    console.print(invalid)


async def main(path: Path, ledger: Path) -> int:
    """Send the messages and wait for delivery. Return 0 if every row was sent or set aside."""
    console = Console()
    async with Sandbox() as sandbox:
        sandbox.state.delivery_seconds = 0.5
        async with (
            AsyncEdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client,
            Campaign.open(ledger, client, message=MESSAGE, one_per_number=True, chunk_size=CHUNK) as campaign,
        ):
            loaded, plan, report, tracked = await send(campaign, path, console)
            figures = {
                "rows read": f"{loaded.rows:,}",
                "invalid rows set aside": f"{loaded.set_aside:,}",
                "duplicates left out": f"{loaded.duplicates:,}",
                "SMS parts": f"{plan.parts:,}",
                "price in Rials": f"{plan.cost_from:,.1f} to {plan.cost_to:,.1f}",
                "requests": f"{report.requests:,}",
                "sent": f"{report.counts.sent:,}",
                "rejected": f"{report.counts.rejected:,}",
                "unknown": f"{report.counts.unknown:,}",
                "delivered": f"{tracked.delivered:,}",
                "not delivered": f"{tracked.not_delivered:,}",
            }
            show(console, figures)
            await show_invalid(console, campaign)
    return 0 if report.counts.sent == report.counts.rows else 1


if __name__ == "__main__":
    csv_file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("customers.csv")
    with TemporaryDirectory() as folder:  # the sandbox forgets its messages, so this ledger is not kept either
        ledger_file = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "campaign.db"  # noqa: PLR2004 - its place
        code = anyio.run(main, csv_file, ledger_file)
    sys.exit(code)
