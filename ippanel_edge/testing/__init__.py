"""The pytest plugin: a sandbox for each test, clients connected to it, and assertions on what was sent.

pytest loads this module at each start, so it imports nothing but pytest; a fixture imports what it needs when it is
used. The fixtures require the extra `sandbox`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ippanel_edge._async.client import AsyncEdgeClient
    from ippanel_edge._sync.client import EdgeClient
    from ippanel_edge.testing.messages import SentMessage
    from ippanel_edge.testing.sandbox import EdgeSandbox

__all__ = [
    "EdgeSandbox",
    "SentMessage",
    "edge_client",
    "edge_environment",
    "edge_sandbox",
    "edge_server",
    "edge_sync_client",
]

_MODULE_OF = {"EdgeSandbox": "sandbox", "SentMessage": "messages"}
_EXTRA = frozenset({"jinja2", "openpyxl", "python_multipart", "starlette", "uvicorn"})
"""The packages of the extra `sandbox`."""


def __getattr__(name: str) -> object:
    """Import a public class on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


@pytest.fixture
def edge_sandbox() -> EdgeSandbox:
    """Return a new sandbox in memory, without a socket, with assertions on what was sent."""
    try:
        from ippanel_edge.testing.sandbox import EdgeSandbox  # noqa: PLC0415 - loaded on first use
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        missing = error.name
    else:
        return EdgeSandbox()
    problem = f"the fixture edge_sandbox requires {missing}, which is not installed"
    pytest.fail(f"{problem}; run pip install 'ippanel-edge[sandbox]'", pytrace=False)


@pytest.fixture
def edge_server(edge_sandbox: EdgeSandbox) -> Iterator[EdgeSandbox]:
    """Run the sandbox of the test as an HTTP server on a free port of 127.0.0.1; nothing global is set."""
    with edge_sandbox:
        yield edge_sandbox


@pytest.fixture
def edge_environment(edge_server: EdgeSandbox, monkeypatch: pytest.MonkeyPatch) -> EdgeSandbox:
    """Run the server, and set the environment variables of clients that the application creates itself."""
    monkeypatch.setenv("IPPANEL_API_KEY", edge_server.api_key)
    monkeypatch.setenv("IPPANEL_BASE_URL", edge_server.base_url)
    monkeypatch.setenv("IPPANEL_FROM_NUMBER", edge_server.from_number)
    return edge_server


@pytest.fixture
def edge_client(edge_sandbox: EdgeSandbox, request: pytest.FixtureRequest) -> Iterator[AsyncEdgeClient]:
    """Return an asynchronous client of the sandbox: of its server if the test uses it, in memory otherwise."""
    from ippanel_edge.testing import clients  # noqa: PLC0415 - loaded on first use

    with clients.async_client(edge_sandbox, in_memory=not _uses_server(request)) as client:
        yield client


@pytest.fixture
def edge_sync_client(edge_sandbox: EdgeSandbox, request: pytest.FixtureRequest) -> Iterator[EdgeClient]:
    """Return a synchronous client of the sandbox: of its server if the test uses it, in memory otherwise."""
    from ippanel_edge.testing import clients  # noqa: PLC0415 - loaded on first use

    with clients.sync_client(edge_sandbox, in_memory=not _uses_server(request)) as client:
        yield client


def _uses_server(request: pytest.FixtureRequest) -> bool:
    """Whether the test or one of its fixtures uses the server, which is then started before this fixture is."""
    if "edge_server" not in request.fixturenames:
        return False
    request.getfixturevalue("edge_server")
    return True
