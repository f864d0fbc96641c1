"""The rules of the users section: sub-users, tariffs and the user hierarchy."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from ippanel_edge.sandbox.records import Tariff, User
from ippanel_edge.sandbox.replies import (
    Reply,
    conflict,
    forbidden,
    invalid_message,
    label,
    not_found,
    ok,
    page,
    rejection,
)
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.identity import (
    NATIONAL_CODE_MESSAGE,
    PASSWORD_MESSAGE,
    TAKEN_MESSAGE,
    USERNAME_MESSAGE,
    is_national_code,
    is_password,
    is_username,
    read_date,
    read_mobile,
)
from ippanel_edge.sandbox.rules.user_filters import YES_OR_NO, read_filters, yes_or_no

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields


@serves("users.list", "GET", "/api/user/list", resellers_only=True)
def listing(call: Call) -> Reply:
    """List the sub-users of the caller that match the filters."""
    number, size = call.query.paging()
    filters = read_filters(call)
    call.check()
    rows = [user for user in call.state.with_sub_users(call.user)[1:] if filters.matches(user)]
    return page(rows, lambda user: _row(call, user), number=number, size=size, path=call.path)


def _row(call: Call, user: User) -> dict[str, Any]:
    """Serialise a user for the list: bool values as "yes" or "no" or as digits, times as Unix seconds."""
    package = call.state.packages.get(user.package_id)
    return {
        "status": user.status,
        "time": int(user.created_at.timestamp()),
        "uname": user.username,
        "document_block": yes_or_no(value=user.document_block),
        "special_disc": user.special_disc,
        "parent": user.parent_id,
        "user_id": user.user_id,
        "accounting_id": None,
        "is_reseller": yes_or_no(value=user.is_reseller),
        "name": user.name,
        "national_id": user.national_code,
        "certificate_id": user.national_code,
        "tell": user.tell or None,
        "mobile": user.mobile,
        "address": user.address,
        "company": user.company,
        "postalcode": int(user.zip_code) if user.zip_code.isdecimal() else user.zip_code,
        "send_block": yes_or_no(value=user.send_block),
        "email": user.email,
        "add_status": user.add_status,
        "acl_role_id": user.package_id,
        "last_login": None if user.last_login is None else int(user.last_login.timestamp()),
        "confirm": "0",
        "user_create": yes_or_no(value=user.is_reseller),
        "show_status": user.status,
        "expire_time": None if user.expire_at is None else int(user.expire_at.timestamp()),
        "user_description": user.description or None,
        "description": user.description or None,
        "is_bought_panel": str(int(user.is_bought_panel)),
        "main_parent": _with_ancestors(call, user)[0].username,
        "credit": {"credit": user.credit, "user_id": user.user_id},
        "acl_role": {"acl_role_id": user.package_id, "acl_role_name": package.name if package else None},
    }


def _with_ancestors(call: Call, user: User) -> list[User]:
    """Return a user and all its ancestors, topmost first."""
    chain = [user]
    while chain[0].parent_id is not None:
        chain.insert(0, call.state.users[chain[0].parent_id])
    return chain


@serves("users.show", "GET", "/api/user/show", resellers_only=True)
def show(call: Call) -> Reply:
    """Return one user, with more fields than the list and with its parent as an object."""
    user_id = call.query.integer("user_id")
    call.check()
    user = _find(call, user_id)
    parent = None if user.parent_id is None else call.state.users[user.parent_id]
    return ok(
        {
            **_row(call, user),
            "parent": None if parent is None else {"user_id": parent.user_id, "uname": parent.username},
            "mobile": user.mobile.removeprefix("+98"),
            "parent_id": user.parent_id,
            "need_changing_password": "no",
        }
    )


def _find(call: Call, user_id: int) -> User:
    """Return the caller or one of its sub-users.

    Raises:
        Rejection: 404 if there is none.
    """
    user = next((user for user in call.state.with_sub_users(call.user) if user.user_id == user_id), None)
    if user is None:
        raise not_found("کاربر مورد نظر یافت نشد", code="404-1")
    return user


@serves("users.register", "POST", "/api/user/create", resellers_only=True)
def register(call: Call) -> Reply:
    """Create a sub-user of the caller."""
    body, state = call.body, call.state
    username, password = body.string("user_name"), body.string("password")
    national_code = body.string("national_code")
    mobile = read_mobile(body, "mobile_number")
    birth_date = read_date(body, "birth_date", required=True)
    package_id = body.integer("acl_id")
    texts = {
        name: body.string_or_none(name) or ""
        for name in ("name_family", "email", "description", "company", "zip_code", "tell", "address")
    }
    ends = read_date(body, "expire_time", required=False)
    if username and not is_username(username):
        body.add_error("user_name", USERNAME_MESSAGE)
    elif state.find_user(username):
        body.add_error("user_name", TAKEN_MESSAGE)
    if national_code and not is_national_code(national_code):
        body.add_error("national_code", NATIONAL_CODE_MESSAGE)
    _check_password(body, password)
    _check_package(call, package_id)
    call.check()
    user = User(
        state.next_id("user"),
        username,
        password,
        call.now,
        parent_id=call.user.user_id,
        mobile=mobile,
        national_code=national_code,
        birth_date="" if birth_date is None else birth_date.isoformat(),
        package_id=package_id,
        add_status="webservice",
        expire_at=_midnight(ends),
        name=texts["name_family"],
        email=texts["email"],
        description=texts["description"],
        company=texts["company"],
        zip_code=texts["zip_code"],
        tell=texts["tell"],
        address=texts["address"],
    )
    state.users[user.user_id] = user
    return ok()


def _check_password(body: Fields, password: str | None) -> None:
    if password and not is_password(password):
        body.add_error("password", PASSWORD_MESSAGE)


def _check_package(call: Call, package_id: int | None) -> None:
    if package_id and package_id not in call.state.packages:
        call.body.add_error("acl_id", invalid_message(label("acl_id")))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


@serves("users.update", "POST", "/api/user/update", other_methods=("PUT",), resellers_only=True)
def update(call: Call) -> Reply:
    """Update the given fields of a sub-user of the caller."""
    body = call.body
    user_id = body.integer("user_id")
    body.ignore("name_family")
    texts = {
        name: body.string_or_none(name) for name in ("name", "company", "email", "tell", "description", "password")
    }
    status = body.choice_or_none("status", ("active", "inactive"))
    send_block = body.choice_or_none("send_block", YES_OR_NO)
    is_bought_panel = body.integer_or_none("is_bought_panel", minimum=0, maximum=1)
    special_disc, package_id = body.integer_or_none("special_disc", minimum=0), body.integer_or_none("acl_id")
    ends = read_date(body, "expire_time", required=False)
    _check_password(body, texts["password"])
    _check_package(call, package_id)
    call.check()
    user = _find(call, user_id)
    if user is call.user:
        raise forbidden()
    changes: dict[str, Any] = {
        **texts,
        "status": status,
        "send_block": None if send_block is None else send_block == "yes",
        "is_bought_panel": None if is_bought_panel is None else bool(is_bought_panel),
        "special_disc": special_disc,
        "package_id": package_id,
        "expire_at": _midnight(ends),
    }
    for name, value in changes.items():
        if value is not None:
            setattr(user, name, value)
    return ok()


@serves("users.check_exists", "POST", "/api/user/check_exist", resellers_only=True)
def check_exists(call: Call) -> Reply:
    """Return 200 if a username is free, or 409 if it is taken."""
    username = call.body.string("user_name")
    call.check()
    if not is_username(username):
        raise rejection(422, USERNAME_MESSAGE)
    if call.state.find_user(username):
        raise conflict(TAKEN_MESSAGE)
    return ok(message="این نام کاربری قابل ثبت می باشد")


@serves("users.tariff", "GET", "/api/user/get_tariff", other_paths=("/api/user/tariff",), resellers_only=True)
def tariff(call: Call) -> Reply:
    """List the prices as str, in two rows for each tariff."""
    call.check()
    return ok([row for tariff in call.state.tariffs.values() for row in _tariff_rows(tariff)])


def _tariff_rows(tariff: Tariff) -> list[dict[str, Any]]:
    kind = {"operator_id": tariff.tariff_id, "name": tariff.name}
    return [
        {**kind, "persian_mci": str(tariff.persian_mci), "english_mci": str(tariff.english_mci)},
        {**kind, "persian_other": str(tariff.persian_other), "english_other": str(tariff.english_other)},
    ]


@serves("users.parents_tree", "GET", "/api/user/parents_tree", resellers_only=True)
def parents_tree(call: Call) -> Reply:
    """Return the ancestors of a user; in `tree`, `is_reseller` is "yes" or "no"."""
    user_id = call.query.integer("user_id")
    call.check()
    *ancestors, user = _with_ancestors(call, _find(call, user_id))
    top = (ancestors or [user])[0]
    return ok(
        {
            "selected_user": _tree_row(user, is_reseller=user.is_reseller),
            "main_parent": _tree_row(top, is_reseller=top.is_reseller),
            "tree": [_tree_row(parent, is_reseller=yes_or_no(value=parent.is_reseller)) for parent in ancestors],
        }
    )


def _tree_row(user: User, *, is_reseller: bool | str) -> dict[str, Any]:
    return {"id": user.user_id, "username": user.username, "is_reseller": is_reseller}
