"""The fixtures of the tests of logging in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.client.login.service import START, Hands, Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def clock() -> Iterator[Hands]:
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled
