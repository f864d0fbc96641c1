"""Concurrent calls share one login, also if it fails, with the asyncio, trio and sync clients."""

from __future__ import annotations

import time
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    ConfigurationError,
    StoredToken,
    ValidationFailed,
)
from ippanel_edge.models.auth import LoginStep
from tests.client.conftest import MakeClient
from tests.client.login.concurrency import Latch, call_concurrently, count_down_at_login, delayed, is_login
from tests.client.login.service import CALLS, WRONG_PASSWORD, Service, credentials, credit, raised_by

pytestmark = pytest.mark.anyio


async def test_a_hundred_concurrent_calls_make_one_login(make_client: MakeClient, service: Service, side: str) -> None:
    latch = Latch(side, CALLS)
    client = make_client(delayed(service, side, latch, which=is_login), credentials=credentials())
    count_down_at_login(client, latch)
    assert await call_concurrently(side, client) == [7.0] * CALLS
    assert len(service.logins) == 1
    assert service.tokens == ["canary-token-1"] * CALLS


async def test_a_hundred_concurrent_calls_that_get_a_401_make_one_login(
    make_client: MakeClient, service: Service, side: str
) -> None:
    latch = Latch(side, CALLS)

    def is_rejected(request: httpx.Request) -> bool:
        if request.headers.get("authorization") != "revoked-token":
            return False
        latch.count_down()
        return True

    saved = StoredToken("revoked-token", created=time.time())
    handler = delayed(service, side, latch, which=is_rejected)
    client = make_client(handler, credentials=credentials(load=lambda: saved))
    assert await call_concurrently(side, client) == [7.0] * CALLS
    assert len(service.logins) == 1
    assert sorted(service.tokens) == ["canary-token-1"] * CALLS + ["revoked-token"] * CALLS


async def test_a_hundred_concurrent_calls_make_one_failed_login_and_each_raises_its_own_error(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    latch = Latch(side, CALLS)
    client = make_client(delayed(service, side, latch, which=is_login), credentials=credentials())
    count_down_at_login(client, latch)
    errors = await call_concurrently(side, client)
    assert len(service.logins) == 1
    assert [type(error) for error in errors] == [ValidationFailed] * CALLS
    assert len(set(map(str, errors))) == 1
    assert len(set(map(id, errors))) == CALLS


async def test_a_hundred_concurrent_calls_send_one_code_even_if_the_otp_callback_fails(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.method = "sms"
    latch = Latch(side, CALLS)

    def otp(_: LoginStep) -> str:
        raise ConfigurationError("the code did not arrive")

    client = make_client(delayed(service, side, latch, which=is_login), credentials=credentials(otp=otp))
    count_down_at_login(client, latch)
    errors = await call_concurrently(side, client)
    assert len(service.logins) == 1
    assert {str(error) for error in errors} == {"payment.credit: the code did not arrive"}


async def test_the_next_call_after_a_failed_login_logs_in_again(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    await raised_by(client, ValidationFailed)
    service.failure = None
    assert await credit(client) == 7.0
    assert len(service.logins) == 2


@pytest.mark.parametrize("side", ["asyncio", "trio"])  # a thread cannot be cancelled
async def test_if_the_call_that_logs_in_is_cancelled_the_next_one_logs_in(service: Service, side: str) -> None:
    latch = Latch(side, 1)
    client = AsyncEdgeClient(
        credentials=credentials(),
        base_url="https://edge.example.test/v1",
        http_client=httpx.AsyncClient(
            transport=httpx.MockTransport(delayed(service, side, latch, which=lambda _: not service.logins))
        ),
    )
    scope = anyio.CancelScope()

    async def first() -> None:
        with scope:
            await client.payment.credit()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(credit, client)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        latch.count_down()
    assert scope.cancelled_caught
    # A mock emits no trace events, so the first login may have been sent and gets its grace period.
    assert service.tokens == ["canary-token-2"]


async def test_copies_share_the_login_unless_they_have_other_credentials(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    await credit(client.with_options(timeout=3.0))
    assert len(service.logins) == 1
    await credit(client.with_options(credentials=credentials()))
    assert len(service.logins) == 2
    await credit(client)
    assert len(service.logins) == 2


async def test_an_otp_callback_must_not_use_the_client_that_is_logging_in(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "ga"
    clients: list[Any] = []

    def otp(_: LoginStep) -> Any:
        return clients[0].payment.credit()

    clients.append(make_client(service, credentials=credentials(otp=otp)))
    error = await raised_by(clients[0], ConfigurationError)
    assert "during its own login" in str(error)
