"""A missing Chromium is an error that says how to install it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.web.browser import BrowserMissingError, chromium


def test_a_missing_chromium_is_an_error_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserMissingError, match="apt-get install chromium chromium-driver"), chromium():
        pass
