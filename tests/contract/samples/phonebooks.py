"""Samples of the phonebooks endpoints, with contacts and options."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ippanel_edge import endpoints
from ippanel_edge.models.common import Page
from ippanel_edge.models.phonebooks import (
    AddedContacts,
    Contact,
    ContactChanges,
    ContactFilters,
    ContactTag,
    NewContact,
    Option,
    OptionType,
    Phonebook,
)
from tests.contract.sample import Sample, ok, paged
from tests.workbooks import workbook

CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
UPDATED = datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC)
XLSX = workbook(["number"], ["09124445566"])
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page_of(*items: Any, total: int | None = None) -> Page[Any]:
    count = len(items) if total is None else total
    return Page(items=items, current_page=1, last_page=-(-count // 10), per_page=10, total=count)


PHONEBOOKS = [
    Sample(
        endpoint=endpoints.PHONEBOOKS_LIST,
        call=lambda client: client.phonebooks.list(title="مشتریان"),
        query={"page": "1", "per_page": "10", "title": "مشتریان"},
        answer=paged(
            [
                {
                    "id": "40101",
                    "title": "مشتریان",
                    "count": "7",
                    "export_status": 0,
                    "import_status": None,
                    "created_at": "2026-03-04T05:06:07+00:00",
                    "updated_at": "2026-04-05T06:07:08+00:00",
                    "options": [{"id": 71, "title": "سررسید", "type": "date"}, {"id": "72", "type": "color"}],
                },
                {"id": 40102, "title": None, "count": None, "created_at": "", "options": None},
            ],
            path="/api/phonebooks/listNew",
            total=12,
        ),
        returns=page_of(
            Phonebook(
                id=40101,
                title="مشتریان",
                count=7,
                export_status=0,
                created_at=CREATED,
                updated_at=UPDATED,
                options=(Option(id=71, title="سررسید", type=OptionType.DATE), Option(id=72, type="color")),
            ),
            Phonebook(id=40102),
            total=12,
        ),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_LIST,
        name="by id",
        call=lambda client: client.phonebooks.list(page=1, per_page=1000, id=40101),
        query={"page": "1", "per_page": "1000", "id": "40101"},
        answer=paged([], path="/api/phonebooks/listNew", total=0),
        returns=Page[Phonebook](current_page=1, last_page=0, per_page=10, total=0),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CREATE,
        call=lambda client: client.phonebooks.create("بدهکاران", [72, 71]),
        json={"title": "بدهکاران", "options": ["72", "71"]},
        answer=ok(
            {
                "id": 40103,
                "title": "بدهکاران",
                "count": "0",
                "export_status": None,
                "import_status": None,
                "created_at": "2026-03-04T05:06:07+00:00",
                "options": [{"id": 72, "title": "بدهی", "type": "int"}],
            }
        ),
        returns=Phonebook(
            id=40103,
            title="بدهکاران",
            count=0,
            created_at=CREATED,
            options=(Option(id=72, title="بدهی", type=OptionType.INT),),
        ),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CREATE,
        name="without options",
        call=lambda client: client.phonebooks.create("تنها"),
        json={"title": "تنها"},
        answer=ok({"id": 40104, "title": "تنها", "count": 0, "options": []}),
        returns=Phonebook(id=40104, title="تنها", count=0),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_UPDATE,
        call=lambda client: client.phonebooks.update(40103, title="قدیمی", options=[71]),
        path={"phonebook_id": "40103"},
        json={"title": "قدیمی", "options": ["71"]},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_UPDATE,
        name="remove all options",
        call=lambda client: client.phonebooks.update(40103, options=()),
        path={"phonebook_id": "40103"},
        json={"options": []},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_DELETE,
        call=lambda client: client.phonebooks.delete([40103, 40104]),
        json={"listPhonebooks": [40103, 40104]},
        answer=ok(None),
        returns=None,
    ),
]

CONTACTS = [
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_ADD,
        call=lambda client: client.phonebooks.contacts.add(
            [
                NewContact(
                    number="۰۹۱۲ ۵۵۵ ۰۱۰۱",  # noqa: RUF001 - Persian digits are intended
                    phonebook_id=40101,
                    pre="خانم",
                    name="نگار",
                    email="negar@example.org",
                    options={71: "2026-09-01", 72: "1500"},
                ),
                NewContact(number="00989355550102", phonebook_id=40102),
            ]
        ),
        json={
            "list": [
                {
                    "number": "+989125550101",
                    "phonebook_id": "40101",
                    "pre": "خانم",
                    "name": "نگار",
                    "email": "negar@example.org",
                    "options": {"71": "2026-09-01", "72": "1500"},
                },
                {"number": "+989355550102", "phonebook_id": "40102"},
            ]
        },
        status=201,
        answer=ok({"added": 1, "errors": "0", "existences": 1}, message_code="201-1"),
        returns=AddedContacts(added=1, errors=0, existences=1),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_ADD,
        name="with HTTP 200",
        call=lambda client: client.phonebooks.contacts.add([NewContact(number="09125550101", phonebook_id=40101)]),
        json={"list": [{"number": "+989125550101", "phonebook_id": "40101"}]},
        answer=ok({"added": 1}, message_code="201-1"),
        returns=AddedContacts(added=1),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_GET,
        call=lambda client: client.phonebooks.contacts.get(9001),
        path={"contact_id": "9001"},
        answer=ok(
            {
                "id": 9001,
                "phonebook_id": "40101",
                "pre": "خانم",
                "name": "نگار",
                "email": "",
                "number": "+989125550101",
                "created_at": "2026-03-04T05:06:07+00:00",
                "updated_at": "2026-04-05T06:07:08+00:00",
                "phonebook_title": "مشتریان",
                "is_send_blacklist": 1,
                "is_receive_blacklist": False,
                "tags": [
                    {
                        "id": 3,
                        "number_id": "9001",
                        "phonebook_id": "40101",
                        "tag": "ویژه",
                        "created_at": "2026-03-04T05:06:07.000000Z",
                        "updated_at": "2026-04-05T06:07:08.000000Z",
                    }
                ],
            }
        ),
        returns=Contact(
            id=9001,
            phonebook_id=40101,
            pre="خانم",
            name="نگار",
            email="",
            number="+989125550101",
            created_at=CREATED,
            updated_at=UPDATED,
            phonebook_title="مشتریان",
            is_send_blacklist=True,
            is_receive_blacklist=False,
            tags=(
                ContactTag(
                    id=3, number_id=9001, phonebook_id=40101, tag="ویژه", created_at=CREATED, updated_at=UPDATED
                ),
            ),
        ),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_LIST,
        call=lambda client: client.phonebooks.contacts.list(
            filters=ContactFilters(
                from_created_at=CREATED, number="0912 555 0101", phonebook_title="مشتریان", phonebook_id=40101
            )
        ),
        query={
            "page": "1",
            "per_page": "10",
            "from_created_at": "1772600767",
            "number": "+989125550101",
            "phonebook_title": "مشتریان",
            "phonebook_id": "40101",
        },
        answer=paged(
            [
                {
                    "id": 9001,
                    "phonebook_id": 40101,
                    "pre": "",
                    "name": "نگار",
                    "email": None,
                    "number": "+989125550101",
                    "created_at": "2026-03-04T05:06:07+00:00",
                    "updated_at": None,
                    "phonebook_title": "مشتریان",
                }
            ],
            path="/api/phonebooks/numbers/contact-list",
        ),
        returns=page_of(
            Contact(
                id=9001,
                phonebook_id=40101,
                pre="",
                name="نگار",
                number="+989125550101",
                created_at=CREATED,
                phonebook_title="مشتریان",
            )
        ),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_LIST,
        name="without filters",
        call=lambda client: client.phonebooks.contacts.list(page=1, per_page=10, filters=ContactFilters()),
        query={"page": "1", "per_page": "10"},
        answer=paged([{}], path="/api/phonebooks/numbers/contact-list"),
        returns=page_of(Contact()),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_UPDATE,
        call=lambda client: client.phonebooks.contacts.update(
            9001,
            ContactChanges(
                number="912-555-0103", pre="آقای", name="", email="x@example.org", options={72: "0"}, phonebook_id=40102
            ),
        ),
        path={"contact_id": "9001"},
        json={
            "number": "+989125550103",
            "pre": "آقای",
            "name": "",
            "email": "x@example.org",
            "options": {"72": "0"},
            "phonebook_id": "40102",
        },
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_UPDATE,
        name="one field",
        call=lambda client: client.phonebooks.contacts.update(9001, ContactChanges(name="نگین")),
        path={"contact_id": "9001"},
        json={"name": "نگین"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_DELETE,
        call=lambda client: client.phonebooks.contacts.delete([9001, 9002]),
        json={"listNumbers": [9001, 9002]},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_EXPORT,
        call=lambda client: client.phonebooks.contacts.export(ContactFilters(phonebook_id=40101)),
        query={"phonebook_id": "40101"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_EXPORT,
        name="without filters",
        call=lambda client: client.phonebooks.contacts.export(),
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_EXPORT_MEMBERS,
        call=lambda client: client.phonebooks.contacts.export_members(40101),
        path={"phonebook_id": "40101"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_IMPORT_FILE,
        call=lambda client: client.phonebooks.contacts.import_file(40101, ("members.xlsx", XLSX)),
        path={"phonebook_id": "40101"},
        files=(("file", "members.xlsx", XLSX),),
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE,
        call=lambda client: client.phonebooks.contacts.import_sample(40101),
        path={"phonebook_id": "40101"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE,
        name="a file",
        call=lambda client: client.phonebooks.contacts.import_sample(40101),
        path={"phonebook_id": "40101"},
        answer=XLSX,
        headers={"content-type": XLSX_TYPE},
        returns=XLSX,
    ),
]

OPTIONS = [
    Sample(
        endpoint=endpoints.PHONEBOOKS_OPTIONS_LIST,
        call=lambda client: client.phonebooks.options.list(type=OptionType.INT, title="بدهی"),
        query={"page": "1", "per_page": "10", "type": "int", "title": "بدهی"},
        answer=paged(
            [
                {"id": 72, "title": "بدهی", "type": "int", "created_at": "2026-03-04T05:06:07+00:00"},
                {"id": "73", "title": None, "type": "", "created_at": None},
            ],
            path="/api/phonebooks/options/listNew",
        ),
        returns=page_of(Option(id=72, title="بدهی", type=OptionType.INT, created_at=CREATED), Option(id=73)),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_OPTIONS_LIST,
        name="type as a str",
        call=lambda client: client.phonebooks.options.list(type="date", page=1, per_page=50),
        query={"page": "1", "per_page": "50", "type": "date"},
        answer=paged([], path="/api/phonebooks/options/listNew", total=0),
        returns=Page[Option](current_page=1, last_page=0, per_page=10, total=0),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_OPTIONS_CREATE,
        call=lambda client: client.phonebooks.options.create("date", "سررسید"),
        json={"type": "date", "title": "سررسید"},
        answer=ok({"id": 71, "title": "سررسید", "type": "date", "created_at": "2026-03-04T05:06:07+00:00"}),
        returns=Option(id=71, title="سررسید", type=OptionType.DATE, created_at=CREATED),
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_OPTIONS_UPDATE,
        call=lambda client: client.phonebooks.options.update(71, "مهلت"),
        path={"option_id": "71"},
        json={"title": "مهلت"},
        answer=ok(data=True),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.PHONEBOOKS_OPTIONS_DELETE,
        call=lambda client: client.phonebooks.options.delete([71]),
        json={"listOptions": [71]},
        answer=ok(None),
        returns=None,
    ),
]

SAMPLES = [*PHONEBOOKS, *CONTACTS, *OPTIONS]
