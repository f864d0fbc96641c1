"""Run by test_httpx2.py in a process of its own, where `import httpx` gives httpx2. Prints what happened, as JSON."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import httpx2

httpx2.alias_httpx()
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

loopback: Any = importlib.import_module("tests.client.loopback")
sdk: Any = importlib.import_module("ippanel_edge")

ANSWER = json.dumps({"data": {"credit": 7}, "meta": {"status": True, "message": "ok", "message_code": "200-1"}})
SEND = ("09123456789", "hello")


def answer(asked: Any) -> None:
    """Answer a question for the credit, and break the connection of a send."""
    if asked.target.endswith("/send"):
        asked.wire.close()
    else:
        asked.send(loopback.reply(ANSWER, more="Content-Type: application/json\r\n"))


def settings(url: str) -> dict[str, Any]:
    """Return the arguments of a client."""
    return {"api_key": "a-key-of-nobody", "base_url": f"{url}/v1", "from_number": "+983000717000"}


async def ask_async(url: str, gone: str) -> dict[str, Any]:
    """Ask twice, send into a broken connection, and send to nobody."""
    async with sdk.AsyncEdgeClient(**settings(url)) as client:
        found = [(await client.payment.credit()).credit for _ in range(2)]
        outcomes: list[str] = []
        for each in (client, client.with_options(base_url=f"{gone}/v1", retry=sdk.RetryPolicy(retries=0))):
            try:
                await each.send.webservice(*SEND)
            except sdk.EdgeError as error:
                outcomes.append(error.outcome.name)
        async with httpx2.AsyncClient() as http:
            own = sdk.AsyncEdgeClient(http_client=http, **settings(url))
            found.append((await own.payment.credit()).credit)
    return {"credits": found, "outcomes": outcomes}


def ask_sync(url: str, gone: str) -> dict[str, Any]:
    """Do the same with the sync client."""
    with sdk.EdgeClient(**settings(url)) as client:
        found = [client.payment.credit().credit for _ in range(2)]
        outcomes: list[str] = []
        for each in (client, client.with_options(base_url=f"{gone}/v1", retry=sdk.RetryPolicy(retries=0))):
            try:
                each.send.webservice(*SEND)
            except sdk.EdgeError as error:
                outcomes.append(error.outcome.name)
        with httpx2.Client() as http:
            own = sdk.EdgeClient(http_client=http, **settings(url))
            found.append(own.payment.credit().credit)
    return {"credits": found, "outcomes": outcomes}


def main() -> None:
    """Ask both clients, and count the connections."""
    warnings.simplefilter("error")
    found: dict[str, Any] = {}
    with loopback.Loopback() as unused:
        gone = unused.url
    for side in ("async", "sync"):
        with loopback.Loopback(answer) as server:
            found[side] = asyncio.run(ask_async(server.url, gone)) if side == "async" else ask_sync(server.url, gone)
            found[side]["connections"] = server.connections
    found["user_agent"] = importlib.import_module("ippanel_edge.wire.request").USER_AGENT
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
