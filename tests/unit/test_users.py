"""Users: invalid users, changes, filters and files are rejected before a request is sent."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import ConfigurationError, Conflict, EdgeClient
from ippanel_edge.api import users
from ippanel_edge.models.users import NewUser, UserChanges, UserFilters
from tests.contract.sample import ok

PASSWORD = "Anar-5-dane"


def new_user(**changes: Any) -> NewUser:
    fields: dict[str, Any] = {
        "user_name": "omid.k",
        "password": PASSWORD,
        "national_code": "0499370899",
        "mobile_number": "09351112200",
        "birth_date": date(1991, 3, 21),
        "acl_id": 31,
        **changes,
    }
    return NewUser(**fields)


class RecordingClient:
    """A client that records its requests."""

    def __init__(self, **options: Any) -> None:
        self.requests: list[httpx.Request] = []
        transport = httpx.MockTransport(self.respond)
        http = httpx.Client(transport=transport)
        self.client = EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http, **options)

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=ok(None))


def assert_rejected(call: Callable[[EdgeClient], object], argument: str, message: str) -> None:
    """Assert that the call raises ConfigurationError with this message, and sends no request."""
    recording = RecordingClient()
    with pytest.raises(ConfigurationError, match=message) as caught:
        call(recording.client)
    assert caught.value.argument == argument
    assert recording.requests == []


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Anar-5", "must also have 2 more characters$"),
        ("anar-5-dane", "must also have an upper-case letter$"),
        ("ANAR-5-DANE", "must also have a lower-case letter$"),
        ("Anar-e-dane", "must also have a digit$"),
        ("Anar5dane", "must also have a special character$"),
        ("انار", "must also have 4 more characters, a lower-case letter, an upper-case letter, a digit$"),
        ("", "must not be empty"),
    ],
)
def test_a_weak_password_is_rejected_and_the_error_names_the_missing_characters(password: str, message: str) -> None:
    assert_rejected(lambda client: client.users.register(new_user(password=password)), "user.password", message)
    assert_rejected(lambda client: client.users.update(8, UserChanges(password=password)), "changes.password", message)


@pytest.mark.parametrize("model", [new_user(), UserChanges(password=PASSWORD)], ids=["new", "changes"])
def test_a_password_is_neither_shown_nor_pickled(model: NewUser | UserChanges) -> None:
    assert PASSWORD not in repr(model)
    assert PASSWORD not in str(model)
    assert PASSWORD not in repr(attrs.asdict(model))
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(model)


@pytest.mark.parametrize("code", ["049937089", "04993708990", "0499-370899", "049937089x", "٠٤٩٩٣٧٠٨٩"])
def test_a_national_code_without_exactly_ten_digits_is_rejected(code: str) -> None:
    assert_rejected(
        lambda client: client.users.register(new_user(national_code=code)), "user.national_code", "10 digits"
    )


def test_a_national_code_with_a_wrong_check_digit_is_rejected() -> None:
    for last in "012345678":
        user = new_user(national_code=f"049937089{last}")
        with pytest.raises(ConfigurationError, match="check digit"):
            RecordingClient().client.users.register(user)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_any_nine_digits_have_exactly_one_valid_check_digit(first_digits: str) -> None:
    accepted = 0
    for last in "0123456789":
        try:
            assert users.national_code(first_digits + last, argument="code") == first_digits + last
        except ConfigurationError:
            continue
        accepted += 1
    assert accepted == 1


@pytest.mark.parametrize("field", ["birth_date", "expire_time"])
def test_a_jalali_date_is_rejected(field: str) -> None:
    user = new_user(**{field: date(1370, 1, 1)})
    assert_rejected(
        lambda client: client.users.register(user), f"user.{field}", "expected a Gregorian date, got the Jal"
    )


def test_a_jalali_expiry_date_is_rejected_in_changes() -> None:
    changes = UserChanges(expire_time=date(1405, 1, 1))
    assert_rejected(lambda client: client.users.update(8, changes), "changes.expire_time", "Gregorian")


@pytest.mark.parametrize("field", ["birth_date", "expire_time"])
def test_a_datetime_is_rejected_as_a_date(field: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a date, got a datetime") as caught:
        new_user(**{field: datetime(1991, 3, 21, tzinfo=UTC)})
    assert caught.value.argument == field


def test_a_mobile_number_is_normalised_or_rejected_when_the_model_is_created() -> None:
    assert new_user(mobile_number="۰۹۳۵ ۴۴۴ ۲۲۰۰").mobile_number == "+989354442200"
    with pytest.raises(ConfigurationError) as caught:
        new_user(mobile_number="02188001122")
    assert caught.value.argument == "mobile_number"


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"user_name": " "}, "user.user_name"),
        ({"acl_id": 0}, "user.acl_id"),
        ({"email": ""}, "user.email"),
        ({"address": " "}, "user.address"),
    ],
)
def test_a_blank_field_is_rejected(changes: dict[str, Any], argument: str) -> None:
    assert_rejected(lambda client: client.users.register(new_user(**changes)), argument, "expected |must not be empty")


def test_an_argument_of_another_class_is_rejected() -> None:
    changes: Any = UserChanges(name="امید")
    assert_rejected(lambda client: client.users.register(changes), "user", "expected a NewUser, got UserChanges")
    user: Any = new_user()
    assert_rejected(lambda client: client.users.update(8, user), "changes", "expected a UserChanges, got NewUser")
    filters: Any = {"name": "omid"}
    assert_rejected(lambda client: client.users.list(filters=filters), "filters", "expected a UserFilters, got dict")
    assert_rejected(
        lambda client: client.packages.list(filters=filters), "filters", "expected a PackageFilters, got dict"
    )


def test_changes_without_a_field_are_rejected() -> None:
    assert_rejected(lambda client: client.users.update(8, UserChanges()), "changes", "nothing to change")


def test_an_undocumented_status_is_rejected() -> None:
    changes = UserChanges(status="blocked")
    assert_rejected(
        lambda client: client.users.update(8, changes), "changes.status", "expected one of 'active', 'inactive'"
    )


@pytest.mark.parametrize("value", ["yes", "no", 2])
@pytest.mark.parametrize("field", ["send_block", "is_bought_panel"])
def test_a_flag_that_is_not_a_bool_or_none_is_rejected(field: str, value: object) -> None:
    fields: dict[str, Any] = {field: value}
    with pytest.raises(ConfigurationError, match="expected True, False or None") as caught:
        UserChanges(**fields)
    assert caught.value.argument == field


@pytest.mark.parametrize(
    ("filters", "argument"),
    [
        (UserFilters(add_status="manual"), "filters.add_status"),
        (UserFilters(login_status=1), "filters.login_status"),
        (UserFilters(username=""), "filters.username"),
    ],
)
def test_an_undocumented_filter_value_is_rejected(filters: UserFilters, argument: str) -> None:
    assert_rejected(lambda client: client.users.list(filters=filters), argument, "expected |must not be empty")


@pytest.mark.parametrize("add_status", ["status", "normal", "online", "webservice"])
def test_each_documented_add_status_is_sent(add_status: str) -> None:
    assert users.filters(UserFilters(add_status=add_status), check=True) == {"add_status": add_status}


def test_a_naive_datetime_is_rejected_when_the_filter_is_created() -> None:
    with pytest.raises(ConfigurationError, match="time zone") as caught:
        UserFilters(created_from=datetime(2026, 1, 1))  # noqa: DTZ001 - a naive datetime is the test data
    assert caught.value.argument == "created_from"


@pytest.mark.parametrize("user_id", [0, -1, True, "8", 8.0])
def test_an_id_that_is_not_an_int_from_1_is_rejected(user_id: Any) -> None:
    assert_rejected(lambda client: client.users.show(user_id), "user_id", "expected ")
    assert_rejected(lambda client: client.users.parents_tree(user_id), "user_id", "expected ")
    assert_rejected(lambda client: client.users.update(user_id, UserChanges(name="امید")), "user_id", "expected ")
    assert_rejected(lambda client: client.users.documents.remove(user_id), "document_id", "expected ")
    assert_rejected(
        lambda client: client.users.documents.upload(user_id, [("a.png", b"a")]), "document_id", "expected "
    )


def test_an_invalid_page_or_page_size_is_rejected() -> None:
    assert_rejected(lambda client: client.users.list(per_page=1001), "per_page", "1 to 1000")
    assert_rejected(lambda client: client.packages.list(per_page=1001), "per_page", "1 to 1000")
    assert_rejected(lambda client: client.users.list(page=0), "page", "1 or more")


def test_a_blank_user_name_is_rejected() -> None:
    assert_rejected(lambda client: client.users.check_exists(" "), "user_name", "must not be empty")


@pytest.mark.parametrize(
    "files", ["card.png", Path("card.png"), ("card.png", b"png"), io.BytesIO(b"png")], ids=["str", "path", "pair", "io"]
)
def test_a_single_file_instead_of_a_list_is_rejected(files: Any) -> None:
    assert_rejected(lambda client: client.users.documents.upload(4, files), "files", "expected a list")


def test_an_invalid_file_is_named_by_its_index(tmp_path: Path) -> None:
    missing = tmp_path / "back.png"
    files: list[Any] = [("front.png", b"png"), missing]
    assert_rejected(lambda client: client.users.documents.upload(4, files), "files[1]", "cannot be read")
    assert_rejected(lambda client: client.users.documents.upload(4, [("front.png", b"")]), "files[0]", "empty")
    assert_rejected(lambda client: client.users.documents.upload(4, []), "files", "must not be empty")


def test_documented_rules_are_left_to_the_service_if_limit_checks_are_disabled() -> None:
    recording = RecordingClient(validate=False)
    recording.client.users.register(new_user(password="short", national_code="123", birth_date=date(1370, 1, 1)))
    recording.client.users.update(8, UserChanges(status="blocked", password="short"))
    assert len(recording.requests) == 2


def test_a_409_of_a_proxy_does_not_mean_that_a_user_name_exists() -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(409, text="<html>Conflict</html>")))
    client = EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http)
    with pytest.raises(Conflict, match="the response begins '<html>"):
        client.users.check_exists("omid.k")
