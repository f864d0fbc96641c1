"""Fault injection: planned error responses; `reserved` has the numbers and texts that always fail in a defined way.

Broken connections are out of scope, because an ASGI app cannot produce them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs


@attrs.define
class Fault:
    """An error to inject into the next matching requests.

    Attributes:
        times: the number of requests to affect.
        path: affect only this path, without /v1, such as "/api/send"; None: any path.
        sending_type: affect only sends of this type; None: any request.
        status: the HTTP status to return; None keeps the original response and applies only `headers`, `delay` and
            `cut`.
        body: the body to return: an object (serialised as JSON), or str or bytes (sent unchanged as HTML); None:
            the envelope of the API.
        headers: additional response headers.
        delay: real seconds to wait before the response.
        executed: execute the request and discard only its response.
        cut: truncate the body to this many bytes.
    """

    times: int = 1
    path: str | None = None
    sending_type: str | None = None
    status: int | None = 500
    body: object = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    executed: bool = False
    cut: int | None = None

    def matches(self, path: str, sending_type: str | None) -> bool:
        """Whether the fault applies to a request."""
        return (
            self.times > 0
            and (self.path is None or self.path == path)
            and (self.sending_type is None or self.sending_type == sending_type)
        )


class Faults:
    """The pending faults, oldest first.

    Args:
        paths: the paths of the endpoints; a fault for another path is an error. None accepts any path.
    """

    def __init__(self, paths: Collection[str] | None = None) -> None:
        self._paths = paths
        self._pending: list[Fault] = []

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
    ) -> Fault:
        """Add a fault for the next matching requests; the arguments are the attributes of `Fault`.

        Raises:
            ValueError: no endpoint has the path.
        """
        if path is not None and self._paths is not None and path not in self._paths:
            raise ValueError(f"no endpoint has the path {path!r}; expected one such as '/api/send'")
        fault = Fault(times, path, sending_type, status, body, headers or {}, delay, executed, cut)
        self._pending.append(fault)
        return fault

    def take(self, path: str, sending_type: str | None) -> Fault | None:
        """Return the oldest matching fault and decrement its `times`; None if no fault matches."""
        for fault in self._pending:
            if fault.matches(path, sending_type):
                fault.times -= 1
                if not fault.times:
                    self._pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all pending faults."""
        self._pending.clear()
