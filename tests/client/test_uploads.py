"""Files are checked before anything is sent, read without blocking the event loop, and used by one call at a time."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import anyio.lowlevel
import httpx
import pytest

from ippanel_edge import ConnectionFailed, Credentials, EdgeClient, InvalidArgument, Outcome, OutcomeUnknown
from ippanel_edge.endpoints import READ
from tests.client.conftest import FakeClock, MakeClient
from tests.client.sides import result
from tests.contract.sample import ok
from tests.workbooks import workbook

pytestmark = pytest.mark.anyio

ROWS = b"phone_number\n" + b"09121234567\n" * 20_000
IN_USE = "this file object is in use by another upload; pass a path"
TIMEOUT = 10.0

asynchronous = pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)


class Service:
    """Responds to every request, and records the bodies."""

    def __init__(self, *failures: int) -> None:
        self.failures = list(failures)
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        if self.failures:
            return httpx.Response(self.failures.pop(0), json={})
        return httpx.Response(200, json=ok({"message_outbox_ids": [5]}))


class Observed(io.BytesIO):
    """A file object that records the threads that use it, and runs a function at its first read."""

    name = "numbers.csv"

    def __init__(self, content: bytes = ROWS, at_read: Callable[[], None] = lambda: None) -> None:
        super().__init__(content)
        self.at_read = at_read
        self.threads: set[int] = set()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self.threads.add(threading.get_ident())
        return super().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        self.threads.add(threading.get_ident())
        if size:
            at_read, self.at_read = self.at_read, lambda: None
            at_read()
        return super().read(size)


class Stream(io.RawIOBase):
    """A stream that is not seekable, like a pipe."""

    name = "numbers.csv"

    def __init__(self, content: bytes, at_read: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.content = io.BytesIO(content)
        self.at_read = at_read

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size:
            self.at_read()
        return self.content.read(size)


class Stuck:
    """Blocks a thread until the test releases it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.released.wait(TIMEOUT)

    async def wait(self) -> None:
        assert await anyio.to_thread.run_sync(self.reached.wait, TIMEOUT)


# One call at a time uses a file object.


async def test_a_file_object_cannot_be_used_by_another_client_in_another_thread_meanwhile(
    make_client: MakeClient,
) -> None:
    service, others = Service(), Service()
    other = EdgeClient("another-key", http_client=httpx.Client(transport=httpx.MockTransport(others)))
    errors: list[InvalidArgument] = []

    def use_again() -> None:
        with pytest.raises(InvalidArgument, match=IN_USE) as caught:
            other.send.file(file, "x", from_number="+983000111222")
        errors.append(caught.value)

    file = Observed(at_read=use_again)
    await result(make_client(service).send.file(file, "x"))
    assert [(error.argument, error.outcome) for error in errors] == [("file", Outcome.NOT_SENT)]
    assert others.bodies == []
    assert ROWS in service.bodies[0]
    file.seek(0)
    other.send.file(file, "x", from_number="+983000111222")
    assert ROWS in others.bodies[0]


@asynchronous
async def test_of_two_tasks_with_one_file_object_one_sends_it_and_the_other_is_rejected(
    make_client: MakeClient,
) -> None:
    service = Service()
    client = make_client(service)
    file = Observed()
    errors: list[InvalidArgument] = []

    async def send() -> None:
        try:
            await client.send.file(file, "x")
        except InvalidArgument as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        tasks.start_soon(send)
    assert [str(error).partition(";")[0] for error in errors] == ["send.file: file: " + IN_USE.partition(";")[0]]
    assert [ROWS in body for body in service.bodies] == [True]


async def test_one_file_object_cannot_be_two_files_of_a_call(make_client: MakeClient) -> None:
    service = Service()
    file = Observed()
    with pytest.raises(InvalidArgument, match=IN_USE) as caught:
        await result(make_client(service).users.documents.upload(1, [file, ("other.csv", file)]))
    assert caught.value.argument == "files[1]"
    assert service.bodies == []


