"""Models of the number banks: places, genders and how many numbers a choice has."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Place:
    """A province, county or city. Sources: send/country/province.md, county.md, city.md.

    Attributes:
        id: what the other calls take.
        name: its Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class Gender:
    """A gender of the number bank; the service also lists organisations. Source: send/country/gender.md.

    Attributes:
        id: 1 male, 2 female, 3 organisations.
        name: its Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class RecipientsCount:
    """How many numbers a choice of the bank has, by operator. Source: send/country/count.md.

    Attributes:
        mci_count: numbers of MCI (Hamrah-e Avval).
        irancell_count: numbers of Irancell.
        other_count: numbers of all other operators.
    """

    mci_count: int | None = None
    irancell_count: int | None = None
    other_count: int | None = None

    @property
    def total(self) -> int:
        """All of them together; what the service did not say counts as none."""
        return (self.mci_count or 0) + (self.irancell_count or 0) + (self.other_count or 0)
