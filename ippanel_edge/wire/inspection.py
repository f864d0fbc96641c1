"""The private state of httpx and httpcore that the connection pool reads, in one place. No I/O.

httpcore has no public way to tell whether a connection holds bytes beyond the last response. A release that renames
what is read here must not break a request: the caller falls back to its safe behaviour, and `warn_unknown` reports it.
"""

from __future__ import annotations

import functools
import logging
import ssl
import sys
import types
import warnings
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

import httpx

_LOG = logging.getLogger("ippanel_edge")
_HTTPX_LOG = logging.getLogger("httpx")

KNOWN = "httpx 0.28.1 with httpcore 1.0.9"
"""The latest releases that the names below were read in."""

_REPLACED: Final = (
    ("httpx", "AsyncClient", "send"),
    ("httpx", "AsyncClient", "_send_single_request"),
    ("httpx", "AsyncClient", "_transport_for_url"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("httpx", "Client", "send"),
    ("httpx", "Client", "_send_single_request"),
    ("httpx", "Client", "_transport_for_url"),
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request"),
    ("httpcore", "ConnectionPool", "handle_request"),
)
"""What mocks and tracing tools replace, each method or its class: respx, pytest-httpx, vcrpy, OpenTelemetry."""

_Member: TypeAlias = tuple[Mapping[str, object], str, object]

_originals: Final[dict[str, list[_Member]]] = {}
"""The classes and methods of each package, each in its namespace, as they were when none of them was replaced."""


def is_patched() -> bool:
    """Return whether httpx or httpcore is patched, so that httpx's client must make the requests."""
    for package in ("httpx", "httpcore"):
        members = _originals.get(package)
        if members is None:
            members = _members(package)
            if not all(_is_original(member, package) for *_, member in members):
                return True
            if members:
                _originals[package] = members
        for namespace, name, member in members:
            if namespace.get(name) is not member:
                return True
    return False


def _members(package: str) -> list[_Member]:
    """Return the members of a package; none if it was not imported yet, as httpcore is on first use."""
    names: Mapping[str, object] = vars(sys.modules.get(package, object))
    titles = [title for owner, title, _ in _REPLACED if owner == package and title in names]
    kinds = {title: cast("type", names[title]) for title in titles}
    found: list[_Member] = [(names, title, kind) for title, kind in kinds.items()]
    for _, title, name in _REPLACED:
        namespace: Mapping[str, object] = vars(kinds.get(title, object))
        if name in namespace:
            found.append((namespace, name, namespace[name]))
    return found


def _is_original(member: object, package: str) -> bool:
    is_plain = isinstance(member, type | types.FunctionType) and not hasattr(member, "__wrapped__")
    return is_plain and member.__module__.partition(".")[0] == package


def log_request(request: httpx.Request, response: httpx.Response) -> None:
    """Log the line that httpx's client logs for each request."""
    if _HTTPX_LOG.isEnabledFor(logging.INFO):
        done = (request.method, request.url, response.http_version, response.status_code, response.reason_phrase)
        _HTTPX_LOG.info('HTTP Request: %s %s "%s %d %s"', *done)


def is_clean(transport: Any, network: Any) -> bool:  # noqa: ANN401 - private state has no types
    """Return whether a transport's one connection is open and holds nothing beyond the last response.

    Left-over bytes are in one of three buffers: the socket's, which httpcore itself checks before it reuses the
    connection, the TLS layer's, and the HTTP parser's. If a private name is missing, the answer is False.

    Args:
        transport: the httpx transport, of either kind.
        network: the response's `network_stream` extension; None if it had none, as with a mock.
    """
    try:
        held = transport._pool.connections  # noqa: SLF001 - see the module's docstring
        if len(held) != 1 or not held[0].is_idle():  # closed by either end, or a mock answered
            return False
        layer = held[0]
        while (inner := getattr(layer, "_connection", None)) is not None:  # a proxy adds a layer
            layer = inner
        if layer._h11_state.trailing_data[0]:  # noqa: SLF001 - the same
            return False
        tls = network.get_extra_info("ssl_object")
    except (AttributeError, LookupError, TypeError):
        warn_unknown("connection reuse is off, so each request opens a new connection")
        return False
    return not isinstance(tls, ssl.SSLObject) or _is_drained(tls)


def _is_drained(tls: ssl.SSLObject) -> bool:
    """Return whether a TLS layer over memory buffers holds no data: it reads ahead, so the socket does not show it."""
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return True
    except ssl.SSLError:
        return False
    return False


@functools.cache
def warn_unknown(effect: str) -> None:
    """Warn, once per process, that the installed release of httpx or httpcore is not known, and what follows from it.

    If warnings are errors, log the text instead: this runs after a request was sent, which must not fail because of it.
    """
    import httpcore  # noqa: PLC0415 - it is slow to import, and only a warning needs its version

    found = f"httpx {httpx.__version__} with httpcore {httpcore.__version__}"
    text = f"{found} is not a release that ippanel-edge knows: {effect}. Upgrade ippanel-edge, or install {KNOWN}."
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        _LOG.warning(text)
