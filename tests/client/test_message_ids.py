"""Calls that take a message id also take the SendResult of one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ippanel_edge import InvalidArgument
from ippanel_edge.models import SendResult
from tests.client.conftest import MakeClient
from tests.client.reports_service import collect, page_envelope
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

ONE = SendResult(message_outbox_ids=(7,))
SEVERAL = SendResult(message_outbox_ids=(7, 8))

CALL: dict[str, Callable[[Any, Any], Any]] = {
    "by_id": lambda client, value: result(client.reports.by_id(value)),
    "recipients": lambda client, value: result(client.reports.recipients(value)),
    "iter_recipients": lambda client, value: collect(client.reports.iter_recipients(value)),
    "stats": lambda client, value: result(client.reports.stats(value)),
    "cancel": lambda client, value: result(client.send.cancel(value)),
}
CALLS = pytest.mark.parametrize("call", CALL.values(), ids=CALL)


class Service:
    """Answers every call, and records its query and body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((str(request.url), request.read()))
        if request.url.path.endswith("/recipients"):
            return httpx.Response(200, json=page_envelope([], 1, 10))
        return httpx.Response(200, json=ok({}))


@CALLS
async def test_a_send_result_is_the_same_as_its_id(call: Callable[[Any, Any], Any], make_client: MakeClient) -> None:
    service = Service()
    await call(make_client(service), 7)
    await call(make_client(service), ONE)
    assert service.requests[0] == service.requests[1]
    assert "7" in "".join(map(str, service.requests[1]))


@CALLS
async def test_a_send_result_with_several_messages_is_rejected(
    call: Callable[[Any, Any], Any], make_client: MakeClient
) -> None:
    service = Service()
    with pytest.raises(InvalidArgument) as caught:
        await call(make_client(service), SEVERAL)
    assert str(caught.value) == (
        "message_outbox_id: expected one message, got a SendResult with 2; call once for each of its message_outbox_ids"
    )
    assert service.requests == []


@CALLS
@pytest.mark.parametrize("invalid", [0, "7", None, True, [7]])
async def test_any_other_value_is_rejected(
    invalid: Any, call: Callable[[Any, Any], Any], make_client: MakeClient
) -> None:
    service = Service()
    with pytest.raises(InvalidArgument, match=r"^message_outbox_id: expected an i"):
        await call(make_client(service), invalid)
    assert service.requests == []
