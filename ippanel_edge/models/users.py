"""Models of users: the sub-users of an account, their tariffs and their parent resellers."""

from __future__ import annotations

from datetime import date, datetime

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import checked, day, moment, one_or_zero, optional_secret, recipient, secret, yes_or_no
from ippanel_edge.values import phones, times


@attrs.frozen(kw_only=True)
class UserParent(Model):
    """The parent of a user. A list only contains the id.

    Attributes:
        user_id: the parent's id.
        uname: the parent's user name, None in a list.
    """

    user_id: int | None = attrs.field(default=None, metadata={"alone": True})
    uname: str | None = None


@attrs.frozen(kw_only=True)
class UserCredit(Model):
    """A user's credit."""

    credit: float | None = None
    user_id: int | None = None


@attrs.frozen(kw_only=True)
class UserRole(Model):
    """The package of a user."""

    acl_role_id: int | None = None
    acl_role_name: str | None = None


@attrs.frozen(kw_only=True)
class User(Model):
    """A sub-user. Sources: user/list-users.md, user/show-user.md.

    Attributes:
        status: ``active`` or ``inactive``.
        time: the creation time (UTC).
        uname: the user name.
        document_block: the user's document block, which the service does not explain.
        special_disc: the discount.
        parent: the user's parent.
        user_id: the user's id.
        is_reseller: whether the user can have sub-users.
        name: first and family name.
        national_id: the national code.
        mobile: the mobile number as received: E.164 or ten digits.
        send_block: the user's send block, which the service does not explain.
        add_status: the registration channel, such as ``normal``, ``online`` or ``webservice``.
        acl_role_id: the package's id.
        last_login: the time of the last login (UTC); None if there was none.
        user_create: whether the user can create users.
        expire_time: the time at which the account expires (UTC); None if it does not expire.
        main_parent: the user name of the top-level reseller.
        credit: the user's credit.
        acl_role: the user's package.
        parent_id: the id of the user's parent; only set by `show`.
        need_changing_password: whether the user must change the password; only set by `show`.
    """

    status: str | None = None
    time: datetime | None = None
    uname: str | None = None
    document_block: bool | None = None
    special_disc: float | None = None
    parent: UserParent | None = None
    user_id: int | None = None
    accounting_id: str | None = None
    is_reseller: bool | None = None
    name: str | None = None
    national_id: str | None = None
    certificate_id: str | None = None
    tell: str | None = None
    mobile: str | None = None
    address: str | None = None
    company: str | None = None
    postalcode: str | None = None
    send_block: bool | None = None
    email: str | None = None
    add_status: str | None = None
    acl_role_id: int | None = None
    last_login: datetime | None = None
    confirm: bool | None = None
    user_create: bool | None = None
    show_status: str | None = None
    expire_time: datetime | None = None
    user_description: str | None = None
    description: str | None = None
    is_bought_panel: bool | None = None
    main_parent: str | None = None
    credit: UserCredit | None = None
    acl_role: UserRole | None = None
    parent_id: int | None = None
    need_changing_password: bool | None = None


@attrs.frozen(kw_only=True)
class Tariff(Model):
    """The price of one part (SMS segment) on a type of sender line. Source: user/user-tariff.md.

    The service returns two items per type of line: one with the prices for MCI, one with those for other operators.

    Attributes:
        operator_id: the id of the line's type.
        name: the name of the line's type, such as ``3000``.
        persian_mci: the price of a Persian part for MCI.
        english_mci: the price of a Latin part for MCI.
        persian_other: the price of a Persian part for the other operators.
        english_other: the price of a Latin part for the other operators.
    """

    operator_id: int | None = None
    name: str | None = None
    persian_mci: float | None = None
    english_mci: float | None = None
    persian_other: float | None = None
    english_other: float | None = None


@attrs.frozen(kw_only=True)
class TreeUser(Model):
    """A user in a `ParentsTree`."""

    id: int | None = None
    username: str | None = None
    is_reseller: bool | None = None


