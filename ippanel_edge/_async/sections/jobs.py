"""The section `jobs`: the job categories of the number bank, and the count of their numbers."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import RecipientsCount
from ippanel_edge.models.jobs import JobCategory, JobSubCategory
from ippanel_edge.values.checks import choices, ids, optional_ids, ranges
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Jobs:
    """Numbers by job category, for `send.job`."""

    _run: AsyncRun
    _defaults: Defaults

    async def categories(self) -> list[JobCategory]:
        """List the main categories.

        Source: send/jobs/categories.md.
        """
        return await self._run(call(endpoints.JOBS_CATEGORIES))

    async def sub_categories(self, main_category_id: int) -> list[JobSubCategory]:
        """List the sub-categories of a main category.

        Args:
            main_category_id: from `categories`.

        Raises:
            ValidationFailed: the category does not exist.

        Source: send/jobs/sub-category.md.
        """
        return await self._run(
            call(
                endpoints.JOBS_SUB_CATEGORIES,
                query=ids(main_category_id=main_category_id),
            )
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
        """Count the numbers of a job category, by operator.

        Args:
            main_category_id: from `categories`.
            sub_category_id: from `sub_categories`.
            operator_id: 1 MCI, 2 Irancell, 13 others; all if omitted.
            start: how many numbers to skip.
            size: the maximum of numbers to count.

        Raises:
            InvalidArgument: an argument is out of range.
            ValidationFailed: a category does not exist.

        Source: send/jobs/count.md.
        """
        return await self._run(
            call(
                endpoints.JOBS_COUNT,
                query={
                    **ids(main_category_id=main_category_id),
                    **optional_ids(sub_category_id=sub_category_id),
                    **choices(places.OPERATORS, check=self._defaults.validate, operator_id=operator_id),
                    **ranges(0, start=start, size=size),
                },
            )
        )
