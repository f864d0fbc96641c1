"""How the fast transport reaches an origin, directly or by an HTTP proxy, and the bytes that it writes. No I/O."""

from __future__ import annotations

import ssl
from base64 import b64encode
from types import SimpleNamespace

import attrs
import httpx

from ippanel_edge.wire.http1 import head
from ippanel_edge.wire.request import raw_headers

NOTHING_LEFT = "http11.send_request_headers.nothing_left"
"""The trace event of the fast transport after a write that failed before the system accepted a byte."""

_NAMED = {name: SimpleNamespace(method=name.encode()) for name in ("GET", "POST", "PUT", "PATCH", "DELETE")}


def named(method: str) -> SimpleNamespace:
    """Return a request as httpcore's trace events name it: by its method."""
    return _NAMED.get(method) or SimpleNamespace(method=method.encode())


_PORTS = {"http": 80, "https": 443}


@attrs.frozen(eq=False)
class Route:
    """The way to an origin.

    Attributes:
        scheme: http or https.
        host: its name in ASCII, or its address.
        port: its port; None for that of the scheme.
        context: the TLS context for https.
        proxy: an HTTP proxy that is itself reached without TLS, or None.
    """

    scheme: str
    host: str
    port: int | None
    context: ssl.SSLContext = attrs.field(repr=False)
    proxy: httpx.Proxy | None = attrs.field(default=None, repr=False)

    @property
    def is_tls(self) -> bool:
        """Whether the connection to the origin uses TLS."""
        return self.scheme == "https"

    @property
    def is_tunnel(self) -> bool:
        """Whether TLS starts after a CONNECT request to the proxy."""
        return self.is_tls and self.proxy is not None

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to connect to."""
        if self.proxy is None:
            return self.host, self.port or _PORTS[self.scheme]
        url = self.proxy.url
        return url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]

    def connect_request(self) -> bytes:
        """Return the request that opens a tunnel through the proxy."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        target = f"{host}:{self.port or _PORTS[self.scheme]}".encode("ascii")
        own = [(b"Host", target), (b"Accept", b"*/*")]
        return head("CONNECT", target, self._proxy_headers(), more=own)

    def head(self, request: httpx.Request) -> bytes:
        """Return the request line and the headers of a request.

        Raises:
            httpx.LocalProtocolError: a header contains a line break or NUL.
        """
        url, headers = request.url, raw_headers(request)
        if self.proxy is None or self.is_tls:
            return head(request.method, url.raw_path, headers)
        target = b"%b://%b%b" % (url.raw_scheme, url.netloc, url.raw_path)
        return head(request.method, target, headers, more=self._proxy_headers())

    def _proxy_headers(self) -> list[tuple[bytes, bytes]]:
        if self.proxy is None:
            return []
        auth = self.proxy.raw_auth
        credentials = [] if auth is None else [(b"Proxy-Authorization", b"Basic " + b64encode(b":".join(auth)))]
        return [*credentials, *self.proxy.headers.raw]
