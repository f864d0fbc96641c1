"""Who may use the server of the sandbox: requests by its host names only, and no web page of another origin.

Another host name may be an attack by DNS rebinding, and a page of another origin could send and control the sandbox.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
OWN_SITES: Final = frozenset({"", "same-origin", "none"})
"""`Sec-Fetch-Site` of a program, of the sandbox's own page, and of an address that the user entered."""


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
    """An ASGI app that refuses requests of web pages of another origin with a 403.

    Browsers send `Origin` with most requests, and `Sec-Fetch-Site` with all requests to https and to this machine, also
    for images. Programs send neither.

    Attributes:
        app: the app that answers.
        page: the path of the page; a link on another site may open it.
    """

    app: ASGIApp
    page: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; anything but HTTP, such as the start of the app, is passed on."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        message = f"expected a request of a program or of the sandbox's own page, got one of {problem}; use one of them"
        await JSONResponse({"error": message}, 403)(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        """Return the header that names another origin; None if there is none."""
        origin = _header(scope, b"origin").lower()
        host = _header(scope, b"host").lower()
        if origin and not (host and origin in {f"http://{host}", f"https://{host}"}):
            return f"a page of the origin {origin!r}"
        site = _header(scope, b"sec-fetch-site").lower()
        return None if site in OWN_SITES or self._opens_page(scope) else f"another page (Sec-Fetch-Site: {site})"

    def _opens_page(self, scope: Scope) -> bool:
        is_navigation = _header(scope, b"sec-fetch-mode").lower() == "navigate"
        return is_navigation and scope["method"] == "GET" and scope["path"] == self.page


def _header(scope: Scope, wanted: bytes) -> str:
    """Return the value of a header; an empty str if it is missing."""
    return next((value for name, value in scope["headers"] if name == wanted), b"").decode("latin-1")
