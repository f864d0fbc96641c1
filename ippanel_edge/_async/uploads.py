"""The link that opens the files of a call and checks their content, before anything is sent."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TypeVar

import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.middleware import AsyncLink
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import Reply

T = TypeVar("T")


@attrs.frozen(eq=False, repr=False)
class AsyncUploads:
    """Opens the files of a call, and keeps other calls from using the same file objects until the call ends."""

    proceed: AsyncLink

    async def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Open and check the files, then continue."""
        if not call.uploads:
            return await self.proceed(call, attempts)
        with ExitStack() as held:
            for upload in call.uploads:
                held.enter_context(upload.held())
            opened = await _io.run_blocking(call.opened)
            return await self.proceed(opened, attempts)
