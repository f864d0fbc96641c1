"""The control address of the sandbox: JSON routes below /sandbox for programs in any language and for the web page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from ippanel_edge.sandbox.clock import END
from ippanel_edge.sandbox.connections import connection_of
from ippanel_edge.sandbox.faults import Fault, Faults, PlannedFault
from ippanel_edge.sandbox.inputs import ControlError, Inputs
from ippanel_edge.sandbox.records import MessageState, OutboxMessage
from ippanel_edge.sandbox.rules.billing import charge_due_messages
from ippanel_edge.sandbox.rules.delivery import message_state
from ippanel_edge.sandbox.spelling import find_line, normalise_mobile
from ippanel_edge.sandbox.views import PhoneMessage, Row, iso, outbox_row, phone_messages, phone_rows

if TYPE_CHECKING:
    from ippanel_edge.sandbox.events import Event, EventFeed, Subscription
    from ippanel_edge.sandbox.state import SandboxState

PATH: Final = "/sandbox"
KEEP_ALIVE: Final = 15.0
"""Real seconds without an event after which a comment is sent."""
EVENT_STREAM: Final = "text/event-stream"
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000

_FLAGS: Final = ("review", "strict", "sample_files")
_SECONDS: Final = ("delivery_seconds",)
_SECONDS_OR_NONE: Final = ("review_seconds", "pattern_review_seconds")
_COUNTS: Final = ("review_above",)
SETTINGS: Final = (*_FLAGS, *_SECONDS, *_SECONDS_OR_NONE, *_COUNTS)
"""The attributes of the state that may be changed."""

Rule = Callable[[Request], Awaitable[Response]]


def control_routes(state: SandboxState, faults: Faults) -> Mount:
    """Return the routes below /sandbox.

    Args:
        state: the state to show and to change.
        faults: the faults to list, add and clear.
    """
    control = _Control(state, faults)
    by_path: Mapping[str, Mapping[str, Rule]] = {
        "/state": {"GET": control.show_state, "PATCH": control.change_state},
        "/reset": {"POST": control.reset},
        "/phones": {"GET": control.phones},
        "/messages": {"GET": control.messages},
        "/outbox": {"GET": control.outbox},
        "/inbound": {"POST": control.receive},
        "/clock": {"POST": control.change_clock},
        "/review": {"POST": control.review},
        "/faults": {"GET": control.list_faults, "POST": control.add_fault, "DELETE": control.clear_faults},
        "/events": {"GET": control.events},
    }
    routes = [Route(path, rule, methods=[method]) for path, rules in by_path.items() for method, rule in rules.items()]
    known = ", ".join(f"{method} {PATH}{path}" for path, rules in by_path.items() for method in rules)

    async def on_http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        got = f"{request.method} {request.url.path}"
        return _json({"error": f"expected one of {known}, got {got}; use one of them"}, status)

    handlers = {ControlError: _on_control_error, HTTPException: on_http_error, ClientDisconnect: _on_leave}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Mount(PATH, app)


class _Control:
    """The rules of the routes."""

    def __init__(self, state: SandboxState, faults: Faults) -> None:
        self._state = state
        self._faults = faults

    async def show_state(self, request: Request) -> Response:
        """Return the time, the credit, the numbers of records, the lines, the key and the settings."""
        Inputs.of_query(request).check()
        return self._show_state()

    def _show_state(self) -> Response:
        state = self._state
        with state.lock:
            charge_due_messages(state)
            return _json(
                {
                    "now": iso(state.now),
                    "credit": state.main_user.credit,
                    "counts": {
                        "outbox": len(state.outbox),
                        "inbox": len(state.inbox),
                        "notices": len(state.notices),
                        "faults": len(self._faults.pending),
                    },
                    "lines": [
                        {"number": line.number, "alias": line.alias, "service": line.is_service}
                        for line in state.lines_main_first()
                    ],
                    "api_key": state.main_api_key,
                    "settings": {name: getattr(state, name) for name in SETTINGS},
                }
            )

    async def change_state(self, request: Request) -> Response:
        """Change settings and the credit of the main account; return the state."""
        body = await Inputs.of_body(request)
        changes: dict[str, object] = {}
        changes |= {name: body.flag(name) for name in _FLAGS if body.has(name)}
        changes |= {name: body.seconds(name) for name in _SECONDS if body.has(name)}
        changes |= {name: body.seconds(name, nullable=True) for name in _SECONDS_OR_NONE if body.has(name)}
        changes |= {name: body.integer(name) for name in _COUNTS if body.has(name)}
        credit = body.number("credit") if body.has("credit") else None
        body.check()
        with self._state.lock:
            for name, value in changes.items():
                setattr(self._state, name, value)
            if credit is not None:
                self._state.main_user.credit = credit
            self._state.publish_status_changes()
        return self._show_state()

    async def reset(self, request: Request) -> Response:
        """Delete the messages, the faults and the memory of duplicates; return the state."""
        (await Inputs.of_body(request)).check()
        with self._state.lock:
            self._faults.clear()
            self._state.reset()
        return self._show_state()

    async def phones(self, request: Request) -> Response:
        """List the phones, newest message first."""
        query = Inputs.of_query(request)
        limit = query.integer_or("limit", MAX_LIMIT, minimum=1, maximum=MAX_LIMIT)
        query.check()
        with self._state.lock:
            charge_due_messages(self._state)
            return _json(phone_rows(self._state, limit))

    async def messages(self, request: Request) -> Response:
        """List the messages to and from phones, newest first, those after the id `after` in this order."""
        query = Inputs.of_query(request)
        number, search, after = (query.text_or_none(name) for name in ("number", "search", "after"))
        limit = query.integer_or("limit", DEFAULT_LIMIT, minimum=1, maximum=MAX_LIMIT)
        query.check()
        phone = None if number is None else _mobile("number", number)
        with self._state.lock:
            charge_due_messages(self._state)
            found = phone_messages(self._state)
            if after is not None:
                _skip(found, after)
            rows = (
                message
                for message in found
                if (phone is None or message.number == phone) and (search is None or search in message.text)
            )
            return _json([message.row(self._state) for message in islice(rows, limit)])

    async def outbox(self, request: Request) -> Response:
        """List the outbox, newest first; `after` is the id of the last message of the previous page."""
        query = Inputs.of_query(request)
        after = query.integer("after") if query.has("after") else None
        limit = query.integer_or("limit", DEFAULT_LIMIT, minimum=1, maximum=MAX_LIMIT)
        query.check()
        with self._state.lock:
            charge_due_messages(self._state)
            found = (
                message
                for message in reversed(self._state.outbox.values())
                if after is None or message.outbox_id < after
            )
            return _json([outbox_row(message, self._state) for message in islice(found, limit)])

    async def receive(self, request: Request) -> Response:
        """Receive a message from a phone."""
        body = await Inputs.of_body(request)
        sender, text, number = body.text("from"), body.text("text"), body.text_or_none("line")
        body.check()
        phone = _mobile("from", sender)
        with self._state.lock:
            lines = self._state.lines_main_first()
            line = lines[0] if number is None else find_line(number, lines)
            if line is None:
                known = ", ".join(line.number for line in lines)
                raise ControlError(404, f"line: expected one of {known}, got {number!r}; use one of them")
            message = self._state.receive(phone, line.number, text)
        return _json({"id": message.inbox_id}, 201)

    async def change_clock(self, request: Request) -> Response:
        """Advance the clock by seconds or to a time; return the new time."""
        body = await Inputs.of_body(request)
        if body.has("advance") == body.has("set"):
            raise ControlError(422, 'expected either advance or set, got both or neither; send e.g. {"advance": 60}')
        if body.has("advance"):
            seconds = body.number("advance") or 0.0
            body.check()
        else:
            moment = body.time("set")
            body.check()
            seconds = (moment - self._state.now).total_seconds()
            if seconds < 0:
                now = iso(self._state.now)
                raise ControlError(409, f"set: expected a time not before {now}, got {iso(moment)}; use a later time")
        try:
            self._state.clock.advance(seconds)
        except ValueError:
            message = f"expected a time before the year {END.year}, got a later one; use less"
            raise ControlError(422, message) from None
        return _json({"now": iso(self._state.now)})

    async def review(self, request: Request) -> Response:
        """Approve or reject a message that is in review; return its row of the outbox."""
        body = await Inputs.of_body(request)
        outbox_id = body.integer("outbox_id")
        action = body.choice("action", ("approve", "reject"))
        comment = body.text_or_none("comment")
        body.check()
        state = self._state
        with state.lock:
            charge_due_messages(state)
            message = _in_review(state, outbox_id)
            if action == "approve":
                state.approve(outbox_id)
            else:
                state.reject(outbox_id, comment or "")
            return _json(outbox_row(message, state))

    async def list_faults(self, request: Request) -> Response:
        """List the pending faults, oldest first."""
        Inputs.of_query(request).check()
        return _json([fault_row(fault) for fault in self._faults.pending])

    async def add_fault(self, request: Request) -> Response:
        """Add a fault; return it with its id."""
        body = await Inputs.of_body(request)
        options: dict[str, Any] = {"times": body.integer_or("times", 1, minimum=1)}
        options |= {name: body.text(name) for name in ("call", "path") if body.has(name)}
        options |= {name: body.integer(name) for name in ("status", "cut") if body.has(name)}
        options |= {"delay": body.seconds("delay")} if body.has("delay") else {}
        options |= {"executed": body.flag("executed")} if body.has("executed") else {}
        options |= {"headers": body.mapping("headers")} if body.has("headers") else {}
        options |= {"body": body.anything("body")} if body.has("body") else {}
        fault = body.choice("fault", list(Fault)) if body.has("fault") else Fault.STATUS
        body.check()
        try:
            planned = self._faults.fail(with_=Fault(fault), **options)
        except ValueError as error:
            raise ControlError(422, str(error)) from None
        return _json(fault_row(planned), 201)

    async def clear_faults(self, request: Request) -> Response:
        """Remove all faults."""
        (await Inputs.of_body(request)).check()
        removed = len(self._faults.pending)
        self._faults.clear()
        return _json({"removed": removed})

    async def events(self, request: Request) -> Response:
        """Stream the events until the client or the server ends it."""
        feed = self._state.events
        Inputs.of_query(request).check()
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM)
        subscription = feed.subscribe(_cursor(feed, request.headers.get("last-event-id")))
        connection = connection_of(request.scope)
        forget = None if connection is None else connection.on_stop.add(subscription.close)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(feed, subscription, forget), 200, headers, media_type=EVENT_STREAM)


async def _stream(
    feed: EventFeed, subscription: Subscription, forget: Callable[[], None] | None
) -> AsyncIterator[bytes]:
    """Yield the events in the format of server-sent events."""
    try:
        yield b": the events of the sandbox\n\n"
        while not subscription.closed:
            events = await subscription.wait_async(KEEP_ALIVE, limit=100)
            if events:
                yield b"".join(_sse(feed, event) for event in events)
            elif not subscription.closed:
                yield b": no event\n\n"
    finally:
        subscription.close()
        if forget is not None:
            forget()


def _sse(feed: EventFeed, event: Event) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False)
    return f"id: {feed.run}-{event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _cursor(feed: EventFeed, last_event_id: str | None) -> int | None:
    """Return the position after which a stream begins; an id of another feed is before all events that are kept."""
    if not last_event_id:
        return None
    run, _, number = last_event_id.partition("-")
    is_own = run == feed.run and number.isascii() and number.isdigit()
    return int(number[:18]) if is_own else -1


def _skip(messages: Iterator[PhoneMessage], key: str) -> None:
    """Advance an iterator to the message after the one with an id.

    Raises:
        ControlError: 404 if there is none.
    """
    if all(message.key != key for message in messages):
        raise ControlError(404, f"after: expected the id of a message, got {key!r}; use an id of an earlier answer")


def _in_review(state: SandboxState, outbox_id: int) -> OutboxMessage:
    message = state.outbox.get(outbox_id)
    if message is None:
        raise ControlError(404, f"outbox_id: expected the id of a message, got {outbox_id}; see GET {PATH}/outbox")
    found = message_state(message, state)
    if found is not MessageState.REVIEW:
        expected = f"outbox_id: expected a message in review, got {outbox_id}, which is {found.name.lower()}"
        raise ControlError(409, f'{expected}; to review sends, send {{"review": true}} by PATCH {PATH}/state')
    return message


def _mobile(name: str, text: str) -> str:
    try:
        return normalise_mobile(text)
    except ValueError as error:
        raise ControlError(422, f"{name}: {error}") from None


def fault_row(fault: PlannedFault) -> Row:
    """Return a fault as JSON; `times` is the number of requests that it still affects."""
    return {
        "id": fault.fault_id,
        "fault": fault.fault.value,
        "call": fault.call,
        "path": fault.path,
        "sending_type": fault.sending_type,
        "times": fault.times,
        "used": fault.used,
        "status": fault.status,
        "delay": fault.delay,
        "executed": fault.executed,
        "cut": fault.cut,
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, media_type="application/json")


async def _on_control_error(_request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, error.status if isinstance(error, ControlError) else 500)


async def _on_leave(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # the client disconnected during an upload: there is nobody to answer
