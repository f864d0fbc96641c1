"""The private state of httpx and httpcore that the connection pool reads, in one place. No I/O.

httpcore has no public way to tell whether a connection holds bytes beyond the last response. A release that renames
what is read here must not break a request: the caller falls back to its safe behaviour, and `warn_unknown` reports it.
"""

from __future__ import annotations

import functools
import logging
import ssl
import warnings
from typing import Any

_LOG = logging.getLogger("ippanel_edge")

KNOWN = "httpx 0.28.1 with httpcore 1.0.9"
"""The latest releases that the names below were read in."""


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
    import httpcore  # noqa: PLC0415 - only a warning needs their versions
    import httpx  # noqa: PLC0415 - the same

    found = f"httpx {httpx.__version__} with httpcore {httpcore.__version__}"
    text = f"{found} is not a release that ippanel-edge knows: {effect}. Upgrade ippanel-edge, or install {KNOWN}."
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        _LOG.warning(text)
