# Generated from ippanel_edge/_async/exchange.py by tests/codegen/generate_sync.py: edit that, not this.
"""One attempt to exchange a request for an answer, and the record of a call's attempts. Nothing is repeated in here."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import attrs
import httpx

from ippanel_edge._sync import _io
from ippanel_edge.config import MAX_ANSWER_BYTES
from ippanel_edge.errors import ConnectionFailed, DecodeError, EdgeError, Outcome, OutcomeUnknown
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.request import Call

_LOG = logging.getLogger("ippanel_edge")

_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_TRUSTED = frozenset({"httpcore", "httpcore2", "ippanel_edge"})
"""Packages whose exceptions below httpx's can be believed; httpcore2 stands below httpx2, which can replace httpx."""
_HOPELESS = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)


@attrs.define
class Journey:
    """What has happened to one call so far.

    Attributes:
        attempts: requests begun.
        began: whether the present attempt's request began to leave this machine.
        failures: the errors of the attempts that failed.
        abandoned: the answer to a request whose call was cancelled meanwhile.
    """

    attempts: int = 0
    began: bool = False
    failures: list[EdgeError] = attrs.field(factory=list[EdgeError])
    abandoned: RawAnswer | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Whether one of the attempts that failed may have been carried out."""
        return any(failure.outcome is Outcome.UNKNOWN for failure in self.failures)

    def out_of_time(self, seconds: float) -> EdgeError:
        """Make the error of a call whose deadline passed, saying whether it may have been carried out."""
        said = f"the deadline of {seconds:g} s passed"
        error = (
            OutcomeUnknown(f"{said} before an answer came")
            if self.began or self.may_have_arrived
            else ConnectionFailed(f"{said} before anything was sent")
        )
        error.timed_out = True
        return error


_BEFORE_HEADERS = ("connection.", "proxy.", "socks.", "http2.send_connection_init.")
"""The events of httpcore's `trace` extension that come before a request's headers."""


@attrs.define
class Trace:
    """What httpcore reports about a request in progress, which shows whether it may have left this machine.

    A request counts as begun from its first event that is not known to come before its headers: an event that a new
    release adds or renames must never make a request that was sent look as if it was not. The CONNECT request to a
    proxy carries nothing of the call, so it does not count.

    Attributes:
        journey: the record that is kept.
        seen: whether there was an event at all.
        connecting: whether a CONNECT request came before.
    """

    journey: Journey
    seen: bool = False
    connecting: bool = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Record an event of httpcore's `trace` extension."""
        self.seen = True
        if self.journey.began or event.startswith(_BEFORE_HEADERS):
            return
        request = info.get("request")
        if request is None:  # the end of a step: it does not say of which request
            self.journey.began = not self.connecting
        elif request.method == b"CONNECT":
            self.connecting = True
        else:
            self.journey.began = True


def judge(error: Exception, *, began: bool, traced: bool) -> EdgeError | None:
    """Say what an exception of the transport means; None for one that is not the transport's and broke nothing."""
    timed_out = isinstance(error, httpx.TimeoutException)
    ours: EdgeError
    if not began and (_is_of_itself(error) or (traced and isinstance(error, httpx.TransportError))):
        failed = ConnectionFailed(_told(error))
        failed.passing = not isinstance(error, _HOPELESS) and not _is_distrust(error)
        ours = failed
    elif began or isinstance(error, httpx.HTTPError | httpx.StreamError):
        ours = OutcomeUnknown(_told(error))
    else:
        return None
    ours.timed_out = timed_out
    return ours


def _is_of_itself(error: Exception) -> bool:
    """Whether an exception that comes without any trace still proves by its kind that nothing was sent.

    Of httpx and httpcore, and of a mock that raises it outright, its kind can be believed. Another library's adapter
    is free to call a connection lost in mid-answer a ConnectError, as one for aiohttp does.
    """
    beneath = error.__cause__ or error.__context__
    trusted = beneath is None or type(beneath).__module__.partition(".")[0] in _TRUSTED
    return isinstance(error, _BEFORE_SENDING) and (trusted or _is_distrust(error))


