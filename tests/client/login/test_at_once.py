"""One login for all who wait for it, on all three sides, also where it fails."""

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
from tests.client.login.gate import Gate, at_once, count_who_waits, held_up, is_login
from tests.client.login.service import AT_ONCE, WRONG_PASSWORD, Service, credentials, credit, failure_of

pytestmark = pytest.mark.anyio


async def test_a_hundred_calls_at_once_make_one_login(make_client: MakeClient, service: Service, side: str) -> None:
    gate = Gate(side, AT_ONCE)
    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials())
    count_who_waits(client, gate)
    assert await at_once(side, client) == [7.0] * AT_ONCE
    assert len(service.logins) == 1
    assert service.tokens == ["canary-token-1"] * AT_ONCE


async def test_a_hundred_refused_calls_at_once_make_one_login(
    make_client: MakeClient, service: Service, side: str
) -> None:
    gate = Gate(side, AT_ONCE)

    def is_refused(request: httpx.Request) -> bool:
        if request.headers.get("authorization") != "dead-token":
            return False
        gate.arrive()
        return True

    saved = StoredToken("dead-token", created=time.time())
    answer = held_up(service, side, gate, which=is_refused)
    client = make_client(answer, credentials=credentials(load=lambda: saved))
    assert await at_once(side, client) == [7.0] * AT_ONCE
    assert len(service.logins) == 1
    assert sorted(service.tokens) == ["canary-token-1"] * AT_ONCE + ["dead-token"] * AT_ONCE


async def test_a_hundred_calls_at_once_make_one_failed_login_and_each_has_its_own_error(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    gate = Gate(side, AT_ONCE)
    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials())
    count_who_waits(client, gate)
    errors = await at_once(side, client)
    assert len(service.logins) == 1
    assert [type(error) for error in errors] == [ValidationFailed] * AT_ONCE
    assert len(set(map(str, errors))) == 1
    assert len(set(map(id, errors))) == AT_ONCE


async def test_a_hundred_calls_at_once_text_one_code_though_your_function_fails(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.method = "sms"
    gate = Gate(side, AT_ONCE)

    def otp(_: LoginStep) -> str:
        raise ConfigurationError("nobody is at the phone")

    client = make_client(held_up(service, side, gate, which=is_login), credentials=credentials(otp=otp))
    count_who_waits(client, gate)
    errors = await at_once(side, client)
    assert len(service.logins) == 1
    assert {str(error) for error in errors} == {"payment.credit: nobody is at the phone"}


async def test_after_a_failed_login_the_next_call_tries_again(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    await failure_of(client, ValidationFailed)
    service.failure = None
    assert await credit(client) == 7.0
    assert len(service.logins) == 2


@pytest.mark.parametrize("side", ["asyncio", "trio"])  # nothing cancels a thread
async def test_when_the_one_who_logs_in_is_cancelled_the_next_one_does(service: Service, side: str) -> None:
    gate = Gate(side, 1)
    client = AsyncEdgeClient(
        credentials=credentials(),
        base_url="https://edge.example.test/v1",
        http_client=httpx.AsyncClient(
            transport=httpx.MockTransport(held_up(service, side, gate, which=lambda _: not service.logins))
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
        gate.arrive()
    assert scope.cancelled_caught
    # A mock emits no trace events, so the first login may have left; it was given its grace period.
    assert service.tokens == ["canary-token-2"]


async def test_copies_share_the_login_and_new_credentials_begin_another(
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


async def test_your_function_must_not_call_with_the_token_that_it_helps_to_get(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "ga"
    clients: list[Any] = []

    def otp(_: LoginStep) -> Any:
        return clients[0].payment.credit()

    clients.append(make_client(service, credentials=credentials(otp=otp)))
    error = await failure_of(clients[0], ConfigurationError)
    assert "during its own login" in str(error)
