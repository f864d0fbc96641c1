"""Packages: what sub-users may buy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge.api.fields import written
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.packages import Package, PackageFilters
from ippanel_edge.values.checks import paging


@attrs.frozen(repr=False, eq=False)
class Packages:
    """Packages: roles of users, with their prices."""

    _call: AsyncCaller
    _defaults: Defaults

    async def list(self, *, page: int = 1, per_page: int = 10, filters: PackageFilters | None = None) -> Page[Package]:
        """List packages.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.
            filters: which packages; all where unset.

        Source: package/list-packages.md.
        """
        return await self._call(
            endpoints.PACKAGES_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                **({} if filters is None else written(filters, PackageFilters, argument="filters")),
            },
        )

    def iter_list(self, *, filters: PackageFilters | None = None, per_page: int = 100) -> AsyncIterator[Package]:
        """Walk all packages, page by page.

        Args:
            filters: which packages; all where unset.
            per_page: rows a page, at most 1,000.

        Source: package/list-packages.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))
