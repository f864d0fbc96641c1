"""The filters of the list of users."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import attrs

from ippanel_edge.sandbox.bodies import Fields
from ippanel_edge.sandbox.records import User
from ippanel_edge.sandbox.routes import Call
from ippanel_edge.sandbox.rules.identity import normalise_mobile

YES_OR_NO: Final = ("yes", "no")


def yes_or_no(*, value: bool) -> str:
    """Return a bool in the form of the service: "yes" or "no"."""
    return "yes" if value else "no"


@attrs.frozen(kw_only=True)
class UserFilter:
    """The filters of the list of users; None matches any value.

    Attributes:
        caller_id: the id of the caller, which distinguishes direct from indirect sub-users.
    """

    caller_id: int
    username: str | None
    name: str | None
    national_id: str | None
    tell: str | None
    mobile: str | None
    add_status: str | None
    package_id: int | None
    is_reseller: str | None
    document_block: str | None
    is_bought_panel: int | None
    login_status: int | None
    sub_reseller: int | None
    created: tuple[int | None, int | None]
    expires: tuple[int | None, int | None]

    def matches(self, user: User) -> bool:
        """Whether a user matches all filters."""
        return (
            (self.username is None or self.username in user.username)
            and (self.name is None or self.name in user.name)
            and (self.tell is None or self.tell in user.tell)
            and self.national_id in (None, user.national_code)
            and self.mobile in (None, user.mobile)
            and self.add_status in (None, user.add_status)
            and self.package_id in (None, user.package_id)
            and self.is_reseller in (None, yes_or_no(value=user.is_reseller))
            and self.document_block in (None, yes_or_no(value=user.document_block))
            and self.is_bought_panel in (None, int(user.is_bought_panel))
            and (self.login_status is None or user.last_login is None)
            and self.sub_reseller in (None, int(user.parent_id != self.caller_id))
            and _is_within(user.created_at, self.created)
            and _is_within(user.expire_at, self.expires)
        )


def read_filters(call: Call) -> UserFilter:
    """Return the filters of the query."""
    query = call.query
    mobile = query.string_or_none("mobile")
    return UserFilter(
        caller_id=call.user.user_id,
        username=query.string_or_none("username"),
        name=query.string_or_none("name"),
        national_id=query.string_or_none("national_id"),
        tell=query.string_or_none("tell"),
        mobile=None if mobile is None else normalise_mobile(mobile) or mobile,
        add_status=query.choice_or_none("add_status", ("status", "normal", "online", "webservice")),
        package_id=query.integer_or_none("acl_role_id"),
        is_reseller=query.choice_or_none("is_reseller", YES_OR_NO),
        document_block=query.choice_or_none("document_block", YES_OR_NO),
        is_bought_panel=query.integer_or_none("is_bought_panel", minimum=0, maximum=1),
        login_status=query.integer_or_none("login_status", minimum=0, maximum=0),
        sub_reseller=query.integer_or_none("sub_reseller", minimum=0, maximum=1),
        created=_read_bounds(query, "created"),
        expires=_read_bounds(query, "expire"),
    )


def _read_bounds(query: Fields, name: str) -> tuple[int | None, int | None]:
    return query.integer_or_none(f"{name}_from", minimum=1), query.integer_or_none(f"{name}_to", minimum=1)


def _is_within(moment: datetime | None, bounds: tuple[int | None, int | None]) -> bool:
    first, last = bounds
    if moment is None:
        return first is None and last is None
    seconds = moment.timestamp()
    return (first is None or seconds >= first) and (last is None or seconds <= last)
