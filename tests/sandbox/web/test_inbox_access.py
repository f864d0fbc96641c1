"""The phone inbox for everybody, in a real Chromium: themes, small screens, keyboard, screen readers, no JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
from selenium.webdriver.common.keys import Keys

from tests.sandbox.web.browser import Browser
from tests.sandbox.web.conftest import Inbox
from tests.sandbox.web.samples import ALI, REZA, SARA

CHOSEN: Final = f"?phone=%2B{SARA[1:]}"
VIEWS: Final = ("", CHOSEN, f"{CHOSEN}&panel=outbox", f"{CHOSEN}&panel=faults", f"{CHOSEN}&panel=settings")
CONTROLS: Final = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "spinbutton"}

COLOURS: Final = """
const hidden = '.visually-hidden, .skip, option, [aria-hidden], fieldset:disabled';
const hasText = (each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim());
return [...document.querySelectorAll('body *')].filter((each) =>
  each.checkVisibility({ visibilityProperty: true }) && each.closest(hidden) === null
  && (hasText(each) || each.matches('input, textarea, select')),
).map((each) => {
  const backgrounds = [];
  for (let box = each; box; box = box.parentElement) backgrounds.push(getComputedStyle(box).backgroundColor);
  const text = each.textContent.trim().slice(0, 30);
  return { what: `${each.tagName}.${each.className}`, text, color: getComputedStyle(each).color, backgrounds };
})
"""
"""The colour of each visible text, and the backgrounds below it, the nearest first."""

SMALL: Final = """
return [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, .tool, .phone, .round')]
  .filter((each) => each.checkVisibility() && !each.matches('.visually-hidden') && !each.closest('label.check'))
  .map((each) => [each.outerHTML.slice(0, 60), each.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
"""
"""The visible controls below 24 by 24 pixels, the smallest target of WCAG 2.2."""


def channels(colour: str) -> tuple[float, float, float, float]:
    """Return red, green, blue (0 to 255) and alpha of a computed colour."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", colour)]
    assert colour.startswith("rgb"), colour
    red, green, blue = numbers[:3]
    return red, green, blue, numbers[3] if len(numbers) > 3 else 1.0


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [value / 255 for value in channels(colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(row: Mapping[str, Any]) -> float:
    """Return the contrast of a text to the first opaque background below it."""
    background = next(each for each in row["backgrounds"] if channels(each)[3] == 1.0)
    light, dark = sorted((luminance(row["color"]), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def background_luminance(browser: Browser) -> float:
    return luminance(browser.run("getComputedStyle(document.body).backgroundColor"))


def test_the_contrast_of_black_on_white_is_21() -> None:
    row = {"color": "rgb(0, 0, 0)", "backgrounds": ["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"]}
    assert contrast(row) == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_a_contrast_of_at_least_4_5(filled: Inbox, scheme: str) -> None:
    filled.browser.prefer(scheme)
    filled.sandbox.state.review = True
    for view in VIEWS:
        browser = filled.show(view)
        rows = browser.run(COLOURS)
        assert len(rows) > 20
        assert [(row["what"], row["text"], round(contrast(row), 2)) for row in rows if contrast(row) < 4.5] == []


def test_the_theme_follows_the_system_until_it_is_chosen_and_is_kept(filled: Inbox) -> None:
    browser = filled.show()
    assert background_luminance(browser) > 0.7
    browser.prefer("dark")
    assert background_luminance(browser) < 0.05
    toggle = browser.find("#theme")
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert background_luminance(browser) > 0.7
    browser = filled.show()
    assert background_luminance(browser) > 0.7
    assert browser.run("localStorage.getItem('sandbox-theme')") == "light"
    assert browser.find("#theme").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_is_wider_than_the_window(filled: Inbox, width: int) -> None:
    filled.browser.resize(width, 740)
    long_word = "https://example.com/" + "a" * 300
    filled.sandbox.state.receive(SARA, filled.sandbox.from_number, long_word)
    for view in VIEWS:
        browser = filled.show(view)
        assert browser.run("document.documentElement.scrollWidth") <= width, view
        for region in browser.all("#messages, .panel:not([hidden]) .panel-body, #phones"):
            overflow = browser.run("arguments[0].scrollWidth - arguments[0].clientWidth", region)
            assert overflow <= 0, (view, region.get_attribute("class"))


def test_a_small_screen_shows_the_list_or_the_conversation(filled: Inbox) -> None:
    filled.browser.resize(360, 740)
    browser = filled.show()
    assert (browser.find(".phones").is_displayed(), browser.find(".stage").is_displayed()) == (True, False)
    browser.find(f".phone[data-phone='{REZA}']").click()
    browser.wait("document.body.classList.contains('shows-thread')")
    assert (browser.find(".phones").is_displayed(), browser.find(".stage").is_displayed()) == (False, True)
    assert browser.find("#reply textarea").is_displayed()
    browser.find("#back").click()
    browser.wait("document.body.classList.contains('shows-list')")
    browser.find("#open-faults").click()
    assert browser.find("#faults").is_displayed()
    browser.find("#faults [data-close]").click()
    assert not browser.find("#faults").is_displayed()


def test_controls_on_a_small_screen_are_large_enough_to_touch(filled: Inbox) -> None:
    filled.browser.resize(360, 740)
    for view in VIEWS:
        browser = filled.show(view)
        small = browser.run(SMALL)
        assert small == []


def test_the_keyboard_alone_reaches_phones_panels_and_the_reply(filled: Inbox) -> None:
    browser = filled.show()
    browser.press(Keys.TAB)
    assert browser.focused() == "skip"
    visited: list[str] = []
    for _ in range(7):
        browser.press(Keys.TAB)
        visited.append(browser.focused())
    assert visited[:4] == ["open-outbox", "open-faults", "open-settings", "theme"]
    assert visited[6] == "phone"
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press(Keys.ARROW_DOWN)
    assert browser.run("document.activeElement.dataset.phone") == REZA
    browser.press(Keys.END, Keys.ARROW_UP)
    assert browser.run("document.activeElement.dataset.phone") == ALI
    browser.press(Keys.ENTER)
    browser.wait_for_text("#thread-title", "0990 555 6677")
    assert browser.run("document.activeElement.dataset.phone") == ALI
    browser.press(Keys.HOME)
    assert browser.run("document.activeElement.dataset.phone") == SARA
    browser.run("return void document.querySelector('#reply textarea').focus()")
    browser.press("Written without a mouse", Keys.ENTER)
    browser.wait_for_text(".message.sent .bubble", "Written without a mouse")
    assert filled.sandbox.state.inbox[-1].sender == ALI


def test_escape_closes_a_panel_and_returns_the_focus(filled: Inbox) -> None:
    browser = filled.show()
    for name in ("outbox", "faults", "settings"):
        opener = browser.find(f"#open-{name}")
        browser.run("return void arguments[0].focus()", opener)
        browser.press(Keys.ENTER)
        assert browser.find(f"#{name}").is_displayed()
        assert opener.get_attribute("aria-expanded") == "true"
        assert browser.focused() == f"{name}-title"
        browser.press(Keys.ESCAPE)
        assert not browser.find(f"#{name}").is_displayed()
        assert opener.get_attribute("aria-expanded") == "false"
        assert browser.focused() == f"open-{name}"


def test_an_update_keeps_the_focus_and_what_is_being_written(filled: Inbox) -> None:
    browser = filled.show(f"{CHOSEN}&panel=settings")
    browser.find("[name=credit]").clear()
    browser.find("[name=credit]").send_keys("123")
    browser.find("#reply textarea").send_keys("half a")
    filled.sandbox.state.receive(SARA, filled.sandbox.from_number, "Something new")
    browser.wait_for_text(".bubble", "Something new")
    assert browser.run("document.activeElement.name") == "text"
    browser.press(" sentence")
    assert browser.run("document.querySelector('#reply textarea').value") == "half a sentence"
    assert browser.run("document.querySelector('[name=credit]').value") == "123"


def test_every_control_has_a_name_and_the_page_has_landmarks(filled: Inbox) -> None:
    filled.sandbox.state.review = True
    for view in VIEWS:
        browser = filled.show(view)
        tree = browser.accessibility_tree()
        assert [node for node in tree if node["role"] in CONTROLS and not node["name"]] == []
        names = {(node["role"], node["name"]) for node in tree}
        assert {("navigation", "Phones"), ("navigation", "Panels"), ("log", "Messages")} <= names
        roles = [node["role"] for node in tree]
        assert [roles.count(role) for role in ("main", "banner", "search", "status")] == [1, 1, 1, 1]
        assert browser.run("document.documentElement.lang") == "en"
        ids = browser.run("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(ids) == len(set(ids))
        levels = browser.run("[...document.querySelectorAll('h1, h2, h3')].map((each) => each.tagName)")
        assert levels[0] == "H1"
        assert levels.count("H1") == 1


def test_animations_stop_if_the_user_prefers_it(filled: Inbox) -> None:
    filled.browser.prefer("light", motion=False)
    browser = filled.show(CHOSEN)
    filled.sandbox.state.receive(SARA, filled.sandbox.from_number, "still")
    browser.wait_for_text(".is-entering .bubble", "still")
    assert browser.run("document.getAnimations().length") == 0


def test_the_page_can_be_read_without_javascript(filled: Inbox) -> None:
    browser = filled.browser
    browser.javascript(enabled=False)
    browser.open(f"{filled.address}/?panel=outbox")
    assert browser.find(".notice").is_displayed()
    assert "48213" in browser.find("#messages").text
    assert "Sent" in browser.find("#outbox").text
    browser.find(f".phone[data-phone='{REZA}']").click()
    assert "پارکینگ" in browser.find("#messages").text
    assert browser.find("#outbox").is_displayed()
    browser.find("#open-faults").click()
    assert browser.find("#faults").is_displayed()
    browser.find("#search input").send_keys("invoice", Keys.ENTER)
    browser.wait("document.querySelectorAll('.phone').length === 1")
    assert browser.text(".phone-number") == "0921 765 4321"
    browser.javascript(enabled=True)
