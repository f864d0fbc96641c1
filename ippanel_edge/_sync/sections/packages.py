# Generated from ippanel_edge/_async/sections/packages.py by tests/codegen/generate_sync.py: edit that, not this.
"""The section `packages`: the packages that sub-users can buy."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Run
from ippanel_edge.api.fields import filters_of
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.packages import Package, PackageFilters
from ippanel_edge.values.checks import paging
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Packages:
    """Packages: user roles and their prices."""

    _run: Run
    _defaults: Defaults

    def list(self, *, page: int = 1, per_page: int = 10, filters: PackageFilters | None = None) -> Page[Package]:
        """List packages.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            filters: the packages to select; all if omitted.

        Source: package/list-packages.md.
        """
        return self._run(
            call(
                endpoints.PACKAGES_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **filters_of(filters, PackageFilters),
                },
            )
        )

    def iter_list(self, *, filters: PackageFilters | None = None, per_page: int = 100) -> Iterator[Package]:
        """Iterate over all packages, fetching pages lazily.

        Args:
            filters: the packages to select; all if omitted.
            per_page: rows per page, at most 1,000.

        Source: package/list-packages.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page, filters=filters))
