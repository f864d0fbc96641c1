"""The forms and questions of tickets. Nothing is sent in here."""

from __future__ import annotations

from typing import Any, Final

from ippanel_edge.config import Defaults
from ippanel_edge.models.tickets import TicketFilters
from ippanel_edge.values.checks import identity, paging, text
from ippanel_edge.values.files import FileInput, Upload, open_upload
from ippanel_edge.wire import codec

KINDS: Final = frozenset({"zip", "jpg", "jpeg", "png"})
MOST_BYTES: Final = 10 * 1024 * 1024


def listing(defaults: Defaults, *, page: int, per_page: int, filters: TicketFilters | None) -> dict[str, Any]:
    """Make the query of a list: the page, and the filters that are set.

    Raises:
        ConfigurationError: the page is out of its limits, or a filter is no id.
    """
    wanted: dict[str, Any] = {} if filters is None else codec.encode(filters)
    for name, value in wanted.items():
        if name != "username":
            identity(value, argument=f"filters.{name}")
    return {**paging(page, per_page, check=defaults.validate), **wanted}


def question(subject: str, category_id: int, description: str, *, sms_notification: bool) -> dict[str, Any]:
    """Make the form of a new ticket."""
    return {
        "subject": text(subject, argument="subject"),
        "category_id": identity(category_id, argument="category_id"),
        "description": text(description, argument="description"),
        "sms_notification": "1" if sms_notification else "0",
    }


def answer(ticket_id: int, description: str) -> dict[str, Any]:
    """Make the form of a reply."""
    return {
        "ticket_id": identity(ticket_id, argument="ticket_id"),
        "description": text(description, argument="description"),
    }


def attachment(defaults: Defaults, file: FileInput | None) -> list[tuple[str, Upload]]:
    """Describe the file of a ticket or reply, if there is one: zip, jpg, jpeg or png, at most 10 MB."""
    if file is None:
        return []
    upload = open_upload(file, argument="file", kinds=KINDS, max_bytes=MOST_BYTES, check_limits=defaults.validate)
    return [("file", upload)]
