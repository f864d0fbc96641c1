"""The attributes of a fault. The faults are defined in `catalogue`."""

from __future__ import annotations

from enum import StrEnum

import attrs

from tests.faults.responses import Good, Step, Steps


class Where(StrEnum):
    """The point at which the fault occurs; everything before it succeeds."""

    NOWHERE = "nowhere"
    """No connection is established."""
    PROXY = "proxy"
    """After the headers of the CONNECT request to the proxy."""
    TLS = "tls"
    """After the client's first handshake bytes."""
    ACCEPT = "accept"
    """On accept. On a reused connection: with the first bytes of the second request."""
    HEADERS = "headers"
    """After the request's headers: no byte of its body is read."""
    MID_BODY = "mid-body"
    """After half of the request's body, at most 64 kB."""
    WHOLE = "request-end"
    """After the whole request."""
    IDLE = "idle"
    """After the valid response to the first request of the case."""


class End(StrEnum):
    """The end of the connection after the fault."""

    KEEP = "keep"
    CLOSE = "close"
    """FIN; further bytes from the client are read and discarded, so there is no reset."""
    RESET = "reset"
    STALL = "stall"


class Absence(StrEnum):
    """The reason why no connection is established."""

    REFUSED = "refused"
    BACKLOG = "backlog"
    UNRESOLVED = "unresolved"


class Certificate(StrEnum):
    """The certificate that the server presents in a TLS handshake."""

    GOOD = "good"
    WRONG_HOST = "wrong-host"
    EXPIRED = "expired"
    UNKNOWN_CA = "unknown-ca"


class Reads(StrEnum):
    """What a client can know about the request after the fault."""

    NOT_SENT = "not-sent"
    UNTRUSTED = "untrusted"
    """Not sent either, and a retry cannot succeed."""
    BROKEN = "broken"
    """The connection failed after the request began to leave."""
    UNREADABLE = "unreadable"
    """2xx with a body that is not a response of the API."""
    WRONG_DATA = "wrong-data"
    """2xx with the API's envelope, but data of the wrong shape for the endpoint."""
    REFUSED = "refused"
    """2xx with `status: false`."""
    STATUS = "status"
    """A response whose status determines the result."""
    FINE = "fine"


class EndedBy(StrEnum):
    """What ends a request that meets the fault."""

    ITSELF = "itself"
    TIMEOUT = "timeout"
    """A timeout of one connect, write or read."""
    DEADLINE = "deadline"
    """The deadline of the call: timeouts of single steps do not expire."""


class RetryAfter(StrEnum):
    """The form of a Retry-After header."""

    SECONDS = "seconds"
    DATE = "date"
    PAST = "past"
    NEGATIVE = "negative"
    NAN = "nan"
    HUGE = "huge"
    TEXT = "text"
    ZERO = "zero"


def no_steps(_: Good) -> tuple[Step, ...]:
    """Send nothing."""
    return ()


@attrs.frozen(kw_only=True)
class Fault:
    """One fault of a request.

    Attributes:
        name: a unique name, part of a test's id.
        reads: what a client can know about the request.
        where: the point at which the fault occurs.
        steps: what the server sends at that point.
        end: the end of the connection after that.
        executes: whether the service executes a request that it has read completely before the fault. False only
            if its response states that it did not: every doubtful case counts as executed.
        transient: whether the fault affects the first request only, and later ones succeed.
        fresh: whether it can affect the first request on a connection.
        reused: whether it can affect the second one.
        ended_by: what ends the request.
        large_body: whether the fault requires a request body of `catalogue.LARGE_BODY_BYTES`.
        absence: the reason why no connection is established, if `where` is NOWHERE.
        certificate: the certificate of the handshake; one that is not GOOD implies TLS.
        proxy: whether the client uses the proxy of the case.
        status: the status of the response.
        retry_after: the form of the Retry-After header, if any.
    """

    name: str
    reads: Reads
    where: Where
    steps: Steps = no_steps
    end: End = End.KEEP
    executes: bool = True
    transient: bool = False
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
        """Whether the fault requires TLS."""
        return self.where is Where.TLS or self.certificate is not Certificate.GOOD or self.proxy
