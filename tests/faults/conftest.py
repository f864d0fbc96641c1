"""One fault server for the whole run, and a cell that is closed behind each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    """The server; `arm()` it, and close the cell, or let the end of the run do so."""
    with FaultServer() as server:
        yield server
