"""Models of the number banks: places, genders and counts of numbers."""

from __future__ import annotations

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class Place(Model):
    """A province, county or city. Sources: send/country/province.md, county.md, city.md.

    Attributes:
        id: the place's id, which other calls take.
        name: the Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class Gender(Model):
    """A gender in the number bank; the service also lists organisations. Source: send/country/gender.md.

    Attributes:
        id: 1 male, 2 female, 3 organisations.
        name: the Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class RecipientsCount(Model):
    """The count of numbers that match a selection, by operator. Source: send/country/count.md.

    Attributes:
        mci_count: the count for MCI (Hamrah-e Avval).
        irancell_count: the count for Irancell.
        other_count: the count for all other operators.
    """

    mci_count: int | None = None
    irancell_count: int | None = None
    other_count: int | None = None

    @property
    def total(self) -> int:
        """The sum of the three counts; a count that the service did not return is 0."""
        return (self.mci_count or 0) + (self.irancell_count or 0) + (self.other_count or 0)
