"""Files to upload: checked before the request, and read in chunks while it is sent.

`uploads` makes an upload of an argument. This module does not send.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

import attrs

from ippanel_edge.errors import InvalidArgument

if TYPE_CHECKING:  # the module is loaded only for calls with files
    from ippanel_edge.values.sources import Content, Source  # noqa: TC004 - attrs does not evaluate annotations

FileInput: TypeAlias = str | os.PathLike[str] | BinaryIO | tuple[str, bytes] | tuple[str, BinaryIO]
"""A path, a binary file object with a name, or a tuple of a name and bytes or a binary file object."""


class CheckContent(Protocol):
    """A check of a file's content."""

    def __call__(self, stream: BinaryIO, *, name: str, argument: str) -> None:
        """Read the content and raise InvalidArgument if it is invalid."""
        ...


@attrs.frozen(kw_only=True)
class Upload:
    """A file to upload. Its name and type are checked; `opened` checks what requires reading.

    Attributes:
        name: the file name sent to the service, safe to use in a header.
        content_type: the MIME type for the name's extension.
        size: the number of bytes to send. None for a path or a file object before `opened`, and for a file object
            that is not seekable.
        rewindable: whether the file can be read again from the start, which a retry requires.
    """

    name: str
    content_type: str
    size: int | None = None
    rewindable: bool = True
    _argument: str = attrs.field(alias="argument", repr=False, eq=False)
    _source: Source = attrs.field(alias="source", repr=False, eq=False)
    _max_bytes: int | None = attrs.field(default=None, alias="max_bytes", repr=False, eq=False)
    _check_content: CheckContent | None = attrs.field(default=None, alias="check_content", repr=False, eq=False)
    _content: Content | None = attrs.field(default=None, alias="content", repr=False, eq=False)

    def held(self) -> AbstractContextManager[object]:
        """Keep other uploads from using the same file object inside of the with block.

        Raises:
            InvalidArgument: another upload uses it.
        """
        return self._source.held()

    def opened(self) -> Upload:
        """Return the upload with its size, after the checks that read the file. This may take time.

        The content is checked only if it can be read a second time.

        Raises:
            InvalidArgument: the file is missing, not a regular file, unreadable, empty, opened in text mode, too large,
                in use by another upload, or its content is invalid.
        """
        with self._source.held():
            content = self._source.open(self._max_bytes)
            self._check_size(content.size)
            if content.size is not None and self._check_content is not None:
                try:
                    self._check_content(content.stream(), name=self.name, argument=self._argument)
                except OSError as error:
                    problem = f"cannot be read: {error.strerror or error}"
                    raise InvalidArgument(problem, argument=self._argument) from None
                finally:
                    content.rewind()
        return attrs.evolve(self, size=content.size, rewindable=content.size is not None, content=content)

    def part(self) -> tuple[str, BinaryIO, str]:
        """Return a part of a multipart request: name, content, content type.

        The content yields exactly `size` bytes, from the start on every call, and does not need closing: a path is
        opened for each chunk, and a file object is left for the caller to close. Reading raises OSError if the file
        changed since `opened` or cannot be read a second time.
        """
        content = self._content or self._source.open(self._max_bytes)
        return self.name, content.stream(), self.content_type

    def _check_size(self, size: int | None) -> None:
        if size == 0:
            problem = "the file is empty or already read to the end (seek(0) first)"
            raise InvalidArgument(problem, argument=self._argument)
        if size is not None and self._max_bytes is not None and size > self._max_bytes:
            problem = f"expected at most {self._max_bytes:,} bytes, got {size:,} in {self.name!r}"
            raise InvalidArgument(problem, argument=self._argument)


def extension(name: str) -> str:
    """Return the extension of a file name in lower case, without the dot; empty if there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""
