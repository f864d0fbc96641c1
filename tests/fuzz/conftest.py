"""Time for the tests in here, that passes only when somebody waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from tests.client.conftest import FakeClock


@pytest.fixture(scope="module", autouse=True)
def clock() -> Iterator[FakeClock]:
    """Patch the time once for a module: an example of hypothesis is no test, and gets no fixture of its own."""
    fake = FakeClock()
    with pytest.MonkeyPatch.context() as patch:
        for module, sleep in ((async_io, fake.sleep), (sync_io, fake.sleep_now)):
            patch.setattr(module, "sleep", sleep)
            patch.setattr(module, "monotonic", fake.monotonic)
        yield fake
