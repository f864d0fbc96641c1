"""An inbox, an outbox and a message's recipients behind a mocked transport, as the service pages them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from tests.contract.sample import ok

Answer = httpx.Response | Exception


def page_of(rows: list[dict[str, Any]], page: int, size: int, **meta: Any) -> dict[str, Any]:
    """Make one page of a list, with the figures that the service gives."""
    figures = {"current_page": page, "last_page": max(1, -(-len(rows) // size)), "per_page": size, "total": len(rows)}
    return ok(rows[(page - 1) * size : page * size], **{**figures, **meta})


class Pages:
    """A list in fixed pages, whatever size is asked for, with the figures of each told or left out.

    Args:
        pages: the rows of each page; what lies beyond is empty.
        meta: figures for each page, the last ones for all that follow.
    """

    def __init__(self, pages: list[list[dict[str, Any]]], *meta: dict[str, Any]) -> None:
        self.pages = pages
        self.meta = meta or ({},)
        self.asked: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.faults: list[Answer] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read() or b"{}") or dict(request.url.params)
        number = int(body["page"])
        self.bodies.append(body)
        self.asked.append(number)
        if self.faults:
            return given(self.faults.pop(0))
        rows = self.pages[number - 1] if number <= len(self.pages) else []
        return httpx.Response(200, json=ok(rows, **self.meta[min(number, len(self.meta)) - 1]))


class Inbox:
    """An inbox, newest first, that honours from_id; before each look something may happen.

    Args:
        ids: of the texts that are there.
        events: what happens before each request: a fault that answers it, or a function of this inbox.
        heeds_from_id: whether it leaves out what is not newer.
    """

    def __init__(
        self, *ids: int, events: Iterable[Answer | Callable[[Inbox], None] | None] = (), heeds_from_id: bool = True
    ) -> None:
        self.ids = list(ids)
        self.events = list(events)
        self.heeds_from_id = heeds_from_id
        self.most_rows = 100
        self.newest_first = True
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read())
        self.bodies.append(body)
        event = self.events.pop(0) if self.events else None
        if isinstance(event, httpx.Response | Exception):
            return given(event)
        if event is not None:
            event(self)
        after = body.get("filters", {}).get("from_id", 0) if self.heeds_from_id else 0
        ids = sorted((each for each in self.ids if each > after), reverse=self.newest_first)
        rows = [{"messages_inbox_id": str(each), "message": f"text {each}"} for each in ids]
        return httpx.Response(200, json=page_of(rows, body["page"], min(body["per_page"], self.most_rows)))


class Delivery:
    """A message and its recipients; each look at the recipients shows the next of its stages.

    Args:
        stages: message_status of each recipient, look by look; the last stays.
        states: state_id of the message, look by look; the last stays.
    """

    def __init__(self, *stages: list[Any], states: list[Any] | None = None) -> None:
        self.stages = stages
        self.states = states or [6]
        self.looks = 0
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if request.url.path.endswith("/by_bulk"):
            self.looks += 1
            state = self.states[min(self.looks, len(self.states)) - 1]
            return httpx.Response(200, json=ok({"messages_outbox_id": "9", "state_id": state}))
        statuses = self.stages[min(self.looks, len(self.stages)) - 1]
        rows = [
            {"recipient": f"+98912000{index:04}", "message_status": status} for index, status in enumerate(statuses)
        ]
        page, size = int(request.url.params["page"]), int(request.url.params["per_page"])
        return httpx.Response(200, json=page_of(rows, page, size))


def given(answer: Answer) -> httpx.Response:
    """Answer, or break off, as told. An answer is made anew: one that was read on one side is of no use on another."""
    if isinstance(answer, Exception):
        raise answer
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


async def take(items: Any, count: int) -> list[Any]:
    """Take so many items from an iterator of any side, and ask for no more."""
    return [await following(items) for _ in range(count)]


async def following(items: Any) -> Any:
    """Take the next item from an iterator of any side."""
    return await anext(items) if hasattr(items, "__anext__") else next(items)


async def everything(items: Any) -> list[Any]:
    """Take all items from an iterator of any side."""
    return [item async for item in items] if hasattr(items, "__aiter__") else list(items)
