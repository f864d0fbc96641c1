"""Models of users: the sub-users of an account, their prices and the resellers above them."""

from __future__ import annotations

from datetime import date, datetime

import attrs

from ippanel_edge.models.fields import day, moment, one_or_zero, recipient, yes_or_no
from ippanel_edge.values import phones, times
from ippanel_edge.values.secrets import Secret


@attrs.frozen(kw_only=True)
class UserParent:
    """The user above. A list gives the id only.

    Attributes:
        user_id: its id.
        uname: its user name, None in a list.
    """

    user_id: int | None = attrs.field(default=None, metadata={"alone": True})
    uname: str | None = None


@attrs.frozen(kw_only=True)
class UserCredit:
    """A user's credit, in Rials."""

    credit: float | None = None
    user_id: int | None = None


@attrs.frozen(kw_only=True)
class UserRole:
    """The package that a user has."""

    acl_role_id: int | None = None
    acl_role_name: str | None = None


@attrs.frozen(kw_only=True)
class User:
    """A sub-user. Sources: user/list-users.md, user/show-user.md.

    Attributes:
        status: ``active`` or ``inactive``.
        time: when it was created (UTC).
        uname: the user name.
        document_block: whether papers are missing, so that parts of the panel are closed.
        special_disc: the discount.
        parent: the user above.
        user_id: its id.
        is_reseller: whether it may have users below.
        name: first and family name.
        national_id: the national code.
        mobile: as the service has it: E.164, or ten digits.
        send_block: whether it may not send.
        add_status: how it was created: ``normal``, ``online`` or ``webservice``.
        acl_role_id: the package's id.
        last_login: when it last logged in (UTC); None where it never did.
        user_create: whether it may create users.
        expire_time: when the account ends (UTC); None where there is no end.
        main_parent: the user name of the reseller at the top.
        credit: its credit.
        acl_role: its package.
        parent_id: the id of the user above; `show` only.
        need_changing_password: whether it has to change its password; `show` only.
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
class Tariff:
    """What one part costs on a kind of line, in Rials. Source: user/user-tariff.md.

    The service gives a kind of line in two rows: one with the prices to MCI, one with those to the other operators.

    Attributes:
        operator_id: the kind of line.
        name: its name, such as ``3000``.
        persian_mci: a Persian part to MCI.
        english_mci: a Latin part to MCI.
        persian_other: a Persian part to the other operators.
        english_other: a Latin part to the other operators.
    """

    operator_id: int | None = None
    name: str | None = None
    persian_mci: float | None = None
    english_mci: float | None = None
    persian_other: float | None = None
    english_other: float | None = None


@attrs.frozen(kw_only=True)
class TreeUser:
    """A user within the tree."""

    id: int | None = None
    username: str | None = None
    is_reseller: bool | None = None


@attrs.frozen(kw_only=True)
class ParentsTree:
    """Who is above a user. Source: user/parents-tree.md.

    Attributes:
        selected_user: the user that was asked for.
        main_parent: its main reseller.
        tree: the users above, the topmost first.
    """

    selected_user: TreeUser | None = None
    main_parent: TreeUser | None = None
    tree: tuple[TreeUser, ...] = ()


@attrs.frozen(kw_only=True)
class UserFilters:
    """Which users are wanted; unset fields are left out. Source: user/list-users.md.

    Attributes:
        username: the user name.
        name: first and family name.
        add_status: how it was created: ``normal``, ``online`` or ``webservice``.
        national_id: the national code.
        acl_role_id: the package's id.
        tell: the telephone number, as it was entered.
        mobile: the mobile number, in any spelling.
        is_reseller: resellers, or those that are none.
        document_block: those with missing papers, or those without.
        created_from: created at this moment or later.
        created_to: created at this moment or earlier.
        expire_from: ends at this moment or later.
        expire_to: ends at this moment or earlier.
        is_bought_panel: those who bought the panel, or those who did not.
        login_status: 0: those who never logged in.
        sub_reseller: False: directly below you; True: further down. Unset: both.
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


@attrs.frozen(kw_only=True)
class NewUser:
    """A user to be. Source: user/register-user.md.

    Attributes:
        user_name: the name to log in with; `users.check_exists` says whether it is taken.
        password: 8 characters or more, with a small and a capital letter, a digit and another sign. Never shown by
            repr.
        national_code: the national code, 10 digits; Persian digits are taken too.
        mobile_number: a mobile number in any spelling, which must belong to the same person; held as E.164.
        birth_date: the birthday, Gregorian, as the registry has it.
        acl_id: the package's id.
        name_family: first and family name.
        expire_time: the day on which the account ends, Gregorian; None for no end.
        zip_code: the postal code.
        tell: a telephone number.
    """

    user_name: str
    password: str = attrs.field(converter=Secret)
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


@attrs.frozen(kw_only=True)
class UserChanges:
    """What is to change of a user; unset fields stay as they are. Source: user/update-user.md.

    Attributes:
        name: first and family name.
        password: as in `NewUser`. Never shown by repr.
        acl_id: the package's id.
        expire_time: the day on which the account ends, Gregorian.
        status: ``active`` or ``inactive``.
        send_block: whether it may not send.
        special_disc: the discount.
        is_bought_panel: whether it bought the panel.
    """

    name: str | None = None
    password: str | None = attrs.field(default=None, converter=attrs.converters.optional(Secret))
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
