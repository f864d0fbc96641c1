"""Run by test_httpx2.py in a separate process in which `import httpx` imports httpx2; prints the results as JSON."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

import httpx2

httpx2.alias_httpx()
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

loopback: Any = importlib.import_module("tests.client.loopback")
sdk: Any = importlib.import_module("ippanel_edge")

BODY = json.dumps({"data": {"credit": 7}, "meta": {"status": True, "message": "ok", "message_code": "200-1"}})
SEND = ("09123456789", "hello")


def handle(request: Any) -> None:
    """Respond to a request for the credit, and close the connection of a send."""
    if request.target.endswith("/send"):
        request.sock.close()
    else:
        request.send(loopback.http_response(BODY, headers="Content-Type: application/json\r\n"))


def settings(url: str) -> dict[str, Any]:
    """Return the arguments of an SDK client."""
    return {"api_key": "a-test-key", "base_url": f"{url}/v1", "from_number": "+983000717000"}


async def run_async(url: str, unreachable: str) -> dict[str, Any]:
    """Request the credit twice, then send over a connection that breaks and to a closed port."""
    async with sdk.AsyncEdgeClient(**settings(url)) as client:
        results = [(await client.payment.credit()).credit for _ in range(2)]
        outcomes: list[str] = []
        for sender in (client, client.with_options(base_url=f"{unreachable}/v1", retry=sdk.RetryPolicy(retries=0))):
            try:
                await sender.send.webservice(*SEND)
            except sdk.EdgeError as error:
                outcomes.append(error.outcome.name)
        async with httpx2.AsyncClient() as http:
            custom = sdk.AsyncEdgeClient(http_client=http, **settings(url))
            results.append((await custom.payment.credit()).credit)
    return {"credits": results, "outcomes": outcomes}


def run_sync(url: str, unreachable: str) -> dict[str, Any]:
    """Do the same with the sync client."""
    with sdk.EdgeClient(**settings(url)) as client:
        results = [client.payment.credit().credit for _ in range(2)]
        outcomes: list[str] = []
        for sender in (client, client.with_options(base_url=f"{unreachable}/v1", retry=sdk.RetryPolicy(retries=0))):
            try:
                sender.send.webservice(*SEND)
            except sdk.EdgeError as error:
                outcomes.append(error.outcome.name)
        with httpx2.Client() as http:
            custom = sdk.EdgeClient(http_client=http, **settings(url))
            results.append(custom.payment.credit().credit)
    return {"credits": results, "outcomes": outcomes}


def main() -> None:
    """Run both clients, and count the connections."""
    warnings.simplefilter("error")
    results: dict[str, Any] = {}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # it does not listen, and no other program can take the port
        unreachable = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for side in ("async", "sync"):
            with loopback.Loopback(handle) as server:
                results[side] = (
                    asyncio.run(run_async(server.url, unreachable))
                    if side == "async"
                    else run_sync(server.url, unreachable)
                )
                results[side]["connections"] = server.connections
    results["user_agent"] = importlib.import_module("ippanel_edge.wire.request").USER_AGENT
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
