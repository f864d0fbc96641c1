"""The rows of a campaign as they are read from their source, before anything in them is checked."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from queue import SimpleQueue
from typing import Final, Protocol, TypeAlias, runtime_checkable

from anyio import to_thread

from ippanel_edge._async._grace import Grace, finish

RawRow: TypeAlias = tuple[int, object, Sequence[object] | str]
"""A row of a source: its line in the file (or position, from 1), the value of the recipient as it was found, and the
values of the wanted columns in their order; or, instead of the values, a str: the reason why the row cannot be read."""

BATCH: Final = 4096
"""Rows per batch: a batch takes a few milliseconds, which is much more than the switch to another thread."""
_PATIENCE: Final = 60.0
"""Seconds that reading a batch of a file has to finish after a cancellation."""


@runtime_checkable
class Rows(Protocol):
    """A source of rows: `read_rows` returns one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the file without its folder, ``stdin``, or ``rows``."""
        ...

    @abstractmethod
    def batches(self, columns: Sequence[str] | None) -> AsyncIterator[list[RawRow]]:
        """Yield the rows in batches.

        Args:
            columns: the names of the wanted columns; None for the text of each row, as its only value.

        Raises:
            InvalidArgument: the source cannot be read, or a wanted column is missing.
        """
        ...


Batches: TypeAlias = Generator[list[RawRow], None, None]
"""A generator of batches that blocks while it reads."""


def from_thread(batches: Batches, *, can_wait: bool = False) -> AsyncGenerator[list[RawRow], None]:
    """Yield what a blocking generator yields. The generator runs in a thread.

    Args:
        batches: the generator.
        can_wait: whether it may wait for another program, because it reads a pipe. A cancellation then leaves the
            thread, which does not keep the process from exiting. Otherwise it waits until the thread has read a batch.
    """
    return _from_daemon(batches) if can_wait else _from_worker(batches)


async def _from_worker(batches: Batches) -> AsyncGenerator[list[RawRow], None]:
    async def read() -> list[RawRow] | None:
        return await to_thread.run_sync(next, batches, None)

    try:
        # `task.cancel()` of asyncio would leave the thread in the generator, which can then not be closed.
        while (batch := await finish(read, Grace(lambda: True, _PATIENCE, lambda _: None))) is not None:
            yield batch
    finally:
        batches.close()


async def _from_daemon(batches: Batches) -> AsyncGenerator[list[RawRow], None]:
    requests: SimpleQueue[bool] = SimpleQueue()
    answers: SimpleQueue[list[RawRow] | BaseException | None] = SimpleQueue()

    def work() -> None:
        while requests.get():
            try:
                answers.put(next(batches, None))
            except BaseException as error:  # noqa: BLE001 - raised again in the event loop
                answers.put(error)
        batches.close()

    threading.Thread(target=work, name="ippanel-edge reader", daemon=True).start()
    try:
        while True:
            requests.put(True)
            answer = await to_thread.run_sync(answers.get, abandon_on_cancel=True)
            if isinstance(answer, BaseException):
                raise answer
            if answer is None:
                return
            yield answer
    finally:
        requests.put(False)
        answers.put(None)  # ends the worker thread that waits for an answer after a cancellation
