"""Fixtures of the sandbox tests: a sandbox with a frozen clock, and a plain HTTP client for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ippanel_edge.sandbox import Sandbox, SandboxClock
from tests.sandbox.caller import Caller

START = datetime(2030, 1, 15, 9, 30, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(SandboxClock(START, frozen=True))


@pytest.fixture
def call(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)
