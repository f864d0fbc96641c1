"""client.check(): it reports what keeps a program from sending, with a remedy, and raises nothing for it."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import ConfigurationError, InvalidArgument
from ippanel_edge.models import ClientCheck
from ippanel_edge.sandbox import Sandbox
from tests.client.conftest import FakeClock, MakeClient
from tests.client.memory import in_memory
from tests.client.sides import result
from tests.client.test_inbox_faults import close
from tests.client.test_polling import NO_RETRIES, rejected
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

LINE = "+983000111222"
BASE = "https://edge.example.test/v1"


class Service:
    """A service whose responses a test replaces, by the last part of the path."""

    def __init__(self, **replies: Any) -> None:
        self.replies: dict[str, Any] = {
            "check_token": ok({"user_name": "amir"}),
            "mine": ok({"credit": 2500.5}),
            "numbers": ok([{"number": LINE}]),
            **replies,
        }
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies[self.name(request)]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):  # a new one: a client reads and closes it
            return httpx.Response(reply.status_code, content=reply.content)
        return httpx.Response(200, json=reply(request) if callable(reply) else reply)

    @property
    def names(self) -> list[str]:
        """The last part of each requested path."""
        return [self.name(request) for request in self.requests]

    @staticmethod
    def name(request: httpx.Request) -> str:
        """Return the last part of the path."""
        return request.url.path.rsplit("/", 1)[1]


async def check(service: Any, make_client: MakeClient, **options: Any) -> ClientCheck:
    found: ClientCheck = await result(make_client(service, retry=NO_RETRIES, **options).check())
    return found


async def test_a_client_that_can_send_has_no_problems(make_client: MakeClient, clock: FakeClock) -> None:
    service = Service()
    found = await check(service, make_client)
    assert (found.is_ok, found.problems, found.base_url, found.from_number) == (True, (), BASE, LINE)
    assert found.user is not None
    assert (found.user.user_name, found.credit, found.is_own_line) == ("amir", 2500.5, True)
    assert found.latency == 0.0
    assert clock.waits == []
    assert service.names == ["check_token", "mine", "numbers"]
    assert json.loads(json.dumps(found.to_dict()))["user"]["user_name"] == "amir"


async def test_the_sandbox_passes_the_check_and_nothing_is_sent(make_client: MakeClient) -> None:
    sandbox = Sandbox()
    found = await check(
        in_memory(sandbox),
        make_client,
        api_key=sandbox.api_key,
        base_url=sandbox.base_url,
        from_number=sandbox.from_number,
    )
    assert found.problems == ()
    assert found.is_own_line is True
    assert found.credit is not None
    assert sandbox.state.outbox == {}


async def test_the_latency_is_that_of_the_fastest_response(make_client: MakeClient, clock: FakeClock) -> None:
    def after(seconds: float, data: Any) -> Any:
        def reply(_: httpx.Request) -> Any:
            clock.now += seconds
            return ok(data)

        return reply

    service = Service(check_token=after(0.5, {}), mine=after(0.25, {}), numbers=after(1, [{"number": LINE}]))
    assert (await check(service, make_client)).latency == 0.25


async def test_every_page_of_the_lines_is_read_until_the_line_is_found(make_client: MakeClient) -> None:
    def lines(request: httpx.Request) -> Any:
        page = int(request.url.params["page"])
        return ok([{"number": LINE if page == 3 else f"+98300000{page}"}, {"number": None}, {"number": "?"}])

    service = Service(numbers=lines)
    assert (await check(service, make_client)).is_own_line is True
    assert service.names.count("numbers") == 3
    assert {request.url.params["per_page"] for request in service.requests[2:]} == {"1000"}


async def test_a_line_in_another_format_is_the_same_line(make_client: MakeClient) -> None:
    assert (await check(Service(numbers=ok([{"number": "983000111222"}])), make_client)).is_own_line is True


async def test_without_a_sender_line_the_lines_are_not_read(make_client: MakeClient) -> None:
    service = Service()
    found = await check(service, make_client, from_number=None)
    assert (found.is_ok, found.from_number, found.is_own_line) == (True, None, None)
    assert service.names == ["check_token", "mine"]


def other_line(request: httpx.Request) -> Any:
    """Return a page of lines without the client's."""
    return ok([{"number": "+983"}] if request.url.params["page"] == "1" else [])


