"""Campaigns: a million rows from a file, resumable, and no row sent twice. Names are imported lazily, on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ippanel_edge.bulk.campaign import Campaign
    from ippanel_edge.bulk.ledger import Ledger
    from ippanel_edge.bulk.postgres import PostgresLedger
    from ippanel_edge.bulk.process import process_chunk
    from ippanel_edge.bulk.records import (
        BadRow,
        CampaignError,
        Chunk,
        Counts,
        Kind,
        LedgerError,
        LoadReport,
        Method,
        Plan,
        Processed,
        Progress,
        Reconciled,
        Report,
        ReportRow,
        Settlement,
        State,
        Terms,
        TextSize,
        Tracked,
    )
    from ippanel_edge.bulk.run import send_campaign, send_campaign_sync
    from ippanel_edge.bulk.sources import Rows, read_rows
    from ippanel_edge.bulk.sqlite import SqliteLedger

__all__ = [
    "BadRow",
    "Campaign",
    "CampaignError",
    "Chunk",
    "Counts",
    "Kind",
    "Ledger",
    "LedgerError",
    "LoadReport",
    "Method",
    "Plan",
    "PostgresLedger",
    "Processed",
    "Progress",
    "Reconciled",
    "Report",
    "ReportRow",
    "Rows",
    "Settlement",
    "SqliteLedger",
    "State",
    "Terms",
    "TextSize",
    "Tracked",
    "process_chunk",
    "read_rows",
    "send_campaign",
    "send_campaign_sync",
]

_RECORDS = (
    "BadRow CampaignError Chunk Counts Kind LedgerError LoadReport Method Plan Processed Progress Reconciled Report "
    "ReportRow Settlement State Terms TextSize Tracked"
)
_MODULES = {
    "campaign": "Campaign",
    "ledger": "Ledger",
    "process": "process_chunk",
    "records": _RECORDS,
    "run": "send_campaign send_campaign_sync",
    "sources": "Rows read_rows",
    "postgres": "PostgresLedger",
    "sqlite": "SqliteLedger",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise ImportError(f"{name} needs the extra postgres: pip install 'ippanel-edge[postgres]'") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
