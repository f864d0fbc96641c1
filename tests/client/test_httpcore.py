"""What the SDK reads of httpx's and httpcore's private state, and what it does where a release has changed it.

The first half runs the installed releases over real sockets: it fails when one of them renames what is read, or gives
it another meaning. The second half takes the names away: nothing is lost but speed, and one warning is given.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import h11
import httpcore
import httpx
import pytest

import ippanel_edge._async.exchange
import ippanel_edge._sync._io
from ippanel_edge import AsyncEdgeClient, EdgeClient, EdgeError, Outcome
from ippanel_edge._async.exchange import _BEFORE_HEADERS
from ippanel_edge._sync._io import make_transport
from ippanel_edge._sync.exchange import Trace
from ippanel_edge.endpoints import PAYMENT_CREDIT
from ippanel_edge.wire import inspection
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import call
from tests.client.loopback import PATIENCE, Asked, Loopback, echo, reply
from tests.client.pools import client_of, texts
from tests.client.sides import result

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _warned_of_nothing() -> Iterator[None]:
    inspection.warn_unknown.cache_clear()
    yield
    inspection.warn_unknown.cache_clear()


@pytest.fixture(params=["direct", "by proxy"])
def proxied(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def proxy_of(server: Loopback, proxied: str) -> str | None:
    return f"http://{server.host}" if proxied == "by proxy" else None


async def opened(client: Any, url: str, **options: Any) -> Any:
    """Send a request and return its response, its body not read yet."""
    return await result(client.send(client.build_request("POST", url, **options), stream=True))


async def finish(side: str, response: Any) -> None:
    await result(response.read() if side == "sync" else response.aread())
    await result(response.close() if side == "sync" else response.aclose())


def held_by(client: Any) -> Any:
    """Return the one transport of httpx that the client's pool holds, in use or idle."""
    connections = client._transport._connections.get()
    return [*connections._idle, *connections._busy][0].transport


def parser_of(layer: Any) -> Any:
    while (inner := getattr(layer, "_connection", None)) is not None:
        layer = inner
    return layer._h11_state


# The installed releases: state.


async def test_a_transport_holds_its_one_connection_busy_until_the_response_is_closed(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    with Loopback(tls=tls) as server:
        async with client_of(side, trust, proxy=proxy_of(server, proxied)) as client:
            response = await opened(client, f"{server.url}/a")
            (connection,) = held_by(client)._pool.connections
            assert not connection.is_idle()
            await finish(side, response)
            assert held_by(client)._pool.connections == [connection]
            assert connection.is_idle()
            assert not connection.is_closed()


async def test_the_innermost_layer_has_the_parser_and_the_parser_has_what_was_left_over(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bytes, bool]] = []
    is_clean = inspection.is_clean

    def look(transport: Any, network: Any) -> bool:
        (connection,) = transport._pool.connections
        parser = parser_of(connection)
        assert isinstance(parser, h11.Connection)
        assert network.get_extra_info("is_readable") is False
        left, at_end = parser.trailing_data
        assert not at_end
        seen.append((left, is_clean(transport, network)))
        return seen[-1][1]

    def answer(asked: Asked) -> None:
        asked.send(reply("a") + (b"left over" if "more" in asked.target else b""))

    monkeypatch.setattr(inspection, "is_clean", look)
    with Loopback(answer, tls=tls) as server:
        async with client_of(side, trust, proxy=proxy_of(server, proxied)) as client:
            assert await texts(client, server.url, "a", "more") == ["a", "a"]
    assert seen == [(b"", True), (b"left over", False)]


