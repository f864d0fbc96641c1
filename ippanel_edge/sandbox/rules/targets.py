"""Resolving the `params` of sends to banks, job categories and phonebooks into numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.population import PersonFilter, find_people
from ippanel_edge.sandbox.replies import invalid_message, label, not_found
from ippanel_edge.sandbox.rules.places import (
    read_birth_years,
    read_job_filter,
    read_named_slices,
    read_operator_slices,
    read_place,
    read_prefix,
    select_slices,
)

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Contact, Phonebook
    from ippanel_edge.sandbox.routes import Call

MAX_PHONEBOOK_PARAMS: Final = 100
_BANKS: Final = ("all", "white")
_OPTION = re.compile(r"\{ex_([0-9]+)\}")


def postal_code_targets(body: Fields) -> list[str]:
    """Return the numbers of the targets of a postal_code send."""
    numbers: list[str] = []
    for target in body.objects("params"):
        code = target.integer("postal_code", minimum=10, maximum=99999)
        criteria = PersonFilter(postal_code=str(code))
        if code and not find_people(criteria):
            body.add_error("postal_code", "کد پستی نامعتبر است")
        numbers += _from_bank(target, criteria)
    return numbers


def country_targets(body: Fields) -> list[str]:
    """Return the numbers of the targets of a country send: province; province and county; or all three."""
    numbers: list[str] = []
    for target in body.objects("params"):
        province_id, county_id, city_id = read_place(
            target, report=lambda name: body.add_error(name, "منطقه انتخابی نامعتبر است")
        )
        prefix = target.integer_or_none("pre", minimum=10, maximum=999999)
        criteria = PersonFilter(
            province_id=province_id,
            county_id=county_id,
            city_id=city_id,
            prefix=None if prefix is None else str(prefix),
        )
        numbers += _from_bank(target, criteria)
    return numbers


def _from_bank(target: Fields, criteria: PersonFilter) -> list[str]:
    """Return the numbers for the fields common to postal_code and country: bank, gender, birth years, slices."""
    bank = target.choice("bank", _BANKS)
    gender = target.integer("gender", minimum=0, maximum=2)
    year_from, year_to = read_birth_years(target, "age_from", "age_to", required=True)
    narrowed = attrs.evolve(
        criteria, gender=gender, year_from=year_from, year_to=year_to, without_blacklisted=bank == "white"
    )
    return [person.number for person in select_slices(find_people(narrowed), read_named_slices(target))]


def geolocation_targets(body: Fields) -> list[str]:
    """Return the numbers of the targets of a geolocation send; all fields are optional."""
    numbers: list[str] = []
    for target in body.objects("params"):
        province_id, county_id, city_id = read_place(target, province=False)
        prefix = read_prefix(target)
        year_from, year_to = read_birth_years(target, "from_age", "to_age")
        criteria = PersonFilter(
            province_id=province_id,
            county_id=county_id,
            city_id=city_id,
            prefix=prefix,
            gender=target.integer_or_none("gender", minimum=1, maximum=2),
            year_from=year_from,
            year_to=year_to,
        )
        numbers += [person.number for person in select_slices(find_people(criteria), read_operator_slices(target))]
    return numbers


def job_targets(body: Fields) -> list[str]:
    """Return the numbers of the targets of a job send."""
    numbers: list[str] = []
    for target in body.objects("params"):
        criteria = read_job_filter(target)
        numbers += [person.number for person in select_slices(find_people(criteria), read_operator_slices(target))]
    return numbers


def phonebook_numbers(call: Call) -> list[str]:
    """Return the numbers of a phonebook send: whole phonebooks (type all) or selected contacts (type detail)."""
    numbers: list[str] = []
    for entry in call.body.objects("params", max_items=MAX_PHONEBOOK_PARAMS):
        kind = entry.choice("type", ("all", "detail"))
        if kind == "all":
            numbers += _whole_books(call, entry)
        elif kind == "detail":
            numbers += _chosen_numbers(call, entry)
    return numbers


def _whole_books(call: Call, entry: Fields) -> list[str]:
    ids = entry.integers("phonebook_ids", allow_string=True)
    start = entry.integer_or_none("start", minimum=0, allow_string=True) or 0
    size = entry.integer_or_none("size", minimum=0, allow_string=True)
    numbers: list[str] = []
    for phonebook_id in ids:
        book = _find_phonebook(call, phonebook_id)
        numbers += [contact.number for contact in _contacts(call, book)]
    return numbers[start:] if size is None else numbers[start : start + size]


def _chosen_numbers(call: Call, entry: Fields) -> list[str]:
    book = _find_phonebook(call, entry.integer("phonebook_id", allow_string=True))
    members = {contact.contact_id: contact.number for contact in _contacts(call, book)}
    numbers: list[str] = []
    for index, number_id in enumerate(entry.integers("number_ids", allow_string=True)):
        if number_id in members:
            numbers.append(members[number_id])
        else:
            entry.add_error(f"number_ids.{index}", invalid_message(label("number_ids")))
    return numbers


def keyword_phonebook_texts(call: Call, template: str) -> list[tuple[str, str]]:
    """Return (number, text) for each contact of a keyword_phonebook send; {ex_ID} is replaced by its option value."""
    texts: list[tuple[str, str]] = []
    for entry in call.body.objects("params"):
        book = _find_phonebook(call, entry.integer("phonebook_id", allow_string=True))
        if book is None:
            continue
        for option in _OPTION.findall(template):
            if int(option) not in book.option_ids:
                call.body.add_error("message", invalid_message(f"ex_{option}"))
        texts += [(contact.number, _fill(template, contact)) for contact in _contacts(call, book)]
    return texts


def _fill(template: str, contact: Contact) -> str:
    return _OPTION.sub(lambda match: contact.options.get(int(match[1]), ""), template)


def _find_phonebook(call: Call, phonebook_id: int) -> Phonebook | None:
    """Return a phonebook of the caller; None for 0, which already has an error from reading it.

    Raises:
        Rejection: 404 if the phonebook is unknown.
    """
    book = call.state.phonebooks.get(phonebook_id)
    if book is not None and book.user_id == call.user.user_id:
        return book
    if phonebook_id:
        raise not_found("دفترچه تلفن یافت نشد", code="404-1")
    return None


def _contacts(call: Call, book: Phonebook | None) -> list[Contact]:
    return [] if book is None else call.state.contacts_of(book.phonebook_id)
