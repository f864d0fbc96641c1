"""The faults, as data: what the server does, at which point, and whether the service would have executed the request.

The module `server` injects the faults, and `expectations` defines the expected result of each.
"""

from __future__ import annotations

import gzip
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from tests.faults.fault import Absence, Certificate, End, EndedBy, Fault, Reads, RetryAfter, Where, no_steps
from tests.faults.responses import (
    MESSAGE,
    AwaitClient,
    Flood,
    Good,
    Send,
    SendSlowly,
    Step,
    Steps,
    bomb,
    envelope,
    head,
    html,
    nested_bomb,
    reply,
)

LARGE_BODY_BYTES: Final = 8 * 1024 * 1024
"""More than the buffers of both sockets hold: such a body is still being written when the fault occurs."""
RETRY_SECONDS: Final = 7
RETRY_DATE_AHEAD: Final = 30
RETRY_HUGE: Final = 10**9


def _ended_by(end: End) -> EndedBy:
    return EndedBy.TIMEOUT if end is End.STALL else EndedBy.ITSELF


def _no_connection() -> list[Fault]:
    def absent(name: str, absence: Absence, *, proxy: bool = False) -> Fault:
        ended_by = EndedBy.TIMEOUT if absence is Absence.BACKLOG else EndedBy.ITSELF
        return Fault(
            name=name,
            reads=Reads.NOT_SENT,
            where=Where.NOWHERE,
            absence=absence,
            ended_by=ended_by,
            proxy=proxy,
            reused=False,
        )

    return [
        absent("refused", Absence.REFUSED),
        absent("backlog-full", Absence.BACKLOG),
        absent("dns-failure", Absence.UNRESOLVED),
        absent("proxy-port-refused", Absence.REFUSED, proxy=True),
    ]


def _handshakes() -> list[Fault]:
    def handshake(name: str, end: End, steps: Steps = no_steps) -> Fault:
        return Fault(
            name=f"tls-{name}",
            reads=Reads.NOT_SENT,
            where=Where.TLS,
            steps=steps,
            end=end,
            ended_by=_ended_by(end),
            reused=False,
        )

    def shown(certificate: Certificate) -> Fault:
        return Fault(
            name=f"tls-{certificate}",
            reads=Reads.UNTRUSTED,
            where=Where.WHOLE,
            steps=lambda good: (Send(reply(good.body)),),
            certificate=certificate,
            reused=False,
        )

    return [
        handshake("stall", End.STALL),
        handshake("close", End.CLOSE),
        handshake("reset", End.RESET),
        handshake("garbage", End.CLOSE, lambda _: (Send(b"SSH-2.0-OpenSSH_9.6\r\n" * 8),)),
        shown(Certificate.WRONG_HOST),
        shown(Certificate.EXPIRED),
        shown(Certificate.UNKNOWN_CA),
    ]


def _proxies() -> list[Fault]:
    def connect(name: str, end: End, response: bytes = b"") -> Fault:
        return Fault(
            name=f"proxy-{name}",
            reads=Reads.NOT_SENT,
            where=Where.PROXY,
            steps=lambda _: (Send(response),) if response else (),
            end=end,
            ended_by=_ended_by(end),
            proxy=True,
            reused=False,
        )

    def tunnel(end: End) -> Fault:
        return Fault(
            name=f"proxy-tunnels-then-{end}",
            reads=Reads.BROKEN,
            where=Where.WHOLE,
            end=end,
            ended_by=_ended_by(end),
            proxy=True,
        )

    return [
        connect("403", End.CLOSE, reply(html(403), 403, kind="text/html")),
        connect("407", End.CLOSE, reply(b"", 407, 'Proxy-Authenticate: Basic realm="proxy"')),
        connect("502", End.CLOSE, reply(html(502), 502, kind="text/html")),
        connect("garbage", End.CLOSE, b"\x00\xff\x00\xff no proxy \r\n\r\n"),
        connect("close", End.CLOSE),
        connect("reset", End.RESET),
        connect("stall", End.STALL),
        tunnel(End.CLOSE),
        tunnel(End.RESET),
        tunnel(End.STALL),
    ]


