"""Every endpoint of the SDK against the sandbox over HTTP, with the asyncio, trio and sync clients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ippanel_edge import AsyncEdgeClient, Call, DeliveryStatus, EdgeClient, EdgeError, MessageState
from ippanel_edge.endpoints import ALL
from ippanel_edge.models.patterns import NewPattern, PatternVariable
from ippanel_edge.models.phonebooks import ContactChanges, NewContact
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    OperatorSlice,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    Slice,
    WholePhonebooks,
)
from ippanel_edge.models.users import NewUser, UserChanges
from ippanel_edge.sandbox import Sandbox, SandboxClock
from ippanel_edge.sandbox.defaults import BANK_NUMBER, PASSWORD, USERNAME
from tests.client.sides import result
from tests.contract.catalogue import SAMPLES
from tests.workbooks import saved

AMIR, SARA, KIAN = "09121110001", "09351110002", "09901110003"
PNG = ("photo.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64)


@pytest.fixture(params=["asyncio", "trio", "sync"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def anyio_backend(side: str) -> str:
    return "asyncio" if side == "sync" else side


@pytest.fixture
def running() -> Iterator[Sandbox]:
    # The client checks send_time against the system clock, so the sandbox starts at the current time.
    with Sandbox(SandboxClock(datetime.now(UTC), frozen=True)) as sandbox:
        sandbox.state.strict = True  # undocumented fields are rejected
        yield sandbox


class Session:
    """A client of one side, and the names of the endpoints that it called successfully."""

    def __init__(self, sandbox: Sandbox, side: str) -> None:
        self.sandbox = sandbox
        self.seen: set[str] = set()
        options: dict[str, Any] = {"base_url": sandbox.base_url, "from_number": sandbox.from_number}
        self.client: Any = (
            EdgeClient(sandbox.api_key, middleware=[self._note], **options)
            if side == "sync"
            else AsyncEdgeClient(sandbox.api_key, middleware=[self._note_async], **options)
        )

    def _note(self, call: Call[Any], proceed: Any) -> Any:
        reply = proceed(call)
        self.seen.add(call.endpoint.name)
        return reply

    async def _note_async(self, call: Call[Any], proceed: Any) -> Any:
        reply = await proceed(call)
        self.seen.add(call.endpoint.name)
        return reply

    async def close(self) -> None:
        if isinstance(self.client, EdgeClient):
            self.client.close()
        else:
            await self.client.aclose()

    async def all(self, items: Any) -> list[Any]:
        """Return the items of a sync or async iterator as a list."""
        return list(items) if isinstance(self.client, EdgeClient) else [item async for item in items]


@pytest.mark.anyio
async def test_every_endpoint_works_over_http(running: Sandbox, side: str) -> None:
    session = Session(running, side)
    try:
        for stage in (_login, _messages, _banks, _phonebooks, _patterns, _drafts_and_tickets, _users, _others):
            await stage(session)
    finally:
        await session.close()
    assert {endpoint.name for endpoint in ALL} - session.seen == set()


async def _others(session: Session) -> None:
    """Call each endpoint that no other stage calls, with the arguments of its contract samples."""
    for sample in [sample for sample in SAMPLES if sample.endpoint.name not in session.seen]:
        try:
            await result(sample.call(session.client))
        except EdgeError as error:
            error.add_note(
                f"The sandbox rejects the contract sample of {sample.endpoint.name}. Accept its arguments in the rule, "
                "or call the endpoint with arguments that the sandbox knows in a stage of this test."
            )
            raise


async def _login(session: Session) -> None:
    auth = session.client.auth
    step = await result(auth.login(USERNAME, PASSWORD))
    assert step.is_complete
    await result(auth.check_token())
    with_token = session.client.with_options(token=str(step.token))
    assert (await result(with_token.auth.check_token())).user_name == USERNAME
    await result(with_token.auth.logout())
    with pytest.raises(EdgeError, match="401"):
        await result(with_token.auth.check_token())
    second = await result(auth.login("sub-user", PASSWORD))
    assert second.method == "sms"
    await result(auth.send_sms_otp(str(second.token)))
    user = next(user for user in session.sandbox.state.users.values() if user.username == "sub-user")
    assert (await result(auth.confirm_otp(str(second.token), _code(session, user.mobile)))).is_complete
    reset = await result(auth.forgot_password("sub-user", user.mobile))
    await result(auth.change_password(str(reset.token), _code(session, user.mobile), "Another-2"))
    assert (await result(auth.login("sub-user", "Another-2"))).method == "sms"


def _code(session: Session, mobile: str) -> str:
    """Return the code in the last SMS that the service sent to a number."""
    text = next(notice.text for notice in reversed(session.sandbox.state.notices) if notice.number == mobile)
    return text.split()[-1]


async def _messages(session: Session) -> None:
    send, reports = session.client.send, session.client.reports
    before = (await result(session.client.payment.credit())).credit
    price = await result(send.calculate_price("سلام"))
    one = await result(send.webservice([AMIR, SARA], "سلام"))
    assert (await result(session.client.payment.credit())).credit < before
    assert price.parts == 1
    two = await result(
        send.peer_to_peer([PeerMessage(recipients=AMIR, message="یک"), PeerMessage(recipients=SARA, message="دو")])
    )
    assert len(two.message_outbox_ids) == 2
    rows = ("rows.csv", f"recipient,message\n{AMIR},سه\n{KIAN},چهار\n".encode())
    assert len((await result(send.peer_to_peer_file(rows))).message_outbox_ids) == 2
    await result(send.file(("numbers.csv", f"phone_number\n{AMIR}\n{KIAN}\n".encode()), "پنج", other_recipients=[SARA]))
    await result(send.keyword(("people.xlsx", saved([AMIR, "امیر"], [SARA, "سارا"])), "سلام {ex_B}"))
    await result(send.votp(AMIR, "48213"))
    await result(send.url(KIAN, "شش"))
    later = await result(send.webservice(AMIR, "بعدا", send_time=session.sandbox.clock.now() + timedelta(hours=2)))
    assert (await result(reports.by_id(later.id))).state_id is MessageState.QUEUED
    await result(send.cancel(later.id))
    assert (await result(reports.by_id(later.id))).state_id is MessageState.CANCELLED
    session.sandbox.clock.advance(60)
    delivered = await result(reports.wait_delivered(one.id))
    assert {row.message_status for row in delivered} == {DeliveryStatus.DELIVERED}
    assert (await result(reports.recipients(one.id))).total == 2
    assert (await result(reports.stats(one.id))).operators_delivered["mci"].fa == 1
    outbox = await session.all(reports.iter_outbox(limit=3))
    assert len({message.messages_outbox_id for message in outbox}) == len(outbox) == 10
    session.sandbox.state.receive(AMIR, session.sandbox.from_number, "لغو")
    (received,) = await result(reports.inbox())
    assert received.message == "لغو"


async def _banks(session: Session) -> None:
    bank = session.client.with_options(from_number=BANK_NUMBER)
    province = (await result(bank.banks.provinces()))[0]
    county = (await result(bank.banks.counties(province.id)))[0]
    city = (await result(bank.banks.cities(county.id)))[0]
    assert await result(bank.banks.genders())
    count = await result(bank.banks.count(province_id=province.id, county_id=county.id, city_id=city.id))
    assert count.total > 0
    one, none = Slice(size=1), Slice()
    place = CountryTarget(
        province_id=province.id, county_id=county.id, city_id=city.id, mci=one, irancell=one, other=none
    )
    await result(bank.send.country([place], "محله"))
    await result(bank.send.postal_code([PostalCodeTarget(postal_code=11, everyone=True)], "کدپستی"))
    province = (await result(bank.geolocation.provinces()))[0]
    county = (await result(bank.geolocation.counties(province.id)))[0]
    assert await result(bank.geolocation.cities(county.id))
    assert (await result(bank.geolocation.count(province_id=province.id))).total > 0
    mci = [OperatorSlice(id=1, size=1)]
    await result(bank.send.geolocation([GeolocationTarget(province_id=province.id, operator=mci)], "شهر"))
    job = (await result(bank.jobs.categories()))[0]
    assert await result(bank.jobs.sub_categories(job.id))
    assert (await result(bank.jobs.count(job.id))).total > 0
    await result(bank.send.job([JobTarget(main_category_id=job.id, operator=mci)], "شغل"))


async def _phonebooks(session: Session) -> None:
    books, send = session.client.phonebooks, session.client.send
    debt = await result(books.options.create("int", "بدهی"))
    book = await result(books.create("مشتریان", [debt.id]))
    contacts = [
        NewContact(number=AMIR, phonebook_id=book.id, name="امیر", options={debt.id: "150"}),
        NewContact(number=SARA, phonebook_id=book.id, name="سارا", options={debt.id: "90"}),
    ]
    assert (await result(books.contacts.add(contacts))).added == 2
    assert (await result(books.contacts.add(contacts))).existences == 2
    listed = await session.all(books.contacts.iter_list())
    assert {contact.name for contact in listed} == {"امیر", "سارا"}
    first = listed[0]
    await result(
        books.contacts.update(first.id, ContactChanges(name="امیرعلی", number=first.number, phonebook_id=book.id))
    )
    assert (await result(books.contacts.get(first.id))).name == "امیرعلی"
    await result(books.contacts.export())
    await result(books.contacts.export_members(book.id))
    sample = await result(books.contacts.import_sample(book.id))
    assert sample is None or sample.startswith(b"PK")
    await result(books.contacts.import_file(book.id, ("more.xlsx", saved(["number"], [KIAN]))))
    whole = await result(send.phonebook([WholePhonebooks(phonebook_ids=[book.id])], "به همه"))
    assert (await result(session.client.reports.recipients(whole.id))).total == 3
    chosen = await result(send.phonebook([PhonebookNumbers(phonebook_id=book.id, number_ids=[first.id])], "به یکی"))
    assert (await result(session.client.reports.recipients(chosen.id))).total == 1
    filled = await result(send.keyword_phonebook([book.id], f"بدهی {{ex_{debt.id}}}"))
    texts = {row.message for row in await result(session.client.reports.recipients(filled.id))}
    assert {"بدهی 150", "بدهی 90"} <= texts
    await result(books.update(book.id, title="مشتریان قدیمی"))
    assert [each.title for each in await result(books.list(id=book.id))] == ["مشتریان قدیمی"]
    await result(books.contacts.delete([first.id]))
    await result(books.options.update(debt.id, "مانده"))
    assert [each.title for each in await result(books.options.list(title="مانده"))] == ["مانده"]
    await result(books.delete([book.id]))
    await result(books.options.delete([debt.id]))
    assert len(await result(books.contacts.list())) == 0


async def _patterns(session: Session) -> None:
    patterns, send = session.client.patterns, session.client.send
    await result(send.pattern("otp", AMIR, {"code": "1234"}))
    pattern = NewPattern(
        description="خوش آمد", message="سلام %name%", variable=[PatternVariable(name="name", type="string")]
    )
    created = await result(patterns.create(pattern))
    assert created.pattern_status == "pending"
    with pytest.raises(EdgeError):
        await result(send.pattern(created.pattern_code, AMIR, {"name": "امیر"}))
    session.sandbox.clock.advance(24 * 3600)
    assert (await result(patterns.get(created.pattern_code))).pattern_status == "active"
    await result(send.pattern(created.pattern_code, AMIR, {"name": "امیر"}))
    assert created.pattern_code in {each.pattern_code for each in await result(patterns.list())}
    assert (await result(patterns.update(created.pattern_code, pattern))).pattern_status == "pending"
    await result(patterns.delete(created.pattern_code))
    with pytest.raises(EdgeError, match="404"):
        await result(patterns.get(created.pattern_code))


async def _drafts_and_tickets(session: Session) -> None:
    drafts, tickets = session.client.drafts, session.client.tickets
    await result(drafts.groups.create("آماده"))
    (group,) = [each for each in await result(drafts.groups.list()) if each.title == "آماده"]
    await result(drafts.groups.update(group.draft_group_id, "گروه تازه"))
    await result(drafts.create(group.draft_group_id, "متن"))
    (draft,) = await result(drafts.list(group.draft_group_id))
    await result(drafts.update(draft.draft_id, "متن تازه"))
    assert [each.message for each in await result(drafts.list(group.draft_group_id))] == ["متن تازه"]
    await result(drafts.delete([draft.draft_id]))
    await result(drafts.groups.delete(group.draft_group_id))
    number = await result(tickets.create("خط", 10, "خط من کار نمی‌کند", sms_notification=True, file=PNG))
    reply = await result(tickets.reply(number, "باز کار نمی‌کند", file=PNG))
    ticket = await result(tickets.get(number))
    assert [each.id for each in ticket.interactions] == [reply.interaction_id]
    assert number in {each.ticket_id for each in await result(tickets.list())}


async def _users(session: Session) -> None:
    users, numbers = session.client.users, session.client.numbers
    package = (await result(session.client.packages.list())).items[0]
    assert not await result(users.check_exists("new-user"))
    await result(
        users.register(
            NewUser(
                user_name="new-user",
                password="New-user-1",
                national_code="0499370899",
                mobile_number=KIAN,
                birth_date=date(1990, 5, 6),
                acl_id=package.acl_role_id,
            )
        )
    )
    assert await result(users.check_exists("new-user"))
    (row,) = [each for each in await session.all(users.iter_list()) if each.uname == "new-user"]
    await result(users.update(row.user_id, UserChanges(company="گردشگری")))
    assert (await result(users.show(row.user_id))).company == "گردشگری"
    assert await result(users.tariff())
    assert (await result(users.parents_tree(row.user_id))).selected_user.username == "new-user"
    line = next(each for each in await result(numbers.list()) if each.number == session.sandbox.from_number)
    await result(numbers.assign(send=True, gets=False, number_id=line.id, target_user="new-user"))
    step = await result(session.client.auth.login("new-user", "New-user-1"))
    sub_user_client = session.client.with_options(token=str(step.token))
    assert line.id in {each.id for each in await result(sub_user_client.numbers.list())}
    await result(numbers.unassign(number=session.sandbox.from_number, target_user_id=row.user_id))
    kind = next(each for each in await result(users.documents.list()) if each.file_count)
    await result(users.documents.upload(kind.id, [PNG] * kind.file_count))
    await result(users.documents.remove(kind.id))
