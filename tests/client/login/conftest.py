"""Fixtures of the login tests: a mocked service and a frozen clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.client.login.service import START, FrozenClock, Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen
