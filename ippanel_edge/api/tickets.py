"""The queries, forms and files of tickets."""

from __future__ import annotations

from typing import Any, Final

from ippanel_edge.api.fields import filters_of
from ippanel_edge.config import Defaults
from ippanel_edge.models.tickets import TicketFilters
from ippanel_edge.values.checks import check_id, paging
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.uploads import open_upload

_REPLY_KINDS: Final = frozenset({"zip", "jpg", "jpeg", "png"})
MAX_BYTES: Final = 10 * 1024 * 1024


def listing(defaults: Defaults, page: int, per_page: int, filters: TicketFilters | None) -> dict[str, Any]:
    """Return the query of a list: the page, and the filters that are set.

    Raises:
        InvalidArgument: the page is out of range, or a filter is not an id.
    """
    fields = filters_of(filters, TicketFilters)
    for name, value in fields.items():
        if name != "username":
            check_id(value, argument=f"filters.{name}")
    return {**paging(page, per_page=per_page, check=defaults.validate), **fields}


def attachment(file: FileInput | None) -> list[tuple[str, Upload]]:
    """Describe the file of a new ticket, if there is one. The API documents no limit for it."""
    return [] if file is None else [("file", open_upload(file, argument="file", kinds=None, max_bytes=None))]


def reply_attachment(defaults: Defaults, file: FileInput | None) -> list[tuple[str, Upload]]:
    """Describe the file of a reply, if there is one: zip, jpg, jpeg or png, at most 10 MB."""
    if file is None:
        return []
    upload = open_upload(file, argument="file", kinds=_REPLY_KINDS, max_bytes=MAX_BYTES, check_limits=defaults.validate)
    return [("file", upload)]
