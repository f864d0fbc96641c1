"""The phone inbox in a real Chromium: messages appear live, codes are copied, replies arrive, and faults apply."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from selenium.webdriver.common.keys import Keys

from ippanel_edge import AsyncEdgeClient, EdgeClient, EdgeError, Outcome
from ippanel_edge.sandbox import Sandbox
from tests.sandbox.web.browser import Browser
from tests.sandbox.web.conftest import Inbox
from tests.sandbox.web.samples import MINA, REZA, SARA, send

HOSTILE = "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\"> & 'quotes'"


def with_client(sandbox: Sandbox, act: Callable[[AsyncEdgeClient], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine with a client of the sandbox, and return its result."""

    async def run() -> Any:
        async with AsyncEdgeClient(
            sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number
        ) as client:
            return await act(client)

    return anyio.run(run)


def fill_in(browser: Browser, selector: str, text: str) -> None:
    field = browser.find(selector)
    field.clear()
    field.send_keys(text)


def test_a_message_appears_without_a_reload_and_is_announced(inbox: Inbox) -> None:
    browser = inbox.show()
    assert "IPPANEL_BASE_URL" in browser.text("#messages")
    browser.run("(window.isSamePage = true)")
    send(inbox.sandbox, SARA, "سلام سارا، سفارش ۱۲۳ آماده است.")
    browser.wait_for_text("#messages .bubble", "سلام سارا، سفارش ۱۲۳ آماده است.")
    browser.wait_for_text("#announcer", "سلام سارا")
    assert browser.text(".phone .phone-number") == "0912 123 4567"
    send(inbox.sandbox, SARA, "Your parcel has left.")
    browser.wait_for_text("#messages .bubble", "Your parcel has left.")
    assert browser.run("window.isSamePage") is True
    assert len(browser.all("#messages .message")) == 2


def test_a_message_to_another_phone_marks_it_and_leaves_the_conversation(filled: Inbox) -> None:
    browser = filled.show(f"?phone=%2B{SARA[1:]}")
    send(filled.sandbox, MINA, "Only for Mina")
    browser.wait_for_text(".phone.is-new .phone-last", "Only for Mina")
    assert browser.text("#thread-title .thread-number") == "0912 123 4567"
    browser.find(f".phone[data-phone='{MINA}']").click()
    browser.wait_for_text("#messages .bubble", "Only for Mina")
    assert browser.all(".phone.is-new") == []


def test_persian_text_is_right_to_left_and_keeps_its_digits(filled: Inbox) -> None:
    browser = filled.show(f"?phone=%2B{SARA[1:]}")
    direction = (
        "[...document.querySelectorAll('.bubble p')].filter((each) => each.textContent.includes(arguments[0]))"
        ".map((each) => getComputedStyle(each).direction)"
    )
    assert browser.run(direction, "سفارش ۱۲۳۴") == ["rtl", "rtl"]
    browser.find(f".phone[data-phone='{MINA}']").click()
    browser.wait_for_text(".bubble", "Dear Mina")
    assert browser.run(direction, "Dear Mina") == ["ltr"]


def test_a_code_is_copied_with_one_click_and_announced(inbox: Inbox) -> None:
    with_client(inbox.sandbox, lambda client: client.send.pattern("otp", SARA, {"code": "48213"}))
    browser = inbox.show()
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.command("Browser.grantPermissions", permissions=permissions, origin=inbox.address)
    browser.find("[aria-label='Copy code 48213']").click()
    browser.wait_for_text("#announcer", "48213 copied")
    assert browser.text(".otp-verb") == "Copied"
    assert browser.run("navigator.clipboard.readText()") == "48213"


