"""What is wrong with a user, a change, a filter or a file is said before anything is sent, naming the argument."""

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


class Wire:
    """A client whose requests are counted."""

    def __init__(self, **options: Any) -> None:
        self.requests: list[httpx.Request] = []
        transport = httpx.MockTransport(self.answer)
        http = httpx.Client(transport=transport)
        self.client = EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http, **options)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=ok(None))


def refused(act: Callable[[EdgeClient], object], argument: str, why: str) -> None:
    """Assert that it is refused for this reason, and nothing is sent."""
    wire = Wire()
    with pytest.raises(ConfigurationError, match=why) as caught:
        act(wire.client)
    assert caught.value.argument == argument
    assert wire.requests == []


@pytest.mark.parametrize(
    ("password", "why"),
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
def test_a_weak_password_is_refused_and_not_shown(password: str, why: str) -> None:
    refused(lambda client: client.users.register(new_user(password=password)), "user.password", why)
    refused(lambda client: client.users.update(8, UserChanges(password=password)), "changes.password", why)


@pytest.mark.parametrize("shown", [new_user(), UserChanges(password=PASSWORD)], ids=["new", "changes"])
def test_a_users_password_is_in_no_repr_and_in_no_pickle(shown: NewUser | UserChanges) -> None:
    assert PASSWORD not in repr(shown)
    assert PASSWORD not in str(shown)
    assert PASSWORD not in repr(attrs.asdict(shown))
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(shown)


@pytest.mark.parametrize("code", ["049937089", "04993708990", "0499-370899", "049937089x", "٠٤٩٩٣٧٠٨٩"])
def test_a_national_code_has_ten_digits(code: str) -> None:
    refused(lambda client: client.users.register(new_user(national_code=code)), "user.national_code", "10 digits")


def test_a_national_code_with_a_wrong_check_digit_is_refused() -> None:
    for last in "012345678":
        user = new_user(national_code=f"049937089{last}")
        with pytest.raises(ConfigurationError, match="check digit"):
            Wire().client.users.register(user)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_any_nine_digits_have_exactly_one_check_digit(nine: str) -> None:
    fitting = 0
    for last in "0123456789":
        try:
            assert users.national_code(nine + last, argument="code") == nine + last
        except ConfigurationError:
            continue
        fitting += 1
    assert fitting == 1


@pytest.mark.parametrize("field", ["birth_date", "expire_time"])
def test_a_jalali_date_is_refused(field: str) -> None:
    user = new_user(**{field: date(1370, 1, 1)})
    refused(lambda client: client.users.register(user), f"user.{field}", "expected a Gregorian date, got the Jal")


def test_a_jalali_end_is_refused_in_a_change_too() -> None:
    changes = UserChanges(expire_time=date(1405, 1, 1))
    refused(lambda client: client.users.update(8, changes), "changes.expire_time", "Gregorian")


@pytest.mark.parametrize("field", ["birth_date", "expire_time"])
def test_a_datetime_is_no_date(field: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a date, got a datetime") as caught:
        new_user(**{field: datetime(1991, 3, 21, tzinfo=UTC)})
    assert caught.value.argument == field


def test_a_mobile_number_is_put_right_or_refused_when_it_is_set() -> None:
    assert new_user(mobile_number="۰۹۳۵ ۴۴۴ ۲۲۰۰").mobile_number == "+989354442200"
    with pytest.raises(ConfigurationError) as caught:
        new_user(mobile_number="02188001122")
    assert caught.value.argument == "mobile_number"


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"user_name": " "}, "user.user_name"),
        ({"acl_id": 0}, "user.acl_id"),
        ({"acl_id": "31"}, "user.acl_id"),
        ({"email": ""}, "user.email"),
        ({"address": 5}, "user.address"),
    ],
)
def test_a_field_that_is_set_says_something_of_its_kind(changes: dict[str, Any], argument: str) -> None:
    refused(lambda client: client.users.register(new_user(**changes)), argument, "expected |must not be empty")


