"""Plain sockets and httpx clients without the SDK observe each fault, and accepted requests are counted."""

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

from tests.faults import responses
from tests.faults.bare import (
    BODY,
    REQUEST,
    SEND,
    bare_client,
    connect,
    first_byte_of_response,
    name_of,
    post,
    read_response,
    timeout_for,
)
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.fault import Absence, End, EndedBy, Fault, Reads, Where

if TYPE_CHECKING:
    from tests.faults.server import Cell, FaultServer

RESET: Final = "ReadError or RemoteProtocolError"
"""httpcore ignores a reset during a write; the following read raises RemoteProtocolError."""
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
"""The exception or status that an httpx client observes; `_symptom` returns those of the other faults."""
SECOND_SYMPTOMS: Final = {"garbage-after-response": "RemoteProtocolError"}
"""The exception that an httpx client raises for the next request, because it reads the bytes that are left."""


def _symptom(fault: Fault) -> str:
    if fault.name in SYMPTOMS:
        return SYMPTOMS[fault.name]
    if fault.reads is Reads.BROKEN:
        return {End.RESET: RESET, End.STALL: "ReadTimeout"}.get(fault.end, "RemoteProtocolError")
    if fault.name == "no-content-204":
        return "204"
    return str(fault.status)


QUICK: Final = [fault for fault in ALL if fault.ended_by is not EndedBy.DEADLINE and "bomb" not in fault.name]
WITH_TLS: Final = [
    fault
    for fault in QUICK
    if fault.fresh and not fault.tls and fault.absence is None and fault.name != "reset-at-accept"
]
"""CPython 3.11 leaks the socket if a reset arrives before the handshake; `tls-reset` covers this case."""


def _accepted(fault: Fault) -> int:
    """Return how many requests the server accepts if one with a body is sent."""
    return int(fault.executes and fault.where in {Where.WHOLE, Where.IDLE} and fault.reads is not Reads.UNTRUSTED)


# Symptoms of every fault with httpx.


@pytest.mark.parametrize("fault", [fault for fault in QUICK if fault.fresh], ids=name_of)
def test_a_fresh_connection_has_the_fault(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault) as cell:
        with bare_client(cell) as client:
            assert post(client, fault) in _symptom(fault).split(" or ")
        counts = cell.settle()
        assert (counts.accepted, counts.open) == (_accepted(fault), 0)


@pytest.mark.parametrize("fault", [fault for fault in QUICK if fault.reused], ids=name_of)
def test_a_reused_connection_has_the_fault_on_the_second_request(fault_server: FaultServer, fault: Fault) -> None:
    with fault_server.arm(fault, reused=True) as cell:
        with bare_client(cell) as client:
            assert client.post(SEND, content=BODY, timeout=5).status_code == 200
            cell.quiesce()
            symptom = SECOND_SYMPTOMS.get(fault.name, "200") if fault.where is Where.IDLE else _symptom(fault)
            assert post(client, fault) in symptom.split(" or ")
        counts = cell.settle()
        assert cell.primer is not None
        assert (counts.accepted, counts.open) == (_accepted(fault), 0)
        if fault.where not in {Where.IDLE, Where.ACCEPT}:
            assert [(request.affected, request.nth, request.connection) for request in cell.seen] == [(True, 2, 1)]


@pytest.mark.parametrize("fault", WITH_TLS, ids=name_of)
def test_with_tls_only_faults_before_the_handshake_differ(fault_server: FaultServer, fault: Fault) -> None:
    symptom = _symptom(fault)
    if fault.where is Where.ACCEPT:
        symptom = "ConnectTimeout" if fault.end is End.STALL else "ConnectError"
    with fault_server.arm(fault, tls=True) as cell:
        assert cell.base_url.startswith("https://")
        with bare_client(cell) as client:
            assert post(client, fault) in symptom.split(" or ")
        counts = cell.settle()
        assert (counts.accepted, counts.open) == (_accepted(fault), 0)


# Points of a request and ends of a connection, byte by byte.


