"""Each endpoint's request and answer, through respx, on both sides: to the byte of the documented shape."""

from __future__ import annotations

import json
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

OPTIONS: dict[str, Any] = {"base_url": BASE, "from_number": LINE, "retry": RetryPolicy(retries=0)}


def answer_of(sample: Sample) -> httpx.Response:
    if isinstance(sample.answer, bytes):
        return httpx.Response(sample.status, content=sample.answer, headers=dict(sample.headers))
    return httpx.Response(sample.status, json=sample.answer, headers=dict(sample.headers))


def check_request(sample: Sample, request: httpx.Request) -> None:
    """Compare what was sent with what the documents say."""
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
        assert fields == {name: listed(value) for name, value in (sample.form or {}).items()}
        assert files == list(sample.files)
    elif sample.form is not None:
        assert kind == "application/x-www-form-urlencoded"
        assert parse_qs(body.decode()) == {name: listed(value) for name, value in sample.form.items()}
    elif sample.json is not None:
        assert kind == "application/json"
        assert json.loads(body) == sample.json
    else:
        assert body == b""


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def multipart(kind: str, body: bytes) -> tuple[dict[str, list[str]], list[tuple[str, str, bytes]]]:
    """Read a multipart body with Python's own mail parser."""
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
async def test_the_async_side_asks_as_documented_and_reads_the_answer(sample: Sample) -> None:
    async with AsyncEdgeClient(KEY, **OPTIONS) as client:
        with respx.mock(assert_all_called=False) as router:
            route = router.route().mock(return_value=answer_of(sample))
            assert await sample.call(client) == sample.returns
    assert route.call_count == 1
    check_request(sample, route.calls.last.request)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_sync_side_asks_as_documented_and_reads_the_answer(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=answer_of(sample))
        assert sample.call(client) == sample.returns
    assert route.call_count == 1
    check_request(sample, route.calls.last.request)


REFUSED: dict[str, Any] = {
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
def test_a_documented_refusal_says_which_field_is_wrong(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock as router:
        router.route().mock(return_value=httpx.Response(422, json=REFUSED))
        with pytest.raises(ValidationFailed) as caught:
            sample.call(client)
    error = caught.value
    assert (error.outcome, error.attempts, error.endpoint) == (Outcome.REJECTED, 1, sample.endpoint.name)
    assert dict(error.errors) == {"field": ("تکمیل این گزینه الزامی است",)}
    assert "HTTP 422 [400-2]: تکمیل این گزینه الزامی است" in str(error)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_status_false_with_http_200_is_a_refusal(sample: Sample) -> None:
    with EdgeClient(KEY, **OPTIONS) as client, respx.mock as router:
        router.route().mock(return_value=httpx.Response(200, json=REFUSED))
        with pytest.raises(EdgeError) as caught:
            sample.call(client)
    assert caught.value.outcome is Outcome.REJECTED
