"""The rules of the packages section: the roles that users can buy."""

from __future__ import annotations

from typing import Any

from ippanel_edge.sandbox.records import Package
from ippanel_edge.sandbox.replies import Reply, page
from ippanel_edge.sandbox.routes import Call, serves


@serves("packages.list", "GET", "/api/acl/package/list", resellers_only=True)
def listing(call: Call) -> Reply:
    """List the packages that match the filters."""
    number, size = call.query.paging()
    query = call.query
    package_id, name = query.integer_or_none("package_id"), query.string_or_none("name")
    registration = query.string_or_none("register_type")
    acl_type, status = query.string_or_none("type"), query.string_or_none("status")
    price, special_disc = query.integer_or_none("price"), query.integer_or_none("special_disc")
    call.check()
    rows = [
        package
        for package in call.state.packages.values()
        if package_id in (None, package.package_id)
        and (name is None or name in package.name)
        and registration in (None, package.registration)
        and acl_type in (None, package.acl_type)
        and status in (None, package.status)
        and price in (None, package.price)
        and special_disc in (None, package.special_disc)
    ]
    return page(rows, _row, number=number, size=size, path=call.path)


def _row(package: Package) -> dict[str, Any]:
    return {
        "acl_role_id": package.package_id,
        "acl_role_parent_id": package.parent_id,
        "acl_role_name": package.name,
        "price": package.price,
        "special_disc": package.special_disc,
        "min_sms_charge": package.min_sms_charge,
        "time": int(package.created_at.timestamp()),
        "user_id": package.user_id,
        "type": package.type,
        "acl_type": package.acl_type,
        "status": package.status,
        "priority": None,
        "expire_time": None if package.expire_at is None else int(package.expire_at.timestamp()),
        "acl_role_type_registration": package.registration,
        "is_transferred": "0",
        "election": "0",
        "updated_at": f"{package.updated_at:%Y-%m-%d %H:%M:%S}",
        "updated_at_man": None,
    }