@pytest.mark.parametrize("failure", [400, 503])
async def test_after_a_failure_a_file_object_can_be_used_again(failure: int, make_client: MakeClient) -> None:
    service = Service(failure)
    client = make_client(service, retry=0)
    file = Observed()
    with pytest.raises(Exception, match=f"HTTP {failure}"):
        await result(client.send.file(file, "x"))
    file.seek(0)
    await result(client.send.file(file, "x"))
    assert [ROWS in body for body in service.bodies] == [True, True]


async def test_a_rejected_file_object_keeps_its_position(make_client: MakeClient) -> None:
    file = Observed(b"skipped\nphone_number\n0912\n")
    file.seek(8)
    with pytest.raises(InvalidArgument, match="line 2: too short"):
        await result(make_client(Service()).send.file(file, "x"))
    assert file.tell() == 8


@asynchronous
async def test_two_attempts_of_one_call_at_the_same_time_both_send_the_whole_file(make_client: MakeClient) -> None:
    async def twice(call: Any, proceed: Any) -> Any:
        replies: list[Any] = []

        async def attempt() -> None:
            replies.append(await proceed(call))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(attempt)
            tasks.start_soon(attempt)
        return replies[0]

    service = Service()
    file = Observed(bytes(range(256)) * 2000)
    client = make_client(service, middleware=[twice])
    await client.request("POST", "/api/x", files=[("file", file)], repeat=READ)
    assert [file.getvalue() in body for body in service.bodies] == [True, True]


async def test_a_retry_reads_from_the_position_of_the_first_attempt(make_client: MakeClient, clock: FakeClock) -> None:
    service = Service(503, 503)
    file = Observed(b"skipped\n" + ROWS)
    file.seek(8)
    client = make_client(service, retry=2)
    await result(client.request("POST", "/api/x", files=[("file", file)], repeat=READ))
    assert len(service.bodies) == 3
    assert all(ROWS in body and b"skipped" not in body for body in service.bodies)
    assert len(clock.waits) == 2


# Reading does not block the event loop.


@pytest.mark.parametrize("kind", ["file object", "path"])
async def test_files_are_used_in_worker_threads_on_the_async_side_only(
    kind: str, side: str, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed = Observed()
    value: Any = observed
    if kind == "path":
        value = tmp_path / "numbers.csv"
        value.write_bytes(ROWS)
        for name in ("open", "stat"):
            monkeypatch.setattr(Path, name, recording(getattr(Path, name), observed.threads))
    await result(make_client(Service()).send.file(value, "x"))
    here = threading.get_ident()
    assert observed.threads
    assert (observed.threads == {here}) if side == "sync" else (here not in observed.threads)


def recording(method: Callable[..., Any], threads: set[int]) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        threads.add(threading.get_ident())
        return method(*args, **kwargs)

    return recorded


@asynchronous
async def test_a_stuck_file_does_not_hold_up_a_cancellation_and_stays_in_use_until_it_is_read(
    make_client: MakeClient,
) -> None:
    stuck = Stuck()
    service = Service()
    client = make_client(service)
    file = Observed(at_read=stuck)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send.file, file, "x")
        await stuck.wait()
        tasks.cancel_scope.cancel()
    with pytest.raises(InvalidArgument, match=IN_USE):
        await client.send.file(file, "x")
    stuck.released.set()
    with anyio.fail_after(TIMEOUT):
        while not service.bodies:
            await anyio.lowlevel.checkpoint()
            try:
                await client.send.file(file, "x")
            except InvalidArgument as error:
                assert IN_USE in str(error)  # noqa: PT017 - the abandoned thread has not ended yet
    assert ROWS in service.bodies[0]


@asynchronous
async def test_a_file_that_is_stuck_before_sending_does_not_hold_up_the_deadline(make_client: MakeClient) -> None:
    stuck = Stuck()
    service = Service()
    try:
        with pytest.raises(ConnectionFailed, match="expired before anything was sent"):
            await make_client(service, deadline=0.05).send.file(Observed(at_read=stuck), "x")
    finally:
        stuck.released.set()
    assert service.bodies == []


