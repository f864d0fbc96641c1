"""Reads the response of an httpx transport, up to a limit, without decompressing it."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

import httpx

from ippanel_edge.errors import DecodeError
from ippanel_edge.wire.reply import RawAnswer


async def raw_answer(response: httpx.Response, limit: int) -> RawAnswer:
    """Read a response. The caller closes it.

    Raises:
        DecodeError: it is larger than `limit` bytes.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.is_stream_consumed:  # the response of a mock, already read and decompressed
        headers.pop("content-encoding", None)
        return RawAnswer(status_code=response.status_code, headers=headers, content=response.content)
    return RawAnswer(status_code=response.status_code, headers=headers, content=await _read(response, limit))


async def _read(response: httpx.Response, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    stream = aiter(cast("httpx.AsyncByteStream", response.stream))
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            # Closed first, then advanced once more, so that the inner generators are finalised.
            await response.aclose()
            with suppress(httpx.HTTPError, StopAsyncIteration):
                await anext(stream)
            raise DecodeError(f"the response is larger than {limit:,} bytes", status_code=response.status_code)
        chunks.append(chunk)
    return b"".join(chunks)
