"""What the fault server says is what the faults' names say: slow, endless, packed, unreadable, or fine."""

from __future__ import annotations

import json
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.faults import answers
from tests.faults.bare import BODY, REQUEST, SEND, bare_client, connect, name_of
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.fault import Fault, Reads, RetryAfter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.server import FaultServer


@pytest.mark.parametrize("name", ["slow-headers", "slow-body"])
def test_a_slow_answer_never_lets_one_read_wait_long(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name]) as cell:
        with connect(cell) as sock:
            sock.settimeout(3)
            began = time.monotonic()
            sock.sendall(REQUEST)
            head = b""
            while name == "slow-body" and not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            assert [len(sock.recv(1)) for _ in range(8)] == [1] * 8
            assert time.monotonic() - began > 0.06
        assert cell.settle().open == 0


@pytest.mark.parametrize("name", ["flood-of-1xx", "flood-of-body"])
def test_a_flood_goes_on_until_the_client_leaves(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name]) as cell:
        with connect(cell) as sock:
            sock.settimeout(5)
            sock.sendall(REQUEST)
            came = 0
            while came < 4_000_000:
                came += len(sock.recv(65536))
        assert (cell.settle().open, len(cell.accepted)) == (0, 1)


def test_a_bomb_is_small_on_the_wire_and_huge_when_decoded() -> None:
    def decoded(packed: bytes) -> int:
        unpacker, total = zlib.decompressobj(31), 0
        while packed:
            total += len(unpacker.decompress(packed, 1 << 20))
            packed = unpacker.unconsumed_tail
        return total

    assert len(answers.bomb()) < 200_000
    assert len(answers.nested_bomb()) < 4_000
    assert decoded(answers.bomb()) > 100_000_000
    assert zlib.decompress(answers.nested_bomb(), 31) == answers.bomb()


@pytest.mark.parametrize(
    ("name", "encoding", "packed"),
    [("gzip-bomb", "gzip", answers.bomb), ("gzip-bomb-nested", "gzip, gzip", answers.nested_bomb)],
)
def test_a_bomb_is_sent_whole_and_named(
    fault_server: FaultServer, name: str, encoding: str, packed: Callable[[], bytes]
) -> None:
    with fault_server.arm(BY_NAME[name]) as cell, bare_client(cell) as client:
        with client.stream("POST", SEND, content=BODY) as answer:
            assert answer.headers["content-encoding"] == encoding
            assert b"".join(answer.iter_raw()) == packed()
        assert cell.quiesce().accepted == 1


@pytest.mark.parametrize(
    ("way", "low", "high"),
    [
        (RetryAfter.SECONDS, 7, 7),
        (RetryAfter.HUGE, 10**9, 10**9),
        (RetryAfter.NEGATIVE, -5, -5),
        (RetryAfter.ZERO, 0, 0),
        (RetryAfter.DATE, 28, 31),
        (RetryAfter.PAST, -3602, -3598),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_said_in_its_way(
    fault_server: FaultServer, status: int, way: RetryAfter, low: float, high: float
) -> None:
    with fault_server.arm(BY_NAME[f"status-{status}-retry-after-{way}"]) as cell, bare_client(cell) as client:
        said = client.post(SEND, content=BODY).headers["retry-after"]
    dated = way in {RetryAfter.DATE, RetryAfter.PAST}
    seconds = parsedate_to_datetime(said).timestamp() - time.time() if dated else float(said)
    assert low <= seconds <= high


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.reads is Reads.FINE], ids=name_of)
def test_a_fine_answer_is_the_apis_own(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell, bare_client(cell) as client:
        answer = client.post(SEND, content=BODY).json()
    assert answer["data"] == {"message_outbox_ids": [1001]}
    assert answer["meta"] == {
        "status": True,
        "message": "انجام شد",
        "message_parameters": [],
        "message_code": "200-1",
    }


def _is_good(raw: bytes) -> bool:
    """Whether a careful reader takes it for a good answer: UTF-8, no NaN, no key twice, nothing that cannot be said."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise ValueError(name)

    try:
        answer: Any = json.loads(raw.decode(), object_pairs_hook=once, parse_constant=no_constant)
        json.dumps(answer, ensure_ascii=False).encode()
        return answer["meta"]["status"] is True
    except (ValueError, RecursionError, TypeError, KeyError):
        return False


UNREADABLE: Final = [
    f for f in ALL if f.reads is Reads.UNREADABLE and f.name not in {"gzip-broken", "gzip-bomb", "gzip-bomb-nested"}
]


@pytest.mark.parametrize("fault", UNREADABLE, ids=name_of)
def test_an_unreadable_answer_is_not_a_good_one(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell, bare_client(cell) as client:
        raw = client.post(SEND, content=BODY).content
    assert not _is_good(raw)
