"""Events and log records show no key, token, password, code, text or phone number of a call, whatever happens."""

from __future__ import annotations

import json
import re
from typing import cast

import httpx
import pytest

from ippanel_edge import CallEnded, EdgeError, Event
from tests.client.conftest import MakeClient
from tests.client.sides import result
from tests.contract.catalogue import SAMPLES
from tests.contract.sample import KEY, LINE, Sample
from tests.faults.leaks import recorded_logs

pytestmark = pytest.mark.anyio


def sent_strings(value: object) -> list[str]:
    """Return the strings in a JSON body."""
    if isinstance(value, dict):
        return [text for each in cast("dict[str, object]", value).values() for text in sent_strings(each)]
    if isinstance(value, list):
        return [text for each in cast("list[object]", value) for text in sent_strings(each)]
    return [str(value)] if isinstance(value, str) else []


def canaries(request: httpx.Request, sending_type: str) -> set[str]:
    """Return the key, the texts, the numbers and the other strings of a request, except the sending type."""
    found = [request.headers.get("authorization", ""), *request.url.params.values()]
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        found += sent_strings(json.loads(request.content))
    elif "urlencoded" in kind:
        found += httpx.QueryParams(request.content.decode()).values()
    else:
        lines = map(str.strip, request.content.decode(errors="replace").splitlines())
        found += [line for line in lines if not line.startswith(("--", "Content-"))]
    return {text for text in found if len(text) > 3 and text != sending_type}


def quoting(text: str, status: int) -> httpx.Response:
    """Return a response that quotes the request, as an error message may."""
    meta = {"status": False, "message": text, "message_code": text, "errors": {"params": [text]}}
    return httpx.Response(status, json={"data": None, "meta": meta})


@pytest.mark.parametrize("fate", ["success", "rejected", "failed", "not JSON", "lost"])
@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.endpoint.name.startswith(("send.", "auth."))], ids=str
)
async def test_events_and_records_show_no_secret_text_or_number(
    make_client: MakeClient, sample: Sample, fate: str
) -> None:
    seen: set[str] = set()
    events: list[Event] = []

    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.update(canaries(request, sample.endpoint.name.removeprefix("send.")))
        quoted = " ".join(seen)
        if fate == "success":
            return httpx.Response(sample.status, json=sample.answer)
        if fate == "lost":
            raise httpx.ReadTimeout(quoted, request=request)
        if fate == "not JSON":
            return httpx.Response(200, text=quoted)
        return quoting(quoted, 400 if fate == "rejected" else 500)

    client = make_client(handler, api_key=KEY, from_number=LINE, retry=1, listeners=[events.append])
    with recorded_logs() as logs:
        try:
            await result(sample.call(client))
        except EdgeError:
            assert fate != "success"
    ours = [record for record in logs.records if record.startswith("ippanel_edge:")]
    assert isinstance(events[-1], CallEnded)
    assert events[-1].endpoint == sample.endpoint.name
    assert ours
    assert seen
    shown = [repr(event) for event in events] + ours
    # Digits within a longer number, such as a time or the id of a thread, are not a canary.
    assert not [
        (text, place) for text in seen for place in shown if re.search(rf"(?<![0-9.]){re.escape(text)}(?![0-9])", place)
    ]
