"""A process that measures functions without I/O: page decode, SMS parts, phone numbers, building, construction.

    python -m benchmarks.functions CORE

It prints the names of the functions. Each command {"name": NAME} is answered by a round.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import httpx

from benchmarks.measure import Round
from benchmarks.peers import KEY, LINE, NUMBER
from benchmarks.process import commands, pin, reply
from benchmarks.targets import NEW_CLIENT, NEW_HTTPX_CLIENT, ROWS, SPELLINGS, decode, loads, normalize, parts
from ippanel_edge import AsyncEdgeClient, endpoints, normalize_phone, sms_parts
from ippanel_edge.api import send
from ippanel_edge.config import Defaults
from ippanel_edge.wire.reply import RawAnswer, parse

SECONDS: Final = 0.02
"""The CPU time for which a function is repeated in one round."""
LATIN: Final = "Your order has been sent and will arrive tomorrow. "
PERSIAN: Final = "سفارش شما ارسال شد و فردا به دست شما می‌رسد. "
MESSAGES: Final = 1000


def row(number: int) -> dict[str, object]:
    """Return a row of the outbox report with its 26 fields, as the service writes them."""
    return {
        "messages_outbox_id": str(70_114_001 + number),
        "number": LINE,
        "state_id": "6",
        "state": "finish",
        "status": "تمام شد",
        "type": "webservice",
        "message": PERSIAN + str(number),
        "time": str(1_768_897_800 + number),
        "time_send": 1_768_897_800 + number,
        "rcpts_count": "3",
        "exit_count": 3.0,
        "part": 1,
        "cost": "6874.2",
        "username": "maryam",
        "number_color": "#112233",
        "number_id": "904",
        "partner_id": None,
        "in_delivery_line": 0,
        "valid": "approve",
        "summary": "",
        "user_ip": "203.0.113.9",
        "user_id": "55",
        "files_path": None,
        "parent_id": 54,
        "reject_comment": None,
        "return": 0,
    }


def page(rows: int) -> bytes:
    """Return the response with a page of the outbox report."""
    meta = {"status": True, "message": "", "message_code": "200-1"}
    return json.dumps({"data": [row(number) for number in range(rows)], "meta": meta}, ensure_ascii=False).encode()


def text(pattern: str, length: int) -> str:
    """Return a text of a number of characters."""
    return (pattern * length)[:length]


def peer_to_peer() -> object:
    """Build a send of 1,000 individual messages."""
    defaults = Defaults(from_number=LINE)
    messages = ((NUMBER, f"{PERSIAN}{number}") for number in range(MESSAGES))
    return send.build(endpoints.SEND_PEER_TO_PEER, defaults, None, None, send.to_each(defaults, messages))


def table() -> Mapping[str, Callable[[], object]]:
    """Return the functions by name."""
    client = AsyncEdgeClient(KEY)
    functions: dict[str, Callable[[], object]] = {}
    for rows in ROWS:
        body = page(rows)
        answer = RawAnswer(status_code=200, content=body)
        functions[loads(rows)] = partial(json.loads, body)
        functions[decode(rows)] = partial(parse, endpoints.REPORTS_OUTBOX, answer)
    for pattern, name, lengths in ((LATIN, "Latin", (20, 160)), (PERSIAN, "Persian", (70, 1340))):
        for length in lengths:
            functions[parts(name, length)] = partial(sms_parts, text(pattern, length))
    for spelling in SPELLINGS:
        functions[normalize(spelling)] = partial(normalize_phone, spelling)
    functions["building a peer_to_peer of 1,000"] = peer_to_peer
    functions[NEW_CLIENT] = partial(AsyncEdgeClient, KEY)
    functions["client.with_options"] = partial(client.with_options, timeout=5.0)
    functions[NEW_HTTPX_CLIENT] = httpx.AsyncClient
    return functions


def measure(function: Callable[[], object]) -> dict[str, Any]:
    """Return a round of calls of the function."""
    count, seconds = 1, 0.0
    while True:
        began = time.process_time()
        for _ in range(count):
            function()
        seconds = time.process_time() - began
        if seconds >= SECONDS:
            return attrs.asdict(Round(cpu=seconds / count * 1e6))
        count *= 2


def main() -> None:
    """Run the process."""
    pin(int(sys.argv[1]))
    functions = table()
    for rows in ROWS:  # both must read the same: a page that is rejected would be fast
        data, _, _ = parse(endpoints.REPORTS_OUTBOX, RawAnswer(status_code=200, content=page(rows)))
        assert len(data.items) == rows
        assert all(item.messages_outbox_id and item.time and item.return_ == 0 for item in data.items)
    reply(list(functions))
    for command in commands():
        reply(measure(functions[command["name"]]))


if __name__ == "__main__":
    main()
