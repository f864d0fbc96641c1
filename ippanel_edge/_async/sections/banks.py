"""Banks: the places of the number banks, first version, and how many numbers a choice has."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import Gender, Place, RecipientsCount
from ippanel_edge.values.checks import identity


@attrs.frozen(repr=False, eq=False)
class Banks:
    """Where numbers can be bought by place, for `send.country` and `send.postal_code`."""

    _call: AsyncCaller
    _defaults: Defaults

    async def provinces(self) -> list[Place]:
        """List the provinces.

        Raises:
            EdgeError: as every call.

        Source: send/country/province.md.
        """
        return await self._call(endpoints.BANKS_PROVINCES)

    async def counties(self, province_id: int) -> list[Place]:
        """List the counties of a province.

        Args:
            province_id: from `provinces`.

        Raises:
            ValidationFailed: there is no such province.

        Source: send/country/county.md.
        """
        return await self._call(
            endpoints.BANKS_COUNTIES, query={"province_id": identity(province_id, argument="province_id")}
        )

    async def cities(self, county_id: int) -> list[Place]:
        """List the cities of a county.

        Args:
            county_id: from `counties`.

        Raises:
            ValidationFailed: there is no such county.

        Source: send/country/city.md.
        """
        return await self._call(endpoints.BANKS_CITIES, query={"county_id": identity(county_id, argument="county_id")})

    async def genders(self) -> list[Gender]:
        """List the genders that the bank tells apart.

        Raises:
            EdgeError: as every call.

        Source: send/country/gender.md.
        """
        return await self._call(endpoints.BANKS_GENDERS)

    async def count(
        self,
        *,
        province_id: int,
        county_id: int | None = None,
        city_id: int | None = None,
        birth_year_from: int | None = None,
        birth_year_to: int | None = None,
        gender_id: int | None = None,
        number_prefix: str | None = None,
    ) -> RecipientsCount:
        """Count the numbers of a choice, by operator.

        Args:
            province_id: from `provinces`.
            county_id: from `counties`. The service's Persian page asks for all three ids here.
            city_id: from `cities`.
            birth_year_from: earliest birth year, Jalali, 1300 to 1410.
            birth_year_to: latest birth year, Jalali, 1300 to 1410.
            gender_id: 1 male, 2 female.
            number_prefix: what the numbers begin with, 2 to 6 digits, such as ``"0912"``.

        Raises:
            ConfigurationError: an argument is out of its limits.
            ValidationFailed: a place does not exist.

        Source: send/country/count.md.
        """
        return await self._call(
            endpoints.BANKS_COUNT,
            query=places.bank_choice(
                self._defaults,
                province_id=province_id,
                county_id=county_id,
                city_id=city_id,
                birth_year_from=birth_year_from,
                birth_year_to=birth_year_to,
                gender_id=gender_id,
                number_prefix=number_prefix,
            ),
        )
