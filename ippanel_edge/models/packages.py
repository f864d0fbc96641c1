"""Models of packages: roles with a price, which sub-users can buy."""

from __future__ import annotations

from datetime import datetime

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import checked


@attrs.frozen(kw_only=True)
class Package(Model):
    """A package. Source: package/list-packages.md.

    Attributes:
        acl_role_id: the package's id, for `NewUser.acl_id` and `UserChanges.acl_id`.
        acl_role_parent_id: the id of the package that it was derived from.
        acl_role_name: the package's name.
        price: the price.
        special_disc: the discount.
        time: the creation time (UTC).
        user_id: the id of the package's owner.
        acl_type: the buyer's role, such as ``user`` or ``reseller``.
        status: ``active`` or ``inactive``.
        expire_time: the end of the sale (UTC); None if there is none.
        acl_role_type_registration: the purchase channel, such as ``online`` or ``webservice``.
        updated_at: the time of the last change (UTC).
        updated_at_man: the value as received; the API documentation only shows it empty.
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


@attrs.frozen(kw_only=True, field_transformer=checked)
class PackageFilters(Model):
    """Filters of the list of packages; unset fields are omitted. Source: package/list-packages.md.

    Attributes:
        package_id: the id of a single package.
        name: the package's name.
        register_type: the purchase channel, such as ``online`` or ``webservice``.
        type: the buyer's role, such as ``user`` or ``reseller``.
        price: the price.
        special_disc: the discount.
        status: the status, such as ``active`` or ``inactive``.
    """

    package_id: int | None = None
    name: str | None = None
    register_type: str | None = None
    type: str | None = None
    price: int | None = None
    special_disc: int | None = None
    status: str | None = None
