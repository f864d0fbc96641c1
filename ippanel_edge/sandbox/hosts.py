"""The host names that the server of the sandbox answers to: another name may be an attack by DNS rebinding."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs
from starlette.responses import PlainTextResponse
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
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
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
