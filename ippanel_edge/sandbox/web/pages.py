"""The requests for the page and its assets; the page is rendered here, so that it can be read without JavaScript."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ippanel_edge.sandbox.rules.billing import charge_due_messages
from ippanel_edge.sandbox.views import iso, outbox_row
from ippanel_edge.sandbox.web import rows
from ippanel_edge.sandbox.web.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from ippanel_edge.sandbox.faults import Faults
    from ippanel_edge.sandbox.state import SandboxState
    from ippanel_edge.sandbox.views import PhoneMessage

PAGE: Final = "/"
"""The path of the page."""
PAGE_SIZE: Final = 200
"""The number of messages of a conversation, of phones and of outbox messages that one page shows."""
MAX_PAGE_SIZE: Final = 5_000
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,8}")  # int() refuses a str of thousands of digits

PANELS: Final = {"outbox": "Outbox", "faults": "Faults", "settings": "Settings"}
STEPS: Final = {60: "1 minute", 300: "5 minutes", 3600: "1 hour", 86_400: "1 day"}
FAULT_KINDS: Final = {
    "STATUS": "STATUS: an HTTP status",
    "DELAY": "DELAY: a late answer",
    "STALL": "STALL: no answer at all",
    "RESET_BEFORE_ACCEPT": "RESET_BEFORE_ACCEPT: connection reset, not accepted",
    "RESET_AFTER_ACCEPT": "RESET_AFTER_ACCEPT: connection reset, but accepted",
    "CUT": "CUT: half an answer, then closed",
    "GARBAGE": "GARBAGE: an answer that is not HTTP",
    "HTML_502": "HTML_502: an HTML page with status 502",
}

ASSETS: Final = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every response: nothing is loaded from elsewhere, and no other site can embed or read the page."""


def page_routes(state: SandboxState, faults: Faults, calls: Iterable[str]) -> list[Route]:
    """Return the routes of the page and its assets.

    Args:
        state: the state to show.
        faults: the pending faults to show.
        calls: the names of calls that the form for faults offers.
    """
    names = sorted(calls)

    def page(request: Request) -> Response:
        """Render the page; Starlette calls it in a worker thread."""
        query = _Query.of(request.query_params)
        context = _context(state, faults, query, base_url=f"{request.url.scheme}://{request.url.netloc}/v1")
        template = _environment().get_template("page.html")
        html = template.render(context, calls=names, link=query.link)  # pyright: ignore[reportUnknownMemberType] - jinja2
        return HTMLResponse(html, headers=HEADERS)

    def asset(request: Request) -> Response:
        """Return one of the assets."""
        name = request.path_params["name"]
        if name not in ASSETS:
            raise HTTPException(404)
        return Response(_asset(name), headers=HEADERS | {"Content-Type": ASSETS[name]})

    return [Route(PAGE, page), Route("/assets/{name}", asset)]


@cache
def _environment() -> Environment:
    """Return the templates; they escape all values, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader("ippanel_edge.sandbox.web"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )


@cache
def _asset(name: str) -> bytes:
    return (files("ippanel_edge.sandbox.web") / "assets" / name).read_bytes()


@attrs.frozen
class _Query:
    """The parameters of the page's address: the chosen phone, the search, the open panel, the number of messages."""

    phone: str = ""
    search: str = ""
    panel: str | None = None
    limit: int = PAGE_SIZE

    @classmethod
    def of(cls, params: Mapping[str, str]) -> _Query:
        """Read the parameters; an invalid panel or limit counts as absent."""
        panel, limit = params.get("panel"), params.get("limit", "")
        return cls(
            params.get("phone", "").strip(),
            params.get("search", "").strip(),
            panel if panel in PANELS else None,
            min(int(limit), MAX_PAGE_SIZE) if _LIMIT.fullmatch(limit) else PAGE_SIZE,
        )

    def link(self, **changes: object) -> str:
        """Return the address of the page with some parameters changed; None removes one."""
        values: dict[str, object] = {"phone": self.phone, "search": self.search, "panel": self.panel}
        query = urlencode({name: value for name, value in (values | changes).items() if value})
        return f"{PAGE}?{query}" if query else PAGE


def _context(state: SandboxState, faults: Faults, query: _Query, *, base_url: str) -> dict[str, Any]:
    """Return the values of the template `page.html`."""
    with state.lock:
        charge_due_messages(state)
        now = rows.moment(iso(state.now))
        inbox = Inbox.read(state, query.search)
        newest = list(islice(reversed(state.outbox.values()), PAGE_SIZE))
        outbox = [rows.outbox_row(outbox_row(message, state), now) for message in newest]
    chosen, conversation, problem = _choose(inbox, query)
    with state.lock:  # again: the API may be called while the messages are searched
        phones = [
            rows.phone(phone.number, phone.newest.row(state), phone.count, now) for phone in inbox.phones(PAGE_SIZE)
        ]
        newest_last = reversed(conversation[: query.limit])
        messages = [message.row(state) | {"text": message.shown_text(state)} for message in newest_last]
    return {
        **_settings(state, base_url),
        "now": now,
        "phones": phones,
        "chosen": chosen,
        "problem": problem,
        "is_explicit": bool(query.phone),
        "messages": rows.messages(messages),
        "more": max(0, len(conversation) - query.limit),
        "next_limit": query.limit + PAGE_SIZE,
        "reply_line": rows.newest_line(messages),
        "outbox": outbox,
        "in_review": [row for row in outbox if row["state"] == "Review"],
        "faults": [rows.fault(planned) for planned in faults.pending],
        "fault_kinds": FAULT_KINDS,
        "search": query.search,
        "panel": query.panel,
        "panels": PANELS,
        "steps": STEPS,
    }


def _choose(inbox: Inbox, query: _Query) -> tuple[dict[str, Any] | None, list[PhoneMessage], str]:
    """Return the chosen phone, its messages, newest first, and what is wrong with its number."""
    try:
        number = inbox.choose(query.phone)
    except ValueError as error:
        return None, [], str(error)
    if number is None:
        return None, [], ""
    return rows.phone(number, None, inbox.count(number)), inbox.conversation(number), ""


def _settings(state: SandboxState, base_url: str) -> dict[str, Any]:
    """Return the values of the settings, the credit and the connection of the main account."""
    with state.lock:
        credit, lines = state.main_user.credit, state.lines_main_first()
        return {
            "credit": rows.rials(credit),
            "credit_value": f"{credit:.1f}".removesuffix(".0"),
            "lines": [{"number": line.number, "shown": rows.shown_number(line.number)} for line in lines],
            "settings": {
                "review": state.review,
                "review_seconds": "" if state.review_seconds is None else f"{state.review_seconds:g}",
                "delivery_seconds": f"{state.delivery_seconds:g}",
            },
            "connection": {
                "IPPANEL_BASE_URL": base_url,
                "IPPANEL_API_KEY": state.main_api_key or "",
                "IPPANEL_FROM_NUMBER": lines[0].number if lines else "",
            },
        }
