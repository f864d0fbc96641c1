"""Tokens shared with other workers through your functions, on all three sides."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from ippanel_edge import (
    StoredToken,
)
from tests.client.conftest import MakeClient
from tests.client.login.service import HOUR, START, Hands, Service, credentials, credit, failure_of, give_code

pytestmark = pytest.mark.anyio


class Store:
    """Where workers keep their token."""

    def __init__(self) -> None:
        self.saved: list[StoredToken] = []

    def load(self) -> StoredToken | None:
        return self.saved[-1] if self.saved else None

    def save(self, token: StoredToken) -> None:
        self.saved.append(token)

    @property
    def options(self) -> dict[str, Any]:
        return {"load": self.load, "save": self.save}


async def test_two_clients_share_one_login_through_a_store(
    make_client: MakeClient, service: Service, clock: Hands
) -> None:
    store = Store()
    first, second = (make_client(service, credentials=credentials(**store.options)) for _ in range(2))
    await credit(first)
    await credit(second)
    assert store.saved == [StoredToken("canary-token-1", created=START.timestamp(), method="login")]
    clock.move_to(START + timedelta(hours=9, minutes=55))
    await credit(second)
    await credit(first)
    assert [str(stored.token) for stored in store.saved] == ["canary-token-1", "canary-token-2"]
    service.living.clear()
    await credit(first)
    await credit(second)
    assert len(service.logins) == len(store.saved) == 3
    assert service.tokens[-2:] == ["canary-token-2", "canary-token-3"]


async def test_where_logins_text_a_code_a_dead_token_is_looked_for_in_the_store(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "sms"
    store = Store()
    client = make_client(service, credentials=credentials(otp=give_code, **store.options))
    await credit(client)
    service.living = {"of-another-worker"}
    store.save(StoredToken("of-another-worker", created=time.time() + 1, method="sms"))
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_the_functions_of_a_store_may_be_async_where_the_client_is(
    make_client: MakeClient, service: Service, side: str
) -> None:
    store = Store()

    async def load() -> StoredToken | None:
        await anyio.lowlevel.checkpoint()
        return store.load()

    async def save(token: StoredToken) -> None:
        await anyio.lowlevel.checkpoint()
        store.save(token)

    client = make_client(service, credentials=credentials(load=load, save=save))
    if side == "sync":
        await failure_of(client, TypeError)
        return
    await credit(client)
    await credit(make_client(service, credentials=credentials(load=load, save=save)))
    assert len(store.saved) == len(service.logins) == 1


@pytest.mark.usefixtures("clock")
async def test_a_saved_token_whose_ten_hours_are_over_is_not_tried(make_client: MakeClient, service: Service) -> None:
    saved = StoredToken("long-dead", created=START.timestamp() - 10 * HOUR)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_a_saved_token_near_its_end_is_renewed_at_once(make_client: MakeClient, service: Service) -> None:
    saved = StoredToken("nearly-dead", created=START.timestamp() - 10 * HOUR + 60)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_an_older_token_in_the_store_does_not_take_the_place_of_a_refused_one(
    make_client: MakeClient, service: Service
) -> None:
    saved = [StoredToken("canary-token-0", created=START.timestamp() - HOUR)]
    client = make_client(service, credentials=credentials(load=lambda: saved[0] if service.logins else None))
    await credit(client)
    service.living.clear()
    assert await credit(client) == 7.0
    assert "canary-token-0" not in service.tokens


async def test_a_login_is_not_lost_where_saving_it_fails(make_client: MakeClient, service: Service) -> None:
    def save(_: StoredToken) -> None:
        raise OSError("the disk is full")

    client = make_client(service, credentials=credentials(save=save))
    await failure_of(client, OSError)
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_a_store_that_fails_is_asked_again_by_the_next_call(make_client: MakeClient, service: Service) -> None:
    answers: list[Any] = [OSError("no store"), None]

    def load() -> StoredToken | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return None

    client = make_client(service, credentials=credentials(load=load))
    await failure_of(client, OSError)
    assert service.logins == []
    assert await credit(client) == 7.0