def test_a_code_is_copied_where_the_browser_has_no_clipboard(inbox: Inbox) -> None:
    with_client(inbox.sandbox, lambda client: client.send.pattern("otp", SARA, {"code": "7719"}))
    browser = inbox.show()
    browser.run("return void Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    browser.run("return void document.addEventListener('copy', () => { window.copied = String(getSelection()); })")
    browser.find(".otp").click()
    browser.wait_for_text("#announcer", "7719 copied")
    assert browser.run("window.copied !== undefined") is True
    assert "otp" in browser.focused()


def test_a_reply_from_the_phone_reaches_follow_inbox(filled: Inbox) -> None:
    browser = filled.show(f"?phone=%2B{REZA[1:]}")
    newest = filled.sandbox.state.inbox[-1].inbox_id
    browser.find("#reply textarea").send_keys("ممنون، رسیدم", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "ممنون، رسیدم")

    async def first(client: AsyncEdgeClient) -> Any:
        return await anext(client.reports.follow_inbox(from_id=newest))

    received = with_client(filled.sandbox, first)
    assert (received.from_, received.message) == (REZA, "ممنون، رسیدم")
    assert received.number == filled.sandbox.from_number
    assert browser.run("document.querySelector('#reply textarea').value") == ""


def test_shift_enter_makes_a_line_and_the_chosen_line_receives_the_reply(filled: Inbox) -> None:
    browser = filled.show(f"?phone=%2B{SARA[1:]}")
    browser.find("#reply option[value='+9890009000']").click()
    area = browser.find("#reply textarea")
    area.send_keys("one", Keys.SHIFT + Keys.ENTER + Keys.NULL, "two")
    browser.find("#reply .send").click()
    browser.wait_for_text(".message.sent .bubble", "one\ntwo")
    assert filled.sandbox.state.inbox[-1].line == "+9890009000"


def test_a_phone_without_messages_can_write_first(inbox: Inbox) -> None:
    browser = inbox.show()
    browser.find("#other-number").send_keys("۰۹۱۲ ۱۱۱ ۲۲۳۳", Keys.ENTER)  # noqa: RUF001 - Persian digits
    browser.wait_for_text("#thread-title", "0912 111 2233")
    browser.find("#reply textarea").send_keys("Hello", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "Hello")
    assert inbox.sandbox.state.inbox[0].sender == "+989121112233"


def test_an_error_of_the_control_address_is_shown_beside_its_form(filled: Inbox) -> None:
    browser = filled.show("?panel=faults")
    fill_in(browser, "#add-fault [name=call]", "send.nothing")
    browser.find("#add-fault .primary").click()
    browser.wait_for_text("#add-fault [data-result]", "send.nothing")
    assert filled.sandbox.faults.pending == []
    assert any("422" in row for row in browser.console())  # Chromium logs each failed request


@pytest.mark.parametrize("kind", ["STATUS", "RESET_AFTER_ACCEPT"])
def test_a_fault_of_the_panel_makes_the_next_send_fail(inbox: Inbox, kind: str) -> None:
    browser = inbox.show()
    browser.find("#open-faults").click()
    fill_in(browser, "#add-fault [name=call]", "send.webservice")
    browser.find(f"#fault-kind option[value={kind}]").click()
    browser.find("#add-fault .primary").click()
    browser.wait_for_text("#faults .card", kind)
    assert browser.text("[data-live=fault-count]").startswith("1")
    with pytest.raises(EdgeError) as caught:
        send(inbox.sandbox, SARA, "may be accepted")
    assert caught.value.outcome is Outcome.UNKNOWN
    browser.wait_for_text("#faults", "No fault is pending.")
    assert (len(inbox.sandbox.state.outbox) == 1) is (kind == "RESET_AFTER_ACCEPT")
    send(inbox.sandbox, SARA, "accepted")
    browser.wait_for_text("#messages .bubble", "accepted")


def test_the_panel_offers_every_fault_and_clears_them(inbox: Inbox) -> None:
    browser = inbox.show("?panel=faults")
    kinds = browser.run("[...document.querySelectorAll('#fault-kind option')].map((each) => each.value)")
    for kind in kinds:
        browser.find(f"#fault-kind option[value={kind}]").click()
        browser.find("#add-fault .primary").click()
        browser.wait_for_text("#faults .card b", kind)
    assert sorted(fault.fault.value for fault in inbox.sandbox.faults.pending) == sorted(kinds)
    browser.find("#clear-faults button").click()
    browser.wait_for_text("#faults", "No fault is pending.")
    assert inbox.sandbox.faults.pending == []


def test_the_review_the_clock_and_the_settings_work_from_the_panel(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    browser.find("[name=review]").click()
    fill_in(browser, "[name=delivery_seconds]", "30")
    browser.run("return void (document.querySelector('[name=review_seconds]').value = '')")
    browser.find("#change-settings .primary").click()
    browser.wait_for_text("#announcer", "Settings saved")
    state = inbox.sandbox.state
    assert (state.review, state.delivery_seconds, state.review_seconds) == (True, 30, None)
    send(inbox.sandbox, SARA, "please review")
    browser.wait_for_text("[data-live=review] .card", "please review")
    browser.wait_for_text("#messages .note", "In review")
    browser.find("[data-live=review] .primary").click()
    browser.wait_for_text("#messages .note", "Sending")
    before = browser.text(".big-clock time")
    browser.find("#advance [value='60']").click()
    browser.wait("document.querySelector('.message .ticks')?.textContent === '✓✓'")
    assert before == "17:50:00"
    assert browser.text(".big-clock time") == "17:51:00"
    fill_in(browser, "#advance-by input", "5.5")
    browser.find("#advance-by button").click()
    browser.wait("document.querySelector('.big-clock time').textContent === '17:51:05'")
    browser.find("#open-outbox").click()
    browser.wait_for_text("#outbox .state", "Sent")


def test_a_rejected_message_is_marked(inbox: Inbox) -> None:
    inbox.sandbox.state.review = True
    send(inbox.sandbox, SARA, "unwanted")
    browser = inbox.show("?panel=settings")
    browser.find("[data-live=review] [name=comment]").send_keys("advertising")
    browser.find("[data-live=review] [value=reject]").click()
    browser.wait_for_text("#messages .note", "Rejected")
    browser.find("#open-outbox").click()
    browser.wait_for_text("#outbox .state-bad", "Rejected")
    assert [message.reject_comment for message in inbox.sandbox.state.outbox.values()] == ["advertising"]


def test_a_reset_needs_two_presses(filled: Inbox) -> None:
    browser = filled.show("?panel=settings")
    button = browser.find("#reset button")
    button.click()
    assert button.text == "Forget all? Press again"
    assert filled.sandbox.state.outbox
    button.click()
    browser.wait_for_text("#phones", "No phone has a message yet.")
    assert not filled.sandbox.state.outbox


def test_search_finds_messages_and_numbers_and_escape_ends_it(filled: Inbox) -> None:
    browser = filled.show()
    browser.find("#search input").send_keys("invoice")
    browser.wait("document.querySelectorAll('.phone').length === 1")
    assert browser.text(".phone-number") == "0921 765 4321"
    browser.find("#search input").send_keys(Keys.ESCAPE)
    browser.wait("document.querySelectorAll('.phone').length === 5")
    browser.find("#search input").send_keys("0935 222")
    browser.wait("document.querySelectorAll('.phone').length === 1")
    browser.find(".phone").click()
    browser.wait_for_text("#thread-title", "0935 222 3344")
    browser.find("[data-clear-search]").click()
    browser.wait("document.querySelectorAll('.phone').length === 5")


def test_markup_in_a_message_is_shown_as_text(inbox: Inbox) -> None:
    browser = inbox.show()
    send(inbox.sandbox, SARA, HOSTILE)
    browser.wait_for_text("#messages .bubble", HOSTILE)
    inbox.sandbox.state.receive(SARA, inbox.sandbox.from_number, HOSTILE)
    browser.wait("document.querySelectorAll('.message').length === 2")
    browser = inbox.show("?panel=outbox&search=%3Cimg%20src%3Dx%20onerror%3D")
    assert browser.text(".row-text") == HOSTILE
    assert browser.run("window.hacked === undefined && document.images.length === 1") is True


def test_a_link_on_another_site_opens_the_page(filled: Inbox) -> None:
    filled.browser.open(f"data:text/html,<a href='{filled.address}/?panel=outbox'>the sandbox</a>")
    filled.browser.find("a").click()
    filled.browser.wait("document.querySelector('#live.is-live')")
    filled.browser.driver.refresh()
    filled.browser.wait("document.querySelector('#live.is-live')")
    assert filled.browser.find("#outbox").is_displayed()


def test_a_page_that_nobody_sees_holds_no_connection(inbox: Inbox) -> None:
    browser = inbox.show()
    hide = (
        "return void (Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true }),"
        " document.dispatchEvent(new Event('visibilitychange')))"
    )
    browser.run(hide, True)
    assert browser.text("#live-text") == "Connecting"
    send(inbox.sandbox, SARA, "while hidden")
    browser.run(hide, False)
    browser.wait("document.querySelector('#live.is-live')")
    browser.wait_for_text("#messages .bubble", "while hidden")


def test_the_page_recovers_when_the_sandbox_starts_again(inbox: Inbox) -> None:
    port = urlsplit(inbox.sandbox.base_url).port
    assert port is not None
    browser = inbox.show()
    inbox.sandbox.stop()
    browser.wait("!document.querySelector('#live.is-live')")
    assert browser.text("#live-text") == "Connecting"
    with Sandbox(port=port) as again:
        browser.wait("document.querySelector('#live.is-live')")
        with EdgeClient(again.api_key, base_url=again.base_url, from_number=again.from_number) as client:
            client.send.webservice([SARA], "back again")
        browser.wait_for_text("#messages .bubble", "back again")
        browser.open("about:blank")
        browser.console()  # Chromium logs each lost connection
