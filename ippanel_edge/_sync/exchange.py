# Generated from ippanel_edge/_async/exchange.py by tests/codegen/generate_sync.py: edit that, not this.
"""One attempt: sends a request, reads its response and judges what failed. It retries nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast

import attrs
import httpx

from ippanel_edge._sync import _io
from ippanel_edge.config import CANCEL_GRACE, LARGE_ANSWER_BYTES, MAX_ANSWER_BYTES, SEND_FLOOR
from ippanel_edge.endpoints import ONCE
from ippanel_edge.errors import ConnectionFailed, DecodeError, EdgeError, OutcomeUnknown
from ippanel_edge.models.common import Meta
from ippanel_edge.observers import Observers
from ippanel_edge.values.redaction import redacted, without_frames
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import RawAnswer, Reply, decoded_size, parse
from ippanel_edge.wire.request import advised, build, response

T = TypeVar("T")

_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_RELIABLE = frozenset({"httpcore", "httpcore2", "ippanel_edge", "respx"})
"""Packages below httpx whose exceptions have reliable types: httpcore2 belongs to httpx2, and respx only mocks."""
_PERMANENT = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)


_BEFORE_HEADERS = ("connection.", "proxy.", "socks.", "http2.send_connection_init.")
"""The events of httpcore's `trace` extension that precede a request's headers."""


@attrs.define
class Trace:
    """Receives httpcore's trace events of a request, which show whether it may have left this machine.

    A request counts as begun from its first event that is not known to precede its headers: an event that a new
    release adds or renames must never make a request that was sent look unsent. The CONNECT request to a proxy
    carries nothing of the call, so it does not count.

    Attributes:
        attempts: the record of the call.
        seen: whether there was any event.
        connecting: whether there was a CONNECT request.
    """

    attempts: Attempts
    seen: bool = False
    connecting: bool = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Record an event of httpcore's `trace` extension."""
        self.seen = True
        self.attempts.untraced = False
        if self.attempts.headers_began or event.startswith(_BEFORE_HEADERS):
            return
        request = info.get("request")
        if request is None:  # the end of a step: it does not name its request
            self.attempts.headers_began = not self.connecting
        elif request.method == b"CONNECT":
            self.connecting = True
        else:
            if self.attempts.call.repeat is ONCE:
                check_floor(_io.remaining())
            self.attempts.headers_began = True


def check_floor(remaining: float | None) -> None:
    """Check that enough of the deadline is left to start a send.

    Raises:
        ConnectionFailed: the response could not arrive in time; nothing was sent.
    """
    if remaining is not None and remaining < SEND_FLOOR:
        raise ConnectionFailed(
            f"deadline exceeded before sending ({max(remaining, 0):.4f} s left)", retryable=False, timed_out=True
        )


def judge(error: Exception, *, began: bool, traced: bool, host: str = "") -> EdgeError | None:
    """Return the error for an exception of the transport, or None for an unrelated exception before sending began.

    Args:
        error: the exception.
        began: whether the request's headers began to leave.
        traced: whether the transport emits httpcore's trace events.
        host: the host of the request, for the message.
    """
    timed_out = isinstance(error, httpx.TimeoutException)
    if not began and (_proves_unsent(error) or (traced and isinstance(error, httpx.TransportError))):
        retryable = not isinstance(error, _PERMANENT) and not _is_certificate_error(error)
        return ConnectionFailed(_describe(error, host), retryable=retryable, timed_out=timed_out)
    if began or isinstance(error, httpx.HTTPError | httpx.StreamError):
        return OutcomeUnknown(_describe(error, host), timed_out=timed_out)
    return None


def _proves_unsent(error: Exception) -> bool:
    """Whether the type of an exception without any trace proves that nothing was sent.

    The types of httpx and httpcore, and of a mock that raises them directly, are reliable. The adapter of another
    library may report a connection lost during the response as a ConnectError, as the one for aiohttp does.
    """
    beneath = error.__cause__ or error.__context__
    reliable = beneath is None or type(beneath).__module__.partition(".")[0] in _RELIABLE
    return isinstance(error, _BEFORE_SENDING) and (reliable or _is_certificate_error(error))


def _describe(error: Exception, host: str) -> str:
    """Return the exception's name. Its own text is left out where it may quote a header or a URL."""
    name = type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        text = ": ".join(filter(None, (name, host, str(error))))
        remedy = "; to trust a company's CA, pass verify=, an ssl.SSLContext" if _is_certificate_error(error) else ""
        return f"{text}{remedy}"
    if isinstance(error, httpx.PoolTimeout):
        return f"{name}: no pool connection became free in time; raise limits or timeout"
    return name


def _is_certificate_error(error: BaseException | None) -> bool:
    """Whether a certificate was rejected, anywhere in the chain of causes."""
    seen: list[BaseException] = []  # a chain may be circular, as that of respx is
    while error is not None and error not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


