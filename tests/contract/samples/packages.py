"""Samples of the packages endpoints."""

from __future__ import annotations

from datetime import UTC, datetime

from ippanel_edge import endpoints
from ippanel_edge.models.common import Page
from ippanel_edge.models.packages import Package, PackageFilters
from tests.contract.sample import Sample, paged

SAMPLES = [
    Sample(
        endpoint=endpoints.PACKAGES_LIST,
        call=lambda client: client.packages.list(
            page=2,
            per_page=5,
            filters=PackageFilters(
                package_id=31,
                name="نقره‌ای",
                register_type="online",
                type="user",
                price=0,
                special_disc=15,
                status="active",
            ),
        ),
        query={
            "page": "2",
            "per_page": "5",
            "package_id": "31",
            "name": "نقره‌ای",
            "register_type": "online",
            "type": "user",
            "price": "0",
            "special_disc": "15",
            "status": "active",
        },
        answer=paged(
            [
                {
                    "acl_role_id": 31,
                    "acl_role_parent_id": "2",
                    "acl_role_name": "نقره‌ای",
                    "price": "1750000",
                    "special_disc": 15,
                    "min_sms_charge": 0,
                    "time": 1770000000,
                    "user_id": 12,
                    "type": "normal",
                    "acl_type": "user",
                    "status": "active",
                    "priority": None,
                    "expire_time": None,
                    "acl_role_type_registration": "online",
                    "is_transferred": "0",
                    "election": "1",
                    "updated_at": "2026-02-02 02:40:00",
                    "updated_at_man": None,
                },
                {"acl_role_id": 32},
            ],
            path="/api/acl/package/list",
            per_page=5,
        ),
        returns=Page(
            items=(
                Package(
                    acl_role_id=31,
                    acl_role_parent_id=2,
                    acl_role_name="نقره‌ای",
                    price=1750000.0,
                    special_disc=15.0,
                    min_sms_charge=0.0,
                    time=datetime(2026, 2, 2, 2, 40, tzinfo=UTC),
                    user_id=12,
                    type="normal",
                    acl_type="user",
                    status="active",
                    acl_role_type_registration="online",
                    is_transferred=False,
                    election=True,
                    updated_at=datetime(2026, 2, 2, 2, 40, tzinfo=UTC),
                ),
                Package(acl_role_id=32),
            ),
            last_page=1,
            per_page=5,
            total=2,
        ),
    ),
]
