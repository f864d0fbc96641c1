"""A load that is cancelled while a thread reads its source: it ends, and leaves nothing in the ledger."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, Counts, read_rows

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
READER = "ippanel-edge reader"


class Blocking(io.BytesIO):
    """A file whose second read waits until it is released.

    Attributes:
        waits: set when the read has begun.
        released: set to end it.
    """

    def __init__(self) -> None:
        super().__init__(b"mobile\n" + b"09121234567\n" * 200_000)
        self.waits = threading.Event()
        self.released = threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            self.waits.set()
            assert self.released.wait(PATIENCE)
        return super().read(size)


async def loaded(file: BinaryIO | Path, ledger: Path, client: AsyncEdgeClient) -> None:
    """Load a file, after a cancellation of which the ledger must be empty."""
    async with Campaign.open(ledger, client, message="a") as campaign:
        try:
            await campaign.load(read_rows(file))
        finally:
            with anyio.CancelScope(shield=True):
                assert await campaign.counts() == Counts()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_task_waits_for_the_thread_that_reads(tmp_path: Path, client: AsyncEdgeClient) -> None:
    file = Blocking()
    task = asyncio.ensure_future(loaded(file, tmp_path / "a.db", client))
    await anyio.to_thread.run_sync(file.waits.wait, PATIENCE)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done(), "the thread is still reading"
    file.released.set()
    with pytest.raises(asyncio.CancelledError):
        await task


@contextmanager
def pipe(content: bytes) -> Generator[BinaryIO]:
    """Return a pipe with a beginning and no end."""
    end, begin = os.pipe()
    try:
        os.write(begin, content)
        with os.fdopen(end, "rb", buffering=0) as file:
            yield cast("BinaryIO", file)
            os.close(begin)  # ends the read, before its file is closed
            begin = -1
            wait_for_readers()
    finally:
        if begin >= 0:
            os.close(begin)


def wait_for_readers() -> None:
    """Wait until the threads that read pipes have ended."""
    for thread in threading.enumerate():
        if thread.name == READER:
            assert thread.daemon, "it would keep the process from exiting"
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.mark.parametrize("content", [b"", b"mobile\n09121234567\n"])
async def test_a_cancellation_does_not_wait_for_a_pipe(content: bytes, tmp_path: Path, client: AsyncEdgeClient) -> None:
    with pipe(content) as file:
        with anyio.fail_after(PATIENCE), anyio.move_on_after(0.2) as scope:
            await loaded(file, tmp_path / "a.db", client)
        assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_timeout_of_asyncio_does_not_wait_for_a_pipe(tmp_path: Path, client: AsyncEdgeClient) -> None:
    with pipe(b"mobile\n") as file, pytest.raises(TimeoutError):
        await asyncio.wait_for(loaded(file, tmp_path / "a.db", client), 0.2)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
async def test_a_cancellation_does_not_wait_for_a_named_pipe(tmp_path: Path, client: AsyncEdgeClient) -> None:
    path = tmp_path / "rows.csv"
    os.mkfifo(path)
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(loaded, path, tmp_path / "a.db", client)
            while all(thread.name != READER for thread in threading.enumerate()):  # noqa: ASYNC110 - no event tells it
                await anyio.sleep(0.002)
            tasks.cancel_scope.cancel()
    path.open("wb", buffering=0).close()
    wait_for_readers()


async def test_a_pipe_is_read_to_its_end(tmp_path: Path, client: AsyncEdgeClient) -> None:
    end, begin = os.pipe()
    with os.fdopen(end, "rb") as file, os.fdopen(begin, "wb") as writer:
        writer.write(b"mobile\n09121234567\nx\n")
        writer.close()
        async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
            report = await campaign.load(read_rows(cast("BinaryIO", file)))
            assert (report.added, report.set_aside) == (1, 1)
    wait_for_readers()
