"""Fault injection: planned error responses and broken connections.

The numbers and texts that always fail in a defined way are in `reserved`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs


class Fault(StrEnum):
    """The kinds of faults to inject into requests."""

    STATUS = "STATUS"
    """An HTTP status such as 503; not executed."""
    DELAY = "DELAY"
    """The correct response, late; executed."""
    STALL = "STALL"
    """No response until the client disconnects; not executed."""
    RESET_BEFORE_ACCEPT = "RESET_BEFORE_ACCEPT"
    """The connection is reset; not executed."""
    RESET_AFTER_ACCEPT = "RESET_AFTER_ACCEPT"
    """The connection is reset; executed."""
    CUT = "CUT"
    """The first bytes of the correct response, then the connection is closed; executed."""
    GARBAGE = "GARBAGE"
    """Bytes that are not HTTP, then the connection is closed; not executed."""
    HTML_502 = "HTML_502"
    """A 502 with an HTML page, as of a proxy; not executed."""


BROKEN: Final = frozenset({Fault.STALL, Fault.RESET_BEFORE_ACCEPT, Fault.RESET_AFTER_ACCEPT, Fault.CUT, Fault.GARBAGE})
"""The faults without a whole response."""
_EXECUTED: Final = frozenset({Fault.DELAY, Fault.RESET_AFTER_ACCEPT, Fault.CUT})
_FIXED: Final = frozenset({Fault.DELAY, Fault.RESET_BEFORE_ACCEPT, Fault.RESET_AFTER_ACCEPT})
"""The faults that are executed always or never."""
_WITH_RESPONSE: Final = frozenset({Fault.STATUS, Fault.DELAY, Fault.HTML_502, Fault.CUT})
_HTML_502: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
_OWN_HEADERS: Final = frozenset({"content-length", "transfer-encoding", "connection"})
_MAX_DELAY: Final = 3600.0
_STATUSES: Final = frozenset(range(200, 600)) - {204, 205, 304}


@attrs.define
class PlannedFault:
    """An error to inject into the next matching requests.

    Attributes:
        fault: the kind of fault.
        times: the number of requests that it still affects.
        call: the call that it affects, such as "send.webservice", as it was given; None: any call.
        names: the names of the endpoints of `call`.
        path: affect only this path, without /v1, such as "/api/send"; None: any path.
        sending_type: affect only sends of this type; None: any request.
        status: the HTTP status to return; None keeps the original response and applies only `headers`, `delay` and
            `cut`.
        body: the body to return: an object (serialised as JSON), or str or bytes (sent unchanged as HTML); None:
            the envelope of the API.
        headers: additional response headers.
        delay: real seconds to wait before the response.
        executed: execute the request and discard only its response.
        cut: truncate the body to this many bytes; a fault of the kind CUT declares the length of the whole body.
        fault_id: the number of the fault.
        used: the number of requests that it affected.
    """

    fault: Fault = Fault.STATUS
    times: int = 1
    call: str | None = None
    names: frozenset[str] | None = None
    path: str | None = None
    sending_type: str | None = None
    status: int | None = 500
    body: object = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    executed: bool = False
    cut: int | None = None
    fault_id: int = 0
    used: int = 0

    def matches(self, path: str, sending_type: str | None, name: str | None) -> bool:
        """Whether the fault applies to a request."""
        return (
            self.times > 0
            and (self.path is None or self.path == path)
            and (self.sending_type is None or self.sending_type == sending_type)
            and (self.names is None or name in self.names)
        )


class Faults:
    """The pending faults, oldest first. Any thread may add one.

    Args:
        paths: the paths of the endpoints; a fault for another path is an error. None accepts any path.
        calls: the names of the endpoints that each name of a call stands for.
    """

    def __init__(
        self, paths: Collection[str] | None = None, calls: Mapping[str, frozenset[str]] = MappingProxyType({})
    ) -> None:
        self._paths = paths
        self._calls = calls
        self._pending: list[PlannedFault] = []
        self._count = 0
        self._lock = threading.Lock()

    @property
    def pending(self) -> list[PlannedFault]:
        """The faults that still affect requests, oldest first; `used` is 0 for one that was never used."""
        with self._lock:
            return list(self._pending)

    def add(
        self,
        status: int | None = 500,
        *,
        times: int = 1,
        path: str | None = None,
        sending_type: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        executed: bool = False,
        cut: int | None = None,
    ) -> PlannedFault:
        """Add a fault with a whole response; the arguments are the attributes of `PlannedFault`.

        Raises:
            ValueError: no endpoint has the path, or a number is out of range.
        """
        return self._append(
            PlannedFault(
                Fault.DELAY if status is None else Fault.STATUS,
                times,
                path=path,
                sending_type=sending_type,
                status=status,
                body=body,
                headers=headers or {},
                delay=delay,
                executed=executed or status is None,
                cut=cut,
            )
        )

    def fail(
        self,
        call: str | None = None,
        *,
        with_: Fault = Fault.STATUS,
        times: int = 1,
        path: str | None = None,
        status: int | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        executed: bool | None = None,
        cut: int | None = None,
    ) -> PlannedFault:
        """Add a fault of any kind for the next `times` requests of a call.

        Args:
            call: "send" (all sends), the name of an endpoint in the SDK such as "send.webservice" or "reports.outbox",
                or its path; None: any request.
            with_: the kind of fault.
            times: the number of requests to affect.
            path: a path instead of `call`.
            status: the HTTP status of STATUS; 500 by default.
            body: the body of STATUS and HTML_502: an object (sent as JSON), or str or bytes (sent as HTML).
            headers: additional headers of a response.
            delay: real seconds to wait before the fault.
            executed: whether the request is executed; None: see `Fault`.
            cut: the number of bytes of the body that CUT sends; half of them by default.

        Raises:
            ValueError: there is no such call, an argument does not belong to the fault, or a number is out of range.
        """
        if call is not None and path is not None:
            raise ValueError("expected either call or path, got both; leave one of them out")
        if call is not None and call.startswith("/"):
            call, path = None, call
        fault = Fault(with_)
        for name, value, kinds in (
            ("status", status, {Fault.STATUS}),
            ("body", body, {Fault.STATUS, Fault.HTML_502}),
            ("headers", headers, _WITH_RESPONSE),
            ("cut", cut, {Fault.CUT}),
            ("executed", executed, frozenset(Fault) - _FIXED),
        ):
            if value is not None and fault not in kinds:
                raise ValueError(f"{name}: not used by {fault.name}; use it with {', '.join(sorted(kinds))}")
        if fault is Fault.DELAY and not delay:
            raise ValueError("delay: expected the seconds of DELAY, got none; use e.g. delay=2")
        own_status = {Fault.STATUS: 500 if status is None else status, Fault.HTML_502: 502}
        return self._append(
            PlannedFault(
                fault,
                times,
                call,
                None if call is None else self._names(call),
                path,
                status=own_status.get(fault),
                body=_HTML_502 if fault is Fault.HTML_502 and body is None else body,
                headers=headers or {},
                delay=delay,
                executed=fault in _EXECUTED if executed is None else executed,
                cut=cut,
            )
        )

    def _names(self, call: str) -> frozenset[str]:
        try:
            return self._calls[call]
        except KeyError:
            raise ValueError(
                f"call: expected the name of a call such as 'send', 'send.webservice' or 'reports.outbox', got {call!r}"
            ) from None

    def _append(self, fault: PlannedFault) -> PlannedFault:
        if fault.path is not None and self._paths is not None and fault.path not in self._paths:
            raise ValueError(f"no endpoint has the path {fault.path!r}; expected one such as '/api/send'")
        if fault.times < 1:
            raise ValueError(f"times: expected at least 1, got {fault.times}")
        if fault.status is not None and fault.status not in _STATUSES:
            raise ValueError(f"status: expected an HTTP status from 200 to 599 that allows a body, got {fault.status}")
        if not 0 <= fault.delay <= _MAX_DELAY:
            raise ValueError(f"delay: expected seconds from 0 to {_MAX_DELAY:.0f}, got {fault.delay}")
        for name, value in fault.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"headers: expected a name and a value that HTTP allows, got {name!r}: {value!r}")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"headers: expected no {name}, which the server sets; use CUT for a wrong length")
        if fault.cut is not None and fault.cut < 0:
            raise ValueError(f"cut: expected a number of bytes, at least 0, got {fault.cut}")
        with self._lock:
            self._count += 1
            fault.fault_id = self._count
            self._pending.append(fault)
        return fault

    def take(self, path: str, sending_type: str | None, name: str | None = None) -> PlannedFault | None:
        """Return the oldest matching fault and decrement its `times`; None if no fault matches."""
        with self._lock:
            for fault in self._pending:
                if fault.matches(path, sending_type, name):
                    fault.times -= 1
                    fault.used += 1
                    if not fault.times:
                        self._pending.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Remove all pending faults."""
        with self._lock:
            self._pending.clear()