def test_another_class_is_refused_by_name() -> None:
    changes: Any = UserChanges(name="امید")
    refused(lambda client: client.users.register(changes), "user", "expected a NewUser, got UserChanges")
    user: Any = new_user()
    refused(lambda client: client.users.update(8, user), "changes", "expected a UserChanges, got NewUser")
    filters: Any = {"name": "omid"}
    refused(lambda client: client.users.list(filters=filters), "filters", "expected a UserFilters, got dict")
    refused(lambda client: client.packages.list(filters=filters), "filters", "expected a PackageFilters, got dict")


def test_a_change_without_a_field_is_refused() -> None:
    refused(lambda client: client.users.update(8, UserChanges()), "changes", "nothing to change")


def test_a_status_is_active_or_inactive() -> None:
    changes = UserChanges(status="blocked")
    refused(lambda client: client.users.update(8, changes), "changes.status", "expected one of 'active', 'inactive'")


@pytest.mark.parametrize("word", ["yes", "no", 2])
@pytest.mark.parametrize("field", ["send_block", "is_bought_panel"])
def test_a_flag_is_true_false_or_none(field: str, word: object) -> None:
    fields: dict[str, Any] = {field: word}
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
def test_a_filter_that_the_service_does_not_know_is_refused(filters: UserFilters, argument: str) -> None:
    refused(lambda client: client.users.list(filters=filters), argument, "expected |must not be empty")


def test_a_naive_filter_time_is_refused_when_it_is_set() -> None:
    with pytest.raises(ConfigurationError, match="time zone") as caught:
        UserFilters(created_from=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    assert caught.value.argument == "created_from"


@pytest.mark.parametrize("user_id", [0, -1, True, "8", 8.0])
def test_an_id_is_a_whole_number_from_1(user_id: Any) -> None:
    refused(lambda client: client.users.show(user_id), "user_id", "expected ")
    refused(lambda client: client.users.parents_tree(user_id), "user_id", "expected ")
    refused(lambda client: client.users.update(user_id, UserChanges(name="امید")), "user_id", "expected ")
    refused(lambda client: client.users.documents.remove(user_id), "document_id", "expected ")
    refused(lambda client: client.users.documents.upload(user_id, [("a.png", b"a")]), "document_id", "expected ")


def test_a_page_has_at_most_1000_rows() -> None:
    refused(lambda client: client.users.list(per_page=1001), "per_page", "1 to 1000")
    refused(lambda client: client.packages.list(per_page=1001), "per_page", "1 to 1000")
    refused(lambda client: client.users.list(page=0), "page", "1 or more")


def test_a_blank_user_name_is_refused() -> None:
    refused(lambda client: client.users.check_exists(" "), "user_name", "must not be empty")


@pytest.mark.parametrize(
    "files", ["card.png", Path("card.png"), ("card.png", b"png"), io.BytesIO(b"png")], ids=["str", "path", "pair", "io"]
)
def test_a_lone_file_wants_a_list(files: Any) -> None:
    refused(lambda client: client.users.documents.upload(4, files), "files", "expected a list")


def test_a_bad_file_is_named_by_its_place(tmp_path: Path) -> None:
    missing = tmp_path / "back.png"
    files: list[Any] = [("front.png", b"png"), missing]
    refused(lambda client: client.users.documents.upload(4, files), "files[1]", "cannot be read")
    refused(lambda client: client.users.documents.upload(4, [("front.png", b"")]), "files[0]", "empty")
    refused(lambda client: client.users.documents.upload(4, []), "files", "must not be empty")


def test_unchecked_limits_leave_the_rules_to_the_service() -> None:
    wire = Wire(validate=False)
    wire.client.users.register(new_user(password="short", national_code="123", birth_date=date(1370, 1, 1)))
    wire.client.users.update(8, UserChanges(status="blocked", password="short"))
    assert len(wire.requests) == 2


def test_a_proxys_409_does_not_say_that_a_name_is_taken() -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(409, text="<html>Conflict</html>")))
    client = EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http)
    with pytest.raises(Conflict, match="the response begins '<html>"):
        client.users.check_exists("omid.k")