@asynchronous
async def test_a_pipe_that_is_stuck_while_it_is_sent_does_not_hold_up_the_deadline(make_client: MakeClient) -> None:
    stuck = Stuck()
    service = Service()
    client = make_client(service, deadline=0.5)
    try:
        with pytest.raises(OutcomeUnknown, match="expired"):  # this transport does not show that nothing was sent
            await client.send.file(Stream(ROWS, at_read=stuck), "x")
    finally:
        stuck.released.set()
    assert service.bodies == []


# Content is checked before anything is sent.

INVALID: dict[str, Callable[[Any], Any]] = {
    "file: line 2: too short by 7 digits": lambda client: client.send.file(("a.csv", b"phone_number\n0912\n"), "x"),
    "file: line 1: expected commas": lambda client: client.send.peer_to_peer_file(("a.csv", b"recipient;message\n")),
    "file: row 1: message: must not": lambda client: client.send.peer_to_peer_file(
        ("a.xlsx", workbook(["09121234567"]))
    ),
    "file: expected .xlsx, got another": lambda client: client.send.keyword(("a.xlsx", b"09121234567,x\n"), "{ex_B}"),
    "file: the file has no rows": lambda client: client.phonebooks.contacts.import_file(1, ("a.xlsx", workbook())),
}


@pytest.mark.parametrize("problem", INVALID)
@pytest.mark.parametrize("validate", [True, False])
async def test_a_file_with_invalid_content_is_rejected_before_a_login(
    problem: str,
    validate: bool,  # noqa: FBT001 - a parameter of the test
    make_client: MakeClient,
) -> None:
    service = Service()
    client = make_client(service, credentials=Credentials("mina", "secret-word"), validate=validate)
    with pytest.raises(InvalidArgument, match=problem) as caught:
        await result(INVALID[problem](client))
    assert (caught.value.argument, caught.value.outcome) == ("file", Outcome.NOT_SENT)
    assert caught.value.endpoint
    assert service.bodies == []


async def test_the_number_of_rows_is_checked_unless_limits_are_off(make_client: MakeClient) -> None:
    service = Service()
    file = ("a.csv", b"recipient,message\n" + b"09121234567,x\n" * 10_001)
    with pytest.raises(InvalidArgument, match=r"line 10,002: too many rows: at most 10,000"):
        await result(make_client(service).send.peer_to_peer_file(file))
    assert service.bodies == []
    await result(make_client(service, validate=False).send.peer_to_peer_file(file))
    assert file[1] in service.bodies[0]


async def test_a_stream_that_is_not_seekable_is_sent_without_a_check_of_its_content(make_client: MakeClient) -> None:
    service = Service()
    await result(make_client(service).send.file(Stream(b"not checked"), "x"))
    assert b"not checked" in service.bodies[0]


async def test_a_real_pipe_is_sent(make_client: MakeClient) -> None:
    service = Service()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write(b"phone_number\n09121234567\n")
    with os.fdopen(reading, "rb") as pipe:
        content: BinaryIO = pipe
        await result(make_client(service).send.file(("numbers.csv", content), "x"))
    assert b"09121234567" in service.bodies[0]


async def test_a_file_that_changes_after_its_check_is_not_sent(
    side: str, make_client: MakeClient, tmp_path: Path
) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(ROWS)

    def change(call: Any, proceed: Any) -> Any:
        path.write_bytes(b"phone_number\nchanged\n")
        return proceed(call)

    async def change_async(call: Any, proceed: Any) -> Any:
        return await change(call, proceed)

    service = Service()
    client = make_client(service, middleware=[change if side == "sync" else change_async])
    with pytest.raises(OSError, match="changed since the request was created"):
        await result(client.send.file(path, "x"))
    assert service.bodies == []
