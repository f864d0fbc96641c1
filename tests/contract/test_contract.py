"""Each endpoint sends the documented request and parses the documented response, with the async and sync clients."""

from __future__ import annotations

import json
import ssl
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
import respx

from ippanel_edge import AsyncEdgeClient, EdgeClient, EdgeError, Outcome, RetryPolicy, ValidationFailed
from ippanel_edge.endpoints import Access
from tests.contract.catalogue import SAMPLES
from tests.contract.sample import BASE, KEY, LINE, Sample

OPTIONS: dict[str, Any] = {
    "base_url": BASE,
    "from_number": LINE,
    "retry": RetryPolicy(retries=0),
    # Shared by all clients, because loading the certificates of the system takes longer than a test.
    "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
}


def response_of(sample: Sample) -> httpx.Response:
    if isinstance(sample.answer, bytes):
        return httpx.Response(sample.status, content=sample.answer, headers=dict(sample.headers))
    return httpx.Response(sample.status, json=sample.answer, headers=dict(sample.headers))


def check_request(sample: Sample, request: httpx.Request) -> None:
    """Compare the request with the documented one."""
    address = str(request.url.copy_with(query=None))
    assert (request.method, address) == (sample.endpoint.method, sample.address)
    assert dict(parse_qsl(urlsplit(str(request.url)).query)) == dict(sample.query)
    key = request.headers.get("authorization")
    assert key == (KEY if sample.endpoint.access is Access.KEY else None)
    body = request.read()
    kind = request.headers.get("content-type", "")
    if sample.files or sample.endpoint.multipart:
        assert kind.startswith("multipart/form-data")
        fields, files = multipart(kind, body)
        assert fields == {name: as_list(value) for name, value in (sample.form or {}).items()}
        assert files == list(sample.files)
    elif sample.form is not None:
        assert kind == "application/x-www-form-urlencoded"
        assert parse_qs(body.decode()) == {name: as_list(value) for name, value in sample.form.items()}
    elif sample.json is not None:
        assert kind == "application/json"
        assert json.loads(body) == sample.json
    else:
        assert body == b""


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def multipart(kind: str, body: bytes) -> tuple[dict[str, list[str]], list[tuple[str, str, bytes]]]:
    """Parse a multipart body with the email parser of the standard library."""
    fields: dict[str, list[str]] = {}
    files: list[tuple[str, str, bytes]] = []
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    for part in message.get_payload():
        assert not isinstance(part, str)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        file_name = part.get_filename()
        if file_name is None:
            fields.setdefault(name, []).append(content.decode())
        else:
            files.append((name, file_name, content))
    return fields, files


@pytest.mark.anyio
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_the_async_client_sends_the_documented_request_and_parses_the_response(sample: Sample) -> None:
    async with AsyncEdgeClient(KEY, **OPTIONS) as client:
        with respx.mock(assert_all_called=False) as router:
            route = router.route().mock(return_value=response_of(sample))
            assert await sample.call(client) == sample.returns
    assert route.call_count == 1
    check_request(sample, route.calls.last.request)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_sync_client_sends_the_documented_request_and_parses_the_response(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=response_of(sample))
        assert sample.call(client) == sample.returns
    assert route.call_count == 1
    check_request(sample, route.calls.last.request)


REJECTED: dict[str, Any] = {
    "data": None,
    "meta": {
        "status": False,
        "message": "تکمیل این گزینه الزامی است",
        "message_parameters": [],
        "message_code": "400-2",
        "errors": {"field": ["تکمیل این گزینه الزامی است"]},
    },
}


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_documented_rejection_names_the_invalid_field(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock as router:
        router.route().mock(return_value=httpx.Response(422, json=REJECTED))
        with pytest.raises(ValidationFailed) as caught:
            sample.call(client)
    error = caught.value
    assert (error.outcome, error.attempts, error.endpoint) == (Outcome.REJECTED, 1, sample.endpoint.name)
    assert dict(error.errors) == {"field": ("تکمیل این گزینه الزامی است",)}
    assert str(error) == (
        f"{sample.endpoint.name}: HTTP 422 [400-2] (rejected by the service, not executed)\n"
        "field: تکمیل این گزینه الزامی است"
    ), "a text that the message and a field have in common is shown once"


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_status_false_with_http_200_is_a_rejection(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock as router:
        router.route().mock(return_value=httpx.Response(200, json=REJECTED))
        with pytest.raises(EdgeError) as caught:
            sample.call(client)
    assert caught.value.outcome is Outcome.REJECTED
