"""TLS contexts: one is shared by all clients of the process, because creating one takes longer than many requests."""

from __future__ import annotations

import ssl
from functools import lru_cache

import httpx


def tls_context(verify: ssl.SSLContext | bool) -> ssl.SSLContext:  # noqa: FBT001 - httpx's own argument
    """Return the TLS context of a transport: the given one, or one of this module, which nothing else may change."""
    context = verify if isinstance(verify, ssl.SSLContext) else _shared(verify)
    context.set_alpn_protocols(["http/1.1"])
    return context


@lru_cache(maxsize=2)
def _shared(verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - as above
    return httpx.create_ssl_context(verify, trust_env=False)
