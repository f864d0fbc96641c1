"""The documented requests of all endpoints by plain httpx: answered with the documented keys, and refused if changed.

answers.json has the paths of the keys in the documented answers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

import attrs
import httpx
import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.app import all_endpoints
from tests.sandbox.caller import Caller, form_parts
from tests.sandbox.documented import REQUESTS, Documented, World, prepare

ANSWERS: dict[str, list[str]] = json.loads((Path(__file__).parent / "answers.json").read_text(encoding="utf-8"))

ALWAYS = {"meta.message_parameters", "meta.path"}
"""Every answer has the first and every page the second, though some examples leave them out."""
EXTRA = {
    # The documents know two operators; the counts of the others would be lost.
    "reports.stats": {
        f"data.operators_{group}.other" for group in ("blacklist", "failed", "pending", "sent", "delivered")
    },
}
ALSO_NUMBERS = {
    ("send.phonebook", "params.0.phonebook_ids.0"),
    ("send.phonebook", "params.0.start"),
    ("send.phonebook", "params.0.size"),
    ("send.phonebook", "params.1.phonebook_id"),
    ("send.pattern", "params.code"),
    *(("reports.outbox", f"filters.{name}_{end}_date") for name in ("create", "send") for end in ("from", "to")),
    ("reports.outbox", "filters.state_id"),
}
"""The fields that the documents show as a str and that may be a number as well."""
TOKENS = {"$login_step", "$password_reset"}
TEXTS = {"pre"}
"""The fields of queries that are text, although their example is a number."""

WITH_KEY = [request for request in REQUESTS if request.key is not None]
WITH_JSON = [request for request in REQUESTS if request.json is not None]
WITH_FORM = [request for request in REQUESTS if request.form is not None]
WITH_FILES = [request for request in REQUESTS if request.files]
JSON_AS_FORM = {f"phonebooks.options.{name}" for name in ("create", "update", "delete")}
"""The endpoints whose examples have the JSON document as the only key of a form."""

every_request = pytest.mark.parametrize("request_", REQUESTS, ids=str)


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return prepare(sandbox)


@pytest.fixture
def replay(call: Caller, world: World) -> Replay:
    return Replay(call, world)


class Replay:
    """Sends documented requests, with changes."""

    def __init__(self, call: Caller, world: World) -> None:
        self.call = call
        self.world = world

    def __call__(self, request: Documented, **changes: Any) -> httpx.Response:
        """Send a request; `changes` replace what httpx takes."""
        headers = {} if request.key is None else {"Authorization": self.authorization(request)}
        options: dict[str, Any] = {"headers": headers, "params": self.world.fill(request.query)}
        if request.json is not None:
            options["json"] = self.world.fill(request.json)
        elif request.form is not None:
            options["data"] = self.world.fill(request.form)
            options["files"] = list(request.files)
        else:
            headers["Content-Type"] = "application/json"  # as the curl examples of the documents
        method = changes.pop("method", request.method)
        base = "" if request.path.startswith("/v2/") else "/v1"
        return self.call(method, request.path, key=None, base=base, **{**options, **changes})

    def authorization(self, request: Documented) -> str:
        """Return the value of the Authorization header."""
        return self.world.token if request.key == "token" else self.call.sandbox.api_key


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def paths(value: object, path: str = "") -> Iterator[str]:
    """Return the path of each leaf of an answer, such as data[].id."""
    if is_dict(value) and value:
        for name, each in value.items():
            yield from paths(each, f"{path}.{name}" if path else name)
    elif is_list(value) and value:
        for each in value:
            yield from paths(each, f"{path}[]")
    else:
        yield f"{path}[]" if is_list(value) else path


def covers(known: set[str], path: str) -> bool:
    """Whether a path, or an object or list that contains it or is it (null in one of the two), is known."""
    return any(
        path == each or path.startswith((f"{each}.", f"{each}[")) or each.startswith((f"{path}.", f"{path}["))
        for each in known
    )


def test_there_is_a_request_and_an_answer_of_every_endpoint() -> None:
    names = {endpoint.name for endpoint in all_endpoints()}
    assert len(names) == 89
    assert {request.name for request in REQUESTS} == names == set(ANSWERS)


@every_request
def test_a_documented_request_is_answered_with_the_documented_keys(replay: Replay, request_: Documented) -> None:
    response = replay(request_)
    assert response.status_code in {200, 201}, response.text
    if response.headers["content-type"] != "application/json":
        assert request_.name == "phonebooks.contacts.import_sample"  # a workbook, unless `sample_files` is off
        return
    found, documented = set(paths(response.json())), set(ANSWERS[request_.name])
    assert [path for path in documented if not covers(found, path)] == []
    assert [path for path in found if not covers(documented | EXTRA.get(request_.name, set()) | ALWAYS, path)] == []


def test_the_import_sample_is_the_documented_json_if_files_are_off(replay: Replay, sandbox: Sandbox) -> None:
    sandbox.state.sample_files = False
    (request,) = (each for each in REQUESTS if each.name == "phonebooks.contacts.import_sample")
    assert set(paths(replay(request).json())) <= {*ANSWERS[request.name], *ALWAYS}


@pytest.mark.parametrize("request_", WITH_KEY, ids=str)
def test_a_request_without_a_valid_key_is_refused(replay: Replay, request_: Documented) -> None:
    for headers in ({}, {"Authorization": "wrong"}, {"Authorization": f"Bearer {replay.call.sandbox.api_key}"}):
        response = replay(request_, headers=headers)
        assert response.status_code == 401
        assert response.json()["meta"]["status"] is False


@every_request
def test_an_unknown_field_is_refused_by_name(replay: Replay, request_: Documented) -> None:
    changed: dict[str, Any] = {"params": {**replay.world.fill(request_.query), "unknown": "1"}}
    if request_.json is not None:
        changed = {"json": {**replay.world.fill(request_.json), "unknown": "1"}}
    elif request_.form is not None:
        changed = {"data": {**request_.form, "unknown": "1"}}
    response = replay(request_, **changed)
    assert response.status_code == 422, response.text
    assert list(response.json()["meta"]["errors"]) == ["unknown"]


@every_request
def test_a_wrong_method_is_refused_with_the_allowed_ones(replay: Replay, request_: Documented) -> None:
    response = replay(request_, method="PATCH")
    assert response.status_code == 405
    assert request_.method in response.headers["allow"].split(", ")
    assert response.json()["meta"]["status"] is False


@pytest.mark.parametrize("request_", WITH_JSON, ids=str)
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "application/x-www-form-urlencoded"])
def test_a_body_of_another_content_type_is_refused(replay: Replay, request_: Documented, content_type: str) -> None:
    headers = {} if request_.key is None else {"Authorization": replay.authorization(request_)}
    if content_type:
        headers["Content-Type"] = content_type
    content = json.dumps(replay.world.fill(request_.json)).encode()
    response = replay(request_, json=None, content=content, headers=headers)
    is_documented = "form" in content_type and request_.name in JSON_AS_FORM
    assert response.status_code == (200 if is_documented else 415)
    assert response.json()["meta"]["status"] is is_documented


@pytest.mark.parametrize("request_", WITH_JSON, ids=str)
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_a_form_is_refused_where_json_is_documented(replay: Replay, request_: Documented, kind: str) -> None:
    fields = {name: str(value) for name, value in replay.world.fill(request_.json).items()}
    form = {"data": fields} if kind == "urlencoded" else {"files": form_parts(fields)}
    response = replay(request_, json=None, **form)
    assert response.status_code == 415
    assert "application/json" in response.json()["meta"]["message"]


@pytest.mark.parametrize("request_", WITH_FORM, ids=str)
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_a_form_of_another_content_type_is_refused(replay: Replay, request_: Documented, content_type: str) -> None:
    headers = {"Authorization": replay.call.sandbox.api_key, "Content-Type": content_type}
    content = json.dumps(request_.form).encode()
    response = replay(request_, data=None, files=None, content=content, headers=headers)
    assert response.status_code == 415
    assert "form" in response.json()["meta"]["message"]


@pytest.mark.parametrize("request_", WITH_FILES, ids=str)
def test_a_form_without_parts_is_refused_where_files_are_documented(replay: Replay, request_: Documented) -> None:
    response = replay(request_, files=None, data={"a": "1", **dict(request_.form or {})})
    assert response.status_code == 415
    assert "multipart/form-data" in response.json()["meta"]["message"]


@pytest.mark.parametrize(
    "body", ['{"type": "int", "title": "a&b"}', "%7B%22type%22%3A%22int%22%2C%22title%22%3A%22a%26b%22%7D="]
)
def test_json_that_is_the_key_of_a_form_creates_an_option_as_documented(call: Caller, body: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call("POST", "/api/phonebooks/options", content=body, headers=headers).status_code == 200
    assert [option.title for option in call.sandbox.state.contact_options.values()] == ["a&b"]


@pytest.mark.parametrize("request_", [request for request in REQUESTS if request.method == "GET"], ids=str)
def test_a_get_with_a_body_is_refused_if_strict(replay: Replay, request_: Documented, sandbox: Sandbox) -> None:
    response = replay(request_, json={"junk": 1})
    assert response.status_code == 400
    assert "GET" in response.json()["meta"]["message"]
    sandbox.state.strict = False
    assert replay(request_, json={"junk": 1}).status_code == 200


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_slash_at_the_end_is_another_address(replay: Replay, request_: Documented) -> None:
    changed = attrs.evolve(request_, path=f"{request_.path}/")
    response = replay(changed)
    assert response.status_code == 404
    assert response.json()["meta"]["message_code"] == "404-1"


def wrong_types(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Return the path of each field of a JSON body, at any depth, with the body in which its value has a wrong type."""
    keys: list[Any] = list(value) if is_dict(value) else list(range(len(value)))
    for key in keys:
        each: Any = value[key]
        name = f"{path}.{key}" if path else str(key)
        is_number = isinstance(each, int) or (isinstance(each, str) and each.startswith("$") and each not in TOKENS)
        for wrong in ["x", [1], 1.5] if is_number else [5]:
            yield name, replaced(value, key, wrong)
        if is_dict(each) or is_list(each):
            for inner, changed in wrong_types(each, name):
                yield inner, replaced(value, key, changed)


