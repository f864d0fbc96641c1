# Generated from ippanel_edge/_async/exchange.py by tests/codegen/generate_sync.py: edit that, not this.
"""One attempt: sends a request, reads its response and judges what failed. It retries nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import attrs
import httpx

from ippanel_edge._sync import _io
from ippanel_edge._sync._grace import Grace, finish
from ippanel_edge._sync.connections import Connections, Pool
from ippanel_edge._sync.receiving import raw_answer
from ippanel_edge.config import CANCEL_GRACE, LARGE_ANSWER_BYTES, MAX_ANSWER_BYTES, SEND_FLOOR
from ippanel_edge.endpoints import ONCE
from ippanel_edge.errors import ConfigurationError, ConnectionFailed, EdgeError, OutcomeUnknown
from ippanel_edge.models.common import Meta
from ippanel_edge.observers import Observers
from ippanel_edge.values.redaction import redacted, without_frames
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import RawAnswer, Reply, decoded_size, parse
from ippanel_edge.wire.request import advised, build, capped, response, whole_content
from ippanel_edge.wire.route import NOTHING_LEFT

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
        ends: the time of the deadline, of the monotonic clock; None without one.
        connecting: whether there was a CONNECT request.
    """

    attempts: Attempts
    ends: float | None = None
    seen: bool = False
    connecting: bool = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Record an event of httpcore's `trace` extension."""
        self.seen = True
        self.attempts.untraced = False
        if event == NOTHING_LEFT:
            self.attempts.headers_began = False
            return
        if self.attempts.headers_began or event.startswith(_BEFORE_HEADERS):
            return
        request = info.get("request")
        if request is None:  # the end of a step: it does not name its request
            self.attempts.headers_began = not self.connecting
        elif request.method == b"CONNECT":
            self.connecting = True
        else:
            if self.attempts.call.repeat is ONCE:
                check_floor(remaining(self.ends))
            self.attempts.headers_began = True


def remaining(ends: float | None) -> float | None:
    """Return the seconds left of a deadline, at least 0; None without one."""
    return None if ends is None else max(ends - _io.monotonic(), 0.0)


def check_floor(left: float | None) -> None:
    """Check that enough of the deadline is left to start a send.

    Raises:
        ConnectionFailed: the response could not arrive in time; nothing was sent.
    """
    if left is not None and left < SEND_FLOOR:
        problem = f"deadline exceeded before sending ({left:.4f} s left)"
        raise ConnectionFailed(problem, retryable=False, timed_out=True)


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


class Direct(Protocol):
    """A transport of our own, which makes a request without httpx's client."""

    @property
    def pool(self) -> Pool[Any]:
        """The connections. A slot is taken before a request is built, so that waiting requests need little memory."""
        ...

    def exchange(
        self, lease: Connections[Any], request: httpx.Request, grace: Grace[RawAnswer] | None, limit: int
    ) -> RawAnswer:
        """Send a request and read its response, of at most `limit` bytes."""
        ...


class Transport(Protocol):
    """A transport of our own, or one that takes its place for now."""

    def direct(self) -> Direct | None:
        """Return the transport to use, or None if httpx's client must make the request."""
        ...


@attrs.frozen
class Exchange:
    """Makes one attempt over the network: the innermost part of the engine.

    Attributes:
        http: a client over our own transport, or the caller's client. Its redirects, cookies and auth are not used.
        transport: our own transport, which emits a trace event before a request leaves; None for the caller's client.
        base_url: in the form of `check_base_url`.
        timeout: seconds for each step of the request.
        observers: receive the begin and the end of each attempt.
    """

    http: httpx.Client
    transport: Transport | None
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
        left, now = _io.remaining(), _io.monotonic()
        if call.repeat is ONCE:
            check_floor(left)
        attempts.begin()
        if self.http.is_closed:
            raise ConnectionFailed("the client is closed", retryable=False)
        self.observers.attempt_began(attempts, now)
        try:
            return self._attempt(call, attempts, None if left is None else now + left)
        finally:
            self.observers.attempt_ended(attempts, _io.monotonic())

    def _attempt(self, call: Call[T], attempts: Attempts, ends: float | None) -> Reply[T]:
        trace = Trace(attempts, ends)
        failure: EdgeError | None
        try:
            request, answer = self._answer(call, attempts, trace)
            attempts.answered(answer.status_code)
            data, meta, body = _parsed(call, answer)
        except _io.DeadlinePassed:
            raise
        except EdgeError as error:
            if isinstance(error, ConfigurationError) and not attempts.may_have_left:  # the request cannot be built
                raise
            failure = error
        except Exception as error:
            host = httpx.URL(self.base_url).host
            failure = judge(error, began=attempts.headers_began, traced=trace.seen, host=host)
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

    def _answer(self, call: Call[Any], attempts: Attempts, trace: Trace) -> tuple[httpx.Request, RawAnswer]:
        """Send a request. A send that is cancelled after its headers began to leave gets a grace period to finish."""
        direct = None if self.transport is None else self.transport.direct()
        if direct is None:
            request = self._build(call, trace)
            attempts.untraced = self.transport is None
            through_client = partial(_through_client, self.http, request, _grace(call, attempts))
            return request, _with_content(request, through_client)
        lease = direct.pool.lease_now() or direct.pool.lease(capped(self.timeout, remaining(trace.ends))["pool"])
        try:
            request = self._build(call, trace)
            exchange = partial(direct.exchange, lease, request, _grace(call, attempts), MAX_ANSWER_BYTES)
            return request, _with_content(request, exchange)
        finally:
            lease.slots.release()

    def _build(self, call: Call[Any], trace: Trace) -> httpx.Request:
        request = build(call, base_url=self.base_url, timeout=self.timeout, remaining=remaining(trace.ends))
        request.extensions["trace"] = trace
        return request


def _grace(call: Call[Any], attempts: Attempts) -> Grace[RawAnswer] | None:
    """Return the time that a send has to finish after a cancellation; None for a call that may be repeated."""
    if call.repeat is not ONCE:
        return None
    return Grace(
        began=lambda: attempts.may_have_left,
        seconds=CANCEL_GRACE,
        abandoned=lambda answer: _record_interrupted(call, attempts, answer),
    )


def _with_content(request: httpx.Request, run: Callable[[], RawAnswer]) -> RawAnswer:
    """Run an exchange, and close the content of its request: httpx does not close it when the connection fails."""
    if whole_content(request) is not None:
        return run()
    request.stream = body = _Body(cast("httpx.SyncByteStream", request.stream))
    try:
        return run()
    finally:
        body.close()


def _through_client(client: httpx.Client, request: httpx.Request, grace: Grace[RawAnswer] | None) -> RawAnswer:
    if grace is None:
        return _send(client, request)
    return finish(lambda: _send(client, request), grace)


def _send(client: httpx.Client, request: httpx.Request) -> RawAnswer:
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        return raw_answer(response, MAX_ANSWER_BYTES)
    finally:
        response.close()


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
    """A request body that can be closed."""

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
