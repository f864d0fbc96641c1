"""The content of files to upload: where it is read from, and the rule that one upload at a time uses a file object."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Protocol, cast

import attrs

from ippanel_edge.errors import InvalidArgument

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_SIZE: Final = 64 * 1024


@attrs.frozen
class Content:
    """The content of a file that was opened and measured.

    Attributes:
        size: the number of bytes; None if the file is not seekable.
        reader: returns a reader of the content from its start, which does not need closing.
        rewind: sets a file object back to the start of the content.
    """

    size: int | None
    reader: Callable[[], io.RawIOBase]
    rewind: Callable[[], object] = lambda: None

    def stream(self) -> BinaryIO:
        """Return a buffered reader of the content from its start."""
        return io.BufferedReader(self.reader(), CHUNK_SIZE)


class Source(Protocol):
    """Bytes, a path or a file object. Only `open`, and the readers of its result, do I/O."""

    @abstractmethod
    def held(self) -> AbstractContextManager[object]:
        """Keep other uploads from using the same file object inside of the with block.

        Raises:
            InvalidArgument: another upload uses it.
        """
        ...

    @abstractmethod
    def open(self, limit: int | None) -> Content:
        """Measure the content. The readers of a file that is not seekable stop at `limit` bytes.

        Raises:
            InvalidArgument: the file cannot be read.
        """
        ...


@attrs.frozen
class InMemory:
    """Bytes."""

    data: bytes = attrs.field(repr=False)

    def held(self) -> AbstractContextManager[object]:
        """Return a context manager without effect: bytes have no position."""
        return nullcontext()

    def open(self, limit: int | None = None) -> Content:
        """Return the content."""
        del limit
        data = self.data
        return Content(
            len(data), lambda: _FixedSizeReader(lambda start, length: data[start : start + length], len(data))
        )


@attrs.frozen
class OnDisk:
    """A path. It is opened for each chunk.

    So a request that fails or is never sent leaves no file open, and a file that is replaced while it is sent is
    detected instead of being mixed with its replacement.
    """

    path: str | os.PathLike[str]
    argument: str

    def held(self) -> AbstractContextManager[object]:
        """Return a context manager without effect: every reader opens the file itself."""
        return nullcontext()

    def open(self, limit: int | None = None) -> Content:
        """Check that the path leads to a readable regular file."""
        del limit
        try:
            path = Path(self.path)
            found = path.stat()
            if stat.S_ISREG(found.st_mode):
                with path.open("rb") as file:
                    found = os.fstat(file.fileno())
        except OSError as error:
            problem = f"cannot be read: {error.strerror or type(error).__name__}: {str(self.path)[:200]!r}"
            raise InvalidArgument(problem, argument=self.argument) from None
        except ValueError:  # NUL or a lone surrogate
            problem = "expected a str path without NUL characters and lone surrogates"
            raise InvalidArgument(problem, argument=self.argument) from None
        if not stat.S_ISREG(found.st_mode):
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a special file (pipe, socket or device)"
            problem = f"expected a regular file, got {kind}: {str(path)[:200]!r}"
            raise InvalidArgument(problem, argument=self.argument)
        version = _version(found)

        def read_at(offset: int, length: int) -> bytes:
            with path.open("rb", buffering=0) as file:
                if _version(os.fstat(file.fileno())) != version:
                    raise OSError(f"{path.name!r} changed since the request was created")
                file.seek(offset)
                return file.read(length)

        size = found.st_size
        return Content(size, lambda: _FixedSizeReader(read_at, size))


def _version(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@attrs.define(eq=False)
class FileObject:
    """A caller's file object, which is used from its current position and left open.

    It has one position, so two uploads that read it in turns would both send garbled content. So one upload at a time
    uses it, and the reads of that upload, which may be in several threads after a cancellation, follow one another.
    """

    file: BinaryIO
    argument: str
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)
    _uses: int = attrs.field(default=0, init=False, repr=False)

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep other uploads from using the file object."""
        if not self._take():
            problem = (
                "this file object is in use by another upload; pass a path, use one file object for each upload, or "
                "wait until the other call has ended"
            )
            raise InvalidArgument(problem, argument=self.argument)
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def _reading(self) -> Generator[None]:
        """Hold the file object for one read: it stays in use while a read of an abandoned thread is stuck."""
        if not self._take():
            raise OSError("the file object is in use by another upload")
        try:
            with self._lock:
                yield
        finally:
            self._release()

    def _take(self) -> bool:
        with _Guard.lock:
            if _users.setdefault(id(self.file), self) is not self:
                return False
            self._uses += 1
            return True

    def _release(self) -> None:
        with _Guard.lock:
            self._uses -= 1
            if not self._uses:
                del _users[id(self.file)]

    def open(self, limit: int | None) -> Content:
        """Check that the file object yields bytes, and measure it from its current position."""
        file = self.file
        with self._reading():
            self._check_yields_bytes()
            try:
                start = file.tell()
                file.seek(0, os.SEEK_END)
                end = file.tell()
                file.seek(start)
            except (AttributeError, OSError):
                progress = _Progress()
                return Content(None, lambda: _SinglePassReader(self._read_next, progress, limit))

        def read_at(offset: int, length: int) -> bytes:
            with self._reading():
                file.seek(start + offset)
                return file.read(length)

        def rewind() -> None:
            with self._reading():
                file.seek(start)

        size = max(0, end - start)
        return Content(size, lambda: _FixedSizeReader(read_at, size), rewind)

    def _check_yields_bytes(self) -> None:
        try:
            empty = cast("object", self.file.read(0))  # a caller without a type checker may pass a text file
        except (OSError, TypeError, ValueError) as error:  # write-only, read() without a size, closed
            raise InvalidArgument(f"cannot be read: {error}", argument=self.argument) from None
        if not isinstance(empty, bytes):
            problem = (
                f'expected a binary file object, got one that reads {type(empty).__name__}; open it with mode "rb"'
            )
            raise InvalidArgument(problem, argument=self.argument)

    def _read_next(self, length: int, progress: _Progress, position: int) -> bytes:
        with self._reading():
            if position != progress.position:
                raise OSError("the file is not seekable, so it cannot be read a second time")
            data = cast("bytes | None", self.file.read(length))
            if data is None:
                raise OSError("the file is in non-blocking mode and has no data yet")
            progress.position += len(data)
            return data


