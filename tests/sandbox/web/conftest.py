"""Fixtures of the tests of the page: one Chromium for each module, and a page of a running sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import attrs
import pytest

from ippanel_edge.sandbox import Sandbox
from tests.sandbox.web.browser import Browser, BrowserMissingError, chromium
from tests.sandbox.web.samples import fill, sample_sandbox

REQUIRED: Final = "IPPANEL_BROWSER"
"""If this environment variable is 1, as in .ci/run, a missing Chromium is an error; otherwise the tests are skipped."""


@pytest.fixture(scope="module")
def started_browser() -> Iterator[Browser]:
    if not sys.platform.startswith("linux"):
        pytest.skip("these tests drive Debian's Chromium, which only Linux has")
    try:
        with chromium() as browser:
            yield browser
    except BrowserMissingError as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@attrs.frozen
class Inbox:
    """A running sandbox and a browser that can show its page."""

    sandbox: Sandbox
    browser: Browser

    @property
    def address(self) -> str:
        """The address of the page."""
        return self.sandbox.base_url.removesuffix("/v1")

    def show(self, query: str = "") -> Browser:
        """Open the page and wait until it receives events."""
        self.browser.open(f"{self.address}/{query}")
        self.browser.wait("document.querySelector('#live.is-live')")
        return self.browser


@pytest.fixture
def browser(started_browser: Browser) -> Browser:
    """The browser at the size of a desktop, in the light theme, without stored data."""
    started_browser.resize(1440, 900)
    started_browser.prefer("light")
    started_browser.javascript(enabled=True)
    started_browser.hosts()
    started_browser.console()
    return started_browser


@pytest.fixture
def inbox(browser: Browser) -> Iterator[Inbox]:
    """A sandbox without messages; afterwards, its page has logged nothing and has asked no other host."""
    with sample_sandbox() as sandbox:
        host = urlsplit(sandbox.base_url).netloc
        yield Inbox(sandbox, browser)
        assert browser.console() == []
        assert browser.hosts() == {host}
        browser.open("about:blank")  # closes the event stream before the sandbox stops


@pytest.fixture
def filled(inbox: Inbox) -> Inbox:
    """A sandbox with the sample conversations."""
    fill(inbox.sandbox)
    return inbox
