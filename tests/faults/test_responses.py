"""The responses of the fault server match the names of the faults: slow, endless, compressed, unreadable or valid."""

from __future__ import annotations

import json
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.faults import responses
from tests.faults.bare import BODY, REQUEST, SEND, bare_client, connect, name_of
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.fault import Fault, Reads, RetryAfter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.server import FaultServer


@pytest.mark.parametrize("name", ["slow-headers", "slow-body"])
def test_single_reads_of_a_slow_response_are_fast(fault_server: FaultServer, name: str) -> None:
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
def test_a_flood_continues_until_the_client_disconnects(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name]) as cell:
        with connect(cell) as sock:
            sock.settimeout(5)
            sock.sendall(REQUEST)
            received = 0
            while received < 4_000_000:
                received += len(sock.recv(65536))
        assert (cell.settle().open, len(cell.accepted)) == (0, 1)


def test_a_gzip_bomb_is_small_and_decompresses_to_a_huge_body() -> None:
    def decoded(packed: bytes) -> int:
        unpacker, total = zlib.decompressobj(31), 0
        while packed:
            total += len(unpacker.decompress(packed, 1 << 20))
            packed = unpacker.unconsumed_tail
        return total

    assert len(responses.bomb()) < 200_000
    assert len(responses.nested_bomb()) < 4_000
    assert decoded(responses.bomb()) > 100_000_000
    assert zlib.decompress(responses.nested_bomb(), 31) == responses.bomb()


@pytest.mark.parametrize(
    ("name", "encoding", "packed"),
    [("gzip-bomb", "gzip", responses.bomb), ("gzip-bomb-nested", "gzip, gzip", responses.nested_bomb)],
)
def test_a_gzip_bomb_is_sent_completely_and_with_its_encoding(
    fault_server: FaultServer, name: str, encoding: str, packed: Callable[[], bytes]
) -> None:
    with fault_server.arm(BY_NAME[name]) as cell, bare_client(cell) as client:
        with client.stream("POST", SEND, content=BODY) as response:
            assert response.headers["content-encoding"] == encoding
            assert b"".join(response.iter_raw()) == packed()
        assert cell.quiesce().accepted == 1


@pytest.mark.parametrize(
    ("form", "low", "high"),
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
def test_retry_after_is_sent_in_the_form_of_the_fault(
    fault_server: FaultServer, status: int, form: RetryAfter, low: float, high: float
) -> None:
    with fault_server.arm(BY_NAME[f"status-{status}-retry-after-{form}"]) as cell, bare_client(cell) as client:
        value = client.post(SEND, content=BODY).headers["retry-after"]
    dated = form in {RetryAfter.DATE, RetryAfter.PAST}
    seconds = parsedate_to_datetime(value).timestamp() - time.time() if dated else float(value)
    assert low <= seconds <= high


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.reads is Reads.FINE], ids=name_of)
def test_a_valid_but_unusual_response_contains_the_envelope_of_the_api(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell, bare_client(cell) as client:
        response = client.post(SEND, content=BODY).json()
    assert response["data"] == {"message_outbox_ids": [1001]}
    assert response["meta"] == {
        "status": True,
        "message": "انجام شد",
        "message_parameters": [],
        "message_code": "200-1",
    }


def _is_valid(raw: bytes) -> bool:
    """Return whether a body is a valid envelope: UTF-8, without NaN, duplicate keys and lone surrogates."""

    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("duplicate key")
        return dict(pairs)

    def reject_constant(name: str) -> None:
        raise ValueError(name)

    try:
        response: Any = json.loads(raw.decode(), object_pairs_hook=unique_keys, parse_constant=reject_constant)
        json.dumps(response, ensure_ascii=False).encode()
        return response["meta"]["status"] is True
    except (ValueError, RecursionError, TypeError, KeyError):
        return False


UNREADABLE: Final = [
    f for f in ALL if f.reads is Reads.UNREADABLE and f.name not in {"gzip-broken", "gzip-bomb", "gzip-bomb-nested"}
]


@pytest.mark.parametrize("fault", UNREADABLE, ids=name_of)
def test_an_unreadable_response_is_invalid(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell, bare_client(cell) as client:
        raw = client.post(SEND, content=BODY).content
    assert not _is_valid(raw)
