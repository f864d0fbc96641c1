"""Users, lines, packages and documents in the sandbox, with the client and with raw HTTP for invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest

from ippanel_edge import (
    ConfigurationError,
    Credentials,
    EdgeClient,
    NotFound,
    PermissionDenied,
    RetryPolicy,
    ValidationFailed,
)
from ippanel_edge.models.packages import PackageFilters
from ippanel_edge.models.users import NewUser, UserChanges, UserFilters
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import PROMOTIONAL_NUMBER, SUB_USER_API_KEY, USERNAME
from tests.sandbox.caller import Caller, form_parts
from tests.sandbox.conftest import START

SUB_USER = "sub-user"
NEW: dict[str, Any] = {
    "user_name": "Mina.K-7",
    "password": "Mina-k-2030",
    "national_code": "0499370899",
    "mobile_number": "+989361112244",
    "birth_date": "1995-04-06",
    "acl_id": 2,
}


def errors(response: Any) -> list[str]:
    assert response.status_code == 422, response.text
    return list(response.json()["meta"]["errors"])


class Connect(Protocol):
    """Creates a client of the running sandbox, which is closed at the end of the test."""

    def __call__(self, **options: Any) -> EdgeClient: ...


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    with ExitStack() as stack:
        stack.enter_context(sandbox)

        def make(**options: Any) -> EdgeClient:
            client = EdgeClient(base_url=sandbox.base_url, retry=RetryPolicy(retries=0), **options)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(sandbox: Sandbox, connect: Connect) -> EdgeClient:
    return connect(api_key=sandbox.api_key)


def mina(**changes: Any) -> NewUser:
    fields: dict[str, Any] = {**NEW, "birth_date": date(1995, 4, 6), "name_family": "مینا", **changes}
    return NewUser(**fields)


def id_of(client: EdgeClient, username: str) -> int:
    (user,) = client.users.list(filters=UserFilters(username=username))
    assert user.user_id is not None
    return user.user_id


class TestUsers:
    def test_a_registered_user_is_listed_and_can_log_in(self, client: EdgeClient, connect: Connect) -> None:
        assert client.users.check_exists("Mina.K-7") is False
        client.users.register(mina(zip_code="1234567891", expire_time=date(2032, 1, 1)))
        assert client.users.check_exists("Mina.K-7") is True
        user = client.users.show(id_of(client, "Mina"))
        assert (user.uname, user.name, user.mobile) == ("Mina.K-7", "مینا", "9361112244")
        assert user.parent is not None
        assert user.parent.uname == USERNAME
        assert user.postalcode == "1234567891"
        assert user.expire_time == datetime(2032, 1, 1, tzinfo=UTC)
        assert (user.last_login, user.is_reseller, user.need_changing_password) == (None, False, False)
        own = connect(credentials=Credentials("Mina.K-7", NEW["password"]))
        assert own.auth.check_token().user_id == user.user_id
        assert client.users.show(user.user_id or 0).last_login == START

    def test_a_taken_username_is_rejected(self, client: EdgeClient) -> None:
        client.users.register(mina())
        with pytest.raises(ValidationFailed, match="قبلا ثبت شده است"):
            client.users.register(mina())
        assert len(client.users.list()) == 2

    def test_an_invalid_username_is_rejected(self, client: EdgeClient) -> None:
        with pytest.raises(ValidationFailed, match="باید شامل حروف انگلیسی"):
            client.users.check_exists("مینا")

    def test_update_changes_only_the_given_fields(self, client: EdgeClient, connect: Connect) -> None:
        user_id = id_of(client, SUB_USER)
        before = client.users.show(user_id)
        client.users.update(user_id, UserChanges(send_block=True, is_bought_panel=False, company="باغ"))
        after = client.users.show(user_id)
        assert (after.send_block, after.is_bought_panel, after.company) == (True, False, "باغ")
        assert (after.name, after.status, after.special_disc) == (before.name, before.status, before.special_disc)
        client.users.update(user_id, UserChanges(send_block=False, status="inactive", password="Tut-e-farangi-1"))
        last = client.users.show(user_id)
        assert (last.send_block, last.status, last.company) == (False, "inactive", "باغ")
        with pytest.raises(ValidationFailed):
            connect(credentials=Credentials(SUB_USER, "Tut-e-farangi-1")).payment.credit()

    def test_each_filter_is_applied(self, client: EdgeClient, sandbox: Sandbox) -> None:
        sandbox.clock.advance(3600)
        client.users.register(mina(tell="02188001122", expire_time=date(2031, 1, 1)))
        hour = timedelta(hours=1)

        def found(**filters: Any) -> list[str | None]:
            return [user.uname for user in client.users.iter_list(filters=UserFilters(**filters), per_page=1)]

        assert found() == [SUB_USER, "Mina.K-7"]
        for filters in (
            {"username": "Mina"},
            {"name": "مینا"},
            {"add_status": "webservice"},
            {"national_id": "0499370899"},
            {"acl_role_id": 2},
            {"tell": "0218800"},
            {"mobile": "0936 111 2244"},
            {"created_from": START + hour},
            {"expire_from": datetime(2030, 12, 31, tzinfo=UTC), "expire_to": datetime(2031, 1, 2, tzinfo=UTC)},
        ):
            assert found(**filters) == ["Mina.K-7"], filters
        assert found(created_to=START + hour / 2) == [SUB_USER]
        assert found(is_reseller=True) == []
        assert found(is_reseller=False, document_block=False, is_bought_panel=True, login_status=0) == found()
        assert found(sub_reseller=False) == found()
        assert found(sub_reseller=True) == []

    def test_only_a_reseller_can_register_users(self, client: EdgeClient, connect: Connect) -> None:
        with connect(api_key=SUB_USER_API_KEY) as sub_user, pytest.raises(PermissionDenied):
            sub_user.users.register(mina())
        assert client.users.check_exists("Mina.K-7") is False

    def test_a_user_cannot_see_its_ancestors(self, client: EdgeClient, connect: Connect, sandbox: Sandbox) -> None:
        main_id = client.auth.check_token().user_id
        sandbox.state.users[sandbox.state.api_keys[SUB_USER_API_KEY]].is_reseller = True
        assert main_id is not None
        with connect(api_key=SUB_USER_API_KEY) as sub_user:
            assert list(sub_user.users.iter_list()) == []
            for method in (sub_user.users.show, sub_user.users.parents_tree):
                with pytest.raises(NotFound):
                    method(main_id)
            with pytest.raises(NotFound) as caught:
                sub_user.users.update(main_id, UserChanges(name="x"))
            assert caught.value.message_code == "404-1"

    def test_the_tree_lists_the_ancestors_of_a_user(self, client: EdgeClient) -> None:
        tree = client.users.parents_tree(id_of(client, SUB_USER))
        assert tree.selected_user is not None
        assert tree.main_parent is not None
        assert (tree.selected_user.username, tree.main_parent.username) == (SUB_USER, USERNAME)
        assert [(parent.username, parent.is_reseller) for parent in tree.tree] == [(USERNAME, True)]

    def test_a_tariff_has_one_row_for_mci_and_one_for_other_operators(self, client: EdgeClient) -> None:
        mci, other = client.users.tariff()[:2]
        assert (mci.name, mci.persian_mci, mci.persian_other) == ("پیامک", 1210.5, None)
        assert (other.operator_id, other.persian_mci, other.english_other) == (mci.operator_id, None, 3120.0)


class TestNumbers:
    def test_an_assigned_line_can_be_used_until_it_is_unassigned(self, client: EdgeClient, connect: Connect) -> None:
        with connect(api_key=SUB_USER_API_KEY, from_number=PROMOTIONAL_NUMBER) as sub_user:
            with pytest.raises(ValidationFailed):
                sub_user.send.webservice("09121230001", "salam")
            client.numbers.assign(send=True, gets=False, number=PROMOTIONAL_NUMBER, target_user=SUB_USER)
            assert sub_user.send.webservice("09121230001", "salam").id
            lines = {line.number: line.gets for line in sub_user.numbers.list()}
            assert lines == {PROMOTIONAL_NUMBER: False, "+983000100300": True}
            client.numbers.unassign(number=PROMOTIONAL_NUMBER, target_user=SUB_USER)
            with pytest.raises(ValidationFailed):
                sub_user.send.webservice("09121230002", "salam")

    def test_a_line_can_be_assigned_for_its_inbox_only(
        self, client: EdgeClient, sandbox: Sandbox, connect: Connect
    ) -> None:
        (line,) = (line for line in client.numbers.list() if line.number == PROMOTIONAL_NUMBER)
        client.numbers.assign(send=False, gets=True, number_id=line.id, target_user_id=id_of(client, SUB_USER))
        sandbox.state.receive("+989121230001", PROMOTIONAL_NUMBER, "hello")
        with connect(api_key=SUB_USER_API_KEY, from_number=PROMOTIONAL_NUMBER) as sub_user:
            assert [message.message for message in sub_user.reports.inbox()] == ["hello"]
            with pytest.raises(ValidationFailed):
                sub_user.send.webservice("09121230001", "salam")

    def test_assigning_twice_and_unassigning_twice_are_rejected(self, client: EdgeClient) -> None:
        line = {"number": PROMOTIONAL_NUMBER, "target_user": SUB_USER}
        client.numbers.assign(send=True, gets=True, **line)  # type: ignore[arg-type]  # both values are str
        with pytest.raises(ValidationFailed, match="already assigned"):
            client.numbers.assign(send=True, gets=True, **line)  # type: ignore[arg-type]  # both values are str
        client.numbers.unassign(**line)  # type: ignore[arg-type]  # both values are str
        with pytest.raises(ValidationFailed, match="not assigned"):
            client.numbers.unassign(**line)  # type: ignore[arg-type]  # both values are str

    def test_lines_are_paginated_without_a_pagination_meta(self, client: EdgeClient) -> None:
        assert [line.id for line in client.numbers.iter_list(per_page=3)] == [line.id for line in client.numbers.list()]

    def test_only_the_owner_can_assign_a_line(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.users[sandbox.state.api_keys[SUB_USER_API_KEY]].is_reseller = True
        body = {"number": "+983000100300", "target_user": SUB_USER, "send": True, "gets": True}
        assert errors(call("POST", "/api/numbers/assign", json=body)) == ["number"]
        body = {"number": PROMOTIONAL_NUMBER, "target_user": USERNAME, "send": True, "gets": True}
        assert errors(call("POST", "/api/numbers/assign", key=SUB_USER_API_KEY, json=body)) == ["number", "target_user"]

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({"send": True, "gets": True}, ["number_id", "number", "target_user_id", "target_user"]),
            ({"number_id": 1, "target_user_id": 1}, ["send", "gets"]),
            ({"number_id": "1", "target_user": SUB_USER, "send": "yes", "gets": 1}, ["send", "gets", "number_id"]),
            ({"number_id": 1, "target_user": "x", "send": True, "gets": True}, ["number_id", "target_user"]),
            ({"number": PROMOTIONAL_NUMBER, "target_user": SUB_USER, "send": True, "gets": True, "x": 1}, ["x"]),
        ],
    )
    def test_invalid_fields_are_named(self, call: Caller, body: dict[str, Any], wrong: list[str]) -> None:
        assert errors(call("POST", "/api/numbers/assign", json=body)) == wrong


class TestPackages:
    def test_packages_are_filtered(self, client: EdgeClient) -> None:
        def found(**filters: Any) -> list[int | None]:
            return [package.acl_role_id for package in client.packages.iter_list(filters=PackageFilters(**filters))]

        assert found() == [1, 2, 3]
        assert found(package_id=2) == found(name="حرفه") == found(price=2_500_000) == found(special_disc=10) == [2]
        assert found(status="inactive") == found(register_type="offline") == [3]
        assert found(type="user") == [1, 2, 3]
        first = client.packages.list(per_page=2).items[0]
        assert (first.time, first.updated_at, first.price) == (START, START, 0.0)

    def test_an_unknown_filter_is_rejected(self, call: Caller) -> None:
        assert errors(call("GET", "/api/acl/package/list", params={"title": "x"})) == ["title"]


class TestDocuments:
    def test_files_are_uploaded_listed_and_removed(self, client: EdgeClient, sandbox: Sandbox) -> None:
        documents = client.users.documents
        card = next(document for document in documents.list() if document.file_count == 2)
        assert card.id is not None
        documents.upload(card.id, [("front.png", b"front"), ("back.png", b"back")])
        assert [file.content for document in sandbox.state.documents.values() for file in document.files] == [
            b"front",
            b"back",
        ]
        shown = next(document for document in documents.list() if document.id == card.id)
        assert shown.user_document["files"] == ["front.png", "back.png"]
        documents.remove(card.id)
        assert [document.user_document for document in documents.list()] == [None, None]
        with pytest.raises(NotFound):
            documents.remove(card.id)

    def test_a_document_accepts_any_number_of_files_from_1(self, client: EdgeClient) -> None:
        for count in (1, 11):
            client.users.documents.upload(6, [(f"{index}.png", b"x") for index in range(count)])
            (document,) = (each for each in client.users.documents.list() if each.id == 6)
            assert document.user_document is not None
        with pytest.raises(ConfigurationError):
            client.users.documents.upload(6, [])

    def test_an_id_can_be_a_str_but_must_exist(self, call: Caller) -> None:
        assert call("POST", "/api/user/documents/remove", json={"document_id": "6"}).status_code == 404
        assert errors(call("POST", "/api/user/documents/remove", json={"document_id": 5})) == ["document_id"]
        assert errors(call("POST", "/api/user/documents/upload", files=form_parts({"document_id": "6"}))) == ["files"]


class TestRawHttp:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/user/list"),
            ("POST", "/api/user/create"),
            ("GET", "/api/acl/package/list"),
            ("GET", "/api/ticket"),
            ("POST", "/api/numbers/assign"),
        ],
    )
    def test_the_sections_of_resellers_reject_other_users(self, call: Caller, method: str, path: str) -> None:
        response = call(method, path, key=SUB_USER_API_KEY)
        assert (response.status_code, response.json()["meta"]["message_code"]) == (403, "403-1")

    def test_an_update_accepts_both_documented_methods(self, call: Caller) -> None:
        body = {"user_id": 77, "name": "x"}
        for method in ("POST", "PUT"):
            response = call(method, "/api/user/update", json=body)
            assert (response.status_code, response.json()["meta"]["message_code"]) == (404, "404-1")

    def test_the_tariff_has_both_documented_paths(self, call: Caller) -> None:
        first, second = (call("GET", f"/api/user/{name}").json() for name in ("get_tariff", "tariff"))
        assert first == second
        assert first["data"]

    def test_the_documented_add_status_named_status_is_accepted(self, call: Caller) -> None:
        assert call("GET", "/api/user/list", params={"add_status": "status"}).json()["data"] == []

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"user_name": "مینا"}, "user_name"),
            ({"user_name": SUB_USER}, "user_name"),
            ({"password": "mina-k-2030"}, "password"),
            ({"national_code": "0499370898"}, "national_code"),
            ({"national_code": "049937089"}, "national_code"),
            ({"mobile_number": "02188001122"}, "mobile_number"),
            ({"birth_date": "1374-01-17"}, "birth_date"),
            ({"birth_date": "1995/04/06"}, "birth_date"),
            ({"birth_date": "1995-02-30"}, "birth_date"),
            ({"birth_date": ""}, "birth_date"),
            ({"expire_time": "2030-13-01"}, "expire_time"),
            ({"acl_id": "2"}, "acl_id"),
            ({"acl_id": 99}, "acl_id"),
            ({"username": "x"}, "username"),
            ({"email": None}, "email"),
        ],
    )
    def test_an_invalid_registration_field_is_named(self, call: Caller, change: dict[str, Any], wrong: str) -> None:
        assert errors(call("POST", "/api/user/create", json={**NEW, **change})) == [wrong]

    def test_a_local_mobile_number_is_accepted_as_documented(self, call: Caller, sandbox: Sandbox) -> None:
        body = {**NEW, "mobile_number": "09361112244"}
        assert call("POST", "/api/user/create", json=body).status_code == 200
        user = sandbox.state.find_user("Mina.K-7")
        assert user is not None
        assert user.mobile == "+989361112244"

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"send_block": True}, "send_block"),
            ({"send_block": "1"}, "send_block"),
            ({"is_bought_panel": "yes"}, "is_bought_panel"),
            ({"is_bought_panel": 2}, "is_bought_panel"),
            ({"status": "on"}, "status"),
            ({"password": "weak"}, "password"),
            ({"acl_id": 99}, "acl_id"),
            ({"expire_time": "1410-01-01"}, "expire_time"),
            ({"special_disc": "5"}, "special_disc"),
            ({"company": None}, "company"),
        ],
    )
    def test_an_invalid_update_field_is_named(
        self, call: Caller, sandbox: Sandbox, change: dict[str, Any], wrong: str
    ) -> None:
        user = sandbox.state.find_user(SUB_USER)
        assert user is not None
        assert errors(call("POST", "/api/user/update", json={"user_id": user.user_id, **change})) == [wrong]

    def test_a_user_cannot_update_itself(self, call: Caller, sandbox: Sandbox) -> None:
        user = sandbox.state.find_user(USERNAME)
        assert user is not None
        assert call("POST", "/api/user/update", json={"user_id": user.user_id, "name": "x"}).status_code == 403

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ({"is_reseller": "1"}, "is_reseller"),
            ({"is_bought_panel": "yes"}, "is_bought_panel"),
            ({"login_status": "1"}, "login_status"),
            ({"sub_reseller": "true"}, "sub_reseller"),
            ({"created_from": "2030-01-01"}, "created_from"),
            ({"username": ""}, "username"),
            ({"per_page": "1001"}, "per_page"),
        ],
    )
    def test_an_invalid_filter_is_named(self, call: Caller, query: dict[str, str], wrong: str) -> None:
        assert errors(call("GET", "/api/user/list", params=query)) == [wrong]

    def test_check_exists_requires_the_field_user_name(self, call: Caller) -> None:
        response = call("POST", "/api/user/check_exist", json={"username": "free"})
        assert errors(response) == ["user_name", "username"]
        taken = call("POST", "/api/user/check_exist", json={"user_name": USERNAME})
        assert (taken.status_code, taken.json()["meta"]["message_code"]) == (409, "400-1")
