"""The section `geolocation`: the places of the number banks (v2), and the count of their numbers."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import Place, RecipientsCount
from ippanel_edge.values.checks import choices, ids, optional_ids
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Geolocation:
    """Numbers by place, for `send.geolocation`. The ids differ from those of `banks`."""

    _run: AsyncRun
    _defaults: Defaults

    async def provinces(self) -> list[Place]:
        """List the provinces.

        Source: send/countryV2/province.md.
        """
        return await self._run(call(endpoints.GEOLOCATION_PROVINCES))

    async def counties(self, province_id: int) -> list[Place]:
        """List the counties of a province.

        Args:
            province_id: from `provinces`.

        Raises:
            ValidationFailed: the province does not exist.

        Source: send/countryV2/county.md.
        """
        return await self._run(call(endpoints.GEOLOCATION_COUNTIES, query=ids(province_id=province_id)))

    async def cities(self, county_id: int) -> list[Place]:
        """List the cities of a county.

        Args:
            county_id: from `counties`.

        Raises:
            ValidationFailed: the county does not exist.

        Source: send/countryV2/city.md.
        """
        return await self._run(call(endpoints.GEOLOCATION_CITIES, query=ids(county_id=county_id)))

    async def count(
        self,
        *,
        province_id: int,
        county_id: int | None = None,
        city_id: int | None = None,
        from_age: int | None = None,
        to_age: int | None = None,
        gender: int | None = None,
        pre: str | None = None,
    ) -> RecipientsCount:
        """Count the numbers of a selection, by operator.

        Args:
            province_id: from `provinces`.
            county_id: from `counties`.
            city_id: from `cities`.
            from_age: earliest birth year (not an age), Jalali, 1300 to 1410.
            to_age: latest birth year (not an age), Jalali, 1300 to 1410.
            gender: 1 male, 2 female; all if omitted.
            pre: the prefix of the numbers, such as ``"912"``.

        Raises:
            InvalidArgument: an argument is out of range.
            ValidationFailed: a place does not exist.

        Source: send/countryV2/count.md.
        """
        return await self._run(
            call(
                endpoints.GEOLOCATION_COUNT,
                query={
                    **ids(province_id=province_id),
                    **optional_ids(county_id=county_id, city_id=city_id),
                    **places.years(check=self._defaults.validate, from_age=from_age, to_age=to_age),
                    **choices((1, 2), check=self._defaults.validate, gender=gender),
                    "pre": places.prefix(pre, argument="pre"),
                },
            )
        )
