"""Assertions on the public types. This file is only checked by mypy and pyright and never executed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, assert_never, assert_type

import httpx

from ippanel_edge import (
    AsyncEdgeClient,
    AsyncProceed,
    AttemptBegan,
    AttemptEnded,
    Call,
    CallBegan,
    CallEnded,
    Credentials,
    DeliveryReport,
    DeliveryStatus,
    EdgeClient,
    Event,
    MessageState,
    Outcome,
    OutcomeUnknown,
    Page,
    Proceed,
    RateLimit,
    RateLimited,
    Repeat,
    Reply,
    RetryPlanned,
    RetryPolicy,
    SmsParts,
    WaitBegan,
    WaitReason,
    normalize_phone,
    sms_parts,
)
from ippanel_edge.endpoints import (
    AUTH_LOGOUT,
    BANKS_CITIES,
    PHONEBOOKS_CONTACTS_IMPORT_SAMPLE,
    REPORTS_OUTBOX,
    SEND_WEBSERVICE,
    USERS_CHECK_EXISTS,
    Endpoint,
)
from ippanel_edge.models import (
    AddedContacts,
    BulkStats,
    Contact,
    Credit,
    Document,
    Draft,
    DraftGroup,
    FileInput,
    Gender,
    InboxMessage,
    LoginStep,
    NewContact,
    NewPattern,
    NewUser,
    Number,
    Option,
    OutboxMessage,
    Package,
    ParentsTree,
    Pattern,
    PatternVariable,
    PeerMessage,
    Phonebook,
    Place,
    Price,
    RecipientReport,
    RecipientsCount,
    ResetToken,
    SendResult,
    Tariff,
    Ticket,
    TicketReply,
    TicketSummary,
    TokenOwner,
    User,
)


def delivery(report: DeliveryReport) -> None:
    """Check the types of a delivery report."""
    assert_type(report[0], RecipientReport)
    assert_type(report[1:], tuple[RecipientReport, ...])
    assert_type([row for row in report], list[RecipientReport])  # noqa: C416 - the type of the iteration
    assert_type(report.reason, WaitReason)
    assert_type(report.to_dict(), dict[str, Any])


async def asynchronous(client: AsyncEdgeClient, moment: datetime, user: NewUser, pattern: NewPattern) -> None:
    """Check the types of the async client."""
    assert_type(await client.auth.login("a", "b"), LoginStep)
    assert_type(await client.auth.forgot_password("a", "0912"), ResetToken)
    assert_type(await client.auth.check_token(), TokenOwner)
    result = await client.send.webservice(["0912"], "text", send_time=moment)
    assert_type(result, SendResult)
    assert_type(result.message_outbox_ids, tuple[int, ...])
    assert_type(result.id, int)
    assert_type(await client.send.peer_to_peer([PeerMessage(recipients="0912", message="x")]), SendResult)
    assert_type(await client.send.file(("a.csv", b"x"), "text"), SendResult)
    assert_type(await client.send.calculate_price("x"), Price)
    assert_type(await client.banks.provinces(), list[Place])
    assert_type(await client.banks.genders(), list[Gender])
    assert_type((await client.geolocation.count(province_id=1)).total, int)
    assert_type(await client.jobs.count(1), RecipientsCount)
    page = await client.reports.outbox()
    assert_type(page, Page[OutboxMessage])
    assert_type(page.items[0].state_id, MessageState | int | None)
    assert_type(page.items[0].time_send, datetime | None)
    assert_type(client.reports.iter_outbox(), AsyncIterator[OutboxMessage])
    assert_type(await client.reports.wait_delivered([1, await client.send.votp("0912", 1)]), DeliveryReport)
    assert_type(await client.reports.stats(1), BulkStats)
    assert_type(client.reports.follow_inbox(), AsyncIterator[InboxMessage])
    assert_type(await client.numbers.list(), Page[Number])
    assert_type(await client.users.list(), Page[User])
    assert_type(await client.users.check_exists("a"), bool)
    assert_type(await client.users.tariff(), list[Tariff])
    assert_type(await client.users.parents_tree(1), ParentsTree)
    assert_type(await client.users.documents.list(), list[Document])
    assert_type(await client.packages.list(), Page[Package])
    assert_type(await client.phonebooks.create("a"), Phonebook)
    assert_type(await client.phonebooks.contacts.add([NewContact(number="0912", phonebook_id=1)]), AddedContacts)
    assert_type(await client.phonebooks.contacts.get(1), Contact)
    assert_type(await client.phonebooks.contacts.import_sample(1), bytes | None)
    assert_type(await client.phonebooks.options.create("int", "a"), Option)
    assert_type(await client.tickets.create("a", 1, "b"), int)
    assert_type(await client.tickets.list(), Page[TicketSummary])
    assert_type(await client.tickets.get(1), Ticket)
    assert_type(await client.tickets.reply(1, "a"), TicketReply)
    assert_type(await client.drafts.list(), Page[Draft])
    assert_type(await client.drafts.groups.list(), Page[DraftGroup])
    assert_type(await client.patterns.create(pattern), Pattern)
    assert_type((await client.patterns.get("a")).variable, tuple[PatternVariable, ...])
    assert_type(await client.payment.credit(), Credit)
    assert_type(await client.request("GET", "/api/x", repeat=Repeat.READ), Reply[Any])
    async with client.with_options(deadline=5.0, retry=RetryPolicy(retries=1)) as copy:
        assert_type(copy, AsyncEdgeClient)
    await client.users.register(user)


def endpoints() -> None:
    """Check the type of a reply that an endpoint declares by a function or by its class."""
    assert_type(SEND_WEBSERVICE, Endpoint[SendResult])
    assert_type(REPORTS_OUTBOX, Endpoint[Page[OutboxMessage]])
    assert_type(REPORTS_OUTBOX.returns, type[Page[OutboxMessage]])
    assert_type(BANKS_CITIES, Endpoint[list[Place]])
    assert_type(AUTH_LOGOUT, Endpoint[None])
    assert_type(USERS_CHECK_EXISTS, Endpoint[bool])
    assert_type(PHONEBOOKS_CONTACTS_IMPORT_SAMPLE, Endpoint[bytes | None])


def synchronous(client: EdgeClient, file: FileInput) -> None:
    """Check the types of the sync client."""
    assert_type(client.send.webservice("0912", "text"), SendResult)
    assert_type(client.send.file(file, "text"), SendResult)
    assert_type(client.reports.outbox(), Page[OutboxMessage])
    assert_type(client.reports.iter_recipients(1), Iterator[RecipientReport])
    assert_type(client.reports.recipients(1).items[0].message_status, DeliveryStatus | int | None)
    assert_type(client.phonebooks.contacts.import_sample(1), bytes | None)
    with client.with_options(from_number="3000717") as copy:
        assert_type(copy, EdgeClient)


async def async_middleware(call: Call[Any], proceed: AsyncProceed) -> Reply[Any]:
    """Check the type of a middleware of the async client."""
    return await proceed(call)


def listener(event: Event) -> None:
    """Check the types of the events."""
    match event:
        case CallEnded():
            assert_type(event.outcome, Outcome | None)
            assert_type(event.message_outbox_ids, tuple[int, ...])
        case AttemptEnded() | RetryPlanned() | AttemptBegan():
            assert_type(event.attempt, int)
        case CallBegan() | WaitBegan():
            assert_type(event.at, float)
        case _:
            assert_never(event)


def sync_middleware(call: Call[Any], proceed: Proceed) -> Reply[Any]:
    """Check the type of a middleware of the sync client."""
    return proceed(call)


def settings() -> None:
    """Check the types of the client options."""
    AsyncEdgeClient(
        "key",
        from_number="3000717",
        timeout=httpx.Timeout(5),
        rate_limit=RateLimit(10, burst=5),
        limits=httpx.Limits(max_connections=10),
        middleware=[async_middleware],
        call_middleware=[async_middleware],
        listeners=[listener],
        http_client=httpx.AsyncClient(),
    )
    EdgeClient(credentials=Credentials("user", "password", otp=lambda step: step.method), middleware=[sync_middleware])
    EdgeClient(call_middleware=[sync_middleware], listeners=[listener])


def pure() -> None:
    """Check the types of the functions that need no client."""
    assert_type(normalize_phone("0912"), str)
    assert_type(sms_parts("x", opt_out=True), SmsParts)


def errors(error: OutcomeUnknown | RateLimited) -> None:
    """Check the types of the errors."""
    assert_type(error.outcome, Outcome)
    assert_type(error.attempts, int)
    if isinstance(error, RateLimited):
        assert_type(error.retry_after, float | None)
