"""Models of packages: what a sub-user may buy, a role with its price."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Package:
    """A package. Source: package/list-packages.md.

    Attributes:
        acl_role_id: its id; `NewUser.acl_id` and `UserChanges.acl_id` take it.
        acl_role_parent_id: the package that it was made from.
        acl_role_name: its name.
        price: Rials.
        special_disc: the discount.
        time: when it was created (UTC).
        user_id: whose package it is.
        acl_type: whom it makes of its buyer, such as ``user`` or ``reseller``.
        status: ``active`` or ``inactive``.
        expire_time: until when it is sold (UTC); None where there is no end.
        acl_role_type_registration: how it is bought, such as ``online`` or ``webservice``.
        updated_at: when it was last changed (UTC).
        updated_at_man: as the service has it; the documents show it empty only.
    """

    acl_role_id: int | None = None
    acl_role_parent_id: int | None = None
    acl_role_name: str | None = None
    price: float | None = None
    special_disc: float | None = None
    min_sms_charge: float | None = None
    time: datetime | None = None
    user_id: int | None = None
    type: str | None = None
    acl_type: str | None = None
    status: str | None = None
    priority: int | None = None
    expire_time: datetime | None = None
    acl_role_type_registration: str | None = None
    is_transferred: bool | None = None
    election: bool | None = None
    updated_at: datetime | None = None
    updated_at_man: str | None = None


@attrs.frozen(kw_only=True)
class PackageFilters:
    """Which packages are wanted; unset fields are left out. Source: package/list-packages.md.

    Attributes:
        package_id: one package.
        name: its name.
        register_type: how it is bought, such as ``online`` or ``webservice``.
        type: whom it makes of its buyer, such as ``user`` or ``reseller``.
        price: Rials.
        special_disc: the discount.
        status: such as ``active`` or ``inactive``.
    """

    package_id: int | None = None
    name: str | None = None
    register_type: str | None = None
    type: str | None = None
    price: int | None = None
    special_disc: int | None = None
    status: str | None = None
