"""Writes the screenshots of the documentation: `python -m tests.sandbox.web.screenshots [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.sandbox.web.browser import Browser, chromium
from tests.sandbox.web.samples import SARA, fill, sample_sandbox

IMAGES: Final = Path(__file__).resolve().parents[3] / "docs/en/images"
DESKTOP: Final = (1440, 900)
PHONE: Final = (360, 740)
LIVE: Final = "document.querySelector('#live.is-live')"


def write(folder: Path) -> list[Path]:
    """Write the four images and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with sample_sandbox() as sandbox, chromium() as browser:
        fill(sandbox)
        page = sandbox.base_url.removesuffix("/v1")
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            browser.resize(*DESKTOP, scale=1.5)
            browser.open(f"{page}/?phone=%2B{SARA[1:]}&panel=outbox")
            written.append(_write(browser, folder / f"inbox-desktop-{scheme}.webp"))
            browser.resize(*PHONE, scale=2)
            browser.open(f"{page}/?phone=%2B{SARA[1:]}")
            written.append(_write(browser, folder / f"inbox-phone-{scheme}.webp"))
    return written


def _write(browser: Browser, path: Path) -> Path:
    browser.wait(LIVE)
    browser.screenshot(path)
    return path


if __name__ == "__main__":
    for image in write(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES):
        print(image)  # noqa: T201 - the output of the command
