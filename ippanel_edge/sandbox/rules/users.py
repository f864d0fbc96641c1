"""The rules of the users section: sub-users, what lines cost, and who is above whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from ippanel_edge.sandbox.records import Tariff, User
from ippanel_edge.sandbox.replies import (
    Answer,
    conflict,
    forbidden,
    label,
    not_found,
    not_valid_text,
    ok,
    page,
    refusal,
)
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.identity import (
    NATIONAL_CODE_TEXT,
    PASSWORD_TEXT,
    TAKEN_TEXT,
    USERNAME_TEXT,
    is_national_code,
    is_password,
    is_username,
    read_day,
    read_mobile,
)
from ippanel_edge.sandbox.rules.user_filters import YES_OR_NO, read_filters, word_of

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields


@serves("users.list", "GET", "/api/user/list")
def listing(call: Call) -> Answer:
    """List the users below the caller, filtered."""
    number, size = call.query.paging()
    wanted = read_filters(call)
    call.check()
    rows = [user for user in call.world.family(call.user)[1:] if wanted.fits(user)]
    return page(rows, lambda user: _row(call, user), number=number, size=size, path=call.path)


def _row(call: Call, user: User) -> dict[str, Any]:
    """Show a user as the list does: flags as words and digits, times in seconds."""
    package = call.world.packages.get(user.package_id)
    return {
        "status": user.status,
        "time": int(user.created_at.timestamp()),
        "uname": user.username,
        "document_block": word_of(is_so=user.document_block),
        "special_disc": user.special_disc,
        "parent": user.parent_id,
        "user_id": user.user_id,
        "accounting_id": None,
        "is_reseller": word_of(is_so=user.is_reseller),
        "name": user.name,
        "national_id": user.national_code,
        "certificate_id": user.national_code,
        "tell": user.tell or None,
        "mobile": user.mobile,
        "address": user.address,
        "company": user.company,
        "postalcode": int(user.zip_code) if user.zip_code.isdecimal() else user.zip_code,
        "send_block": word_of(is_so=user.send_block),
        "email": user.email,
        "add_status": user.add_status,
        "acl_role_id": user.package_id,
        "last_login": None if user.last_login is None else int(user.last_login.timestamp()),
        "confirm": "0",
        "user_create": word_of(is_so=user.is_reseller),
        "show_status": user.status,
        "expire_time": None if user.expire_at is None else int(user.expire_at.timestamp()),
        "user_description": user.description or None,
        "description": user.description or None,
        "is_bought_panel": str(int(user.is_bought_panel)),
        "main_parent": _chain(call, user)[0].username,
        "credit": {"credit": user.credit, "user_id": user.user_id},
        "acl_role": {"acl_role_id": user.package_id, "acl_role_name": package.name if package else None},
    }


def _chain(call: Call, user: User) -> list[User]:
    """Return the user and everybody above it, the topmost first."""
    chain = [user]
    while chain[0].parent_id is not None:
        chain.insert(0, call.world.users[chain[0].parent_id])
    return chain


@serves("users.show", "GET", "/api/user/show")
def show(call: Call) -> Answer:
    """Show one user, with more than the list shows: its parent is an object here."""
    user_id = call.query.integer("user_id")
    call.check()
    user = _find(call, user_id)
    parent = None if user.parent_id is None else call.world.users[user.parent_id]
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
    """Find the caller or a user below it.

    Raises:
        Refusal: 404 if there is none.
    """
    found = next((user for user in call.world.family(call.user) if user.user_id == user_id), None)
    if found is None:
        raise not_found("کاربر مورد نظر یافت نشد")
    return found


@serves("users.register", "POST", "/api/user/create")
def register(call: Call) -> Answer:
    """Make a user below the caller, which must be a reseller."""
    body, world = call.body, call.world
    username, password = body.text("user_name"), body.text("password")
    national_code = body.text("national_code")
    mobile = read_mobile(body, "mobile_number")
    birth_date = read_day(body, "birth_date", required=True)
    package_id = body.integer("acl_id")
    texts = {
        name: body.text_or_none(name) or ""
        for name in ("name_family", "email", "description", "company", "zip_code", "tell", "address")
    }
    ends = read_day(body, "expire_time", required=False)
    if username and not is_username(username):
        body.fail("user_name", USERNAME_TEXT)
    elif world.user_named(username):
        body.fail("user_name", TAKEN_TEXT)
    if national_code and not is_national_code(national_code):
        body.fail("national_code", NATIONAL_CODE_TEXT)
    _check_password(body, password)
    _check_package(call, package_id)
    call.check()
    if not call.user.is_reseller:
        raise forbidden()
    user = User(
        world.next_id("user"),
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
    world.users[user.user_id] = user
    return ok()


def _check_password(body: Fields, password: str | None) -> None:
    if password and not is_password(password):
        body.fail("password", PASSWORD_TEXT)


def _check_package(call: Call, package_id: int | None) -> None:
    if package_id and package_id not in call.world.packages:
        call.body.fail("acl_id", not_valid_text(label("acl_id")))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


@serves("users.update", "POST", "/api/user/update")
def update(call: Call) -> Answer:
    """Change what is given of a user below the caller."""
    body = call.body
    user_id = body.integer("user_id")
    body.ignore("name_family")
    texts = {name: body.text_or_none(name) for name in ("name", "company", "email", "tell", "description", "password")}
    status = body.choice_or_none("status", ("active", "inactive"))
    send_block = body.choice_or_none("send_block", YES_OR_NO)
    is_bought_panel = body.integer_or_none("is_bought_panel", least=0, most=1)
    special_disc, package_id = body.integer_or_none("special_disc", least=0), body.integer_or_none("acl_id")
    ends = read_day(body, "expire_time", required=False)
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


@serves("users.check_exists", "POST", "/api/user/check_exist")
def check_exists(call: Call) -> Answer:
    """Say whether a user name is free (200) or taken (409)."""
    username = call.body.text("user_name")
    call.check()
    if not is_username(username):
        raise refusal(422, USERNAME_TEXT)
    if call.world.user_named(username):
        raise conflict(TAKEN_TEXT)
    return ok(message="این نام کاربری قابل ثبت می باشد")


@serves("users.tariff", "GET", "/api/user/get_tariff")
def tariff(call: Call) -> Answer:
    """List the prices in two rows for each kind of line, as text."""
    call.check()
    return ok([row for tariff in call.world.tariffs.values() for row in _tariff_rows(tariff)])


def _tariff_rows(tariff: Tariff) -> list[dict[str, Any]]:
    kind = {"operator_id": tariff.tariff_id, "name": tariff.name}
    return [
        {**kind, "persian_mci": str(tariff.persian_mci), "english_mci": str(tariff.english_mci)},
        {**kind, "persian_other": str(tariff.persian_other), "english_other": str(tariff.english_other)},
    ]


@serves("users.parents_tree", "GET", "/api/user/parents_tree")
def parents_tree(call: Call) -> Answer:
    """Show who is above a user; within the tree, flags are words."""
    user_id = call.query.integer("user_id")
    call.check()
    *above, user = _chain(call, _find(call, user_id))
    return ok(
        {
            "selected_user": _tree_row(user, is_reseller=user.is_reseller),
            "main_parent": _tree_row((above or [user])[0], is_reseller=(above or [user])[0].is_reseller),
            "tree": [_tree_row(parent, is_reseller=word_of(is_so=parent.is_reseller)) for parent in above],
        }
    )


def _tree_row(user: User, *, is_reseller: bool | str) -> dict[str, Any]:
    return {"id": user.user_id, "username": user.username, "is_reseller": is_reseller}
