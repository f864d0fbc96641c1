"""A fake clock for the property tests: its time advances only in sleep()."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from tests.client.conftest import FakeClock


@pytest.fixture(scope="module", autouse=True)
def clock() -> Iterator[FakeClock]:
    """Patch the clock once per module, because hypothesis runs all examples of a test with the same fixtures."""
    fake = FakeClock()
    with pytest.MonkeyPatch.context() as patch:
        for module, sleep in ((async_io, fake.sleep), (sync_io, fake.sleep_now)):
            patch.setattr(module, "sleep", sleep)
            patch.setattr(module, "monotonic", fake.monotonic)
        yield fake