class _Guard:
    """Protects `_users` and the counters of its values. A child process does not inherit the lock locked."""

    lock: ClassVar = threading.Lock()

    @classmethod
    def renew(cls) -> None:
        """Replace the lock."""
        cls.lock = threading.Lock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_Guard.renew)

_users: Final[dict[int, FileObject]] = {}
"""The upload that uses a file object, by the id of the file object. (A file object may not be hashable.)"""


@attrs.define
class _Progress:
    """The number of bytes that were read from a file that is not seekable."""

    position: int = 0


class _FixedSizeReader(io.RawIOBase):
    """A reader of exactly `size` bytes, because the request's Content-Length is sent before the content."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._read_at = read_at
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Return True: the reader is readable."""
        return True

    def seekable(self) -> bool:
        """Return True: the reader is seekable."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position, relative to the start, the current position or the end, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes into the buffer and return their number; 0 at the end."""
        view = memoryview(buffer)
        length = min(len(view), self._size - self._position)
        if length <= 0:
            return 0
        data = self._read_at(self._position, length)
        if not data:
            raise OSError("the file became shorter while it was being sent")
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


class _SinglePassReader(io.RawIOBase):
    """A reader of a file that is not seekable: it yields the content once, and raises OSError after that."""

    def __init__(
        self, read_next: Callable[[int, _Progress, int], bytes], progress: _Progress, limit: int | None
    ) -> None:
        super().__init__()
        self._read_next = read_next
        self._progress = progress
        self._limit = limit
        self._position = 0

    def readable(self) -> bool:
        """Return True: the reader is readable."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes into the buffer and return their number; 0 at the end."""
        view = memoryview(buffer)
        data = self._read_next(len(view), self._progress, self._position)
        view[: len(data)] = data
        self._position += len(data)
        if self._limit is not None and self._position > self._limit:
            raise OSError(f"the file has more than {self._limit:,} bytes")
        return len(data)