PROBLEMS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another line": (
        {"numbers": other_line},
        [f"from_number: {LINE} is not among the lines of the account; choose one of numbers.list(), or check "],
    ),
    "no credit": ({"mine": ok({"credit": "0"})}, ["the credit is 0 Rials; add credit in the panel"]),
    "blocked": (
        {"check_token": ok({"user_name": "amir", "send_block": "1"})},
        ["sending is blocked for the user amir; contact the support"],
    ),
    "documents": (
        {"check_token": ok({"user_name": "amir", "document_block": True})},
        ["the user amir is blocked until documents are uploaded; see users.documents.list()"],
    ),
    "no permission": (
        {"numbers": rejected(403), "mine": rejected(403)},
        ["payment.credit: HTTP 403", "numbers.list: HTTP 403"],
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
async def test_a_problem_is_reported_with_its_remedy(name: str, make_client: MakeClient) -> None:
    replies, expected = PROBLEMS[name]
    found = await check(Service(**replies), make_client)
    assert not found.is_ok
    assert [text[: len(start)] for text, start in zip(found.problems, expected, strict=True)] == expected


async def test_gift_credit_counts_as_credit(make_client: MakeClient) -> None:
    found = await check(Service(mine=ok({"credit": 0, "gift": 100})), make_client)
    assert (found.is_ok, found.credit) == (True, 0.0)


@pytest.mark.parametrize(
    ("reply", "start", "remedy", "answered"),
    [
        (rejected(401), "auth.check_token: HTTP 401", "IPPANEL_API_KEY", True),
        (rejected(404), "auth.check_token: HTTP 404", "check base_url or IPPANEL_BASE_URL", True),
        (rejected(500), "auth.check_token: HTTP 500", "try again later", True),
        (rejected(429), "auth.check_token: HTTP 429", "try again later", True),
        (httpx.ConnectError("no route"), f"{BASE}: auth.check_token: ConnectError", "check the network", False),
        (httpx.ReadTimeout("late"), f"{BASE}: auth.check_token: ReadTimeout", "check the network", False),
    ],
    ids=lambda value: f"{value!r:.30}",
)
async def test_after_an_error_of_the_key_or_the_network_no_further_request_is_made(
    reply: Any,
    start: str,
    remedy: str,
    answered: bool,  # noqa: FBT001 - a test parameter
    make_client: MakeClient,
) -> None:
    service = Service(check_token=reply)
    found = await check(service, make_client)
    (problem,) = found.problems
    assert problem.startswith(start)
    assert remedy in problem
    assert (found.user, found.credit, found.is_own_line) == (None, None, None)
    assert (found.latency is not None) is answered
    assert len(service.requests) == 1


async def test_a_response_that_is_not_that_of_the_api_is_a_problem(make_client: MakeClient) -> None:
    found = await check(Service(check_token=httpx.Response(200, content=b"<html>portal")), make_client)
    (problem,) = found.problems
    assert "check base_url or IPPANEL_BASE_URL" in problem
    assert found.credit == 2500.5


async def test_missing_credentials_are_a_problem(make_client: MakeClient) -> None:
    service = Service()
    found = await check(service, make_client, api_key=None)
    (problem,) = found.problems
    assert problem == (
        "auth.check_token: api_key: missing credentials; pass api_key=, token= or credentials=, or set IPPANEL_API_KEY"
    )
    assert service.requests == []


async def test_the_key_is_not_in_the_result(make_client: MakeClient) -> None:
    quoted = httpx.Response(502, content=b"bad gateway for key-of-this-test")
    found = await check(Service(check_token=quoted), make_client, api_key="key-of-this-test")
    assert "bad gateway" in found.problems[0]
    assert "key-of-this-test" not in str(found)


@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_the_check_ends_at_its_deadline(make_client: MakeClient) -> None:
    async def service(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    handler: Any = service
    with anyio.fail_after(10):
        found = await make_client(handler, retry=NO_RETRIES).check(deadline=0.01)
    assert found.problems == (
        f"{BASE}: no response within 0.01 s; check the network and the proxy, or pass a longer deadline=",
    )


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("side", ["sync"], indirect=True)
async def test_retries_of_the_sync_client_end_at_the_deadline_of_the_check(
    make_client: MakeClient, clock: FakeClock
) -> None:
    def late(_: httpx.Request) -> httpx.Response:
        clock.now += 4
        raise httpx.ReadTimeout("late")

    (problem,) = make_client(late, retry=50).check(deadline=10).problems
    assert problem.startswith(f"{BASE}: auth.check_token: ")
    assert clock.now < 1_000 + 20


@pytest.mark.parametrize("seconds", [0, -1, None, "5"])
async def test_the_deadline_must_be_above_0(seconds: Any, make_client: MakeClient) -> None:
    with pytest.raises(InvalidArgument, match=r"^deadline: expected a number of seconds above 0"):
        await result(make_client(Service()).check(deadline=seconds))


async def test_a_closed_client_cannot_be_checked(make_client: MakeClient) -> None:
    client = make_client(Service())
    await close(client)
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await result(client.check())


async def test_the_advice_is_given_once_and_before_the_words_of_the_service(make_client: MakeClient) -> None:
    (unauthorised,) = (await check(Service(check_token=rejected(401)), make_client)).problems
    assert unauthorised.count("IPPANEL_API_KEY") == 1
    assert "IPPANEL_API_KEY" in unauthorised.splitlines()[0]
    forbidden = (await check(Service(mine=rejected(403)), make_client)).problems[0]
    assert forbidden.splitlines()[0].endswith("check the permissions of the key in the panel)")
