"""Mocked services with paginated lists: an inbox, an outbox and the recipients of a message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from tests.contract.sample import ok

CannedResponse = httpx.Response | Exception


def page_envelope(rows: list[dict[str, Any]], page: int, size: int, **meta: Any) -> dict[str, Any]:
    """Return one page of a list, with the pagination fields of the service."""
    figures = {"current_page": page, "last_page": max(1, -(-len(rows) // size)), "per_page": size, "total": len(rows)}
    return ok(rows[(page - 1) * size : page * size], **{**figures, **meta})


class Pages:
    """A list with fixed pages that ignores the requested page size.

    Args:
        pages: the rows of each page; later pages are empty.
        meta: the pagination fields of each page; the last ones also apply to all later pages.
    """

    def __init__(self, pages: list[list[dict[str, Any]]], *meta: dict[str, Any]) -> None:
        self.pages = pages
        self.meta = meta or ({},)
        self.requested_pages: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.faults: list[CannedResponse] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read() or b"{}") or dict(request.url.params)
        number = int(body["page"])
        self.bodies.append(body)
        self.requested_pages.append(number)
        if self.faults:
            return respond(self.faults.pop(0))
        rows = self.pages[number - 1] if number <= len(self.pages) else []
        return httpx.Response(200, json=ok(rows, **self.meta[min(number, len(self.meta)) - 1]))


class Inbox:
    """An inbox, newest first, that honours from_id; an event may precede each request.

    Args:
        ids: the ids of the messages.
        events: one per request: a response or exception for it, a function that changes the inbox before it, or None.
        honours_from_id: whether messages up to from_id are left out.
    """

    def __init__(
        self,
        *ids: int,
        events: Iterable[CannedResponse | Callable[[Inbox], None] | None] = (),
        honours_from_id: bool = True,
    ) -> None:
        self.ids = list(ids)
        self.events = list(events)
        self.honours_from_id = honours_from_id
        self.max_rows = 100
        self.newest_first = True
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read())
        self.bodies.append(body)
        event = self.events.pop(0) if self.events else None
        if isinstance(event, httpx.Response | Exception):
            return respond(event)
        if event is not None:
            event(self)
        after = body.get("filters", {}).get("from_id", 0) if self.honours_from_id else 0
        ids = sorted((message_id for message_id in self.ids if message_id > after), reverse=self.newest_first)
        rows = [{"messages_inbox_id": str(message_id), "message": f"message {message_id}"} for message_id in ids]
        return httpx.Response(200, json=page_envelope(rows, body["page"], min(body["per_page"], self.max_rows)))


class Delivery:
    """A message and its recipients; each poll of the recipients returns the next stage.

    Args:
        stages: the message_status of each recipient, one list per poll; the last one is repeated.
        states: the state_id of the message, one per poll; the last one is repeated.
    """

    def __init__(self, *stages: list[Any], states: list[Any] | None = None) -> None:
        self.stages = stages
        self.states = states or [6]
        self.polls = 0
        self.urls: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(request.url)
        if request.url.path.endswith("/by_bulk"):
            self.polls += 1
            state = self.states[min(self.polls, len(self.states)) - 1]
            return httpx.Response(200, json=ok({"messages_outbox_id": "9", "state_id": state}))
        statuses = self.stages[min(self.polls, len(self.stages)) - 1]
        rows = [
            {"recipient": f"+98912000{index:04}", "message_status": status} for index, status in enumerate(statuses)
        ]
        page, size = int(request.url.params["page"]), int(request.url.params["per_page"])
        return httpx.Response(200, json=page_envelope(rows, page, size))


def respond(canned: CannedResponse) -> httpx.Response:
    """Return a copy of the response, because a response can be read only once, or raise the exception."""
    if isinstance(canned, Exception):
        raise canned
    return httpx.Response(canned.status_code, headers=canned.headers, content=canned.content)


async def take(items: Any, count: int) -> list[Any]:
    """Return the next `count` items of a sync or async iterator, without requesting more."""
    return [await next_item(items) for _ in range(count)]


async def next_item(items: Any) -> Any:
    """Return the next item of a sync or async iterator."""
    return await anext(items) if hasattr(items, "__anext__") else next(items)


async def collect(items: Any) -> list[Any]:
    """Return all items of a sync or async iterator."""
    return [item async for item in items] if hasattr(items, "__aiter__") else list(items)
