# Generated from ippanel_edge/_async/sections/geolocation.py by tests/codegen/generate_sync.py: edit that, not this.
"""Geolocation: the places of the number banks, second version, and how many numbers a choice has."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Caller
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import Place, RecipientsCount
from ippanel_edge.values.checks import identity


@attrs.frozen(repr=False, eq=False)
class Geolocation:
    """Where numbers can be bought by place, for `send.geolocation`. Its ids are not those of `banks`."""

    _call: Caller
    _defaults: Defaults

    def provinces(self) -> list[Place]:
        """List the provinces.

        Raises:
            EdgeError: as every call.

        Source: send/countryV2/province.md.
        """
        return self._call(endpoints.GEOLOCATION_PROVINCES)

    def counties(self, province_id: int) -> list[Place]:
        """List the counties of a province.

        Args:
            province_id: from `provinces`.

        Raises:
            ValidationFailed: there is no such province.

        Source: send/countryV2/county.md.
        """
        return self._call(
            endpoints.GEOLOCATION_COUNTIES, query={"province_id": identity(province_id, argument="province_id")}
        )

    def cities(self, county_id: int) -> list[Place]:
        """List the cities of a county.

        Args:
            county_id: from `counties`.

        Raises:
            ValidationFailed: there is no such county.

        Source: send/countryV2/city.md.
        """
        return self._call(endpoints.GEOLOCATION_CITIES, query={"county_id": identity(county_id, argument="county_id")})

    def count(
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
        """Count the numbers of a choice, by operator.

        Args:
            province_id: from `provinces`.
            county_id: from `counties`.
            city_id: from `cities`.
            from_age: earliest birth year (not an age), Jalali, 1300 to 1410.
            to_age: latest birth year (not an age), Jalali, 1300 to 1410.
            gender: 1 male, 2 female.
            pre: what the numbers begin with, 2 to 6 digits, such as ``"912"``.

        Raises:
            ConfigurationError: an argument is out of its limits.
            ValidationFailed: a place does not exist.

        Source: send/countryV2/count.md.
        """
        return self._call(
            endpoints.GEOLOCATION_COUNT,
            query=places.geolocation_choice(
                self._defaults,
                province_id=province_id,
                county_id=county_id,
                city_id=city_id,
                from_age=from_age,
                to_age=to_age,
                gender=gender,
                pre=pre,
            ),
        )
