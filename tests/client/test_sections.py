"""The sections of a client: loaded on first use, kept, and made anew for a copy with other settings."""

from __future__ import annotations

import json
import threading
from typing import Final

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient
from ippanel_edge._async import sections
from tests.client.conftest import MakeClient
from tests.client.sides import result

SENT: Final = {"data": {"message_outbox_ids": [7]}, "meta": {"status": True, "message": "", "message_code": "200-1"}}


class Service:
    """Accepts every send, and records the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=SENT)


@pytest.mark.parametrize("name", sections.__all__)
def test_a_section_is_kept(make_client: MakeClient, name: str) -> None:
    client = make_client(Service())
    section = getattr(client, name.lower())
    assert type(section).__name__ == name
    assert getattr(client, name.lower()) is section


def test_a_copy_has_sections_of_its_own(make_client: MakeClient) -> None:
    client = make_client(Service())
    section = client.send
    assert client.with_options(from_number="+983000333444").send is not section
    assert client.send is section


@pytest.mark.anyio
async def test_a_section_of_a_copy_uses_the_settings_of_the_copy(make_client: MakeClient) -> None:
    service = Service()
    client = make_client(service, api_key="sections-key-0001")
    await result(client.send.webservice("09121234567", "text"))
    copied = client.with_options(from_number="+983000333444", api_key="other-key-0002")
    await result(copied.send.webservice("09121234567", "text"))
    lines = [json.loads(request.content)["from_number"] for request in service.requests]
    assert lines == ["+983000111222", "+983000333444"]
    keys = [request.headers["Authorization"] for request in service.requests]
    assert keys == ["sections-key-0001", "other-key-0002"]


@pytest.mark.anyio
async def test_a_section_that_was_loaded_before_the_client_was_closed_raises(
    make_client: MakeClient, side: str
) -> None:
    client = make_client(Service())
    reports = client.reports
    await result(client.close() if side == "sync" else client.aclose())
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await result(reports.by_id(7))


def test_threads_may_load_a_section_at_the_same_time() -> None:
    client = EdgeClient("sections-key-0001")
    together = threading.Barrier(8)
    found: list[object] = []

    def load() -> None:
        together.wait()
        found.append(client.payment)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert [type(section).__name__ for section in found] == ["Payment"] * 8
