"""Drafts and draft groups: messages, titles, ids and pages are validated before a request is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient


def fail_on_request(_: httpx.Request) -> httpx.Response:
    raise AssertionError("a request was sent")


INVALID_CALLS: list[tuple[str, Callable[[Any], object]]] = [
    ("message", lambda c: c.drafts.create(1, "س" * 1401)),
    ("message", lambda c: c.drafts.create(1, "  ")),
    ("draft_group_id", lambda c: c.drafts.create(0, "salam")),
    ("message", lambda c: c.drafts.update(1, "x" * 1401)),
    ("draft_id", lambda c: c.drafts.update(-3, "salam")),
    ("draft_ids", lambda c: c.drafts.delete([])),
    ("draft_ids", lambda c: c.drafts.delete(7)),
    ("draft_ids[1]", lambda c: c.drafts.delete([7, 0])),
    ("draft_group_id", lambda c: c.drafts.list(0)),
    ("per_page", lambda c: c.drafts.list(per_page=1001)),
    ("page", lambda c: c.drafts.list(page=0)),
    ("per_page", lambda c: list(c.drafts.iter_list(per_page=0))),
    ("title", lambda c: c.drafts.groups.create("x" * 201)),
    ("title", lambda c: c.drafts.groups.create("")),
    ("title", lambda c: c.drafts.groups.update(1, "x" * 201)),
    ("draft_group_id", lambda c: c.drafts.groups.update(0, "x")),
    ("draft_group_id", lambda c: c.drafts.groups.delete("1")),
    ("per_page", lambda c: c.drafts.groups.list(per_page=1001)),
]


@pytest.mark.parametrize(("argument", "call"), INVALID_CALLS)
def test_an_invalid_argument_is_rejected_before_sending_and_named_in_the_error(
    argument: str, call: Callable[[Any], object]
) -> None:
    client = EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(fail_on_request)))
    with pytest.raises(ConfigurationError) as caught:
        call(client)
    assert caught.value.argument == argument


def test_the_longest_message_and_title_are_accepted() -> None:
    sent: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(len(request.content))
        return httpx.Response(200, json={"data": None, "meta": {"status": True}})

    client = EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(respond)))
    client.drafts.create(1, "x" * 1400)
    client.drafts.groups.create("x" * 200)
    assert [size > 200 for size in sent] == [True, True]
