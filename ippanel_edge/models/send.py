"""Models of sending: targets in requests, prices in responses. `SendResult` is in `send_result`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import checked, to_recipients
from ippanel_edge.models.send_result import SendResult as SendResult  # noqa: PLC0414 - exported from here too


@attrs.frozen(kw_only=True)
class Price(Model):
    """The price of one message, in Rials, without the opt-out suffix. Source: send/calculate-price.md.

    Attributes:
        mci_price: the price for a number of MCI.
        other_price: the price for a number of any other operator.
        parts: the number of parts (SMS segments) of the message.
    """

    mci_price: float | None = None
    other_price: float | None = None
    parts: int | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class PeerMessage(Model):
    """A message and its recipients. Source: send/peer-to-peer.md.

    Attributes:
        recipients: one or more mobile numbers in any common format; stored as E.164.
        message: the message text.
    """

    recipients: tuple[str, ...] = attrs.field(converter=to_recipients)
    message: str


@attrs.frozen(kw_only=True, field_transformer=checked)
class Slice(Model):
    """A range of one operator's numbers.

    Attributes:
        start: the number of numbers to skip.
        size: the number of numbers to use; 0 for none of this operator.
    """

    start: int = 0
    size: int = 0


@attrs.frozen(kw_only=True, field_transformer=checked)
class PostalCodeTarget(Model):
    """The numbers in a postal code area. Source: send/postalcode.md.

    Pass a Slice for each of the three operators, or ``everyone=True``. A target that names fewer is rejected: the
    service's English page requires all three, and its Persian page sends to all numbers if they are left out.

    Attributes:
        postal_code: the first 2 to 5 digits of the postal code.
        age_from: earliest birth year, Jalali, 1300 to 1410.
        age_to: latest birth year, Jalali, 1300 to 1410.
        gender: 0 all, 1 male, 2 female.
        bank: ``all``, or ``white`` for numbers that are not blacklisted.
        mci: the range of MCI's numbers.
        irancell: the range of Irancell's numbers.
        other: the range of the other operators' numbers.
        everyone: address all numbers, of every operator, instead of ranges. The ranges are left out of the request.
    """

    postal_code: int
    age_from: int = 1300
    age_to: int = 1410
    gender: int = 0
    bank: str = "all"
    mci: Slice | None = None
    irancell: Slice | None = None
    other: Slice | None = None
    everyone: bool = False


@attrs.frozen(kw_only=True, field_transformer=checked)
class CountryTarget(Model):
    """The numbers of a province, county or city (v1 of the API). Source: send/country/index.md.

    Pass a Slice for each of the three operators, or ``everyone=True``, as for `PostalCodeTarget`.

    Attributes:
        province_id: from `banks.provinces`.
        county_id: from `banks.counties`.
        city_id: from `banks.cities`; requires county_id.
        pre: the prefix of the numbers, 2 to 6 digits, such as 938.
        age_from: earliest birth year, Jalali, 1300 to 1410.
        age_to: latest birth year, Jalali, 1300 to 1410.
        gender: 0 all, 1 male, 2 female.
        bank: ``all``, or ``white`` for numbers that are not blacklisted.
        mci: the range of MCI's numbers.
        irancell: the range of Irancell's numbers.
        other: the range of the other operators' numbers.
        everyone: address all numbers, of every operator, instead of ranges. The ranges are left out of the request.
    """

    province_id: int
    county_id: int | None = None
    city_id: int | None = None
    pre: int | None = None
    age_from: int = 1300
    age_to: int = 1410
    gender: int = 0
    bank: str = "all"
    mci: Slice | None = None
    irancell: Slice | None = None
    other: Slice | None = None
    everyone: bool = False


@attrs.frozen(kw_only=True, field_transformer=checked)
class OperatorSlice(Model):
    """A range of one operator's numbers.

    Attributes:
        id: 1 MCI, 2 Irancell, 13 others.
        start: the number of numbers to skip.
        size: the number of numbers to use, at least 1.
    """

    id: int
    start: int = 0
    size: int = 0


@attrs.frozen(kw_only=True, field_transformer=checked)
class GeolocationTarget(Model):
    """The numbers of a province, county or city (v2 of the API). Source: send/countryV2/index.md.

    Pass `operator` or ``everyone=True``: the page does not state who receives the message if the list is left out.

    Attributes:
        province_id: from `geolocation.provinces`.
        county_id: from `geolocation.counties`.
        city_id: from `geolocation.cities`.
        pre: the prefix of the numbers, such as ``"912"``.
        gender: 1 male, 2 female; all if omitted.
        from_age: earliest birth year, Jalali, 1300 to 1410.
        to_age: latest birth year, Jalali, 1300 to 1410.
        operator: the ranges of the operators' numbers; operators that are not listed get nothing.
        everyone: address all numbers, of every operator, instead of ranges. The list is left out of the request.
    """

    province_id: int | None = None
    county_id: int | None = None
    city_id: int | None = None
    pre: str | None = None
    gender: int | None = None
    from_age: int | None = None
    to_age: int | None = None
    operator: Sequence[OperatorSlice] = ()
    everyone: bool = False


@attrs.frozen(kw_only=True, field_transformer=checked)
class JobTarget(Model):
    """The numbers of a job category. Source: send/jobs/index.md.

    Pass `operator` or ``everyone=True``, as for `GeolocationTarget`.

    Attributes:
        main_category_id: from `jobs.categories`.
        sub_category_id: from `jobs.sub_categories`.
        operator: the ranges of the operators' numbers; operators that are not listed get nothing.
        everyone: address all numbers, of every operator, instead of ranges. The list is left out of the request.
    """

    main_category_id: int
    sub_category_id: int | None = None
    operator: Sequence[OperatorSlice] = ()
    everyone: bool = False


@attrs.frozen(kw_only=True, field_transformer=checked)
class WholePhonebooks(Model):
    """All numbers of phonebooks, or a range of them (the API's type ``all``). Source: send/phonebook.md.

    Attributes:
        phonebook_ids: the ids of the phonebooks.
        start: the number of numbers to skip; without start and size, all numbers are used.
        size: the number of numbers to use.
    """

    phonebook_ids: Sequence[int]
    start: int | None = None
    size: int | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class PhonebookNumbers(Model):
    """Selected numbers of one phonebook (the API's type ``detail``). Source: send/phonebook.md.

    Attributes:
        phonebook_id: the id of the phonebook.
        number_ids: the ids of the contacts.
    """

    phonebook_id: int
    number_ids: Sequence[int]


@attrs.frozen(kw_only=True, field_transformer=checked)
class PatternContact(Model):
    """The contact that a pattern send stores for the recipient in a phonebook. Source: send/pattern.md.

    Attributes:
        id: the phonebook's id.
        name: the contact's name.
        pre: the form of address, such as ``mr``.
        email: the contact's email address.
        options: values (str or number) of the phonebook's options by option id.
    """

    id: int
    name: str | None = None
    pre: str | None = None
    email: str | None = None
    options: Mapping[int, object] = attrs.field(factory=dict[int, object])
