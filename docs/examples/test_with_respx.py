"""Test your own code with respx: no network, no sandbox, and full control of each response.

Usage: pytest test_with_respx.py
"""

from __future__ import annotations

import json

import httpx
import pytest
import respx

from ippanel_edge import EdgeClient, EdgeError, Outcome, RetryPolicy

SEND = "https://edge.ippanel.com/v1/api/send"
ACCEPTED = {"data": {"message_outbox_ids": [1001]}, "meta": {"status": True, "message": "", "message_code": "200-1"}}


def notify(client: EdgeClient, mobile: str) -> int:
    """Send the message of your application. This is the code that the tests test."""
    return client.send.webservice(mobile, "Your order is on its way.").id


@pytest.fixture
def client() -> EdgeClient:
    return EdgeClient(
        "key-of-a-test",
        base_url="https://edge.ippanel.com/v1",
        from_number="+983000100200",
        retry=RetryPolicy(retries=0),  # a retry would be a second request, after a pause
    )


@respx.mock
def test_the_request_has_the_number_in_e164(client: EdgeClient) -> None:
    route = respx.post(SEND).respond(json=ACCEPTED)
    assert notify(client, "0912 345 6789") == 1001
    body = json.loads(route.calls.last.request.content)
    assert body["params"]["recipients"] == ["+989123456789"]


@respx.mock
def test_a_timeout_after_sending_is_unknown(client: EdgeClient) -> None:
    route = respx.post(SEND).mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(EdgeError) as caught:
        notify(client, "0912 345 6789")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert route.call_count == 1


@respx.mock
def test_a_rejection_names_the_field(client: EdgeClient) -> None:
    errors = {"recipients": ["invalid"]}
    meta = {"status": False, "message": "invalid", "message_code": "400-2", "errors": errors}
    respx.post(SEND).respond(422, json={"data": None, "meta": meta})
    with pytest.raises(EdgeError) as caught:
        notify(client, "0912 345 6789")
    assert caught.value.outcome is Outcome.REJECTED