def _told(error: Exception) -> str:
    """Name the exception. Its own text stays out where it may quote a header or an address."""
    name = type(error).__name__
    if isinstance(error, httpx.ConnectError) and str(error):
        return f"{name}: {error}"
    if isinstance(error, httpx.PoolTimeout):
        return f"{name}: no connection of the pool became free in time; raise limits or timeout"
    return name


def _is_distrust(error: BaseException | None) -> bool:
    """Whether a certificate was refused, somewhere down the chain of causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def exchange(client: httpx.Client, request: httpx.Request, call: Call, *, grace: float | None) -> RawAnswer:
    """Send a request and read its answer whole, up to the largest size allowed.

    Args:
        client: the pool, or the caller's own client; redirects, cookies and its auth are left out.
        request: what to send.
        call: its journey receives whether the request began to leave.
        grace: seconds that the exchange is given to end by itself when it is cancelled after the request began to
            leave; None lets a cancellation through at once.

    Raises:
        ConnectionFailed: nothing left this machine.
        OutcomeUnknown: it broke after the request began to leave.
        DecodeError: the answer is larger than allowed.
        DeadlinePassed: the time of the whole call is over.
    """
    journey: Journey = call.journey
    trace = Trace(journey)
    request.extensions["trace"] = trace
    failure: EdgeError | None = None
    try:
        if grace is None:
            return _ask(client, request)
        return _io.finish(
            lambda: _ask(client, request),
            began=lambda: journey.began,
            grace=grace,
            abandoned=lambda answer: _note(call, answer),
        )
    except EdgeError as error:
        failure = error
    except _io.DeadlinePassed:
        raise
    except Exception as error:
        failure = judge(error, began=journey.began, traced=trace.seen)
        if failure is None:
            raise
    except BaseException as error:  # noqa: BLE001 - cancelled, or Ctrl-C: it goes on
        error.__cause__ = error.__context__ = None
        raise error.with_traceback(None)  # noqa: B904 - it is the same one, without the frames below
    # Raised anew, outside of the except block: the frames below hold the headers, and what came of the answer.
    raise failure.with_traceback(None)


def _note(call: Call, answer: RawAnswer | None) -> None:
    """Keep, and log, what a cancelled send came to: nobody waits for its answer any more."""
    journey: Journey = call.journey
    journey.abandoned = answer
    _LOG.warning(
        "%s was cancelled after it began to leave: %s",
        call.endpoint.name,
        "it may have been carried out" if answer is None else f"the service answered HTTP {answer.status_code}",
    )


class _Body(httpx.SyncByteStream):
    """A request's body that can be closed. httpx leaves its generator lying about where the connection breaks."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._parts = iter(stream)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self._parts, "close", None)
        if close is not None:
            close()


def _ask(client: httpx.Client, request: httpx.Request) -> RawAnswer:
    request.stream = body = _Body(cast("httpx.SyncByteStream", request.stream))
    try:
        return _answer(client, request)
    finally:
        body.close()


def _answer(client: httpx.Client, request: httpx.Request) -> RawAnswer:
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.is_stream_consumed:  # a mock's answer, already read and decompressed
            headers.pop("content-encoding", None)
            return RawAnswer(status_code=response.status_code, headers=headers, content=response.content)
        return RawAnswer(status_code=response.status_code, headers=headers, content=_read(response))
    finally:
        response.close()


def _read(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    stream = response.iter_raw()
    for chunk in stream:
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            # Closed first, then asked once more: so that the generators below come to their end instead of lying about.
            response.close()
            with suppress(httpx.HTTPError, StopIteration):
                next(stream)
            raise DecodeError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes", status_code=response.status_code)
        chunks.append(chunk)
    return b"".join(chunks)
