"""What a fault is: its facts, each with its words. The faults themselves are in `catalogue`."""

from __future__ import annotations

from enum import StrEnum

import attrs

from tests.faults.answers import Good, Say, Step


class Where(StrEnum):
    """The point up to which all goes well."""

    NOWHERE = "nowhere"
    """No connection comes about."""
    PROXY = "proxy"
    """After the head of the proxy's CONNECT."""
    TLS = "tls"
    """After the client's first handshake bytes."""
    ACCEPT = "accept"
    """At once. On a reused connection: with the first bytes of the second request."""
    HEADERS = "headers"
    """After the request's head: no byte of its body is read."""
    MID_BODY = "mid-body"
    """After half of the request's body, 64 kB of it at the most."""
    WHOLE = "whole"
    """After the whole request."""
    IDLE = "idle"
    """Behind the good answer to the cell's first request."""


class End(StrEnum):
    """What becomes of the connection then."""

    KEEP = "keep"
    CLOSE = "close"
    """FIN, with all that the client still says swallowed: never a reset."""
    RESET = "reset"
    STALL = "stall"


class Absence(StrEnum):
    """Why no connection comes about."""

    REFUSED = "refused"
    BACKLOG = "backlog"
    UNRESOLVED = "unresolved"


class Certificate(StrEnum):
    """What the server shows in a TLS handshake."""

    GOOD = "good"
    WRONG_HOST = "wrong-host"
    EXPIRED = "expired"
    UNKNOWN_CA = "unknown-ca"


class Reads(StrEnum):
    """What a perfect client can know of the request after the fault."""

    NOT_SENT = "not-sent"
    UNTRUSTED = "untrusted"
    """Not sent either, and trying again does not help."""
    BROKEN = "broken"
    """The connection failed after the request had begun to leave."""
    UNREADABLE = "unreadable"
    """2xx with something else than the API's answer."""
    WRONG_DATA = "wrong-data"
    """2xx and the API's envelope, with data that are not the endpoint's."""
    REFUSED = "refused"
    """2xx with a well-formed refusal."""
    STATUS = "status"
    """An answer whose status says it."""
    FINE = "fine"


class EndedBy(StrEnum):
    """What the client must bring to get out of the fault."""

    ITSELF = "itself"
    TIMEOUT = "timeout"
    """A time-out for a single connect, write or read."""
    DEADLINE = "deadline"
    """A deadline over the whole call: single time-outs never run out."""


class RetryAfter(StrEnum):
    """How an answer says when to come back."""

    SECONDS = "seconds"
    DATE = "date"
    PAST = "past"
    NEGATIVE = "negative"
    NAN = "nan"
    HUGE = "huge"
    WORDS = "words"
    ZERO = "zero"


def silence(_: Good) -> tuple[Step, ...]:
    """Nothing at all."""
    return ()


@attrs.frozen(kw_only=True)
class Fault:
    """One way for a request to go wrong.

    Attributes:
        name: unique, and a part of a test's id.
        reads: what a perfect client can know.
        where: the point up to which all goes well.
        say: what is said there.
        end: what becomes of the connection after that.
        carries_out: whether the service carries out a request that it has read whole before the fault. False only
            where its answer says that it did not: every doubt is counted as carried out.
        heals: whether only the first request is struck, and later ones answered well.
        fresh: whether it can strike the first request on a connection.
        reused: whether it can strike the second.
        ended_by: what the client must bring to get out of it.
        large_body: whether the request must be as large as `catalogue.LARGE_BODY_BYTES` to be struck as the name says.
        absence: why no connection comes about, where `where` is NOWHERE.
        certificate: what is shown in the handshake; others than the good one make the cell a TLS one.
        proxy: whether the client must go through the cell's proxy.
        status: the answer's status, where it has one other than 200.
        retry_after: how the answer says when to come back.
    """

    name: str
    reads: Reads
    where: Where
    say: Say = silence
    end: End = End.KEEP
    carries_out: bool = True
    heals: bool = False
    fresh: bool = True
    reused: bool = True
    ended_by: EndedBy = EndedBy.ITSELF
    large_body: bool = False
    absence: Absence | None = None
    certificate: Certificate = Certificate.GOOD
    proxy: bool = False
    status: int = 200
    retry_after: RetryAfter | None = None

    @property
    def tls(self) -> bool:
        """Whether the fault makes no sense without TLS."""
        return self.where is Where.TLS or self.certificate is not Certificate.GOOD or self.proxy