def _cut_requests() -> list[Fault]:
    """The connection closes, resets or stalls at each point of a request."""

    def cut(where: Where, end: End) -> Fault:
        return Fault(
            name=f"{end}-at-{where}",
            reads=Reads.BROKEN,
            where=where,
            end=end,
            ended_by=_ended_by(end),
            reused=where is not Where.ACCEPT,
        )

    def on_reuse(end: End) -> Fault:
        return Fault(
            name=f"{end}-on-reuse",
            reads=Reads.BROKEN,
            where=Where.ACCEPT,
            end=end,
            ended_by=_ended_by(end),
            transient=True,
            fresh=False,
        )

    def upload(end: End) -> Fault:
        return Fault(
            name=f"{end}-during-upload",
            reads=Reads.BROKEN,
            where=Where.MID_BODY,
            end=end,
            ended_by=_ended_by(end),
            large_body=True,
        )

    def too_large(name: str, end: End) -> Fault:
        return Fault(
            name=name,
            reads=Reads.STATUS,
            where=Where.MID_BODY,
            steps=lambda _: (Send(reply(html(413), 413, "Connection: close", kind="text/html")),),
            end=end,
            executes=False,
            large_body=True,
            status=413,
        )

    ends = (End.CLOSE, End.RESET, End.STALL)
    points = (Where.ACCEPT, Where.HEADERS, Where.MID_BODY, Where.WHOLE)
    return [
        *(cut(where, end) for where in points for end in ends),
        *(on_reuse(end) for end in ends),
        *(upload(end) for end in ends),
        too_large("413-during-upload", End.CLOSE),
        too_large("413-during-upload-then-reset", End.RESET),
    ]


def _broken(name: str, steps: Steps, end: End = End.CLOSE) -> Fault:
    return Fault(name=name, reads=Reads.BROKEN, where=Where.WHOLE, steps=steps, end=end, ended_by=_ended_by(end))


