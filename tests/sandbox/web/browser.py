"""A real Chromium that the tests and the screenshots drive, with what they ask of a page."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

MISSING: Final = "Chromium and chromedriver are required for these tests: run apt-get install chromium chromium-driver"
FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)
PATIENCE: Final = 15.0
"""Real seconds to wait until a page shows what is expected of it; it usually takes some milliseconds."""


class BrowserMissingError(Exception):
    """Chromium or its driver is not installed."""


@attrs.frozen
class Browser:
    """One window of Chromium."""

    driver: Any  # a webdriver.Chrome, whose annotations are incomplete

    def command(self, name: str, **parameters: Any) -> Any:
        """Run a command of the DevTools protocol, such as "Network.enable", and return its result."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Set the size of the page in CSS pixels, and the number of device pixels for each."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **metrics)

    def prefer(self, scheme: str, *, motion: bool = True) -> None:
        """Set what the user prefers: the theme "light" or "dark", and whether things may move."""
        preferences = {
            "prefers-color-scheme": scheme,
            "prefers-reduced-motion": "no-preference" if motion else "reduce",
        }
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        self.command("Emulation.setEmulatedMedia", features=features)

    def javascript(self, *, enabled: bool) -> None:
        """Turn JavaScript on or off for the pages that are opened next."""
        self.command("Emulation.setScriptExecutionDisabled", value=not enabled)

    def open(self, address: str) -> None:
        """Open a page."""
        self.driver.get(address)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return the value of a JavaScript expression, or of a script with `return`; `arguments` are its arguments."""
        code = script if "return " in script else f"return ({script})"
        return self.driver.execute_script(code, *arguments)

    def find(self, selector: str) -> WebElement:
        """Return the first element of a CSS selector."""
        found: WebElement = self.driver.find_element(By.CSS_SELECTOR, selector)
        return found

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def text(self, selector: str) -> str:
        """Return the text of an element, visible or not; an empty str if there is none."""
        found: str = self.run("(document.querySelector(arguments[0])?.textContent ?? '').trim()", selector)
        return found

    def wait(self, condition: str, *arguments: Any) -> Any:
        """Wait until a JavaScript expression is true, and return its value.

        Raises:
            AssertionError: it was not within `PATIENCE`.
        """
        end = time.monotonic() + PATIENCE
        while not (value := self.run(condition, *arguments)):
            assert time.monotonic() < end, f"the page did not fulfil {condition} {arguments}: {self.text('body')}"
            time.sleep(0.02)  # the browser is another process with its own clock
        return value

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until one of the elements of a selector contains a text."""
        self.wait(
            "[...document.querySelectorAll(arguments[0])].some((each) => each.textContent.includes(arguments[1]))",
            selector,
            text,
        )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, in the element with the focus."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focused(self) -> str:
        """Return the id, the class or the tag of the element that has the focus."""
        found: str = self.run(
            "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
        )
        return found

    def hosts(self) -> set[str]:
        """Return the hosts of all requests since the last call, as the network layer of the browser reports them."""
        return {
            urlsplit(address).netloc
            for address in self._requested()
            if address.startswith(("http:", "https:", "ws:", "wss:"))
        }

    def _requested(self) -> Iterator[str]:
        for entry in self.driver.get_log("performance"):
            message: Mapping[str, Any] = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                yield message["params"]["request"]["url"]

    def console(self) -> list[str]:
        """Return the warnings and errors of the console since the last call."""
        rows: Sequence[Mapping[str, Any]] = self.driver.get_log("browser")
        return [row["message"] for row in rows if row["level"] in {"WARNING", "SEVERE"}]

    def accessibility_tree(self) -> list[Mapping[str, Any]]:
        """Return the nodes that assistive technology sees, each with `role` and `name`."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        return [
            {"role": node["role"]["value"], "name": node.get("name", {}).get("value", ""), "node": node}
            for node in nodes
            if not node["ignored"]
        ]

    def screenshot(self, path: Path) -> None:
        """Write the page as a WebP file."""
        image = self.command("Page.captureScreenshot", format="webp", quality=90)["data"]
        path.write_bytes(base64.b64decode(image))


@contextmanager
def chromium() -> Generator[Browser]:
    """Start Chromium with an empty profile, and stop it at the end.

    Raises:
        BrowserMissingError: it is not installed.
    """
    binary, driver_path = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if binary is None or driver_path is None:
        raise BrowserMissingError(MISSING)
    with tempfile.TemporaryDirectory(prefix="ippanel-chromium-", ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = binary
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(driver_path))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
