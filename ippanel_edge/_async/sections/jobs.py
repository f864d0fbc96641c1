"""Jobs: the trades of the number bank, and how many numbers a choice has."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import RecipientsCount
from ippanel_edge.models.jobs import JobCategory, JobSubCategory
from ippanel_edge.values.checks import identity


@attrs.frozen(repr=False, eq=False)
class Jobs:
    """Where numbers can be bought by trade, for `send.job`."""

    _call: AsyncCaller
    _defaults: Defaults

    async def categories(self) -> list[JobCategory]:
        """List the main categories.

        Raises:
            EdgeError: as every call.

        Source: send/jobs/categories.md.
        """
        return await self._call(endpoints.JOBS_CATEGORIES)

    async def sub_categories(self, main_category_id: int) -> list[JobSubCategory]:
        """List the trades of a main category.

        Args:
            main_category_id: from `categories`.

        Raises:
            ValidationFailed: there is no such category.

        Source: send/jobs/sub-category.md.
        """
        return await self._call(
            endpoints.JOBS_SUB_CATEGORIES,
            query={"main_category_id": identity(main_category_id, argument="main_category_id")},
        )

    async def count(
        self,
        main_category_id: int,
        *,
        sub_category_id: int | None = None,
        operator_id: int | None = None,
        start: int | None = None,
        size: int | None = None,
    ) -> RecipientsCount:
        """Count the numbers of a trade, by operator.

        Args:
            main_category_id: from `categories`.
            sub_category_id: from `sub_categories`.
            operator_id: 1 MCI, 2 Irancell, 13 others; all where unset.
            start: how many numbers to pass over.
            size: how many numbers to count at the most.

        Raises:
            ConfigurationError: an argument is out of its limits.
            ValidationFailed: a category does not exist.

        Source: send/jobs/count.md.
        """
        return await self._call(
            endpoints.JOBS_COUNT,
            query=places.job_choice(
                self._defaults,
                main_category_id=main_category_id,
                sub_category_id=sub_category_id,
                operator_id=operator_id,
                start=start,
                size=size,
            ),
        )