def _half(good: Good) -> tuple[Step, ...]:
    return (Send(reply(good.body)[: -(len(good.body) // 2)]),)


def _chunked(good: Good) -> bytes:
    start = head(200, "Content-Type: application/json", "Transfer-Encoding: chunked")
    return start + f"{len(good.body):x}\r\n".encode() + good.body + b"\r\n"


def _broken_responses() -> list[Fault]:
    """Responses that are not HTTP or are incomplete."""

    def two_lengths(good: Good) -> tuple[Step, ...]:
        return (Send(reply(good.body, 200, f"Content-Length: {len(good.body) + 1}")),)

    def long(good: Good) -> tuple[Step, ...]:
        return (Send(head(200, f"Content-Length: {len(good.body) + 9}") + good.body),)

    def bad_size(good: Good) -> tuple[Step, ...]:
        return (Send(_chunked(good) + b"zz\r\n"),)

    return [
        _broken("cut-status-line", lambda _: (Send(b"HTTP/1.1 2"),)),
        _broken("cut-header", lambda _: (Send(b"HTTP/1.1 200 OK\r\nContent-Le"),)),
        _broken("mid-response-close", _half),
        _broken("mid-response-reset", _half, End.RESET),
        _broken("mid-response-stall", _half, End.STALL),
        _broken("mid-headers-stall", lambda _: (Send(b"HTTP/1.1 200 OK\r\nContent-Le"),), End.STALL),
        _broken("length-too-long", long),
        _broken("two-lengths", two_lengths),
        _broken("chunk-unterminated", lambda good: (Send(_chunked(good)),)),
        _broken("chunk-unterminated-stall", lambda good: (Send(_chunked(good)),), End.STALL),
        _broken("chunk-size-garbage", bad_size),
        _broken("garbage", lambda _: (Send(b"\x16\x03\x00\xff\x00 no HTTP at all \r\n\r\n"),)),
        _broken("header-of-200-kB", lambda good: (Send(reply(good.body, 200, "X-Large: " + "x" * 200_000)),)),
    ]


def _endless_responses() -> list[Fault]:
    """Responses that do not end: no single read waits long."""

    def endless(name: str, steps: Steps) -> Fault:
        return Fault(name=name, reads=Reads.BROKEN, where=Where.WHOLE, steps=steps, ended_by=EndedBy.DEADLINE)

    def slow_head(good: Good) -> tuple[Step, ...]:
        return (SendSlowly(reply(good.body)),)

    def slow_body(good: Good) -> tuple[Step, ...]:
        whole = reply(good.body)
        start = len(whole) - len(good.body)
        return Send(whole[:start]), SendSlowly(whole[start:])

    def endless_body(_: Good) -> tuple[Step, ...]:
        return Send(head(200, "Transfer-Encoding: chunked")), Flood(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    return [
        endless("slow-headers", slow_head),
        endless("slow-body", slow_body),
        endless("flood-of-1xx", lambda _: (Flood(head(103, "Link: </a>; rel=preload") * 8),)),
        endless("flood-of-body", endless_body),
    ]


def _read_as(name: str, reads: Reads, steps: Steps, end: End = End.KEEP) -> Fault:
    executes = reads is not Reads.REFUSED
    return Fault(name=name, reads=reads, where=Where.WHOLE, steps=steps, end=end, executes=executes)


def _json(name: str, body: bytes, reads: Reads = Reads.UNREADABLE) -> Fault:
    return _read_as(name, reads, lambda _: (Send(reply(body)),))


def _unreadable_responses() -> list[Fault]:
    """Valid HTTP with 2xx, but not a response of the API."""

    def encoded(name: str, body: bytes, encoding: str) -> Fault:
        return _read_as(name, Reads.UNREADABLE, lambda _: (Send(reply(body, 200, f"Content-Encoding: {encoding}")),))

    def short(good: Good) -> tuple[Step, ...]:
        return (Send(head(200, f"Content-Length: {len(good.body) // 2}") + good.body),)

    def half_gzip(good: Good) -> tuple[Step, ...]:
        packed = gzip.compress(good.body, mtime=0)
        return (Send(reply(packed[: len(packed) // 2], 200, "Content-Encoding: gzip")),)

    def bombs(encoding: str) -> Steps:
        def steps(_: Good) -> tuple[Step, ...]:
            body = bomb() if encoding == "gzip" else nested_bomb()
            return (Send(reply(body, 200, f"Content-Encoding: {encoding}")),)

        return steps

    meta = envelope(None).partition(b'"meta": ')[2][:-1]
    return [
        _read_as("html-200", Reads.UNREADABLE, lambda _: (Send(reply(html(200), kind="text/html")),)),
        _read_as("empty-200", Reads.UNREADABLE, lambda _: (Send(reply(b"")),)),
        _read_as("no-content-204", Reads.UNREADABLE, lambda _: (Send(head(204)),)),
        _read_as("length-too-short", Reads.UNREADABLE, short),
        _read_as("cut-json", Reads.UNREADABLE, lambda good: (Send(reply(good.body[:-9])),)),
        _json("json-is-null", b"null"),
        _json("json-is-a-list", b"[" + envelope(None) + b"]"),
        _json("meta-is-a-list", b'{"data": null, "meta": []}'),
        _json("status-is-a-string", envelope(None, status="perhaps")),
        _json("json-nan", b'{"data": NaN, "meta": ' + meta + b"}"),
        _json("json-huge-number", b'{"data": ' + b"9" * 5_000 + b', "meta": ' + meta + b"}"),
        _json("json-deep", b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b', "meta": ' + meta + b"}"),
        _json("json-two-statuses", b'{"data": null, "meta": {"status": false, "status": true, "message": ""}}'),
        _json("json-utf-16", envelope(None).decode().encode("utf-16")),
        _json("json-lone-surrogate", envelope(None).replace(MESSAGE.encode(), b"\\ud800")),
        _json("json-not-utf-8", envelope(None).replace(MESSAGE.encode(), b"\xff\xfe")),
        encoded("gzip-broken", b"\x1f\x8b\x08\x00 this is no gzip", "gzip"),
        encoded("encoding-not-requested", b"\x8b\x02\x80 no json", "br"),
        _read_as("gzip-cut", Reads.UNREADABLE, half_gzip),
        _read_as("gzip-bomb", Reads.UNREADABLE, bombs("gzip")),
        _read_as("gzip-bomb-nested", Reads.UNREADABLE, bombs("gzip, gzip")),
    ]


def _wrong_data() -> list[Fault]:
    """The envelope is valid but its data is not: only an endpoint with a result can detect it."""
    data: dict[str, object] = {
        "data-is-a-string": "perhaps",
        "data-is-empty": {},
        "ids-are-empty": {"message_outbox_ids": []},
        "ids-are-null": {"message_outbox_ids": None},
        "fields-are-lists": {"message_outbox_ids": {"a": 1}, "credit": [1]},
    }
    return [_json(name, envelope(wrong), Reads.WRONG_DATA) for name, wrong in data.items()]


def _fine_responses() -> list[Fault]:
    """Unusual but valid: a client that rejects these is too strict."""

    def no_length(good: Good) -> tuple[Step, ...]:
        return (Send(head(200, "Content-Type: application/json") + good.body),)

    def hints(good: Good) -> tuple[Step, ...]:
        return (Send(head(100) + head(103, "Link: </a>; rel=preload") + reply(good.body)),)

    def packed(good: Good) -> tuple[Step, ...]:
        return (Send(reply(gzip.compress(good.body, mtime=0), 200, "Content-Encoding: gzip")),)

    return [
        _read_as("length-absent", Reads.FINE, no_length, End.CLOSE),
        _read_as("hints-before-response", Reads.FINE, hints),
        _read_as("gzip-good", Reads.FINE, packed),
        _read_as("chunked-good", Reads.FINE, lambda good: (Send(_chunked(good) + b"0\r\n\r\n"),)),
    ]


def _stray_bytes() -> list[Fault]:
    """Events on a connection between requests: the next request must neither fail nor read these bytes."""

    def behind(name: str, end: End, steps: Steps = no_steps) -> Fault:
        def both(good: Good) -> tuple[Step, ...]:
            extra = b"".join(step.data for step in steps(good) if isinstance(step, Send))
            return (Send(reply(good.body) + extra),)

        return Fault(name=name, reads=Reads.FINE, where=Where.IDLE, steps=both, end=end)

    def late(good: Good) -> tuple[Step, ...]:
        return AwaitClient(), Send(reply(good.poison))

    timed_out = reply(html(408), 408, "Connection: close", kind="text/html")
    return [
        behind("idle-close", End.CLOSE),
        behind("idle-reset", End.RESET),
        behind("two-responses-at-once", End.KEEP, lambda good: (Send(reply(good.poison)),)),
        behind("408-after-response", End.CLOSE, lambda _: (Send(timed_out),)),
        behind("garbage-after-response", End.KEEP, lambda _: (Send(b"\r\nHTT"),)),
        Fault(
            name="late-response",
            reads=Reads.BROKEN,
            where=Where.WHOLE,
            steps=late,
            transient=True,
            ended_by=EndedBy.TIMEOUT,
        ),
    ]


_NOT_EXECUTED: Final = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422, 425, 429})
"""Statuses that state that the request was not executed. After others it may have been, so it counts as accepted."""


def _retry_after_header(form: RetryAfter | None) -> list[str]:
    values = {
        RetryAfter.SECONDS: str(RETRY_SECONDS),
        RetryAfter.DATE: formatdate(time.time() + RETRY_DATE_AHEAD, usegmt=True),
        RetryAfter.PAST: formatdate(time.time() - 3600, usegmt=True),
        RetryAfter.NEGATIVE: "-5",
        RetryAfter.NAN: "NaN",
        RetryAfter.HUGE: str(RETRY_HUGE),
        RetryAfter.TEXT: "in a while",
        RetryAfter.ZERO: "0",
    }
    return [f"Retry-After: {values[form]}"] if form is not None else []


def _status(
    status: int, *, page: bool = False, retry_after: RetryAfter | None = None, headers: tuple[str, ...] = ()
) -> Fault:
    bare = status == HTTPStatus.NOT_MODIFIED
    body = b"" if bare else html(status) if page else envelope(None, status=False, message="ناموفق", code="400-1")
    kind = "text/html" if page else "application/json"

    def steps(_: Good) -> tuple[Step, ...]:
        more = _retry_after_header(retry_after)
        return (Send(head(status) if bare else reply(body, status, *headers, *more, kind=kind)),)

    name = f"status-{status}{'-page' if page else ''}"
    return Fault(
        name=f"{name}-retry-after-{retry_after}" if retry_after else name,
        reads=Reads.STATUS,
        where=Where.WHOLE,
        steps=steps,
        executes=status not in _NOT_EXECUTED,
        status=status,
        retry_after=retry_after,
    )


def _statuses() -> list[Fault]:
    """Every status of the retry rules: with the API's envelope, and as a proxy's page if proxies send it."""
    moved = ("Location: /v1/api/elsewhere",)
    return [
        _read_as("rejection-200", Reads.REFUSED, lambda _: (Send(reply(envelope(None, status=False))),)),
        *(_status(status, page=True, headers=moved) for status in (301, 302, 303, 307, 308)),
        _status(304),
        *(_status(status) for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)),
        _status(405, headers=("Allow: GET, PUT",)),
        *(_status(status, page=True) for status in (403, 404, 408, 413, 421, 425, 429, 500, 502, 503, 504)),
        *(_status(status, page=True) for status in (520, 521, 522, 523, 524)),
        *(_status(status, retry_after=form) for status in (429, 503) for form in RetryAfter),
    ]


def _catalogue() -> tuple[Fault, ...]:
    return (
        *_no_connection(),
        *_handshakes(),
        *_proxies(),
        *_cut_requests(),
        *_broken_responses(),
        *_endless_responses(),
        *_unreadable_responses(),
        *_wrong_data(),
        *_fine_responses(),
        *_stray_bytes(),
        *_statuses(),
    )


ALL: Final[tuple[Fault, ...]] = _catalogue()
"""Every fault, in the order of a request's lifecycle."""
BY_NAME: Final = {fault.name: fault for fault in ALL}
