"""The clients of the plugin: in memory and over the server, in event loops and threads, with timeouts and uploads."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
import pytest

from ippanel_edge import ConfigurationError, Outcome, OutcomeUnknown
from ippanel_edge.sandbox import Fault
from ippanel_edge.testing import EdgeSandbox
from ippanel_edge.testing.clients import async_client, sync_client

ALI = "+989123456789"
LARGE = b"recipient,message\n" + b"".join(b"0912%07d,%s\n" % (row, b"a" * 250) for row in range(5_000))
"""More than 1 MiB: Starlette then writes the form to a file, in a thread."""


@contextmanager
def running(sandbox: EdgeSandbox, *, in_memory: bool) -> Generator[EdgeSandbox, None, None]:
    if in_memory:
        yield sandbox
    else:
        with sandbox:
            yield sandbox


@pytest.fixture(params=[True, False], ids=["memory", "server"])
def in_memory(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def sandbox(in_memory: bool) -> Iterator[EdgeSandbox]:  # noqa: FBT001 - a fixture
    with running(EdgeSandbox(), in_memory=in_memory) as sandbox:
        yield sandbox


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_asynchronous_client_sends_and_uploads(
    sandbox: EdgeSandbox,
    in_memory: bool,  # noqa: FBT001 - a fixture
    backend: str,
) -> None:
    with async_client(sandbox, in_memory=in_memory) as client:

        async def main() -> None:
            await client.send.webservice(ALI, "Hello")
            await client.send.peer_to_peer_file(("rows.csv", LARGE))

        anyio.run(main, backend=backend)
    sandbox.assert_sent_once(ALI)
    assert len(sandbox.sent) == 5_001


def test_a_synchronous_client_sends_and_uploads(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    with sync_client(sandbox, in_memory=in_memory) as client:
        client.send.webservice(ALI, "Hello")
        client.send.peer_to_peer_file(("rows.csv", LARGE))
    sandbox.assert_sent_once(ALI)
    assert len(sandbox.sent) == 5_001


def test_a_synchronous_client_works_in_an_event_loop_and_in_threads(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    with sync_client(sandbox, in_memory=in_memory) as client:

        async def main() -> None:
            client.send.webservice(ALI, "from a loop")

        anyio.run(main)
        with ThreadPoolExecutor(4) as threads:
            sends = [threads.submit(client.send.webservice, ALI, f"from thread {number}") for number in range(20)]
        assert len({send.result().id for send in sends}) == 20
    assert len(sandbox.all_sent_to(ALI)) == 21


def test_an_asynchronous_client_works_in_one_event_loop_after_another(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    with async_client(sandbox, in_memory=in_memory) as client:
        for number in range(3):
            anyio.run(client.send.webservice, ALI, f"message {number}")
    assert len(sandbox.all_sent_to(ALI)) == 3


def test_a_client_is_closed_at_the_end(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    with async_client(sandbox, in_memory=in_memory) as client, sync_client(sandbox, in_memory=in_memory) as sync:
        anyio.run(client.payment.credit)
        sync.payment.credit()
    with pytest.raises(ConfigurationError, match="the client is closed"):
        anyio.run(client.payment.credit)
    with pytest.raises(ConfigurationError, match="the client is closed"):
        sync.payment.credit()


def test_a_timeout_applies_in_memory_as_over_the_server(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    sandbox.faults.add(None, path="/api/send", delay=60, times=2)
    with async_client(sandbox, in_memory=in_memory) as client, sync_client(sandbox, in_memory=in_memory) as sync:
        with pytest.raises(OutcomeUnknown):
            anyio.run(client.with_options(timeout=0.05).send.webservice, ALI, "Hello")
        with pytest.raises(OutcomeUnknown):
            sync.with_options(timeout=0.05).send.webservice(ALI, "Hello again")
    assert len(sandbox.all_sent_to(ALI)) == 2


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        (Fault.RESET_BEFORE_ACCEPT, 0),
        (Fault.RESET_AFTER_ACCEPT, 1),
        (Fault.CUT, 1),
        (Fault.GARBAGE, 0),
        (Fault.STALL, 0),
    ],
)
def test_a_broken_connection_is_the_same_error_in_memory_as_over_the_server(
    sandbox: EdgeSandbox,
    in_memory: bool,  # noqa: FBT001 - a fixture
    fault: Fault,
    accepted: int,
) -> None:
    sandbox.fail("send", times=2, with_=fault)
    with async_client(sandbox, in_memory=in_memory) as client, sync_client(sandbox, in_memory=in_memory) as sync:
        with pytest.raises(OutcomeUnknown) as of_async:
            anyio.run(client.with_options(timeout=0.2).send.webservice, ALI, "Hello")
        with pytest.raises(OutcomeUnknown) as of_sync:
            sync.with_options(timeout=0.2).send.webservice(ALI, "Hello again")
    assert of_async.value.outcome is of_sync.value.outcome is Outcome.UNKNOWN
    assert len(sandbox.all_sent_to(ALI)) == 2 * accepted


def test_an_error_in_the_test_stops_the_clients(sandbox: EdgeSandbox, in_memory: bool) -> None:  # noqa: FBT001 - a fixture
    with (
        pytest.raises(ZeroDivisionError),
        async_client(sandbox, in_memory=in_memory) as client,
        sync_client(sandbox, in_memory=in_memory) as sync,
    ):
        raise ZeroDivisionError
    for shared in (client, sync):
        assert shared._shared.is_closed
