"""Fixtures of the command line: a real sandbox server whose settings are in the environment, and a file of rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ippanel_edge.sandbox import Sandbox, SandboxClock
from tests.cli.commands import Cli, in_this_process, numbers, write_csv


@pytest.fixture(autouse=True)
def _logger() -> Iterator[None]:
    """Remove the handler that the command adds to the logger of its process."""
    logger = logging.getLogger("ippanel_edge")
    handlers = list(logger.handlers)
    yield
    logger.handlers = handlers


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxClock(frozen=True)) as running:
        monkeypatch.setenv("IPPANEL_API_KEY", running.api_key)
        monkeypatch.setenv("IPPANEL_BASE_URL", running.base_url)
        monkeypatch.setenv("IPPANEL_FROM_NUMBER", running.from_number)
        monkeypatch.chdir(tmp_path)
        yield running


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A CSV file of 20 rows."""
    return write_csv(tmp_path / "customers.csv", numbers(20))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(capsys)
