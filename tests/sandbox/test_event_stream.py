"""The stream of events of the control address: live, resumed, silent, for many clients and for a plain socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import EdgeClient
from ippanel_edge.sandbox import Sandbox, control

ONE = "+989121234567"


def control_url(sandbox: Sandbox, path: str) -> str:
    return f"{sandbox.base_url.removesuffix('/v1')}/sandbox{path}"


@contextmanager
def streamed(sandbox: Sandbox, **headers: str) -> Generator[Iterator[tuple[str, str, Any]]]:
    """Open the stream of events and return its events as (id, event, data)."""
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("GET", control_url(sandbox, "/events"), headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        yield parse(response.iter_lines())


def parse(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def test_events_are_streamed_as_they_happen_and_end_with_the_server() -> None:
    sandbox = Sandbox()
    seen: list[tuple[str, Any]] = []
    with sandbox, streamed(sandbox) as events:
        sandbox.state.receive(ONE, sandbox.from_number, "سلام")
        _, kind, data = next(events)
        assert (kind, data["text"], data["number"]) == ("inbound", "سلام", ONE)
        with EdgeClient(sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number) as client:
            result = client.send.webservice([ONE], "hello")
        seen += [next(events)[1:] for _ in range(2)]
        assert [kind for kind, _ in seen] == ["message", "request"]
        assert seen[0][1]["outbox_id"] == result.id
        sandbox.clock.advance(4)
        assert [(kind, data.get("status")) for _, kind, data in (next(events), next(events))] == [
            ("clock", None),
            ("status", "delivered"),
        ]
        began = time.perf_counter()
        sandbox.stop()
        assert list(events) == []
        assert time.perf_counter() - began < 0.9  # a stream that does not end is aborted after one second


def test_a_head_request_ends_at_once() -> None:
    with Sandbox() as sandbox:
        response = httpx.head(control_url(sandbox, "/events"), trust_env=False)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"].startswith("text/event-stream")


def test_a_stream_resumes_after_the_last_event_id() -> None:
    with Sandbox() as sandbox:
        with streamed(sandbox) as events:
            sandbox.state.receive(ONE, sandbox.from_number, "first")
            last_id, _, _ = next(events)
        sandbox.state.receive(ONE, sandbox.from_number, "second")
        with streamed(sandbox, **{"Last-Event-ID": last_id}) as events:
            assert next(events)[2]["text"] == "second"


@pytest.mark.parametrize("last_id", ["deadbeef-1", "1", "x", "deadbeef-", "-1", "9" * 50])
def test_an_id_of_another_feed_is_a_reset(last_id: str) -> None:
    with Sandbox() as sandbox:
        sandbox.state.receive(ONE, sandbox.from_number, "first")
        with streamed(sandbox, **{"Last-Event-ID": last_id}) as events:
            assert next(events)[1] == "reset"
            sandbox.state.receive(ONE, sandbox.from_number, "second")
            assert next(events)[2]["text"] == "second"


def test_a_comment_keeps_a_silent_stream_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "KEEP_ALIVE", 0.01)
    with (
        Sandbox() as sandbox,
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("GET", control_url(sandbox, "/events")) as response,
    ):
        lines = [line for _, line in zip(range(5), response.iter_lines(), strict=False)]
    assert lines[::2] == [": the events of the sandbox", ": no event", ": no event"]


def test_100_streams_receive_every_event_and_end_with_the_server() -> None:
    sandbox = Sandbox()
    received: list[list[str]] = []
    everyone_is_connected = threading.Event()

    async def follow(client: httpx.AsyncClient, opened: list[None]) -> None:
        async with client.stream("GET", control_url(sandbox, "/events")) as response:
            opened.append(None)
            if len(opened) == 100:
                await anyio.to_thread.run_sync(everyone_is_connected.set)
            received.append([line async for line in response.aiter_lines() if line.startswith("data: ")])

    async def follow_all() -> None:
        opened: list[None] = []
        limits = httpx.Limits(max_connections=100)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as client,
            anyio.create_task_group() as group,
        ):
            for _ in range(100):
                group.start_soon(follow, client, opened)

    with sandbox:
        thread = threading.Thread(target=anyio.run, args=(follow_all,))
        thread.start()
        assert everyone_is_connected.wait(30)
        for number in range(20):
            sandbox.state.receive(ONE, sandbox.from_number, f"text {number}")
        probe = sandbox.events.subscribe(0)
        assert len(probe.take()) == 20
        with streamed(sandbox, **{"Last-Event-ID": f"{sandbox.events.run}-19"}) as events:
            assert next(events)[2]["text"] == "text 19"
        sandbox.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert [len(lines) for lines in received] == [20] * 100


def test_a_plain_socket_can_use_the_control_address() -> None:
    with Sandbox() as sandbox:
        url = httpx.URL(sandbox.base_url)
        address = (url.host, url.port or 80)
        with socket.create_connection(address, timeout=10) as stream:
            stream.sendall(b"GET /sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"the events of the sandbox" not in received:
                received += stream.recv(65536)
            body = b'{"from": "0912 123 4567", "text": "hi"}'
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(
                    b"POST /sandbox/inbound HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Type: application/x-www-form-urlencoded\r\n"
                    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
                )
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
            assert answer.endswith(b'{"id": 1001}')
            while b"event: inbound" not in received:
                received += stream.recv(65536)


def test_a_client_that_disconnects_during_a_body_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox() as sandbox:
        url = httpx.URL(sandbox.base_url)
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(b"POST /sandbox/inbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
        assert httpx.get(control_url(sandbox, "/state"), trust_env=False).status_code == 200
    assert caplog.messages == []
