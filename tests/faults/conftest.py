"""Provides one fault server for the whole test run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    """The running server. Cells that a test does not close are closed at the end of the run."""
    with FaultServer() as server:
        yield server
