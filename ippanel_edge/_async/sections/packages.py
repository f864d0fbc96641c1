"""The section `packages`: the packages that sub-users can buy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api.fields import filters_of
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.packages import Package, PackageFilters
from ippanel_edge.values.checks import paging
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Packages:
    """Packages: user roles and their prices."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(self, *, page: int = 1, per_page: int = 10, filters: PackageFilters | None = None) -> Page[Package]:
        """List packages.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            filters: the packages to select; all if omitted.

        Source: package/list-packages.md.
        """
        return await self._run(
            call(
                endpoints.PACKAGES_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **filters_of(filters, PackageFilters),
                },
            )
        )

    def iter_list(self, *, filters: PackageFilters | None = None, per_page: int = 100) -> AsyncIterator[Package]:
        """Iterate over all packages, fetching pages lazily.

        Args:
            filters: the packages to select; all if omitted.
            per_page: rows per page, at most 1,000.

        Source: package/list-packages.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))