@attrs.frozen
class Exchange:
    """Makes one attempt over the network: the innermost part of the engine.

    Attributes:
        http: our own pool or the caller's client. Its redirects, cookies and auth are not used.
        is_ours: whether the pool is our own, which emits a trace event before a request leaves.
        base_url: in the form of `check_base_url`.
        timeout: seconds for each step of the request.
        observers: receive the begin and the end of each attempt.
    """

    http: httpx.Client
    is_ours: bool
    base_url: str
    timeout: httpx.Timeout
    observers: Observers

    def __call__(self, call: Call[T], attempts: Attempts) -> Reply[T]:
        """Send the request and parse its response.

        Raises:
            ConnectionFailed: nothing was sent.
            OutcomeUnknown: it failed after the request's headers began to leave.
            ApiError: the service rejected the request or failed.
            DecodeError: the response is not what the API documents, or it is too large.
            DeadlinePassed: the deadline of the call expired.
        """
        attempts.begin()
        if self.http.is_closed:
            raise ConnectionFailed("the client is closed", retryable=False)
        request = build(call, base_url=self.base_url, timeout=self.timeout, remaining=_io.remaining())
        self.observers.attempt_began(attempts, _io.monotonic())
        try:
            return self._attempt(call, attempts, request)
        finally:
            self.observers.attempt_ended(attempts, _io.monotonic())

    def _attempt(self, call: Call[T], attempts: Attempts, request: httpx.Request) -> Reply[T]:
        request.extensions["trace"] = trace = Trace(attempts)
        failure: EdgeError | None
        attempts.untraced = not self.is_ours
        try:
            answer = self._answer(call, attempts, request)
            attempts.answered(answer.status_code)
            data, meta, body = _parsed(call, answer)
        except _io.DeadlinePassed:
            raise
        except EdgeError as error:
            failure = error
        except Exception as error:
            failure = judge(error, began=attempts.headers_began, traced=trace.seen, host=request.url.host)
            if failure is None and self.http.is_closed:  # httpx's RuntimeError: it was closed meanwhile
                closed = "the client was closed"
                failure = (
                    OutcomeUnknown(closed) if attempts.may_have_left else ConnectionFailed(closed, retryable=False)
                )
            if failure is None:
                raise
        except BaseException as error:  # noqa: BLE001 - a cancellation, or KeyboardInterrupt: it is raised again
            raise without_frames(error)  # noqa: B904 - the same exception
        else:
            attempts.succeeded(data)
            return Reply(data=data, meta=meta, make_response=lambda: response(request, answer, body))
        failure = redacted(advised(failure, self.base_url), call.secrets)
        attempts.failed(failure)
        attempts.explained(failure)
        # Outside of the except block: the frames hold the headers, and the body of the response.
        raise without_frames(failure)

    def _answer(self, call: Call[Any], attempts: Attempts, request: httpx.Request) -> RawAnswer:
        """Send a request. A send that is cancelled after its headers began to leave gets a grace period to finish."""
        if call.repeat is not ONCE:
            return _send(self.http, request)
        return _io.finish(
            lambda: _send(self.http, request),
            began=lambda: attempts.may_have_left,
            grace=CANCEL_GRACE,
            abandoned=lambda answer: _record_interrupted(call, attempts, answer),
        )


def _parsed(call: Call[T], answer: RawAnswer) -> tuple[T, Meta, bytes]:
    """Parse a response. A large one does not stop the event loop, and the deadline interrupts the wait for it.

    The response to a send is parsed at once: a cancellation in between would lose its ids.
    """
    if call.repeat is ONCE or decoded_size(answer) < LARGE_ANSWER_BYTES:
        return parse(call.endpoint, answer)
    return _io.run_blocking(lambda: parse(call.endpoint, answer))


def _record_interrupted(call: Call[Any], attempts: Attempts, answer: RawAnswer | None) -> None:
    """Record the response to an interrupted send, or that there is none: its caller does not receive it."""
    attempts.interrupted = True
    if answer is None:
        return
    attempts.answered(answer.status_code)
    try:
        data = parse(call.endpoint, answer)[0]
    except EdgeError as error:
        attempts.failed(error)
        attempts.explained(error)
    else:
        attempts.succeeded(data)


class _Body(httpx.SyncByteStream):
    """A request body that can be closed: httpx does not close the body generator when the connection fails."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._parts = _io.parts(stream)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self._parts, "close", None)
        if close is not None:
            close()


def _send(client: httpx.Client, request: httpx.Request) -> RawAnswer:
    request.stream = body = _Body(cast("httpx.SyncByteStream", request.stream))
    try:
        return _receive(client, request)
    finally:
        body.close()


def _receive(client: httpx.Client, request: httpx.Request) -> RawAnswer:
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.is_stream_consumed:  # the response of a mock, already read and decompressed
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
            # Closed first, then advanced once more, so that the inner generators are finalised.
            response.close()
            with suppress(httpx.HTTPError, StopIteration):
                next(stream)
            raise DecodeError(
                f"the response is larger than {MAX_ANSWER_BYTES:,} bytes", status_code=response.status_code
            )
        chunks.append(chunk)
    return b"".join(chunks)
