"""Who may use the server of the sandbox: requests by its host names only, and no web page of another origin.

Another host name may be an attack by DNS rebinding, and a page of another origin could control the sandbox.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@attrs.frozen
class AllowedHosts:
    """An ASGI app that answers requests for its host names only, with any port; others get a 421.

    Attributes:
        app: the app that answers.
        names: the host names besides those of this machine, in lower case.
    """

    app: ASGIApp
    names: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        host = _header(scope, b"host")
        if self._allows(host):
            await self.app(scope, receive, send)
            return
        text = f"The sandbox does not answer to the host {host!r}; start it with --allow-host.\n"
        await PlainTextResponse(text, 421)(scope, receive, send)

    def _allows(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and name in LOOPBACK | self.names


@attrs.frozen
class SameOrigin:
    """An ASGI app that refuses requests of web pages of another origin with a 403; programs send no `Origin`.

    Attributes:
        app: the app that answers.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        origin = _header(scope, b"origin").lower()
        host = _header(scope, b"host").lower()
        if not origin or (host and origin in {f"http://{host}", f"https://{host}"}):
            await self.app(scope, receive, send)
            return
        message = f"expected a request of the sandbox's own page, got the origin {origin!r}; use its own address"
        await JSONResponse({"error": message}, 403)(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> str:
    """Return the value of a header; an empty str if it is missing."""
    return next((value for name, value in scope["headers"] if name == wanted), b"").decode("latin-1")
