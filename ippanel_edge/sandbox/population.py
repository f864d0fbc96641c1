"""The fictional subscribers that bank, geolocation and job sends can reach; they are constant and deterministic."""

from __future__ import annotations

from functools import cache

import attrs

MCI, IRANCELL, OTHER = 1, 2, 13
OPERATORS = {MCI: "mci", IRANCELL: "irancell", OTHER: "other"}

_PREFIXES = {MCI: ("912", "913", "990"), IRANCELL: ("935", "938", "901"), OTHER: ("921", "922")}
_PEOPLE_PER_CITY = 300


@attrs.frozen
class Place:
    """A province, a county of a province, or a city of a county."""

    id: int
    name: str
    parent_id: int = 0


@attrs.frozen
class JobSubCategory:
    """A job sub-category and the id of its main category."""

    id: int
    name: str
    main_id: int


PROVINCES = (Place(11, "تهران"), Place(12, "اصفهان"), Place(13, "گیلان"))
COUNTIES = (
    Place(111, "ری", 11),
    Place(112, "شمیرانات", 11),
    Place(121, "کاشان", 12),
    Place(122, "نجف آباد", 12),
    Place(131, "رشت", 13),
)
CITIES = (
    Place(1111, "شهرری", 111),
    Place(1112, "باقرشهر", 111),
    Place(1121, "تجریش", 112),
    Place(1211, "کاشان", 121),
    Place(1212, "قمصر", 121),
    Place(1221, "نجف آباد", 122),
    Place(1311, "رشت", 131),
    Place(1312, "خمام", 131),
)
GENDERS = (Place(1, "مرد"), Place(2, "زن"), Place(3, "سازمانی- حقوقی"))
JOB_CATEGORIES = (Place(1, "خوراک"), Place(2, "ساختمان"), Place(3, "سلامت"))
JOB_SUB_CATEGORIES = (
    JobSubCategory(10, "نانوایی", 1),
    JobSubCategory(11, "قنادی", 1),
    JobSubCategory(20, "کاشی کاری", 2),
    JobSubCategory(21, "لوله کشی", 2),
    JobSubCategory(30, "داروخانه", 3),
)

_COUNTY_OF = {city.id: city.parent_id for city in CITIES}
_PROVINCE_OF = {county.id: county.parent_id for county in COUNTIES}
_MAIN_CATEGORY_OF = {category.id: category.main_id for category in JOB_SUB_CATEGORIES}


@attrs.frozen
class Person:
    """A subscriber that bank, postal code, geolocation and job sends can reach."""

    number: str
    operator: int
    city_id: int
    postal_code: str
    gender: int
    birth_year: int
    sub_category_id: int
    is_blacklisted: bool

    @property
    def county_id(self) -> int:
        """The county of the person's city."""
        return _COUNTY_OF[self.city_id]

    @property
    def province_id(self) -> int:
        """The province of the person's county."""
        return _PROVINCE_OF[self.county_id]

    @property
    def main_category_id(self) -> int:
        """The main job category of the person."""
        return _MAIN_CATEGORY_OF[self.sub_category_id]


@cache
def people() -> tuple[Person, ...]:
    """Return all subscribers: 300 per city, half of them with MCI, a third with Irancell, 1 in 25 blacklisted."""
    return tuple(
        _person(city_index, city, index) for city_index, city in enumerate(CITIES) for index in range(_PEOPLE_PER_CITY)
    )


def _person(city_index: int, city: Place, index: int) -> Person:
    operator = (MCI, IRANCELL, MCI, IRANCELL, MCI, OTHER)[index % 6]
    prefixes = _PREFIXES[operator]
    return Person(
        number=f"+98{prefixes[index % len(prefixes)]}{5_000_000 + city_index * 10_000 + index:07d}",
        operator=operator,
        city_id=city.id,
        postal_code=f"{city.id // 10}{index % 100:02d}",
        gender=1 + index // 6 % 2,
        birth_year=1330 + index * 7 % 70,
        sub_category_id=JOB_SUB_CATEGORIES[index // 12 % len(JOB_SUB_CATEGORIES)].id,
        is_blacklisted=index % 25 == 1,
    )


@attrs.frozen
class PersonFilter:
    """Criteria that select subscribers; None and 0 match any value."""

    province_id: int | None = None
    county_id: int | None = None
    city_id: int | None = None
    prefix: str | None = None
    postal_code: str | None = None
    gender: int | None = None
    year_from: int | None = None
    year_to: int | None = None
    main_category_id: int | None = None
    sub_category_id: int | None = None
    without_blacklisted: bool = False

    def matches(self, person: Person) -> bool:
        """Whether a person meets all criteria."""
        return (
            (not self.province_id or person.province_id == self.province_id)
            and (not self.county_id or person.county_id == self.county_id)
            and (not self.city_id or person.city_id == self.city_id)
            and (not self.prefix or person.number.startswith(self.prefix, 3))
            and (not self.postal_code or person.postal_code.startswith(self.postal_code))
            and (not self.gender or person.gender == self.gender)
            and (not self.year_from or person.birth_year >= self.year_from)
            and (not self.year_to or person.birth_year <= self.year_to)
            and (not self.main_category_id or person.main_category_id == self.main_category_id)
            and (not self.sub_category_id or person.sub_category_id == self.sub_category_id)
            and not (self.without_blacklisted and person.is_blacklisted)
        )


def find_people(criteria: PersonFilter) -> list[Person]:
    """Return the matching people, always in the same order."""
    return [person for person in people() if criteria.matches(person)]


def operator_of(number: str) -> int:
    """Return the operator that the prefix of a number suggests, as the price calculation does."""
    if not number.startswith("+989"):
        return OTHER
    prefix = number[3:6]
    if prefix.startswith(("91", "99")):
        return MCI
    if prefix.startswith("93") or prefix in {"900", "901", "902", "903", "904", "905", "941"}:
        return IRANCELL
    return OTHER
