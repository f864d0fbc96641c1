"""A plain httpx client of the in-memory sandbox, which uses no code of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ippanel_edge.sandbox import Sandbox


class Caller:
    """Sends requests to one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(
        self, method: str, path: str, *, key: str | None = "", base: str = "/v1", **options: Any
    ) -> httpx.Response:
        """Send one request; `key` defaults to the key of the sandbox, None omits the Authorization header."""
        headers = {} if key is None else {"Authorization": key or self.sandbox.api_key}
        headers.update(options.pop("headers", {}))

        async def send_request() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, f"{base}{path}", headers=headers, **options)

        return anyio.run(send_request)

    def send(self, sending_type: str, *, key: str | None = "", **fields: Any) -> httpx.Response:
        """Send POST /api/send with JSON and the sender line of the sandbox."""
        body = {"sending_type": sending_type, "from_number": self.sandbox.from_number, **fields}
        return self(
            "POST", "/api/send", key=key, json={name: value for name, value in body.items() if value is not None}
        )

    def webservice(self, *numbers: str, message: str = "salam", **fields: Any) -> httpx.Response:
        """Send a webservice message."""
        return self.send("webservice", message=message, params={"recipients": list(numbers)}, **fields)

    def upload(self, sending_type: str, name: str, content: bytes, **fields: Any) -> httpx.Response:
        """Send POST /api/send with one file and the sender line of the sandbox."""
        data = {"sending_type": sending_type, "from_number": self.sandbox.from_number, **fields}
        return self("POST", "/api/send", data=data, files={"files[]": (name, content)})

    def report(self, outbox_id: int) -> Mapping[str, Any]:
        """Return the report of one message."""
        found: dict[str, Any] = self("GET", "/api/report/by_bulk", params={"messages_outbox_id": outbox_id}).json()[
            "data"
        ]
        return found

    def statuses(self, outbox_id: int) -> dict[str, str]:
        """Return the message_status of each recipient."""
        rows = self("GET", "/api/report/recipients", params={"bulk_id": outbox_id, "per_page": 1000}).json()["data"]
        return {row["recipient"]: row["message_status"] for row in rows}

    def credit(self) -> float:
        """Return the credit of the main account."""
        return float(self("GET", "/api/payment/credit/mine").json()["data"]["credit"])


def form_parts(fields: Mapping[str, str]) -> list[tuple[str, tuple[None, str]]]:
    """Return the fields of a multipart form as the `files` of httpx, which sends other forms as urlencoded."""
    return [(name, (None, value)) for name, value in fields.items()]


def accepted(response: httpx.Response) -> list[int]:
    """Return the ids of an accepted send."""
    assert response.status_code == 200, response.text
    assert response.json()["meta"]["status"] is True, response.text
    found: list[int] = response.json()["data"]["message_outbox_ids"]
    return found


def errors(response: httpx.Response) -> dict[str, list[str]]:
    """Return the field errors of a rejected request."""
    assert response.status_code == 422, response.text
    assert response.json()["data"] is None
    found: dict[str, list[str]] = response.json()["meta"]["errors"]
    return found
