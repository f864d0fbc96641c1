"""Tokens shared between workers by load and save callbacks, with the asyncio, trio and sync clients."""

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
from tests.client.login.service import HOUR, START, FrozenClock, Service, credentials, credit, raised_by, return_code

pytestmark = pytest.mark.anyio


class Store:
    """A store of tokens, shared by several clients."""

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
    make_client: MakeClient, service: Service, clock: FrozenClock
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
    service.valid_tokens.clear()
    await credit(first)
    await credit(second)
    assert len(service.logins) == len(store.saved) == 3
    assert service.tokens[-2:] == ["canary-token-2", "canary-token-3"]


async def test_after_a_401_a_newer_token_is_loaded_if_a_login_would_send_an_sms(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "sms"
    store = Store()
    client = make_client(service, credentials=credentials(otp=return_code, **store.options))
    await credit(client)
    service.valid_tokens = {"token-of-another-worker"}
    store.save(StoredToken("token-of-another-worker", created=time.time() + 1, method="sms"))
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_load_and_save_may_be_async_if_the_client_is(
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
        await raised_by(client, TypeError)
        return
    await credit(client)
    await credit(make_client(service, credentials=credentials(load=load, save=save)))
    assert len(store.saved) == len(service.logins) == 1


@pytest.mark.usefixtures("clock")
async def test_an_expired_token_in_the_store_is_not_used(make_client: MakeClient, service: Service) -> None:
    saved = StoredToken("expired-token", created=START.timestamp() - 10 * HOUR)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_a_stored_token_that_is_about_to_expire_is_renewed_immediately(
    make_client: MakeClient, service: Service
) -> None:
    saved = StoredToken("expiring-token", created=START.timestamp() - 10 * HOUR + 60)
    await credit(make_client(service, credentials=credentials(load=lambda: saved)))
    assert service.tokens == ["canary-token-1"]


@pytest.mark.usefixtures("clock")
async def test_an_older_token_in_the_store_does_not_replace_a_rejected_one(
    make_client: MakeClient, service: Service
) -> None:
    saved = [StoredToken("canary-token-0", created=START.timestamp() - HOUR)]
    client = make_client(service, credentials=credentials(load=lambda: saved[0] if service.logins else None))
    await credit(client)
    service.valid_tokens.clear()
    assert await credit(client) == 7.0
    assert "canary-token-0" not in service.tokens


async def test_a_login_is_not_lost_if_save_fails(make_client: MakeClient, service: Service) -> None:
    def save(_: StoredToken) -> None:
        raise OSError("the disk is full")

    client = make_client(service, credentials=credentials(save=save))
    await raised_by(client, OSError)
    assert await credit(client) == 7.0
    assert len(service.logins) == 1


async def test_the_next_call_loads_again_after_load_fails(make_client: MakeClient, service: Service) -> None:
    outcomes: list[Any] = [OSError("the store is not available"), None]

    def load() -> StoredToken | None:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return None

    client = make_client(service, credentials=credentials(load=load))
    await raised_by(client, OSError)
    assert service.logins == []
    assert await credit(client) == 7.0