def replaced(value: Any, key: Any, item: Any) -> Any:
    """Return a copy of a dict or list with another item."""
    copy = value.copy()
    copy[key] = item
    return copy


TYPED = [
    pytest.param(request, name, body, id=f"{request} {name} {number}")
    for request in WITH_JSON
    for number, (name, body) in enumerate(wrong_types(request.json))
    if (request.name, name) not in ALSO_NUMBERS
]


@pytest.mark.parametrize(("request_", "name", "body"), TYPED)
def test_a_field_of_a_wrong_type_is_refused(replay: Replay, request_: Documented, name: str, body: Any) -> None:
    response = replay(request_, json=replay.world.fill(body))
    assert response.status_code == 422, response.text
    meta = response.json()["meta"]
    errors = response.json().get("errors") or meta["errors"]
    assert meta["status"] is False
    assert any(field == name or name.startswith(f"{field}.") or field.startswith(f"{name}.") for field in errors)


@every_request
def test_a_query_field_that_is_no_number_is_refused(replay: Replay, request_: Documented) -> None:
    query: dict[str, Any] = replay.world.fill(request_.query)
    numeric = [name for name, value in query.items() if str(value).isdigit() and name not in TEXTS]
    for name in numeric:
        response = replay(request_, params={**query, name: "x"})
        assert list(response.json()["meta"]["errors"]) == [name]
        assert response.status_code == 422
    assert numeric or not query or request_.name in {"send.url", "phonebooks.options.list"}


