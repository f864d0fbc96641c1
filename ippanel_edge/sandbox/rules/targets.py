"""Whom a send to banks, trades or phonebooks reaches: its `params`, read and resolved to numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.population import Wanted, find
from ippanel_edge.sandbox.replies import label, not_valid_text
from ippanel_edge.sandbox.rules.places import (
    check_prefix,
    pick,
    read_named_slices,
    read_operator_slices,
    read_place,
    read_trade,
    read_years,
)

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Contact, Phonebook
    from ippanel_edge.sandbox.routes import Call

MOST_PHONEBOOK_PARAMS: Final = 100
_BANKS: Final = ("all", "white")
_OPTION = re.compile(r"\{ex_([0-9]+)\}")


def postal_code_targets(body: Fields) -> list[str]:
    """Resolve the targets of a postal_code send."""
    numbers: list[str] = []
    for target in body.objects("params"):
        code = target.integer("postal_code", least=10, most=99999)
        numbers += _from_bank(target, Wanted(postal_code=str(code)))
    return numbers


def country_targets(body: Fields) -> list[str]:
    """Resolve the targets of a country send: province; province and county; or all three."""
    numbers: list[str] = []
    for target in body.objects("params"):
        province_id, county_id, city_id = read_place(target)
        prefix = target.integer_or_none("pre", least=10, most=999999)
        wanted = Wanted(
            province_id=province_id,
            county_id=county_id,
            city_id=city_id,
            prefix=None if prefix is None else str(prefix),
        )
        numbers += _from_bank(target, wanted)
    return numbers


def _from_bank(target: Fields, wanted: Wanted) -> list[str]:
    """Narrow by what postal_code and country share: bank, gender, birth years, and each operator's slice."""
    bank = target.choice("bank", _BANKS)
    gender = target.integer("gender", least=0, most=2)
    year_from, year_to = read_years(target, "age_from", "age_to", required=True)
    narrowed = attrs.evolve(
        wanted, gender=gender, year_from=year_from, year_to=year_to, without_blacklisted=bank == "white"
    )
    return [person.number for person in pick(find(narrowed), read_named_slices(target))]


def geolocation_targets(body: Fields) -> list[str]:
    """Resolve the targets of a geolocation send; everything in them is optional."""
    numbers: list[str] = []
    for target in body.objects("params"):
        province_id, county_id, city_id = read_place(target, province=False)
        prefix = target.text_or_none("pre")
        check_prefix(target, "pre", prefix)
        year_from, year_to = read_years(target, "from_age", "to_age")
        wanted = Wanted(
            province_id=province_id,
            county_id=county_id,
            city_id=city_id,
            prefix=prefix,
            gender=target.integer_or_none("gender", least=1, most=2),
            year_from=year_from,
            year_to=year_to,
        )
        numbers += [person.number for person in pick(find(wanted), read_operator_slices(target))]
    return numbers


def job_targets(body: Fields) -> list[str]:
    """Resolve the targets of a job send."""
    numbers: list[str] = []
    for target in body.objects("params"):
        wanted = read_trade(target)
        numbers += [person.number for person in pick(find(wanted), read_operator_slices(target))]
    return numbers


def phonebook_numbers(call: Call) -> list[str]:
    """Resolve the params of a phonebook send: whole books (type all) or chosen numbers of one (type detail)."""
    numbers: list[str] = []
    for part in call.body.objects("params", most=MOST_PHONEBOOK_PARAMS):
        kind = part.choice("type", ("all", "detail"))
        if kind == "all":
            numbers += _whole_books(call, part)
        elif kind == "detail":
            numbers += _chosen(call, part)
    return numbers


def _whole_books(call: Call, part: Fields) -> list[str]:
    ids = part.integers("phonebook_ids", spelled=True)
    start = part.integer_or_none("start", least=0, spelled=True) or 0
    size = part.integer_or_none("size", least=0, spelled=True)
    numbers: list[str] = []
    for place, phonebook_id in enumerate(ids):
        book = _book(call, part, f"phonebook_ids.{place}", phonebook_id)
        numbers += [contact.number for contact in _contacts(call, book)]
    return numbers[start:] if size is None else numbers[start : start + size]


def _chosen(call: Call, part: Fields) -> list[str]:
    book = _book(call, part, "phonebook_id", part.integer("phonebook_id", spelled=True))
    members = {contact.contact_id: contact.number for contact in _contacts(call, book)}
    numbers: list[str] = []
    for place, number_id in enumerate(part.integers("number_ids", spelled=True)):
        if number_id in members:
            numbers.append(members[number_id])
        else:
            part.fail(f"number_ids.{place}", not_valid_text(label("number_ids")))
    return numbers


def keyword_phonebook_texts(call: Call, template: str) -> list[tuple[str, str]]:
    """Resolve the contacts of a keyword_phonebook send, each with its own text: {ex_ID} is its option's value."""
    texts: list[tuple[str, str]] = []
    for part in call.body.objects("params", most=MOST_PHONEBOOK_PARAMS):
        book = _book(call, part, "phonebook_id", part.integer("phonebook_id", spelled=True))
        if book is None:
            continue
        for option in _OPTION.findall(template):
            if int(option) not in book.option_ids:
                call.body.fail("message", not_valid_text(f"ex_{option}"))
        texts += [(contact.number, _fill(template, contact)) for contact in _contacts(call, book)]
    return texts


def _fill(template: str, contact: Contact) -> str:
    return _OPTION.sub(lambda match: contact.options.get(int(match[1]), ""), template)


def _book(call: Call, part: Fields, name: str, phonebook_id: int) -> Phonebook | None:
    """Find a phonebook of the caller's; note it as wrong where there is none (0 was noted when it was read)."""
    book = call.world.phonebooks.get(phonebook_id)
    if book is not None and book.user_id == call.user.user_id:
        return book
    if phonebook_id:
        part.fail(name, not_valid_text(label(name)))
    return None


def _contacts(call: Call, book: Phonebook | None) -> list[Contact]:
    return [] if book is None else call.world.contacts_of(book.phonebook_id)