async def test_the_network_stream_shows_the_tls_layer(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    with Loopback(tls=tls) as server:
        async with client_of(side, trust, proxy=proxy_of(server, proxied)) as client:
            response = await opened(client, f"{server.url}/a")
            network = response.extensions["network_stream"]
            shown = network.get_extra_info("ssl_object")
            # Only a layer over memory buffers reads ahead and has to be drained: a TLS socket reads record by record.
            assert isinstance(shown, ssl.SSLObject) is (tls is not None and side != "sync")
            assert (shown is None) is (tls is None)
            await finish(side, response)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"], ids=["direct", "proxy"])
def test_the_sync_network_backend_is_replaced(url: str | None) -> None:
    with make_transport(ssl.create_default_context(), None if url is None else httpx.Proxy(url), 1.0) as transport:
        pool: Any = transport._pool
        assert isinstance(pool._network_backend, ippanel_edge._sync._io._CappedBackend)
        assert isinstance(pool._network_backend._backend, httpcore.NetworkBackend)


def test_the_replaced_network_backend_is_the_one_that_connects(
    monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    asked: list[str] = []
    connect = ippanel_edge._sync._io._CappedBackend.connect_tcp

    def noting(self: Any, host: str, *rest: Any, **options: Any) -> httpcore.NetworkStream:
        asked.append(host)
        return connect(self, host, *rest, **options)

    monkeypatch.setattr(ippanel_edge._sync._io._CappedBackend, "connect_tcp", noting)
    with Loopback(tls=tls) as server:
        url = proxy_of(server, proxied)
        proxy = None if url is None else httpx.Proxy(url)
        with make_transport(trust, proxy, 1.0) as transport, httpx.Client(transport=transport) as client:
            assert client.get(f"{server.url}/a").text == "a"
    assert asked == ["127.0.0.1"]


async def test_a_refused_connection_is_caused_by_an_exception_of_httpcore(side: str) -> None:
    with Loopback() as gone:
        nowhere = gone.url
    async with client_of(side) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await result(client.get(nowhere))
    assert type(caught.value.__cause__).__module__.partition(".")[0] == "httpcore"


# The installed releases: events.


async def test_the_events_of_a_request_are_those_that_are_known(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext
) -> None:
    events: list[tuple[str, Any]] = []
    with Loopback(tls=tls) as server:
        async with client_of(side, trust) as client:
            for path in "ab":
                response = await opened(client, f"{server.url}/{path}", extensions={"trace": note(side, events)})
                await finish(side, response)
    opening = ["connection.connect_tcp"] + (["connection.start_tls"] if tls else [])
    request = [
        "http11.send_request_headers",
        "http11.send_request_body",
        "http11.receive_response_headers",
        "http11.receive_response_body",
        "http11.response_closed",
    ]
    steps = [name.removesuffix(".started") for name, _ in events if name.endswith(".started")]
    assert steps == [*opening, *request, *request]
    assert all(step.startswith(_BEFORE_HEADERS) for step in opening)
    assert not any(step.startswith(_BEFORE_HEADERS) for step in request)
    started = [info["request"].method for name, info in events if name == "http11.send_request_headers.started"]
    assert started == [b"POST", b"POST"]


async def test_the_end_of_opening_a_connection_tells_of_its_socket(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext
) -> None:
    events: list[tuple[str, Any]] = []
    with Loopback(tls=tls) as server:
        async with client_of(side, trust) as client:
            response = await opened(client, server.url, extensions={"trace": note(side, events)})
            ends = [name for name, _ in events if name.endswith(("connect_tcp.complete", "start_tls.complete"))]
            assert ends == ["connection.connect_tcp.complete"] + (["connection.start_tls.complete"] if tls else [])
            last = dict(events)[ends[-1]]["return_value"]
            assert last is response.extensions["network_stream"]
            assert callable(last.close if side == "sync" else last.aclose)
            await finish(side, response)


async def test_what_a_proxy_is_asked_counts_for_nothing(side: str, trust: ssl.SSLContext, authority: Any) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    attempts = Attempts(call(PAYMENT_CREDIT))
    trace = Trace(attempts)  # its code is the same on both sides
    begun_at: list[str] = []

    def observe(event: str, info: Any) -> None:
        trace(event, info)
        if attempts.headers_began and not begun_at:
            begun_at.append(event)
            assert info["request"].method == b"POST"

    async def observe_async(event: str, info: Any) -> None:
        observe(event, info)

    with Loopback(tls=server_side) as server:
        async with client_of(side, trust, proxy=f"http://{server.host}") as client:
            extensions = {"trace": observe if side == "sync" else observe_async}
            await finish(side, await opened(client, server.url, extensions=extensions))
    assert trace.connecting
    assert begun_at == ["http11.send_request_headers.started"]


def note(side: str, events: list[tuple[str, Any]]) -> Callable[..., Any]:
    def noting(event: str, info: Any) -> None:
        events.append((event, info))

    async def noting_async(event: str, info: Any) -> None:
        noting(event, info)

    return noting if side == "sync" else noting_async


# A release that is not known: the names of the connection's state.

REUSE_IS_OFF = (
    rf"^httpx {httpx.__version__} with httpcore {httpcore.__version__} is not a release that ippanel-edge knows: "
    r"connection reuse is off, .* Upgrade ippanel-edge, or install "
)


async def test_where_a_name_is_gone_no_connection_is_reused_and_one_warning_says_so(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(httpcore.ConnectionPool if side == "sync" else httpcore.AsyncConnectionPool, "connections")
    with Loopback() as server:
        with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF) as warned:
            async with client_of(side, max_connections=1) as client:
                assert await texts(client, server.url, "a", "b", "c") == ["a", "b", "c"]
        assert len(warned) == 1
        assert server.connections == 3
        assert server.comes_to(open=0)


async def test_where_the_network_stream_is_gone_no_connection_is_reused(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport: Any = httpx.HTTPTransport if side == "sync" else httpx.AsyncHTTPTransport
    handle = "handle_request" if side == "sync" else "handle_async_request"
    original = getattr(transport, handle)

    def without_stream(response: httpx.Response) -> httpx.Response:
        del response.extensions["network_stream"]
        return response

    async def handle_async(self: Any, request: httpx.Request) -> httpx.Response:
        return without_stream(await original(self, request))

    def handle_sync(self: Any, request: httpx.Request) -> httpx.Response:
        return without_stream(original(self, request))

    monkeypatch.setattr(transport, handle, handle_sync if side == "sync" else handle_async)
    with Loopback() as server:
        with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF):
            async with client_of(side) as client:
                assert await texts(client, server.url, "a", "b") == ["a", "b"]
        assert server.connections == 2


async def test_where_warnings_are_errors_the_request_succeeds_and_the_log_has_the_text(
    side: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(httpcore.ConnectionPool if side == "sync" else httpcore.AsyncConnectionPool, "connections")
    with Loopback() as server, caplog.at_level(logging.WARNING, "ippanel_edge"), warnings.catch_warnings():
        warnings.simplefilter("error")
        async with client_of(side, max_connections=1) as client:
            assert await texts(client, server.url, "a", "b") == ["a", "b"]
    (record,) = [record for record in caplog.records if record.name == "ippanel_edge"]
    assert "connection reuse is off" in record.getMessage()


class Parts:
    """Stand-ins for a transport and its network stream, clean unless a test takes something away."""

    def __init__(self) -> None:
        self.parser = SimpleNamespace(trailing_data=(b"", False))
        self.layer = SimpleNamespace(_h11_state=self.parser)
        self.connection = SimpleNamespace(is_idle=lambda: True, _connection=self.layer)
        self.pool = SimpleNamespace(connections=[self.connection])
        self.transport = SimpleNamespace(_pool=self.pool)
        self.network = SimpleNamespace(get_extra_info={"ssl_object": None}.get)


def test_with_every_name_in_place_a_connection_is_clean() -> None:
    parts = Parts()
    assert inspection.is_clean(parts.transport, parts.network)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("transport", "_pool"),
        ("pool", "connections"),
        ("connection", "is_idle"),
        ("connection", "_connection"),
        ("layer", "_h11_state"),
        ("parser", "trailing_data"),
        ("network", "get_extra_info"),
    ],
)
def test_each_name_that_is_gone_is_reported(owner: str, name: str) -> None:
    parts = Parts()
    delattr(getattr(parts, owner), name)
    with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF):
        assert not inspection.is_clean(parts.transport, parts.network)


