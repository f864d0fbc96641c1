"""The page as the server renders it: its content, its escaping, its headers and its addresses."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import anyio
import httpx
import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import PROMOTIONAL_NUMBER
from tests.sandbox.caller import Caller

SARA: Final = "+989121234567"
HOSTILE: Final = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def get(sandbox: Sandbox, path: str = "/", **params: str) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app=sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox:8010") as client:
            return await client.get(path, params=params)

    return anyio.run(request)


def bubbles(html: str) -> list[str]:
    return re.findall(r'<div class="bubble"><p dir="auto">(.*?)</p>', html, re.DOTALL)


def test_an_empty_sandbox_shows_how_to_connect(sandbox: Sandbox) -> None:
    html = get(sandbox).text
    assert "IPPANEL_BASE_URL=http://sandbox:8010/v1" in html
    assert "IPPANEL_API_KEY=sandbox-key" in html
    assert "IPPANEL_FROM_NUMBER=+983000100200" in html


def test_the_conversation_of_the_newest_message_is_shown(sandbox: Sandbox, call: Caller) -> None:
    call.webservice("+989352223344", message="older")
    call.webservice(SARA, message="سلام")
    html = get(sandbox).text
    assert bubbles(html) == ["سلام"]
    assert "0912 123 4567" in html
    assert bubbles(get(sandbox, phone="+989352223344").text) == ["older"]
    assert bubbles(get(sandbox, phone="0935 222 3344").text) == ["older"]


def test_the_time_is_that_of_tehran_with_a_jalali_date(sandbox: Sandbox, call: Caller) -> None:
    call.webservice(SARA)
    html = get(sandbox).text
    assert "۲۵ دی ۱۴۰۸" not in html
    assert "۲۶ دی ۱۴۰۸" in html
    assert ">13:00</time>" in html


def test_markup_in_texts_searches_and_numbers_is_escaped(sandbox: Sandbox, call: Caller) -> None:
    call.webservice(SARA, message=HOSTILE)
    sandbox.state.receive(SARA, sandbox.from_number, HOSTILE)
    for html in (get(sandbox).text, get(sandbox, search=HOSTILE).text, get(sandbox, phone=HOSTILE).text):
        assert HOSTILE not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;" in html
    assert get(sandbox, panel='"><script>').text.count("<script") == 2


def test_the_page_has_no_inline_script_or_style_and_loads_nothing_from_elsewhere(
    sandbox: Sandbox, call: Caller
) -> None:
    call.webservice(SARA)
    response = get(sandbox, panel="faults")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", response.text) == []
    assert re.findall(r"<script[^>]*>", response.text) == [
        '<script src="/assets/theme.js">',
        '<script src="/assets/app.js">',
    ]
    assert set(re.findall(r'(?:src|href)="([^"?]*)', response.text)) <= {
        "/",
        "#thread",
        "/assets/app.css",
        "/assets/app.js",
        "/assets/theme.js",
        "/assets/icon.svg",
    }


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("app.css", "text/css"),
        ("app.js", "text/javascript"),
        ("theme.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_an_asset_is_served_with_its_type_and_names_no_other_host(
    sandbox: Sandbox, name: str, content_type: str
) -> None:
    response = get(sandbox, f"/assets/{name}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(content_type)
    assert re.findall(r"https?://(?!www\.w3\.org/)", response.text) == []
    assert "@import" not in response.text


@pytest.mark.parametrize("name", ["missing.js", "..%2fpages.py", "%2e%2e/pages.py", "templates/page.html"])
def test_no_other_file_is_served(sandbox: Sandbox, name: str) -> None:
    assert get(sandbox, f"/assets/{name}").status_code == 404


def test_a_code_gets_a_button_and_an_ordinary_number_does_not(sandbox: Sandbox, call: Caller) -> None:
    call.send("pattern", code="otp", recipients=[SARA], params={"code": "۴۸۲۱"})
    assert 'data-copy="4821"' in get(sandbox).text
    call.webservice("+989352223344", message="Your parcel 7731 is here")
    assert 'data-copy="7731"' not in get(sandbox).text


def test_a_message_shows_parts_line_and_status(sandbox: Sandbox, call: Caller) -> None:
    sandbox.state.review = True
    call.webservice(SARA, message="پیام " * 20)
    html = get(sandbox).text
    assert ">2 parts<" in html
    assert '<span class="line">3000100200</span>' in html
    assert "In review" in html
    sandbox.state.review = False
    call.webservice("+989990000002", message="lost")
    sandbox.clock.advance(60)
    assert "Not delivered" in get(sandbox).text


def test_a_promotional_message_ends_with_the_opt_out_line_that_the_phone_shows(sandbox: Sandbox, call: Caller) -> None:
    for text in ("hello", "سلام\nلغو11"):
        call.webservice(SARA, message=text, from_number=PROMOTIONAL_NUMBER)
    call.webservice(SARA, message="from a service line")
    sandbox.state.receive(SARA, PROMOTIONAL_NUMBER, "a reply")
    html = get(sandbox).text
    assert bubbles(html) == ["hello\nلغو11", "سلام\nلغو11", "from a service line", "a reply"]
    assert re.findall(r'<span title="(.*?)">1 part<', html) == ["UCS-2", "UCS-2", "GSM-7", "GSM-7"]
    rows = call("GET", "/messages", base="/sandbox").json()
    assert [row["text"] for row in reversed(rows)] == ["hello", "سلام\nلغو11", "from a service line", "a reply"]


def test_messages_are_grouped_by_line_side_and_time(sandbox: Sandbox, call: Caller) -> None:
    for text, minutes in (("one", 0), ("two", 1), ("three", 30)):
        sandbox.clock.advance(minutes * 60)
        call.webservice(SARA, message=text)
    html = get(sandbox).text
    classes = re.findall(r'<li class="message received([a-z ]*) is-', html)
    assert classes == [" first", " last", " first last"]


def test_a_long_conversation_shows_the_newest_messages_first_and_the_others_on_request(sandbox: Sandbox) -> None:
    for number in range(205):
        sandbox.state.receive(SARA, sandbox.from_number, f"text {number}")
    html = get(sandbox).text
    assert (bubbles(html)[0], bubbles(html)[-1], len(bubbles(html))) == ("text 5", "text 204", 200)
    assert "Show 5 older messages" in html
    whole = get(sandbox, limit="400").text
    assert bubbles(whole)[0] == "text 0"
    assert len(bubbles(get(sandbox, limit="-1").text)) == 200
    assert len(bubbles(get(sandbox, limit="0").text)) == 200
    assert len(bubbles(get(sandbox, limit="9" * 5000).text)) == 200


def test_a_search_matches_texts_and_numbers_in_any_digits(sandbox: Sandbox, call: Caller) -> None:
    call.webservice(SARA, message="Order ready")
    call.webservice("+989352223344", message="کد تخفیف ۱۲۳")
    assert bubbles(get(sandbox, search="ORDER").text) == ["Order ready"]
    assert bubbles(get(sandbox, search="123 4567").text) == ["Order ready"]
    assert bubbles(get(sandbox, search="تخفیف 123").text) == ["کد تخفیف ۱۲۳"]
    assert "No message or number contains" in get(sandbox, search="nothing").text


def test_a_number_that_is_none_is_explained(sandbox: Sandbox) -> None:
    html = get(sandbox, phone="12").text
    assert "expected a mobile number" in html


def test_the_outbox_shows_cost_state_and_the_time_of_a_scheduled_message(sandbox: Sandbox, call: Caller) -> None:
    later = sandbox.clock.now() + timedelta(hours=2)
    call.webservice(SARA, message="later", send_time=f"{later:%Y-%m-%d %H:%M:%S}")
    html = get(sandbox, panel="outbox").text
    assert "for 15:00" in html
    assert ">Queued</span>" in html
    assert re.search(r'<td class="number">2,890</td>', html)


def test_a_notice_of_the_service_has_a_sender(sandbox: Sandbox) -> None:
    sandbox.state.notify(SARA, "Your code is 1234")
    html = get(sandbox).text
    assert '<span class="line">IPPanel</span>' in html
    assert 'data-copy="1234"' in html


def test_the_page_is_served_by_get_and_head_only(call: Caller) -> None:
    assert call("POST", "/", base="").status_code == 405
    assert call("HEAD", "/", base="").status_code == 200