@attrs.frozen(kw_only=True)
class ParentsTree(Model):
    """The parents of a user. Source: user/parents-tree.md.

    Attributes:
        selected_user: the requested user.
        main_parent: the user's main reseller.
        tree: the user's parents, the top-level one first.
    """

    selected_user: TreeUser | None = None
    main_parent: TreeUser | None = None
    tree: tuple[TreeUser, ...] = ()


@attrs.frozen(kw_only=True, field_transformer=checked)
class UserFilters(Model):
    """Filters of the list of users; unset fields are omitted. Source: user/list-users.md.

    Attributes:
        username: the user name.
        name: first and family name.
        add_status: the registration channel, such as ``normal``, ``online`` or ``webservice``.
        national_id: the national code.
        acl_role_id: the package's id.
        tell: the telephone number, as it was entered.
        mobile: the mobile number, in any common format; stored as E.164.
        is_reseller: True for resellers, False for other users.
        document_block: the users' document block, as in `User`.
        created_from: only users created at this time or later.
        created_to: only users created at this time or earlier.
        expire_from: only accounts that expire at this time or later.
        expire_to: only accounts that expire at this time or earlier.
        is_bought_panel: True for users who bought the panel, False for other users.
        login_status: 0 for users who never logged in.
        sub_reseller: False for direct sub-users, True for indirect sub-users; unset for both.
    """

    username: str | None = None
    name: str | None = None
    add_status: str | None = None
    national_id: str | None = None
    acl_role_id: int | None = None
    tell: str | None = None
    mobile: str | None = recipient()
    is_reseller: bool | None = yes_or_no()
    document_block: bool | None = yes_or_no()
    created_from: datetime | None = moment()
    created_to: datetime | None = moment()
    expire_from: datetime | None = moment()
    expire_to: datetime | None = moment()
    is_bought_panel: bool | None = one_or_zero()
    login_status: int | None = None
    sub_reseller: bool | None = one_or_zero()


def _to_mobile(value: str) -> str:
    return phones.recipient(value, argument="mobile_number")


def _to_birth_date(value: date) -> date:
    times.day(value, argument="birth_date")
    return value


@attrs.frozen(kw_only=True, field_transformer=checked)
class NewUser(Model):
    """A user to register. Source: user/register-user.md.

    Attributes:
        user_name: the name to log in with; `users.check_exists` tells whether it is taken.
        password: at least 8 characters, with a lower-case and an upper-case letter, a digit and a special character.
            Masked in repr.
        national_code: the national code, 10 digits; Persian digits are accepted.
        mobile_number: a mobile number in any common format, which must belong to the same person; stored as E.164.
        birth_date: the Gregorian date of birth, as in the civil registry.
        acl_id: the package's id.
        name_family: first and family name.
        expire_time: the Gregorian date on which the account expires; None if it does not expire.
        zip_code: the postal code.
        tell: a telephone number.
    """

    user_name: str
    password: str = secret()
    national_code: str
    mobile_number: str = attrs.field(converter=_to_mobile)
    birth_date: date = attrs.field(converter=_to_birth_date)
    acl_id: int
    name_family: str | None = None
    email: str | None = None
    description: str | None = None
    company: str | None = None
    expire_time: date | None = day()
    zip_code: str | None = None
    tell: str | None = None
    address: str | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class UserChanges(Model):
    """Changes of a user; unset fields are not changed. Source: user/update-user.md.

    Attributes:
        name: first and family name.
        password: the new password, with the same rules as in `NewUser`. Masked in repr.
        acl_id: the package's id.
        expire_time: the Gregorian date on which the account expires.
        status: ``active`` or ``inactive``.
        send_block: the user's send block, which the service does not explain.
        special_disc: the discount.
        is_bought_panel: whether the user bought the panel.
    """

    name: str | None = None
    password: str | None = optional_secret()
    company: str | None = None
    email: str | None = None
    tell: str | None = None
    acl_id: int | None = None
    description: str | None = None
    expire_time: date | None = day()
    status: str | None = None
    send_block: bool | None = yes_or_no()
    special_disc: int | None = None
    is_bought_panel: bool | None = one_or_zero()