@pytest.mark.parametrize("value", [None, (), 7])
def test_a_value_of_another_kind_is_reported(value: object) -> None:
    parts = Parts()
    parts.parser.trailing_data = value
    with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF):
        assert not inspection.is_clean(parts.transport, parts.network)


def test_a_closed_connection_and_a_mock_are_no_reason_to_warn() -> None:
    parts = Parts()
    parts.pool.connections = []
    assert not inspection.is_clean(parts.transport, parts.network)
    assert not inspection.is_clean(parts.transport, None)


# A release that is not known: the network backend of the sync side.


class Renaming(httpcore.ConnectionPool):
    """A pool of httpcore whose network backend has another name, except while it makes a connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.renamed = self.__dict__.pop("_network_backend")

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        self._network_backend = self.renamed
        try:
            return super().create_connection(origin)
        finally:
            del self._network_backend


def test_where_the_network_backend_is_gone_requests_succeed_and_one_warning_says_what_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(httpcore, "ConnectionPool", Renaming)
    context = ssl.create_default_context()
    with pytest.warns(RuntimeWarning, match=": a deadline does not interrupt") as warned:
        transports = [make_transport(context, None, 1.0) for _ in range(2)]
    assert len(warned) == 1
    with Loopback() as server:
        for transport in transports:
            with httpx.Client(transport=transport) as client:
                assert client.get(f"{server.url}/a").text == "a"


# A release that is not known: the events.


@pytest.mark.parametrize(
    ("event", "info"),
    [
        ("http11.send_head.started", {"request": SimpleNamespace(method=b"POST")}),
        ("http11.send_request_headers.started", {}),
        ("http3.send_request_headers.started", {}),
        ("http11.send_request_body.complete", {"return_value": None}),
    ],
)
def test_a_request_counts_as_begun_from_an_event_that_is_not_known(event: str, info: dict[str, Any]) -> None:
    attempts = Attempts(call(PAYMENT_CREDIT))
    Trace(attempts)(event, info)
    assert attempts.headers_began


@pytest.mark.parametrize(
    "events",
    [
        ["connection.connect_tcp.started", "connection.start_tls.complete", "connection.retry.started"],
        ["socks.connect_tcp.started", "socks.setup_socks5_connection.complete", "socks.start_tls.failed"],
        ["http2.send_connection_init.started"],
    ],
)
def test_opening_a_connection_does_not_begin_a_request(events: list[str]) -> None:
    attempts = Attempts(call(PAYMENT_CREDIT))
    for event in events:
        Trace(attempts)(event, {"request": SimpleNamespace(method=b"POST")})
    assert not attempts.headers_began


async def test_where_events_have_other_names_a_send_that_breaks_is_unknown_and_not_repeated(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(asked: Asked) -> None:
        if "send" in asked.target:
            asked.wire.close()
        else:
            echo(asked)

    def renamed(event: str) -> str:
        return event.replace("send_request_headers", "send_head")

    sync_trace = Trace.__call__
    async_trace = ippanel_edge._async.exchange.AsyncTrace.__call__

    def traced(self: Any, event: str, info: Any) -> None:
        sync_trace(self, renamed(event), info)

    async def traced_async(self: Any, event: str, info: Any) -> None:
        await async_trace(self, renamed(event), info)

    monkeypatch.setattr(Trace, "__call__", traced)
    monkeypatch.setattr(ippanel_edge._async.exchange.AsyncTrace, "__call__", traced_async)
    kind = EdgeClient if side == "sync" else AsyncEdgeClient
    with Loopback(answer) as server:
        client: Any = kind("a-test-key", base_url=f"{server.url}/v1", from_number="+983000111222", timeout=PATIENCE)
        with pytest.raises(EdgeError) as caught:
            await result(client.send.webservice("09123456789", "hello"))
        assert caught.value.outcome is Outcome.UNKNOWN
        assert server.connections == 1
        await result(client.close() if side == "sync" else client.aclose())
