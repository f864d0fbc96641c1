"""The requests for the page and its assets; the page is rendered here, so that it can be read without JavaScript."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ippanel_edge.sandbox.rules.billing import charge_due_messages
from ippanel_edge.sandbox.spelling import latin_digits, normalise_mobile
from ippanel_edge.sandbox.views import iso, outbox_row, phone_messages, phone_rows
from ippanel_edge.sandbox.web import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from ippanel_edge.sandbox.faults import Faults
    from ippanel_edge.sandbox.state import SandboxState
    from ippanel_edge.sandbox.views import PhoneMessage

PAGE_SIZE: Final = 200
"""The number of messages of a conversation, of phones and of outbox messages that one page shows."""
MAX_PAGE_SIZE: Final = 5_000

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

    return [Route("/", page), Route("/assets/{name}", asset)]


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
            min(int(limit), MAX_PAGE_SIZE) if limit.isascii() and limit.isdigit() and int(limit) else PAGE_SIZE,
        )

    def link(self, **changes: object) -> str:
        """Return the address of the page with some parameters changed; None removes one."""
        values: dict[str, object] = {"phone": self.phone, "search": self.search, "panel": self.panel}
        query = urlencode({name: value for name, value in (values | changes).items() if value})
        return f"/?{query}" if query else "/"


def _context(state: SandboxState, faults: Faults, query: _Query, *, base_url: str) -> dict[str, Any]:
    """Return the values of the template `page.html`."""
    with state.lock:
        charge_due_messages(state)
        now = rows.moment(iso(state.now))
        phones = [rows.phone(row, now) for row in _phones(state, query.search)]
        number, problem = _number(query.phone, phones)
        found = _conversation(state, number, query)
        messages = [message.row(state) for message in reversed(found[: query.limit])]
        main = state.main_user
        lines = sorted(state.lines.values(), key=lambda line: line.owner_id != main.user_id)
        numbers = [line.number for line in lines]
        outbox = [
            rows.outbox_row(outbox_row(message, state), now)
            for message in reversed(list(state.outbox.values())[-PAGE_SIZE:])
        ]
        pending = [rows.fault(planned) for planned in faults.pending]
        api_key = next((key for key, user_id in state.api_keys.items() if user_id == main.user_id), "")
        settings = {
            "review": state.review,
            "review_seconds": state.review_seconds,
            "delivery_seconds": state.delivery_seconds,
        }
        credit = main.credit
    chosen = next((phone for phone in phones if phone["number"] == number), None) if number else None
    reply_line = rows.chosen_line(messages, numbers[0] if numbers else "")
    return {
        "now": now,
        "credit": rows.rials(credit),
        "credit_value": f"{credit:.1f}".removesuffix(".0"),
        "phones": phones[:PAGE_SIZE],
        "chosen": chosen or (rows.bare_phone(number) if number else None),
        "problem": problem,
        "is_explicit": bool(query.phone),
        "messages": rows.messages(messages),
        "more": len(found) - query.limit if len(found) > query.limit else 0,
        "next_limit": query.limit + PAGE_SIZE,
        "lines": [{"number": each, "shown": rows.shown_number(each)} for each in numbers],
        "reply_line": reply_line,
        "outbox": outbox,
        "in_review": [row for row in outbox if row["state"] == "Review"],
        "faults": pending,
        "fault_kinds": FAULT_KINDS,
        "settings": settings,
        "search": query.search,
        "panel": query.panel,
        "panels": PANELS,
        "steps": STEPS,
        "connection": {
            "IPPANEL_BASE_URL": base_url,
            "IPPANEL_API_KEY": api_key,
            "IPPANEL_FROM_NUMBER": numbers[0] if numbers else "",
        },
    }


def _phones(state: SandboxState, search: str) -> list[dict[str, Any]]:
    """Return the phones, newest first; of a search those that match, each with its newest message that matches."""
    phones = phone_rows(state)
    if not search:
        return phones
    matching: dict[str, PhoneMessage] = {}
    for message in phone_messages(state):
        if message.number not in matching and _matches(message, search):
            matching[message.number] = message
    return [row | {"last": matching[row["number"]].row(state)} for row in phones if row["number"] in matching]


def _matches(message: PhoneMessage, search: str) -> bool:
    """Whether the text of a message or the number of its phone contains what is searched for."""
    if latin_digits(search).casefold() in latin_digits(message.text).casefold():
        return True
    digits = latin_digits(search).replace(" ", "").removeprefix("0")
    return len(digits) > 1 and digits in message.number


def _number(wanted: str, phones: Sequence[Mapping[str, Any]]) -> tuple[str | None, str]:
    """Return the chosen phone, by default that of the newest message, or None and what is wrong with the number."""
    if not wanted:
        return (phones[0]["number"] if phones else None), ""
    if any(phone["number"] == wanted for phone in phones):
        return wanted, ""
    try:
        return normalise_mobile(wanted), ""
    except ValueError as error:
        return None, str(error)


def _conversation(state: SandboxState, number: str | None, query: _Query) -> list[PhoneMessage]:
    """Return the messages of a phone that match the search, newest first."""
    if number is None:
        return []
    return [
        message
        for message in phone_messages(state)
        if message.number == number and (not query.search or _matches(message, query.search))
    ]
