"""The reply of the phone inbox, in a real Chromium: it leaves once, from the phone and to the line that were shown."""

from __future__ import annotations

from typing import Final

from selenium.webdriver.common.keys import Keys

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import BANK_NUMBER, FROM_NUMBER, PROMOTIONAL_NUMBER
from tests.sandbox.web.browser import Browser
from tests.sandbox.web.conftest import Inbox
from tests.sandbox.web.samples import MINA, REZA, SARA, send

TEXT: Final = "#reply textarea"
LINE: Final = "#reply [name=line]"
ENTER: Final = "new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true })"


def of(number: str) -> str:
    """Return the query of the conversation of a phone."""
    return f"?phone=%2B{number[1:]}"


def replies(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    """Return the phone, the line and the text of each reply."""
    return [(message.sender, message.line, message.text) for message in sandbox.state.inbox]


def value(browser: Browser, selector: str) -> str:
    found: str = browser.run("document.querySelector(arguments[0]).value", selector)
    return found


def choose_phone(browser: Browser, number: str) -> None:
    browser.find(f".phone[data-phone='{number}']").click()
    browser.wait("document.querySelector('#messages').dataset.phone === arguments[0]", number)


def choose_line(browser: Browser, number: str) -> None:
    browser.find(f"{LINE} option[value='{number}']").click()


def leave_the_composer(browser: Browser) -> None:
    browser.run("return void document.activeElement.blur()")


def test_a_reply_that_was_begun_leaves_from_the_phone_that_was_shown(inbox: Inbox) -> None:
    send(inbox.sandbox, SARA, "to Sara")
    browser = inbox.show()
    browser.find(TEXT).send_keys("I am Sara")
    send(inbox.sandbox, REZA, "to Reza")
    browser.wait_for_text(".phone-last", "to Reza")
    assert browser.text("#thread-title .thread-number") == "0912 123 4567"
    browser.press(Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "I am Sara")
    assert replies(inbox.sandbox) == [(SARA, FROM_NUMBER, "I am Sara")]


def test_a_phone_whose_reply_has_the_focus_stays_shown_also_after_a_reload(inbox: Inbox) -> None:
    send(inbox.sandbox, SARA, "to Sara")
    browser = inbox.show()
    browser.find(TEXT).click()
    send(inbox.sandbox, REZA, "to Reza")
    browser.wait_for_text(".phone.is-new .phone-last", "to Reza")
    assert browser.text("#thread-title .thread-number") == "0912 123 4567"
    browser.driver.refresh()
    assert browser.text("#thread-title .thread-number") == "0912 123 4567"


def test_the_newest_conversation_is_shown_until_a_reply_is_begun(inbox: Inbox) -> None:
    send(inbox.sandbox, SARA, "to Sara")
    browser = inbox.show()
    send(inbox.sandbox, REZA, "to Reza")
    browser.wait_for_text("#thread-title", "0935 222 3344")
    browser.find(TEXT).send_keys("I am Reza", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "I am Reza")
    assert replies(inbox.sandbox) == [(REZA, FROM_NUMBER, "I am Reza")]


def test_a_message_from_another_line_does_not_change_the_line_of_a_reply(inbox: Inbox) -> None:
    send(inbox.sandbox, SARA, "first")
    browser = inbox.show()
    choose_line(browser, BANK_NUMBER)
    browser.find(TEXT).send_keys("to the bank")
    leave_the_composer(browser)
    send(inbox.sandbox, SARA, "an offer", line=PROMOTIONAL_NUMBER)
    browser.wait_for_text(".bubble", "an offer")
    assert value(browser, LINE) == BANK_NUMBER
    browser.find("#reply .send").click()
    browser.wait_for_text(".message.sent .bubble", "to the bank")
    assert replies(inbox.sandbox) == [(SARA, BANK_NUMBER, "to the bank")]


def test_a_reply_that_is_not_begun_goes_to_the_line_of_the_newest_message(inbox: Inbox) -> None:
    send(inbox.sandbox, SARA, "first")
    browser = inbox.show(of(SARA))
    browser.find(TEXT).send_keys("yes", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "yes")
    leave_the_composer(browser)
    send(inbox.sandbox, SARA, "an offer", line=PROMOTIONAL_NUMBER)
    browser.wait_for_text(".bubble", "an offer")
    assert value(browser, LINE) == PROMOTIONAL_NUMBER
    browser.find(TEXT).send_keys("no", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "no")
    assert replies(inbox.sandbox) == [(SARA, FROM_NUMBER, "yes"), (SARA, PROMOTIONAL_NUMBER, "no")]


def test_enter_pressed_twice_sends_once(filled: Inbox) -> None:
    browser = filled.show(of(MINA))
    browser.find(TEXT).send_keys("once")
    area = browser.find(TEXT)
    browser.run(f"return void (arguments[0].dispatchEvent({ENTER}), arguments[0].dispatchEvent({ENTER}))", area)
    browser.wait_for_text(".message.sent .bubble", "once")
    browser.wait("document.querySelector('#reply textarea').value === ''")
    area.send_keys("again", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "again")
    assert [text for sender, _, text in replies(filled.sandbox) if sender == MINA] == ["once", "again"]


def test_what_is_written_while_a_reply_is_sent_stays(filled: Inbox) -> None:
    browser = filled.show(of(MINA))
    browser.find(TEXT).send_keys("one")
    write = (
        f"arguments[0].dispatchEvent({ENTER}); arguments[0].value += ', two';"
        " arguments[0].dispatchEvent(new InputEvent('input', { bubbles: true })); return null"
    )
    browser.run(write, browser.find(TEXT))
    browser.wait_for_text(".message.sent .bubble", "one")
    browser.wait("document.querySelector('#reply textarea').value === ', two'")


def test_a_draft_stays_with_its_phone_and_its_line(filled: Inbox) -> None:
    browser = filled.show(of(SARA))
    choose_line(browser, BANK_NUMBER)
    browser.find(TEXT).send_keys("I am Sara")
    choose_phone(browser, REZA)
    assert (value(browser, TEXT), value(browser, LINE)) == ("", FROM_NUMBER)
    browser.find(TEXT).send_keys("I am Reza")
    choose_phone(browser, SARA)
    assert (value(browser, TEXT), value(browser, LINE)) == ("I am Sara", BANK_NUMBER)
    browser.driver.back()
    browser.wait("document.querySelector('#reply textarea').value === 'I am Reza'")
    browser.find(TEXT).send_keys(Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "I am Reza")
    assert replies(filled.sandbox)[-1] == (REZA, FROM_NUMBER, "I am Reza")
    choose_phone(browser, SARA)
    assert value(browser, TEXT) == "I am Sara"


def test_a_reply_that_is_rejected_can_be_sent_again(filled: Inbox) -> None:
    browser = filled.show(of(MINA))
    lines = {number: line for number, line in filled.sandbox.state.lines.items() if line.number == BANK_NUMBER}
    choose_line(browser, BANK_NUMBER)
    for key in lines:
        del filled.sandbox.state.lines[key]
    browser.find(TEXT).send_keys("Hello", Keys.ENTER)
    browser.wait_for_text("#reply [data-result]", "line")
    assert any("404" in row for row in browser.console())  # Chromium logs each failed request
    assert value(browser, TEXT) == "Hello"
    filled.sandbox.state.lines.update(lines)
    browser.press(Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "Hello")


def test_nothing_can_be_written_until_the_chosen_phone_is_shown(filled: Inbox) -> None:
    browser = filled.show(of(SARA))
    link, area = browser.find(f".phone[data-phone='{REZA}']"), browser.find(TEXT)
    assert browser.run("(arguments[0].click(), arguments[1].matches(':disabled'))", link, area) is True
    browser.wait("document.querySelector('#messages').dataset.phone === arguments[0]", REZA)
    assert area.is_enabled()
    note = "addEventListener('popstate', () => { window.wasDisabled = arguments[0].matches(':disabled'); })"
    browser.run(f"return void {note}", area)
    browser.driver.back()
    browser.wait("document.querySelector('#messages').dataset.phone === arguments[0]", SARA)
    assert browser.run("window.wasDisabled") is True
    assert area.is_enabled()
