"""Every fault, struck at READ, WRITE and ONCE, on asyncio, trio and sync, fresh and reused, plain and in TLS."""

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
from tests.faults.leaks import eavesdropping

if TYPE_CHECKING:
    from tests.faults.fault import Fault
    from tests.faults.server import FaultServer

WRITE_TABLE: Final = "FAULTS_WRITE_TABLE"
"""The environment's word that the table in the documentation is to be written anew."""


@pytest.fixture(autouse=True)
def _no_sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_io, "sleep", matrix.sleep)
    monkeypatch.setattr(sync_io, "sleep", matrix.sleep_now)


@pytest.fixture(autouse=True)
def _no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that cannot resolve do not, without asking the network's resolver."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: bytes | str | None, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("side", matrix.SIDES)
@pytest.mark.parametrize("fault", ALL, ids=name_of)
def test_a_fault_comes_to_what_the_table_says(fault_server: FaultServer, fault: Fault, side: str) -> None:
    with eavesdropping() as ear:
        reports = matrix.carry_out(fault, side, fault_server)
    found = [problem for report in reports for problem in matrix.problems(report)]
    found += [f"logged the key: {said[:300]}" for said in ear.hearing(matrix.KEY)]
    assert not found, "\n".join(found)


def test_the_table_in_the_documentation_is_what_the_matrix_gives() -> None:
    given = table.render(matrix.EVERY_CASE)
    if WRITE_TABLE in os.environ:
        table.write(given)
    assert table.committed() == given, "run `nox -s faults -- write`"


def test_the_matrix_is_large_enough_to_mean_something() -> None:
    assert len(matrix.EVERY_CASE) >= 1_500
