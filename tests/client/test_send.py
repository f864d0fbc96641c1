"""Sends validate their arguments before a request, read files without closing them, and can skip the limits."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, DecodeError, Outcome
from ippanel_edge.models.send import CountryTarget, GeolocationTarget, JobTarget, PostalCodeTarget, WholePhonebooks
from tests.client.conftest import MakeClient
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

MOBILE = "09124445566"
INVALID: dict[str, Callable[[Any], Any]] = {
    "recipients[1]": lambda send: send.webservice([MOBILE, "x"], "x"),
    "messages": lambda send: send.peer_to_peer([]),
    "file": lambda send: send.peer_to_peer_file(("a.txt", b"x")),
    "targets[0].postal_code": lambda send: send.postal_code([PostalCodeTarget(postal_code=1)], "x"),
    "targets[0].pre": lambda send: send.country([CountryTarget(province_id=1, pre=1)], "x"),
    "targets[0]": lambda send: send.geolocation([GeolocationTarget(province_id=1)], "x"),
    "targets[0].main_category_id": lambda send: send.job([JobTarget(main_category_id=0)], "x"),
    "message": lambda send: send.keyword(("a.xlsx", b"x"), None),
    "phonebook_ids[0]": lambda send: send.keyword_phonebook([0], "x"),
    "selections[0].size": lambda send: send.phonebook([WholePhonebooks(phonebook_ids=[1], size=-1)], "x"),
    "params['code']": lambda send: send.pattern("p", MOBILE, {"code": None}),
    "other_recipients[0]": lambda send: send.file(("a.csv", b"x"), "x", other_recipients=["x"]),
    "code": lambda send: send.votp(MOBILE, "12a"),
    "password": lambda send: send.url(MOBILE, "x", username="u"),
    "message_outbox_id": lambda send: send.cancel(0),
    "number": lambda send: send.calculate_price("x", number="+1"),
}


class Service:
    """Responds to every send, and records the bodies."""

    def __init__(self, envelope: Any = None) -> None:
        self.envelope = ok({"message_outbox_ids": [5]}) if envelope is None else envelope
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        return httpx.Response(200, json=self.envelope)


@pytest.mark.parametrize("argument", INVALID)
async def test_an_invalid_argument_of_a_send_is_named_and_nothing_is_sent(
    argument: str, make_client: MakeClient
) -> None:
    service = Service()
    with pytest.raises(ConfigurationError) as caught:
        await result(INVALID[argument](make_client(service).send))
    assert (caught.value.argument, caught.value.outcome) == (argument, Outcome.NOT_SENT)
    assert service.bodies == []


async def test_limits_are_not_validated_with_validate_false(make_client: MakeClient) -> None:
    service = Service()
    with pytest.raises(
        ConfigurationError, match=r"^recipients\[1000\]: too many recipients: at most 1,000 per request"
    ):
        await result(make_client(service).send.webservice([MOBILE] * 1001, "x"))
    sent = await result(make_client(service, validate=False).send.webservice([MOBILE] * 1001, "x"))
    assert sent.id == 5
    assert service.bodies[0].count(b"+98912") == 1001


async def test_a_file_is_sent_from_its_current_position_and_stays_open(make_client: MakeClient) -> None:
    service = Service()
    file = io.BytesIO(b"already read\nphone_number\n09124445566\n")
    file.name = "numbers.csv"
    file.seek(13)
    assert (await result(make_client(service).send.file(file, "x"))).id == 5
    assert b"phone_number\n09124445566\n" in service.bodies[0]
    assert b"already read" not in service.bodies[0]
    assert not file.closed


async def test_a_file_opened_from_a_path_is_closed(make_client: MakeClient, tmp_path: Path) -> None:
    service = Service()
    path = tmp_path / "pairs.csv"
    path.write_text("recipient,message\n09124445566,x\n", encoding="utf-8")
    await result(make_client(service).send.peer_to_peer_file(path))
    path.unlink()
    assert b"09124445566,x" in service.bodies[0]


@pytest.mark.parametrize("data", [None, [], {}, {"message_outbox_ids": []}, {"message_outbox_ids": [None]}])
async def test_a_response_without_ids_means_unknown_and_the_send_is_not_retried(
    data: Any, make_client: MakeClient
) -> None:
    service = Service({"data": data, "meta": {"status": True}})
    with pytest.raises(DecodeError) as caught:
        await result(make_client(service).send.webservice(MOBILE, "x"))
    assert (caught.value.outcome, caught.value.attempts, len(service.bodies)) == (Outcome.UNKNOWN, 1, 1)
    assert caught.value.endpoint == "send.webservice"