@pytest.mark.parametrize("where", [Where.ACCEPT, Where.HEADERS, Where.MID_BODY, Where.WHOLE])
class TestEndsOfAConnection:
    def test_close_sends_a_fin_without_a_reset(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"close-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(REQUEST)
                assert sock.recv(1) == b""
                sock.sendall(b"more bytes cause no reset")
                assert sock.recv(1) == b""
            assert cell.settle().open == 0

    def test_reset_sends_a_reset(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"reset-at-{where}"]) as cell:
            with pytest.raises(ConnectionError):
                first_byte_of_response(cell, REQUEST)
            assert cell.settle().open == 0

    def test_stall_sends_nothing_and_leaves_the_connection_open(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"stall-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(REQUEST)
                with pytest.raises(TimeoutError):
                    sock.recv(1)
                assert cell.quiesce().open == 1
            assert cell.settle().open == 0

    @pytest.mark.parametrize("end", [End.CLOSE, End.RESET, End.STALL])
    def test_only_a_complete_request_is_accepted(self, fault_server: FaultServer, where: Where, end: End) -> None:
        with fault_server.arm(BY_NAME[f"{end}-at-{where}"]) as cell:
            with contextlib.suppress(ConnectionError), connect(cell) as sock:
                sock.sendall(REQUEST)
                cell.quiesce()
            counts = cell.settle()
        assert counts.accepted == (where is Where.WHOLE)
        assert counts.seen == (where is not Where.ACCEPT)

    def test_a_request_without_a_body_is_complete_after_its_head(self, fault_server: FaultServer, where: Where) -> None:
        with fault_server.arm(BY_NAME[f"close-at-{where}"]) as cell:
            with connect(cell) as sock:
                sock.sendall(b"GET /v1/api/payment/credit/mine HTTP/1.1\r\nHost: api\r\n\r\n")
                assert sock.recv(1) == b""
            assert cell.settle().accepted == (where is not Where.ACCEPT)


def test_an_incomplete_request_is_not_accepted(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["stall-at-request-end"]) as cell:
        with connect(cell) as sock:
            sock.sendall(REQUEST[:-1])
        assert cell.settle().accepted == 0


def test_no_body_is_read_before_a_fault_after_the_headers(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["reset-at-headers"]) as cell, bare_client(cell) as client:
        post(client, cell.fault)
        cell.settle()
        assert [(request.body, request.whole) for request in cell.seen] == [(b"", False)]


def test_half_of_the_body_is_read_before_a_fault_during_the_body(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["reset-at-mid-body"]) as cell, bare_client(cell) as client:
        post(client, cell.fault)
        cell.settle()
        assert [(request.body, request.whole) for request in cell.seen] == [(BODY[: len(BODY) // 2], False)]


def test_a_413_is_sent_before_the_upload_is_complete(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["413-during-upload"]) as cell:
        with connect(cell) as sock:
            sock.sendall(b"POST /v1/api/send HTTP/1.1\r\nHost: api\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000)
            sock.settimeout(5)
            assert sock.recv(12) == b"HTTP/1.1 413"
        assert cell.settle().accepted == 0


def test_a_chunked_request_is_read_completely(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["chunked-good"]) as cell, bare_client(cell) as client:
        assert client.post(SEND, content=iter([b"one ", b"two"])).json()["meta"]["status"] is True
        assert [request.body for request in cell.accepted] == [b"one two"]


# Connections that cannot be established.


def test_resolving_an_invalid_host_name_fails_within_10_seconds(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["dns-failure"]) as cell:
        host = httpx.URL(cell.base_url).host
        began = time.monotonic()
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo(host, 80)
        assert time.monotonic() - began < 10


def test_a_connection_to_a_full_backlog_times_out(fault_server: FaultServer) -> None:
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
def test_an_invalid_certificate_is_rejected_for_the_expected_reason(
    fault_server: FaultServer, name: str, reason: str
) -> None:
    with fault_server.arm(BY_NAME[name]) as cell, bare_client(cell) as client:
        with pytest.raises(httpx.ConnectError, match=reason):
            client.post(SEND)
        assert cell.settle().accepted == 0


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.proxy and fault.absence is None], ids=name_of)
def test_a_proxy_receives_one_connect_and_the_service_only_tunnelled_requests(
    fault_server: FaultServer, fault: Fault
) -> None:
    with fault_server.arm(fault) as cell:
        with bare_client(cell) as client:
            post(client, fault)
        counts = cell.settle()
    assert (counts.connects, counts.accepted) == (1, int(fault.where is Where.WHOLE))


# Reuse, and bytes on a connection between requests.


@pytest.mark.parametrize("name", ["close-on-reuse", "reset-on-reuse"])
def test_a_connection_closed_on_reuse_fails_one_request_only(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name], reused=True) as cell:
        with bare_client(cell) as client:
            assert post(client, cell.fault) == "200"
            assert post(client, cell.fault) in {"RemoteProtocolError", "ReadError"}
            assert post(client, cell.fault) == "200"
        counts = cell.settle()
    assert (counts.accepted, counts.connections) == (1, 2)


@pytest.mark.parametrize("name", ["idle-close", "idle-reset", "408-after-response"])
def test_the_request_after_a_closed_idle_connection_uses_a_new_connection(fault_server: FaultServer, name: str) -> None:
    with fault_server.arm(BY_NAME[name], reused=True) as cell:
        with bare_client(cell) as client:
            assert post(client, cell.fault) == "200"
            cell.quiesce()
            assert post(client, cell.fault) == "200"
        assert [request.nth for request in cell.accepted] == [1]


def test_the_second_of_two_responses_remains_on_the_connection(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["two-responses-at-once"], reused=True) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        first, second = read_response(sock), read_response(sock)
        assert json.loads(first)["data"] == {"message_outbox_ids": [1001]}
        assert json.loads(second)["data"] == {"message_outbox_ids": [responses.POISON]}


def test_httpx_returns_the_second_of_two_responses_for_its_next_request(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["two-responses-at-once"], reused=True) as cell, bare_client(cell) as client:
        client.post(SEND, content=BODY)
        cell.quiesce()
        assert client.post(SEND, content=BODY).json()["data"] == {"message_outbox_ids": [responses.POISON]}


def test_a_late_response_arrives_before_that_of_the_next_request(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["late-response"]) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.sendall(REQUEST)
        late, own = read_response(sock), read_response(sock)
        assert json.loads(late)["data"] == {"message_outbox_ids": [responses.POISON]}
        assert json.loads(own)["data"] == {"message_outbox_ids": [1002]}
        assert cell.quiesce().accepted == 2


# Cells.


def test_cells_are_independent_of_each_other(fault_server: FaultServer) -> None:
    def send(cell: Cell) -> int:
        with cell, bare_client(cell) as client:
            assert client.post(SEND, content=BODY).json()["data"] == {"message_outbox_ids": [1001]}
            return cell.quiesce().accepted

    cells = [fault_server.arm(BY_NAME["gzip-good"]) for _ in range(40)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(send, cells)) == [1] * 40


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", ["reset-at-request-end", "stall-at-request-end", "gzip-good"])
def test_async_clients_have_the_same_faults(fault_server: FaultServer, backend: str, name: str) -> None:
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
        counts = cell.settle()
    assert (counts.accepted, counts.open) == (1, 0)


def test_a_request_is_recorded_as_received(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["gzip-good"]) as cell, bare_client(cell) as client:
        client.request("PUT", "/api/things?x=1", headers={"Authorization": "some-key"}, content=b"body")
        (request,) = cell.accepted
    assert (request.method, request.path, request.body) == ("PUT", "/v1/api/things?x=1", b"body")
    assert ("Authorization", "some-key") in request.headers


def test_open_connections_are_counted(fault_server: FaultServer) -> None:
    with fault_server.arm(BY_NAME["gzip-good"]) as cell, connect(cell) as sock:
        sock.sendall(REQUEST)
        assert cell.quiesce().open == 1
        sock.close()
        assert cell.settle().open == 0


@pytest.mark.parametrize(("name", "reused"), [("refused", True), ("close-on-reuse", False)])
def test_a_fault_that_cannot_affect_a_connection_is_rejected(
    fault_server: FaultServer,
    name: str,
    reused: bool,  # noqa: FBT001 - a test parameter
) -> None:
    with pytest.raises(ValueError, match="cannot affect"):
        fault_server.arm(BY_NAME[name], reused=reused)


@pytest.mark.parametrize("absence", list(Absence))
def test_each_reason_for_a_missing_connection_has_a_fault(absence: Absence) -> None:
    assert any(fault.absence is absence for fault in ALL)


def test_the_names_of_faults_are_unique() -> None:
    assert len(BY_NAME) == len(ALL)
