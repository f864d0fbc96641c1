# Generated from ippanel_edge/_async/sections/banks.py by tests/codegen/generate_sync.py: edit that, not this.
"""The section `banks`: the places of the number banks (v1), and the count of their numbers."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Run
from ippanel_edge.api import places
from ippanel_edge.config import Defaults
from ippanel_edge.models.banks import Gender, Place, RecipientsCount
from ippanel_edge.values.checks import choices, ids
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Banks:
    """Numbers by place, for `send.country` and `send.postal_code`."""

    _run: Run
    _defaults: Defaults

    def provinces(self) -> list[Place]:
        """List the provinces.

        Source: send/country/province.md.
        """
        return self._run(call(endpoints.BANKS_PROVINCES))

    def counties(self, province_id: int) -> list[Place]:
        """List the counties of a province.

        Args:
            province_id: from `provinces`.

        Raises:
            ValidationFailed, NotFound: the province does not exist; the service's pages disagree about the error.

        Source: send/country/county.md.
        """
        return self._run(call(endpoints.BANKS_COUNTIES, query=ids(province_id=province_id)))

    def cities(self, county_id: int) -> list[Place]:
        """List the cities of a county.

        Args:
            county_id: from `counties`.

        Raises:
            ValidationFailed, NotFound: the county does not exist; the service's pages disagree about the error.

        Source: send/country/city.md.
        """
        return self._run(call(endpoints.BANKS_CITIES, query=ids(county_id=county_id)))

    def genders(self) -> list[Gender]:
        """List the genders that the bank distinguishes.

        Source: send/country/gender.md.
        """
        return self._run(call(endpoints.BANKS_GENDERS))

    def count(
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
        """Count the numbers of a city, by operator.

        Args:
            province_id: from `provinces`.
            county_id: from `counties`; required, like `city_id`, unless the client has ``validate=False``.
            city_id: from `cities`.
            birth_year_from: earliest birth year, Jalali, 1300 to 1410.
            birth_year_to: latest birth year, Jalali, 1300 to 1410.
            gender_id: from `genders`; all if omitted.
            number_prefix: the prefix of the numbers, such as ``"912"``.

        Raises:
            InvalidArgument: an argument is missing or out of range.
            ValidationFailed: a place does not exist.

        Source: send/country/count.md.
        """
        return self._run(
            call(
                endpoints.BANKS_COUNT,
                query={
                    **places.city(province_id, county_id, city_id, check=self._defaults.validate),
                    **places.years(
                        check=self._defaults.validate, birth_year_from=birth_year_from, birth_year_to=birth_year_to
                    ),
                    **choices((1, 2, 3), check=self._defaults.validate, gender_id=gender_id),
                    "number_prefix": places.prefix(number_prefix, argument="number_prefix"),
                },
            )
        )