@pytest.mark.parametrize("credentials", ["username=sandbox&password=Sandbox-1", "apikey=sandbox-key"])
def test_the_documented_urls_are_answered_with_their_plus_signs_unencoded(call: Caller, credentials: str) -> None:
    # Only the space and the Persian letters are encoded, without which nothing sends the documented URL.
    message = "%D9%85%D8%AA%D9%86%20%D9%BE%DB%8C%D8%A7%D9%85"
    url = f"/api/send/webservice?from=+983000100200&message={message}&to=+989120000000&{credentials}"
    response = call("GET", url, key=None)
    (sent,) = call.sandbox.state.outbox.values()
    assert set(paths(response.json())) == set(ANSWERS["send.url"])
    assert (sent.line, sent.text, sent.recipients[0].number) == ("+983000100200", "متن پیام", "+989120000000")


CURL = shutil.which("curl")
CURLS: dict[str, tuple[list[str], list[str], str]] = {
    "a login": (
        ["--location", "{url}/api/acl/auth/login", "--header", "Content-Type: application/json"],
        ["--data-raw", '{{"username": "sandbox", "password": "Sandbox-1"}}'],
        "auth.login",
    ),
    "a send": (
        ["--location", "{url}/api/send", "--header", "Content-Type: application/json", "--header", "{key}"],
        [
            "--data",
            (
                '{{"sending_type": "webservice", "from_number": "{line}", "message": "متن پیام",'
                ' "params": {{"recipients": ["+989120000000", "+989350000000"]}}}}'
            ),
        ],
        "send.webservice",
    ),
    "a file": (
        ["--location", "{url}/api/send", "--header", "Content-Type: multipart/form-data", "--header", "{key}"],
        [
            *("--header", "Accept: application/json", "--form", 'sending_type="file"'),
            *("--form", 'from_number="{line}"', "--form", 'message="متن پیام"', "--form", 'files[]=@"{file}"'),
            *("--form", 'other_recipients[]="+989350000000"'),
        ],
        "send.file",
    ),
    "a send by URL": (
        ["-X", "GET", "{url}/api/send/webservice?from={line}&message=a&to=+989120000000&apikey=sandbox-key"],
        [],
        "send.url",
    ),
    "a report": (
        ["--location", "{url}/api/report/recipients?page=1&per_page=10&bulk_id={sent}"],
        ["--header", "Content-Type: application/json", "--header", "{key}"],
        "reports.recipients",
    ),
}


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@pytest.mark.parametrize("name", CURLS)
def test_the_documented_curl_commands_are_answered_as_documented(
    name: str, sandbox: Sandbox, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("phone_number\n09120000000\n", encoding="utf-8")
    first, second, endpoint = CURLS[name]
    with sandbox:
        values = {
            "url": sandbox.base_url,
            "key": f"Authorization: {sandbox.api_key}",
            "line": sandbox.from_number,
            "file": str(file),
            "sent": world.sent,
        }
        arguments = [each.format(**values) for each in (*first, *second)]
        command = [str(CURL), "--silent", "--noproxy", "*", *arguments]
        answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - constant
    assert answer["meta"]["status"] is True
    sometimes = {"meta.message_parameters[]"}  # an example may leave it out
    assert set(paths(answer)) - sometimes == set(ANSWERS[endpoint]) - sometimes
