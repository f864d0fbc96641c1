"""Each fault does what its name says, and what was accepted is counted: seen by plain sockets and by bare httpx."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import anyio
import httpx
import pytest

from tests.faults import answers
from tests.faults.bare import (
    BODY,
    REQUEST,
    SEND,
    bare_client,
    connect,
    name_of,
    post,
    read_answer,
    say_and_listen,
    timeout_for,
)
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.fault import Absence, End, EndedBy, Fault, Reads, Where

if TYPE_CHECKING:
    from tests.faults.server import Cell, FaultServer

RESET: Final = "ReadError or RemoteProtocolError"
"""A reset that meets a write is swallowed by httpcore, and the read after it finds an end."""
SYMPTOMS: Final = {
    "refused": "ConnectError",
    "backlog-full": "ConnectTimeout",
    "dns-failure": "ConnectError",
    "proxy-port-refused": "ConnectError",
    "tls-stall": "ConnectTimeout",
    "tls-close": "ConnectError",
    "tls-reset": "ConnectError",
    "tls-garbage": "ConnectError",
    "tls-wrong-host": "ConnectError",
    "tls-expired": "ConnectError",
    "tls-unknown-ca": "ConnectError",
    "proxy-403": "ProxyError",
    "proxy-407": "ProxyError",
    "proxy-502": "ProxyError",
    "proxy-garbage": "RemoteProtocolError",
    "proxy-close": "RemoteProtocolError",
    "proxy-reset": RESET,
    "proxy-stall": "ReadTimeout",
    "reset-at-accept": f"{RESET} or ConnectError",
    "stall-during-upload": "WriteTimeout",
    "late-response": "ReadTimeout",
    "gzip-broken": "DecodingError",
    "413-during-upload-then-reset": f"413 or {RESET}",
}
"""What a bare httpx client makes of a fault; the others are told by `_symptom`."""
BEHIND: Final = {"garbage-after-response": "RemoteProtocolError"}
"""What a bare httpx client makes of the request after such a fault: it reads what lay there before."""


def _symptom(fault: Fault) -> str:
    if fault.name in SYMPTOMS:
        return SYMPTOMS[fault.name]
    if fault.reads is Reads.BROKEN:
        return {End.RESET: RESET, End.STALL: "ReadTimeout"}.get(fault.end, "RemoteProtocolError")
    if fault.name == "no-content-204":
        return "204"
    return str(fault.status)


PATIENT: Final = [fault for fault in ALL if fault.ended_by is not EndedBy.DEADLINE and "bomb" not in fault.name]
IN_TLS: Final = [
    fault
    for fault in PATIENT
    if fault.fresh and not fault.tls and fault.absence is None and fault.name != "reset-at-accept"
]
"""CPython 3.11 leaks the socket that it is to wrap when a reset has come before; `tls-reset` covers the case."""


def _accepted(fault: Fault) -> int:
    """What a request with a body counts as."""
    return int(fault.carries_out and fault.where in {Where.WHOLE, Where.IDLE} and fault.reads is not Reads.UNTRUSTED)


# What httpx makes of every fault.


@pytest.mark.parametrize("fault", [fault for fault in PATIENT if fault.fresh], ids=name_of)
def test_a_fresh_connection_shows_the_fault(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell:
        with bare_client(cell) as client:
            assert post(client, fault) in _symptom(fault).split(" or ")
        tally = cell.settle()
        assert (tally.accepted, tally.open) == (_accepted(fault), 0)


@pytest.mark.parametrize("fault", [fault for fault in PATIENT if fault.reused], ids=name_of)
def test_a_reused_connection_shows_the_fault_on_the_second_request(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault, reused=True) as cell:
        with bare_client(cell) as client:
            assert client.post(SEND, content=BODY, timeout=5).status_code == 200
            cell.quiesce()
            symptom = BEHIND.get(fault.name, "200") if fault.where is Where.IDLE else _symptom(fault)
            assert post(client, fault) in symptom.split(" or ")
        tally = cell.settle()
        assert cell.primer is not None
        assert (tally.accepted, tally.open) == (_accepted(fault), 0)
        if fault.where not in {Where.IDLE, Where.ACCEPT}:
            assert [(request.struck, request.nth, request.connection) for request in cell.seen] == [(True, 2, 1)]


@pytest.mark.parametrize("fault", IN_TLS, ids=name_of)
def test_tls_changes_nothing_but_what_comes_before_the_handshake(fault_server: FaultServer, fault: Fault) -> None:
    symptom = _symptom(fault)
    if fault.where is Where.ACCEPT:
        symptom = "ConnectTimeout" if fault.end is End.STALL else "ConnectError"
    with fault_server.arm(fault, tls=True) as cell:
        assert cell.base_url.startswith("https://")
        with bare_client(cell) as client:
            assert post(client, fault) in symptom.split(" or ")
        tally = cell.settle()
        assert (tally.accepted, tally.open) == (_accepted(fault), 0)


# The points of a request and the ends of a connection, byte by byte.


@pytest.mark.parametrize("where", [Where.ACCEPT, Where.HEADERS, Where.MID_BODY, Where.WHOLE])
class TestTheEndsOfAConnection:
    def test_close_is_a_fin(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"close-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(REQUEST)
                assert sock.recv(1) == b""
                sock.sendall(b"more, and still no reset")
                assert sock.recv(1) == b""
            assert cell.settle().open == 0

    def test_reset_is_a_reset(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"reset-at-{where}"]) as cell:
            with pytest.raises(ConnectionError):
                say_and_listen(cell, REQUEST)
            assert cell.settle().open == 0

    def test_stall_says_nothing_and_stays(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"stall-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(REQUEST)
                with pytest.raises(TimeoutError):
                    sock.recv(1)
                assert cell.quiesce().open == 1
            assert cell.settle().open == 0

    @pytest.mark.parametrize("end", [End.CLOSE, End.RESET, End.STALL])
    def test_only_a_whole_request_is_accepted(self, fault_server: FaultServer, where: Where, end: End) -> None:
        with fault_server.arm(BY_NAME[f"{end}-at-{where}"]) as cell:
            with contextlib.suppress(ConnectionError), connect(cell) as sock:
                sock.sendall(REQUEST)
                cell.quiesce()
            tally = cell.settle()
        assert tally.accepted == (where is Where.WHOLE)
        assert tally.seen == (where is not Where.ACCEPT)

    def test_a_request_without_a_body_is_whole_after_its_head(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"close-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(b"GET /v1/api/payment/credit/mine HTTP/1.1\r\nHost: api\r\n\r\n")
                assert sock.recv(1) == b""
            assert cell.settle().accepted == (where is not Where.ACCEPT)


def test_half_a_request_is_never_accepted(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["stall-at-request-end"]) as cell:
        with connect(cell) as sock:
            sock.sendall(REQUEST[:-1])
        assert cell.settle().accepted == 0


def test_the_head_is_all_that_is_read_before_a_fault_after_the_headers(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["reset-at-headers"]) as cell, bare_client(cell) as client:
        post(client, cell.fault)
        cell.settle()
        assert [(request.body, request.whole) for request in cell.seen] == [(b"", False)]


def test_half_of_the_body_is_read_before_a_fault_in_its_middle(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["reset-at-mid-body"]) as cell, bare_client(cell) as client:
        post(client, cell.fault)
        cell.settle()
        assert [(request.body, request.whole) for request in cell.seen] == [(BODY[: len(BODY) // 2], False)]


def test_an_upload_is_still_being_written_when_the_413_comes(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["413-during-upload"]) as cell:
        with connect(cell) as sock:
            sock.sendall(b"POST /v1/api/send HTTP/1.1\r\nHost: api\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000)
            sock.settimeout(5)
            assert sock.recv(12) == b"HTTP/1.1 413"
        assert cell.settle().accepted == 0


def test_a_chunked_request_is_read_to_its_end(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["chunked-good"]) as cell, bare_client(cell) as client:
        assert client.post(SEND, content=iter([b"one ", b"two"])).json()["meta"]["status"] is True
        assert [request.body for request in cell.accepted] == [b"one two"]


# Connections that do not come about.


def test_a_name_that_does_not_resolve_fails_at_once(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["dns-failure"]) as cell:
        host = httpx.URL(cell.base_url).host
        began = time.monotonic()
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo(host, 80)
        assert time.monotonic() - began < 10


def test_a_full_backlog_leaves_the_next_connection_waiting(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["backlog-full"]) as cell:
        with pytest.raises(TimeoutError):
            connect(cell)
        assert cell.settle().connections == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tls-wrong-host", "IP address mismatch"),
        ("tls-expired", "certificate has expired"),
        ("tls-unknown-ca", "unable to get local issuer certificate"),
    ],
)
def test_a_bad_certificate_is_refused_for_its_own_reason(fault_server: FaultServer, name: str, reason: str) -> None:
    with fault_server.arm(BY_NAME[name]) as cell, bare_client(cell) as client:
        with pytest.raises(httpx.ConnectError, match=reason):
            client.post(SEND)
        assert cell.settle().accepted == 0


@pytest.mark.parametrize("fault", [f for f in ALL if f.proxy and f.absence is None], ids=name_of)
def test_a_proxy_sees_one_connect_and_the_service_only_what_went_through(
    fault_server: FaultServer, fault: Fault
) -> None:
    with fault_server.arm(fault) as cell:
        with bare_client(cell) as client:
            post(client, fault)
        tally = cell.settle()
    assert (tally.connects, tally.accepted) == (1, int(fault.where is Where.WHOLE))


# Reuse, and what lies on a connection between requests.


@pytest.mark.parametrize("name", ["close-on-reuse", "reset-on-reuse"])
def test_a_keep_alive_race_loses_one_request_and_heals(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name], reused=True) as cell:
        with bare_client(cell) as client:
            assert post(client, cell.fault) == "200"
            assert post(client, cell.fault) in {"RemoteProtocolError", "ReadError"}
            assert post(client, cell.fault) == "200"
        tally = cell.settle()
    assert (tally.accepted, tally.connections) == (1, 2)


@pytest.mark.parametrize("name", ["idle-close", "idle-reset", "408-after-response"])
def test_an_end_behind_the_answer_makes_the_next_request_connect_anew(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name], reused=True) as cell:
        with bare_client(cell) as client:
            assert post(client, cell.fault) == "200"
            cell.quiesce()
            assert post(client, cell.fault) == "200"
        assert [request.nth for request in cell.accepted] == [1]


def test_two_answers_leave_the_second_on_the_connection(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["two-responses-at-once"], reused=True) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        first, second = read_answer(sock), read_answer(sock)
        assert json.loads(first)["data"] == {"message_outbox_ids": [1001]}
        assert json.loads(second)["data"] == {"message_outbox_ids": [answers.POISON]}


def test_bare_httpx_takes_the_second_of_two_answers_for_its_next_request(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["two-responses-at-once"], reused=True) as cell, bare_client(cell) as client:
        client.post(SEND, content=BODY)
        cell.quiesce()
        assert client.post(SEND, content=BODY).json()["data"] == {"message_outbox_ids": [answers.POISON]}


def test_a_late_answer_comes_before_the_next_one(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["late-response"]) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.sendall(REQUEST)
        late, own = read_answer(sock), read_answer(sock)
        assert json.loads(late)["data"] == {"message_outbox_ids": [answers.POISON]}
        assert json.loads(own)["data"] == {"message_outbox_ids": [1002]}
        assert cell.quiesce().accepted == 2


# The cells.


def test_cells_do_not_know_each_other(fault_server: FaultServer) -> None:
    def send(cell: Cell) -> int:
        with cell, bare_client(cell) as client:
            assert client.post(SEND, content=BODY).json()["data"] == {"message_outbox_ids": [1001]}
            return cell.quiesce().accepted

    cells = [fault_server.arm(BY_NAME["gzip-good"]) for _ in range(40)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(send, cells)) == [1] * 40


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", ["reset-at-request-end", "stall-at-request-end", "gzip-good"])
def test_async_clients_meet_the_same_faults(fault_server: FaultServer, backend: str, name: str) -> None:
    async def send(cell: Cell) -> str:
        async with httpx.AsyncClient(
            base_url=cell.base_url,
            timeout=timeout_for(cell),
            verify=False,  # noqa: S501 - plain HTTP on loopback
            trust_env=False,
        ) as client:
            try:
                return str((await client.post(SEND, content=BODY)).status_code)
            except httpx.HTTPError as error:
                return type(error).__name__

    with fault_server.arm(BY_NAME[name]) as cell:
        assert anyio.run(send, cell, backend=backend) in _symptom(cell.fault).split(" or ")
        tally = cell.settle()
    assert (tally.accepted, tally.open) == (1, 0)


def test_a_request_is_recorded_as_it_came(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["gzip-good"]) as cell, bare_client(cell) as client:
        client.request("PUT", "/api/things?x=1", headers={"Authorization": "some-key"}, content=b"body")
        (request,) = cell.accepted
    assert (request.method, request.path, request.body) == ("PUT", "/v1/api/things?x=1", b"body")
    assert ("Authorization", "some-key") in request.headers


def test_an_open_connection_is_counted(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["gzip-good"]) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        assert cell.quiesce().open == 1
        sock.close()
        assert cell.settle().open == 0


@pytest.mark.parametrize(("name", "reused"), [("refused", True), ("close-on-reuse", False)])
def test_a_fault_strikes_only_the_connections_that_it_can(fault_server: FaultServer, name: str, reused: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(ValueError, match="cannot strike"):
        fault_server.arm(BY_NAME[name], reused=reused)


@pytest.mark.parametrize("absence", list(Absence))
def test_every_absence_has_its_fault(absence: Absence) -> None:
    assert any(fault.absence is absence for fault in ALL)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(ALL)
