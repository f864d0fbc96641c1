"""Plain httpx against the sandbox in memory: none of the SDK's own code is in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ippanel_edge.sandbox import Sandbox


class Caller:
    """Makes requests to one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(
        self, method: str, path: str, *, key: str | None = "", base: str = "/v1", **options: Any
    ) -> httpx.Response:
        """Make one request; `key` is the sandbox's own unless given, None for no header at all."""
        headers = {} if key is None else {"Authorization": key or self.sandbox.api_key}
        headers.update(options.pop("headers", {}))

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, f"{base}{path}", headers=headers, **options)

        return anyio.run(ask)

    def send(self, sending_type: str, *, key: str | None = "", **fields: Any) -> httpx.Response:
        """POST /api/send with JSON from the sandbox's line."""
        body = {"sending_type": sending_type, "from_number": self.sandbox.from_number, **fields}
        return self("POST", "/api/send", key=key, json={name: it for name, it in body.items() if it is not None})

    def text(self, *numbers: str, message: str = "salam", **fields: Any) -> httpx.Response:
        """Send a webservice message."""
        return self.send("webservice", message=message, params={"recipients": list(numbers)}, **fields)

    def upload(self, sending_type: str, name: str, content: bytes, **fields: Any) -> httpx.Response:
        """POST /api/send with one file from the sandbox's line."""
        data = {"sending_type": sending_type, "from_number": self.sandbox.from_number, **fields}
        return self("POST", "/api/send", data=data, files={"files[]": (name, content)})

    def report(self, outbox_id: int) -> Mapping[str, Any]:
        """Return one message's report."""
        found: dict[str, Any] = self("GET", "/api/report/by_bulk", params={"messages_outbox_id": outbox_id}).json()[
            "data"
        ]
        return found

    def statuses(self, outbox_id: int) -> dict[str, str]:
        """Return each recipient's message_status."""
        rows = self("GET", "/api/report/recipients", params={"bulk_id": outbox_id, "per_page": 1000}).json()["data"]
        return {row["recipient"]: row["message_status"] for row in rows}

    def credit(self) -> float:
        """Return the main account's credit."""
        return float(self("GET", "/api/payment/credit/mine").json()["data"]["credit"])


def accepted(response: httpx.Response) -> list[int]:
    """Return the ids of an accepted send."""
    assert response.status_code == 200, response.text
    assert response.json()["meta"]["status"] is True, response.text
    found: list[int] = response.json()["data"]["message_outbox_ids"]
    return found


def errors(response: httpx.Response) -> dict[str, list[str]]:
    """Return the field errors of a refused request."""
    assert response.status_code == 422, response.text
    assert response.json()["data"] is None
    found: dict[str, list[str]] = response.json()["meta"]["errors"]
    return found
