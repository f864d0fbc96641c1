"""Every fault with each retry class, on each side, on fresh and reused connections, with and without TLS."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Final

import pytest

from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from tests.faults import matrix, table
from tests.faults.bare import name_of
from tests.faults.catalogue import ALL
from tests.faults.leaks import recorded_logs

if TYPE_CHECKING:
    from tests.faults.fault import Fault
    from tests.faults.server import FaultServer

WRITE_TABLE: Final = "FAULTS_WRITE_TABLE"
"""The environment variable that enables writing the table in the documentation."""


@pytest.fixture(autouse=True)
def _recorded_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_io, "sleep", matrix.record_sleep)
    monkeypatch.setattr(sync_io, "sleep", matrix.record_sleep_sync)


@pytest.fixture(autouse=True)
def _local_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail to resolve names in .invalid without a request to the resolver of the network."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: bytes | str | None, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("side", matrix.SIDES)
@pytest.mark.parametrize("fault", ALL, ids=name_of)
def test_each_fault_has_the_expected_result(fault_server: FaultServer, fault: Fault, side: str) -> None:
    with recorded_logs() as logs:
        reports = matrix.run_cases(fault, side, fault_server)
    found = [problem for report in reports for problem in matrix.problems(report)]
    found += [f"logged the key: {record[:300]}" for record in logs.containing(matrix.KEY)]
    assert not found, "\n".join(found)


def test_the_table_in_the_documentation_is_up_to_date() -> None:
    rendered = table.render(matrix.EVERY_CASE)
    if WRITE_TABLE in os.environ:
        table.write(rendered)
    assert table.committed() == rendered, "run `nox -s faults -- write`"


def test_the_matrix_has_at_least_1500_cases() -> None:
    assert len(matrix.EVERY_CASE) >= 1_500
