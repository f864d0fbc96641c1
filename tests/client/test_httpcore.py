"""The private state of httpx and httpcore that the SDK reads, and the fallbacks if a release changes it.

The first half runs the installed releases over real sockets, and fails if one of them renames this state or changes its
meaning. The second half removes the names: only performance is lost, and one warning is raised.
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
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest, echo, http_response
from tests.client.pools import get_texts, open_client
from tests.client.sides import result

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _default_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the transport over httpcore, whatever the others use."""
    monkeypatch.delenv("IPPANEL_TRANSPORT", raising=False)


@pytest.fixture(autouse=True)
def _reset_warnings() -> Iterator[None]:
    inspection.warn_unknown.cache_clear()
    yield
    inspection.warn_unknown.cache_clear()


@pytest.fixture(params=["direct", "proxy"])
def proxied(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def proxy_of(server: Loopback, proxied: str) -> str | None:
    return f"http://{server.host}" if proxied == "proxy" else None


async def send_request(client: Any, url: str, **options: Any) -> Any:
    """Send a request and return its response with an unread body."""
    return await result(client.send(client.build_request("POST", url, **options), stream=True))


async def finish(side: str, response: Any) -> None:
    await result(response.read() if side == "sync" else response.aread())
    await result(response.close() if side == "sync" else response.aclose())


def transport_of(client: Any) -> Any:
    """Return the only httpx transport in the pool of the client, in use or idle."""
    connections = client._transport.pool.here
    return [*connections._idle, *connections._busy][0].transport


def parser_of(layer: Any) -> Any:
    while (inner := getattr(layer, "_connection", None)) is not None:
        layer = inner
    return layer._h11_state


# The installed releases: state.


async def test_the_connection_of_a_transport_is_not_idle_until_the_response_is_closed(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    with Loopback(tls=tls) as server:
        async with open_client(side, trust, proxy=proxy_of(server, proxied)) as client:
            response = await send_request(client, f"{server.url}/a")
            (connection,) = transport_of(client)._pool.connections
            assert not connection.is_idle()
            await finish(side, response)
            assert transport_of(client)._pool.connections == [connection]
            assert connection.is_idle()
            assert not connection.is_closed()


async def test_the_innermost_layer_has_the_parser_and_the_parser_has_the_trailing_data(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[tuple[bytes, bool]] = []
    is_clean = inspection.is_clean

    def recording(transport: Any, network: Any) -> bool:
        (connection,) = transport._pool.connections
        parser = parser_of(connection)
        assert isinstance(parser, h11.Connection)
        assert network.get_extra_info("is_readable") is False
        trailing, at_end = parser.trailing_data
        assert not at_end
        states.append((trailing, is_clean(transport, network)))
        return states[-1][1]

    def handler(request: ReceivedRequest) -> None:
        request.send(http_response("a") + (b"trailing" if "more" in request.target else b""))

    monkeypatch.setattr(inspection, "is_clean", recording)
    with Loopback(handler, tls=tls) as server:
        async with open_client(side, trust, proxy=proxy_of(server, proxied)) as client:
            assert await get_texts(client, server.url, "a", "more") == ["a", "a"]
    assert states == [(b"", True), (b"trailing", False)]


async def test_the_network_stream_has_the_tls_layer(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    with Loopback(tls=tls) as server:
        async with open_client(side, trust, proxy=proxy_of(server, proxied)) as client:
            response = await send_request(client, f"{server.url}/a")
            network = response.extensions["network_stream"]
            ssl_object = network.get_extra_info("ssl_object")
            # Only an SSLObject reads ahead and must be drained; an SSLSocket reads record by record.
            assert isinstance(ssl_object, ssl.SSLObject) is (tls is not None and side != "sync")
            assert (ssl_object is None) is (tls is None)
            await finish(side, response)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"], ids=["direct", "proxy"])
def test_the_sync_network_backend_is_replaced(url: str | None) -> None:
    with make_transport(ssl.create_default_context(), None if url is None else httpx.Proxy(url), 1.0) as transport:
        pool: Any = transport._pool
        assert isinstance(pool._network_backend, ippanel_edge._sync._io._CappedBackend)
        assert isinstance(pool._network_backend._backend, httpcore.NetworkBackend)


def test_connections_are_opened_by_the_replaced_network_backend(
    monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext | None, trust: ssl.SSLContext, proxied: str
) -> None:
    hosts: list[str] = []
    connect = ippanel_edge._sync._io._CappedBackend.connect_tcp

    def recording_connect(self: Any, host: str, *rest: Any, **options: Any) -> httpcore.NetworkStream:
        hosts.append(host)
        return connect(self, host, *rest, **options)

    monkeypatch.setattr(ippanel_edge._sync._io._CappedBackend, "connect_tcp", recording_connect)
    with Loopback(tls=tls) as server:
        url = proxy_of(server, proxied)
        proxy = None if url is None else httpx.Proxy(url)
        with make_transport(trust, proxy, 1.0) as transport, httpx.Client(transport=transport) as client:
            assert client.get(f"{server.url}/a").text == "a"
    assert hosts == ["127.0.0.1"]


async def test_the_cause_of_a_refused_connection_is_an_exception_of_httpcore(side: str) -> None:
    with Loopback() as closed:
        url = closed.url
    async with open_client(side) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await result(client.get(url))
    assert type(caught.value.__cause__).__module__.partition(".")[0] == "httpcore"


# The installed releases: events.


async def test_a_request_emits_the_known_trace_events(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext
) -> None:
    events: list[tuple[str, Any]] = []
    with Loopback(tls=tls) as server:
        async with open_client(side, trust) as client:
            for path in "ab":
                response = await send_request(
                    client, f"{server.url}/{path}", extensions={"trace": recorder(side, events)}
                )
                await finish(side, response)
    connect_steps = ["connection.connect_tcp"] + (["connection.start_tls"] if tls else [])
    request = [
        "http11.send_request_headers",
        "http11.send_request_body",
        "http11.receive_response_headers",
        "http11.receive_response_body",
        "http11.response_closed",
    ]
    steps = [name.removesuffix(".started") for name, _ in events if name.endswith(".started")]
    assert steps == [*connect_steps, *request, *request]
    assert all(step.startswith(_BEFORE_HEADERS) for step in connect_steps)
    assert not any(step.startswith(_BEFORE_HEADERS) for step in request)
    started = [info["request"].method for name, info in events if name == "http11.send_request_headers.started"]
    assert started == [b"POST", b"POST"]


async def test_the_last_event_of_connecting_has_the_network_stream(
    side: str, tls: ssl.SSLContext | None, trust: ssl.SSLContext
) -> None:
    events: list[tuple[str, Any]] = []
    with Loopback(tls=tls) as server:
        async with open_client(side, trust) as client:
            response = await send_request(client, server.url, extensions={"trace": recorder(side, events)})
            ends = [name for name, _ in events if name.endswith(("connect_tcp.complete", "start_tls.complete"))]
            assert ends == ["connection.connect_tcp.complete"] + (["connection.start_tls.complete"] if tls else [])
            stream = dict(events)[ends[-1]]["return_value"]
            assert stream is response.extensions["network_stream"]
            assert callable(stream.close if side == "sync" else stream.aclose)
            await finish(side, response)


async def test_the_connect_request_to_a_proxy_does_not_count_as_the_start_of_the_request(
    side: str, trust: ssl.SSLContext, authority: Any
) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    attempts = Attempts(call(PAYMENT_CREDIT))
    trace = Trace(attempts)  # the async class has the same code
    started_at: list[str] = []

    def observe(event: str, info: Any) -> None:
        trace(event, info)
        if attempts.headers_began and not started_at:
            started_at.append(event)
            assert info["request"].method == b"POST"

    async def observe_async(event: str, info: Any) -> None:
        observe(event, info)

    with Loopback(tls=server_side) as server:
        async with open_client(side, trust, proxy=f"http://{server.host}") as client:
            extensions = {"trace": observe if side == "sync" else observe_async}
            await finish(side, await send_request(client, server.url, extensions=extensions))
    assert trace.connecting
    assert started_at == ["http11.send_request_headers.started"]


def recorder(side: str, events: list[tuple[str, Any]]) -> Callable[..., Any]:
    def on_event(event: str, info: Any) -> None:
        events.append((event, info))

    async def on_event_async(event: str, info: Any) -> None:
        on_event(event, info)

    return on_event if side == "sync" else on_event_async


# Unknown releases: the state of a connection.

REUSE_IS_OFF = (
    rf"^httpx {httpx.__version__} with httpcore {httpcore.__version__} is not a release that ippanel-edge knows: "
    r"connection reuse is off, .* Upgrade ippanel-edge, or install "
)


async def test_without_a_private_name_no_connection_is_reused_and_one_warning_is_raised(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(httpcore.ConnectionPool if side == "sync" else httpcore.AsyncConnectionPool, "connections")
    with Loopback() as server:
        with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF) as warnings_raised:
            async with open_client(side, max_connections=1) as client:
                assert await get_texts(client, server.url, "a", "b", "c") == ["a", "b", "c"]
        assert len(warnings_raised) == 1
        assert server.connections == 3
        assert server.wait_for_open(0)


async def test_without_the_network_stream_no_connection_is_reused(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
            async with open_client(side) as client:
                assert await get_texts(client, server.url, "a", "b") == ["a", "b"]
        assert server.connections == 2


async def test_if_warnings_are_errors_the_request_succeeds_and_the_warning_is_logged(
    side: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(httpcore.ConnectionPool if side == "sync" else httpcore.AsyncConnectionPool, "connections")
    with Loopback() as server, caplog.at_level(logging.WARNING, "ippanel_edge"), warnings.catch_warnings():
        warnings.simplefilter("error")
        async with open_client(side, max_connections=1) as client:
            assert await get_texts(client, server.url, "a", "b") == ["a", "b"]
    (record,) = [record for record in caplog.records if record.name == "ippanel_edge"]
    assert "connection reuse is off" in record.getMessage()


class Fakes:
    """Fakes of a transport and its network stream, whose connection is clean unless a test removes an attribute."""

    def __init__(self) -> None:
        self.parser = SimpleNamespace(trailing_data=(b"", False))
        self.layer = SimpleNamespace(_h11_state=self.parser)
        self.connection = SimpleNamespace(is_idle=lambda: True, _connection=self.layer)
        self.pool = SimpleNamespace(connections=[self.connection])
        self.transport = SimpleNamespace(_pool=self.pool)
        self.network = SimpleNamespace(get_extra_info={"ssl_object": None}.get)


def test_a_connection_with_every_private_name_is_clean() -> None:
    fakes = Fakes()
    assert inspection.is_clean(fakes.transport, fakes.network)


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
def test_each_missing_name_raises_a_warning(owner: str, name: str) -> None:
    fakes = Fakes()
    delattr(getattr(fakes, owner), name)
    with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF):
        assert not inspection.is_clean(fakes.transport, fakes.network)


@pytest.mark.parametrize("value", [None, (), 7])
def test_a_value_of_another_type_raises_a_warning(value: object) -> None:
    fakes = Fakes()
    fakes.parser.trailing_data = value
    with pytest.warns(RuntimeWarning, match=REUSE_IS_OFF):
        assert not inspection.is_clean(fakes.transport, fakes.network)


def test_a_closed_connection_and_a_mock_raise_no_warning() -> None:
    fakes = Fakes()
    fakes.pool.connections = []
    assert not inspection.is_clean(fakes.transport, fakes.network)
    assert not inspection.is_clean(fakes.transport, None)


# Unknown releases: the network backend of sync code.


class RenamedBackendPool(httpcore.ConnectionPool):
    """An httpcore pool whose network backend has another name, except while it creates a connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.backend = self.__dict__.pop("_network_backend")

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        self._network_backend = self.backend
        try:
            return super().create_connection(origin)
        finally:
            del self._network_backend


def test_without_the_network_backend_requests_succeed_and_one_warning_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(httpcore, "ConnectionPool", RenamedBackendPool)
    context = ssl.create_default_context()
    with pytest.warns(RuntimeWarning, match=": a deadline does not interrupt") as warnings_raised:
        transports = [make_transport(context, None, 1.0) for _ in range(2)]
    assert len(warnings_raised) == 1
    with Loopback() as server:
        for transport in transports:
            with httpx.Client(transport=transport) as client:
                assert client.get(f"{server.url}/a").text == "a"


# Unknown releases: trace events.


@pytest.mark.parametrize(
    ("event", "info"),
    [
        ("http11.send_head.started", {"request": SimpleNamespace(method=b"POST")}),
        ("http11.send_request_headers.started", {}),
        ("http3.send_request_headers.started", {}),
        ("http11.send_request_body.complete", {"return_value": None}),
    ],
)
def test_an_unknown_event_counts_as_the_start_of_the_request(event: str, info: dict[str, Any]) -> None:
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
def test_the_events_of_connecting_do_not_count_as_the_start_of_the_request(events: list[str]) -> None:
    attempts = Attempts(call(PAYMENT_CREDIT))
    for event in events:
        Trace(attempts)(event, {"request": SimpleNamespace(method=b"POST")})
    assert not attempts.headers_began


async def test_with_renamed_events_a_send_whose_connection_breaks_is_unknown_and_not_retried(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(request: ReceivedRequest) -> None:
        if "send" in request.target:
            request.sock.close()
        else:
            echo(request)

    def renamed(event: str) -> str:
        return event.replace("send_request_headers", "send_head")

    sync_trace = Trace.__call__
    async_trace = ippanel_edge._async.exchange.AsyncTrace.__call__

    def renamed_trace(self: Any, event: str, info: Any) -> None:
        sync_trace(self, renamed(event), info)

    async def renamed_trace_async(self: Any, event: str, info: Any) -> None:
        await async_trace(self, renamed(event), info)

    monkeypatch.setattr(Trace, "__call__", renamed_trace)
    monkeypatch.setattr(ippanel_edge._async.exchange.AsyncTrace, "__call__", renamed_trace_async)
    kind = EdgeClient if side == "sync" else AsyncEdgeClient
    with Loopback(handler) as server:
        client: Any = kind("a-test-key", base_url=f"{server.url}/v1", from_number="+983000111222", timeout=TIMEOUT)
        with pytest.raises(EdgeError) as caught:
            await result(client.send.webservice("09123456789", "hello"))
        assert caught.value.outcome is Outcome.UNKNOWN
        assert server.connections == 1
        await result(client.close() if side == "sync" else client.aclose())
