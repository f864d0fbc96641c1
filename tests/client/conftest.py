"""Fixtures of the client tests: clients over a mocked transport, TLS contexts and a fake clock."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import pytest
import trustme

from ippanel_edge import AsyncEdgeClient, EdgeClient
from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from tests.client.pools import server_context

Handler = Callable[[httpx.Request], httpx.Response]


class MakeClient(Protocol):
    """Returns a client whose requests are handled by a function instead of a network."""

    def __call__(self, handler: Handler, **options: Any) -> Any: ...


@pytest.fixture(params=["asyncio", "trio", "sync"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def anyio_backend(side: str) -> str:
    return "asyncio" if side == "sync" else side


@pytest.fixture
def make_client(side: str) -> MakeClient:
    def make(handler: Handler, **options: Any) -> Any:
        transport = httpx.MockTransport(handler)
        settings: dict[str, Any] = {
            "base_url": "https://edge.example.test/v1",
            "from_number": "+983000111222",
            **options,
        }
        if not settings.keys() & {"api_key", "token", "credentials"}:
            settings["api_key"] = "client-test-key"
        if side == "sync":
            return EdgeClient(http_client=httpx.Client(transport=transport), **settings)
        return AsyncEdgeClient(http_client=httpx.AsyncClient(transport=transport), **settings)

    return make


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - it may name pyOpenSSL
    return context


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest, authority: trustme.CA) -> ssl.SSLContext | None:
    """Return the TLS context of the server, or None for plain HTTP."""
    return None if request.param == "http" else server_context(authority)


class FakeClock:
    """A clock that advances only in sleep(), and records each sleep."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep_now(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += max(seconds, 0.0)

    async def sleep(self, seconds: float) -> None:
        self.sleep_now(seconds)

    def pause_now(self, seconds: float, *, stopped: Callable[[], bool]) -> None:
        if not stopped():
            self.sleep_now(seconds)

    async def pause(self, seconds: float, *, stopped: Callable[[], bool]) -> None:
        self.pause_now(seconds, stopped=stopped)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    for module, sleep, pause in ((async_io, fake.sleep, fake.pause), (sync_io, fake.sleep_now, fake.pause_now)):
        monkeypatch.setattr(module, "sleep", sleep)
        monkeypatch.setattr(module, "pause", pause)
        monkeypatch.setattr(module, "monotonic", fake.monotonic)
    return fake
