"""Models of sending: the targets that go in, the ids and prices that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ippanel_edge.models.fields import to_recipients


@attrs.frozen(kw_only=True)
class SendResult:
    """What a send answers. Source: send/webservice.md.

    Attributes:
        message_outbox_ids: an id for each message that the service made of the send; the reports take them.
    """

    message_outbox_ids: tuple[int, ...] = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.deep_iterable(attrs.validators.ge(1))]
    )

    @property
    def id(self) -> int:
        """The only id.

        Raises:
            ValueError: there are several; use `message_outbox_ids`.
        """
        if len(self.message_outbox_ids) != 1:
            raise ValueError(f"this send made {len(self.message_outbox_ids)} messages: use message_outbox_ids")
        return self.message_outbox_ids[0]


@attrs.frozen(kw_only=True)
class Price:
    """What one message costs, in Rials, without the opt-out suffix. Source: send/calculate-price.md.

    Attributes:
        mci_price: to a number of MCI.
        other_price: to a number of any other operator.
        parts: parts of the text.
    """

    mci_price: float | None = None
    other_price: float | None = None
    parts: int | None = None


@attrs.frozen(kw_only=True)
class PeerMessage:
    """One text and who gets it. Source: send/peer-to-peer.md.

    Attributes:
        recipients: mobile numbers in any spelling, or one; held as E.164.
        message: the text.
    """

    recipients: tuple[str, ...] = attrs.field(converter=to_recipients)
    message: str


@attrs.frozen(kw_only=True)
class Slice:
    """A range of a number bank.

    Attributes:
        start: how many numbers to pass over.
        size: how many numbers to take; 0 takes none.
    """

    start: int = 0
    size: int = 0


@attrs.frozen(kw_only=True)
class PostalCodeTarget:
    """Numbers of a postal code. Source: send/postalcode.md.

    Attributes:
        postal_code: its first 2 to 5 digits.
        age_from: earliest birth year, Jalali, 1300 to 1410.
        age_to: latest birth year, Jalali, 1300 to 1410.
        gender: 0 all, 1 male, 2 female.
        bank: ``all``, or ``white`` for numbers that are not blacklisted.
        mci: which of MCI's numbers.
        irancell: which of Irancell's numbers.
        other: which of the other operators' numbers.
    """

    postal_code: int
    age_from: int = 1300
    age_to: int = 1410
    gender: int = 0
    bank: str = "all"
    mci: Slice = attrs.field(factory=Slice)
    irancell: Slice = attrs.field(factory=Slice)
    other: Slice = attrs.field(factory=Slice)


@attrs.frozen(kw_only=True)
class CountryTarget:
    """Numbers of a place, first version: a province; province and county; or all three. Source: send/country/index.md.

    Attributes:
        province_id: from `banks.provinces`.
        county_id: from `banks.counties`.
        city_id: from `banks.cities`; needs county_id.
        pre: the numbers' prefix, 2 to 6 digits, such as 938.
        age_from: earliest birth year, Jalali, 1300 to 1410.
        age_to: latest birth year, Jalali, 1300 to 1410.
        gender: 0 all, 1 male, 2 female.
        bank: ``all``, or ``white`` for numbers that are not blacklisted.
        mci: which of MCI's numbers.
        irancell: which of Irancell's numbers.
        other: which of the other operators' numbers.
    """

    province_id: int
    county_id: int | None = None
    city_id: int | None = None
    pre: int | None = None
    age_from: int = 1300
    age_to: int = 1410
    gender: int = 0
    bank: str = "all"
    mci: Slice = attrs.field(factory=Slice)
    irancell: Slice = attrs.field(factory=Slice)
    other: Slice = attrs.field(factory=Slice)


@attrs.frozen(kw_only=True)
class OperatorSlice:
    """A range of one operator's numbers.

    Attributes:
        id: 1 MCI, 2 Irancell, 13 others.
        start: how many numbers to pass over.
        size: how many numbers to take.
    """

    id: int
    start: int = 0
    size: int = 0


@attrs.frozen(kw_only=True)
class GeolocationTarget:
    """Numbers of a place, second version. Source: send/countryV2/index.md.

    Attributes:
        province_id: from `geolocation.provinces`.
        county_id: from `geolocation.counties`.
        city_id: from `geolocation.cities`.
        pre: the numbers' prefix, 2 to 6 digits, such as ``"912"``.
        gender: 1 male, 2 female.
        from_age: earliest birth year, Jalali, 1300 to 1410.
        to_age: latest birth year, Jalali, 1300 to 1410.
        operator: which numbers of which operators.
    """

    province_id: int | None = None
    county_id: int | None = None
    city_id: int | None = None
    pre: str | None = None
    gender: int | None = None
    from_age: int | None = None
    to_age: int | None = None
    operator: Sequence[OperatorSlice] = ()


@attrs.frozen(kw_only=True)
class JobTarget:
    """Numbers of a trade. Source: send/jobs/index.md.

    Attributes:
        main_category_id: from `jobs.categories`.
        sub_category_id: from `jobs.sub_categories`.
        operator: which numbers of which operators.
    """

    main_category_id: int
    sub_category_id: int | None = None
    operator: Sequence[OperatorSlice] = ()


@attrs.frozen(kw_only=True)
class WholePhonebooks:
    """All numbers of phonebooks, or a range of them (the API's type ``all``). Source: send/phonebook.md.

    Attributes:
        phonebook_ids: the phonebooks.
        start: how many numbers to pass over; without start and size, all are taken.
        size: how many numbers to take.
    """

    phonebook_ids: Sequence[int]
    start: int | None = None
    size: int | None = None


@attrs.frozen(kw_only=True)
class PhonebookNumbers:
    """Chosen numbers of one phonebook (the API's type ``detail``). Source: send/phonebook.md.

    Attributes:
        phonebook_id: the phonebook.
        number_ids: the contacts' ids.
    """

    phonebook_id: int
    number_ids: Sequence[int]


@attrs.frozen(kw_only=True)
class PatternContact:
    """The phonebook entry that a pattern send keeps the recipient in. Source: send/pattern.md.

    Attributes:
        id: the phonebook's id.
        name: the contact's name.
        pre: how the contact is addressed, such as ``mr``.
        email: the contact's address.
        options: values of the phonebook's own fields, by the field's id.
    """

    id: int
    name: str | None = None
    pre: str | None = None
    email: str | None = None
    options: Mapping[int, str] = attrs.field(factory=dict[int, str])
