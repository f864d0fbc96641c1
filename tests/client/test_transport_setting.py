"""The setting `transport`: how it is chosen, what it does not support, and that mocks receive the requests."""

from __future__ import annotations

import logging
from typing import Any, cast

import httpx
import pytest
import respx
from pytest_httpx import HTTPXMock

from ippanel_edge import AsyncEdgeClient, ConfigurationError, EdgeClient
from ippanel_edge._async.fast import AsyncFastTransport
from ippanel_edge._async.pool import AsyncPoolTransport
from ippanel_edge._sync.fast import FastTransport
from ippanel_edge._sync.pool import PoolTransport
from tests.client.fast import open_client, respond, send
from tests.client.loopback import Loopback
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])


@pytest.fixture(autouse=True)
def _default_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset the transport of the environment: this file sets its own."""
    monkeypatch.delenv("IPPANEL_TRANSPORT", raising=False)


def transport_of(client: Any) -> type:
    """Return the class of the transport that the client uses."""
    assert client._shared.http._transport is client._shared.transport
    return cast("type", client._shared.transport.__class__)


def fast(kind: Any) -> type:
    return FastTransport if kind is EdgeClient else AsyncFastTransport


def default(kind: Any) -> type:
    return PoolTransport if kind is EdgeClient else AsyncPoolTransport


# Choosing.


@BOTH
def test_the_argument_chooses_the_transport_of_a_client_and_its_copies(kind: Any) -> None:
    client = kind("key-0001", transport="fast")
    assert transport_of(client) is fast(kind)
    assert client.with_options(timeout=5)._shared is client._shared
    assert transport_of(kind("key-0001", transport="httpx")) is default(kind)


@BOTH
def test_nothing_that_is_installed_chooses_the_fast_transport(kind: Any) -> None:
    assert transport_of(kind("key-0001")) is default(kind)


@BOTH
@pytest.mark.parametrize(("value", "is_fast"), [("fast", True), ("httpx", False), ("", False)])
def test_the_environment_chooses_unless_the_argument_does(
    kind: Any, value: str, *, is_fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPPANEL_TRANSPORT", value)
    assert transport_of(kind("key-0001")) is (fast(kind) if is_fast else default(kind))
    assert transport_of(kind("key-0001", transport="httpx")) is default(kind)
    assert transport_of(kind("key-0001", transport="fast")) is fast(kind)


@BOTH
def test_an_unknown_transport_of_the_environment_is_an_error(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPPANEL_TRANSPORT", "Fast")
    with pytest.raises(ConfigurationError, match=r"^transport: expected 'httpx' or 'fast', got 'Fast'"):
        kind("key-0001")


@BOTH
@pytest.mark.parametrize("name", ["fast", "httpx"])
def test_a_transport_is_not_combined_with_a_custom_client(kind: Any, name: Any) -> None:
    http: Any = httpx.Client() if kind is EdgeClient else httpx.AsyncClient()
    with pytest.raises(ConfigurationError, match=r"^http_client: must not be combined with .*transport"):
        kind("key-0001", http_client=http, transport=name)


@BOTH
def test_a_custom_client_ignores_the_transport_of_the_environment(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPPANEL_TRANSPORT", "fast")
    http: Any = httpx.Client() if kind is EdgeClient else httpx.AsyncClient()
    client = kind("key-0001", http_client=http)
    assert (client._shared.http, client._shared.transport) == (http, None)
    assert "fast" not in repr(client)


@BOTH
def test_the_repr_and_one_log_record_name_the_fast_transport(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ippanel_edge"):
        default_client = kind("key-0001")
        assert not caplog.records
        client = kind("key-0001", transport="fast")
    assert repr(client) == f"<{kind.__name__} https://edge.ippanel.com/v1 from None over fast>"
    assert repr(client.with_options(timeout=5)) == repr(client)
    assert "fast" not in repr(default_client)
    (record,) = caplog.records
    assert (record.name, record.message, vars(record)["transport"]) == ("ippanel_edge", "the transport is fast", "fast")


@BOTH
@pytest.mark.parametrize("url", ["https://proxy.test:3128", "socks5://proxy.test:1080", "socks5h://proxy.test"])
def test_a_proxy_that_is_not_http_is_refused_with_the_remedy(kind: Any, url: str) -> None:
    scheme = url.partition(":")[0]
    match = rf"^proxy: the fast transport supports http:// proxies only, not {scheme}://; .*'httpx'"
    for proxy in (url, httpx.Proxy(url)):
        with pytest.raises(ConfigurationError, match=match):
            kind("key-0001", proxy=proxy, transport="fast")
        with pytest.raises(ConfigurationError, match=match):
            fast(kind)(proxy=proxy)


# Mocks: a mocked test never reaches the network, and the network is used again afterwards.


async def test_respx_receives_the_requests_while_it_is_active(side: str) -> None:
    with Loopback(respond) as server:
        async with open_client(side, server.url) as client:
            assert await send(client) == 1
            with respx.mock(base_url=server.url) as router:
                route = router.post("/v1/api/send").respond(json=ok({"message_outbox_ids": [77]}))
                assert [await send(client), await send(client)] == [77, 77]
            assert (route.call_count, server.connections) == (2, 1)
            assert await send(client) in {1, 2}


async def test_pytest_httpx_receives_the_requests_while_it_is_active(
    side: str, httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(respond) as server:
        async with open_client(side, server.url) as client:
            httpx_mock.add_response(url=f"{server.url}/v1/api/send", json=ok({"message_outbox_ids": [77]}))
            assert (await send(client), server.connections) == (77, 0)
            monkeypatch.undo()  # the fixture patches with it
            assert (await send(client), server.connections) == (1, 1)


@pytest.mark.parametrize("owner", ["transport", "client"])
async def test_a_replaced_method_of_httpx_receives_the_requests(
    side: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[httpx.Request] = []

    def answer(_: Any, request: httpx.Request, **__: Any) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ok({"message_outbox_ids": [77]}), request=request)

    async def answer_async(owner: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        return answer(owner, request, **options)

    patches: dict[str, tuple[Any, str]] = {
        "transport": (httpx.AsyncHTTPTransport, "handle_async_request"),
        "client": (httpx.AsyncClient, "send"),
    }
    if side == "sync":
        patches = {"transport": (httpx.HTTPTransport, "handle_request"), "client": (httpx.Client, "send")}
    with Loopback(respond) as server:
        async with open_client(side, server.url) as client:
            monkeypatch.setattr(*patches[owner], answer if side == "sync" else answer_async)
            assert (await send(client), server.connections, len(seen)) == (77, 0, 1)
            monkeypatch.undo()
            monkeypatch.delenv("IPPANEL_TRANSPORT", raising=False)
            assert (await send(client), server.connections, len(seen)) == (1, 1, 1)


# trio, and httpx's log line.


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_on_trio_requests_take_the_default_transport(side: str) -> None:
    with Loopback(respond) as server:
        async with open_client(side, server.url) as client:
            assert await send(client) == 1
            transport = client._shared.transport
            used = [len(each.pool.here._idle) for each in (transport, transport._default)]
            assert used == ([0, 1] if side == "trio" else [1, 0])
        assert server.wait_for_open(0)


async def test_the_default_transport_logs_the_line_of_httpx_and_the_fast_one_does_not(
    side: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Loopback(respond) as server, caplog.at_level(logging.INFO, "httpx"):
        counts: list[int] = []
        for name in ("httpx", "fast"):
            async with open_client(side, server.url, transport=name) as client:
                await send(client)
            counts.append(len([record for record in caplog.records if record.name == "httpx"]))
    assert counts == ([1, 2] if side == "trio" else [1, 1])


async def test_a_reply_over_the_fast_transport_has_the_response_with_joined_headers(side: str) -> None:
    def handler(request: Any) -> None:
        body = b'{"data": 5, "meta": {"status": true}}'
        lines = b"X-Name: a\r\nX-Name: b\r\nX-Request-Id: r1\r\nContent-Length: %d\r\n\r\n" % len(body)
        request.send(b"HTTP/1.1 200 OK\r\n" + lines + body)

    with Loopback(handler) as server:
        async with open_client(side, server.url) as client:
            reply = await result(client.request("GET", "/api/any"))
        assert (reply.data, reply.response.status_code, reply.response.headers["x-name"]) == (5, 200, "a, b")
        assert reply.request_id == "r1"
