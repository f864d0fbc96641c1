"""The settings of the phone inbox, in a real Chromium: saving one leaves what changed meanwhile alone."""

from __future__ import annotations

from typing import Final

from ippanel_edge.sandbox import Sandbox
from tests.sandbox.web.browser import Browser
from tests.sandbox.web.conftest import Inbox
from tests.sandbox.web.samples import SARA, send

PRICE: Final = 2_890
FULL: Final = 100_000_000


def save(browser: Browser) -> None:
    """Press the button and wait until the sandbox has saved the settings."""
    browser.run("return void (document.querySelector('#announcer').textContent = '')")
    browser.find("#change-settings .primary").click()
    browser.wait_for_text("#announcer", "Settings saved")


def write(browser: Browser, name: str, text: str) -> None:
    field = browser.find(f"#change-settings [name={name}]")
    field.clear()
    field.send_keys(text)


def shown(browser: Browser, name: str) -> str:
    value: str = browser.run("document.querySelector('#change-settings').elements[arguments[0]].value", name)
    return value


def wait_for(browser: Browser, name: str, value: str) -> None:
    browser.wait(
        "document.querySelector('#change-settings').elements[arguments[0]].value === arguments[1]", name, value
    )


def spend(sandbox: Sandbox, first: int, count: int) -> None:
    for number in range(first, first + count):
        send(sandbox, SARA, f"message {number}")


def test_saving_a_setting_leaves_the_credit_that_was_spent_meanwhile(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    spend(inbox.sandbox, 1, 5)
    browser.find("[name=review]").click()
    save(browser)
    assert inbox.sandbox.state.review is True
    assert inbox.sandbox.state.main_user.credit == FULL - 5 * PRICE


def test_saving_without_a_change_changes_nothing(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    inbox.sandbox.state.delivery_seconds = 7
    inbox.sandbox.state.review_seconds = None
    save(browser)
    assert (inbox.sandbox.state.delivery_seconds, inbox.sandbox.state.review_seconds) == (7, None)


def test_a_saved_value_is_saved_once(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    write(browser, "credit", "5e4")
    save(browser)
    assert inbox.sandbox.state.main_user.credit == 50_000
    spend(inbox.sandbox, 1, 2)
    write(browser, "delivery_seconds", "9")
    save(browser)
    assert inbox.sandbox.state.delivery_seconds == 9
    assert inbox.sandbox.state.main_user.credit == 50_000 - 2 * PRICE


def test_the_fields_follow_the_sandbox_and_keep_what_the_user_wrote(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    write(browser, "review_seconds", "12")
    inbox.sandbox.state.review = True
    inbox.sandbox.state.delivery_seconds = 7
    inbox.sandbox.state.review_seconds = 90
    spend(inbox.sandbox, 1, 1)
    wait_for(browser, "credit", str(FULL - PRICE))
    wait_for(browser, "delivery_seconds", "7")
    browser.wait("document.querySelector('[name=review]').checked")
    assert shown(browser, "review_seconds") == "12"
    browser.press("0")
    save(browser)
    assert inbox.sandbox.state.review_seconds == 120
    inbox.sandbox.state.review_seconds = 45
    wait_for(browser, "review_seconds", "45")


def test_a_credit_can_be_set_back_to_the_value_at_which_the_page_was_opened(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    browser.find("[name=credit]").click()
    spend(inbox.sandbox, 1, 3)
    wait_for(browser, "credit", str(FULL - 3 * PRICE))
    write(browser, "credit", str(FULL))
    save(browser)
    assert inbox.sandbox.state.main_user.credit == FULL


def test_an_emptied_field_is_saved_as_never(inbox: Inbox) -> None:
    browser = inbox.show("?panel=settings")
    assert shown(browser, "review_seconds") == "60"
    browser.find("[name=review_seconds]").clear()
    save(browser)
    assert inbox.sandbox.state.review_seconds is None
    assert inbox.sandbox.state.delivery_seconds == 2
