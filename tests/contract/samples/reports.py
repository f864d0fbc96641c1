"""Samples of the reports endpoints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ippanel_edge import DeliveryStatus, MessageState, Page, endpoints
from ippanel_edge.models.reports import (
    BulkStats,
    InboxMessage,
    Languages,
    OutboxFilters,
    OutboxMessage,
    RecipientReport,
)
from tests.contract.sample import Sample, ok, paged

TEHRAN = timezone(timedelta(hours=3, minutes=30))
SENT = datetime(2026, 1, 20, 8, 30, tzinfo=UTC)
SENT_UNIX = 1_768_897_800

FULL = {
    "messages_outbox_id": "70114001",
    "number": "+98TABRIZ",
    "state_id": "6",
    "state": "finish",
    "status": "تمام شد",
    "type": "webservice",
    "message": "سلام",
    "time": str(SENT_UNIX),
    "time_send": SENT_UNIX,
    "rcpts_count": "3",
    "exit_count": 3.0,
    "part": 1,
    "cost": "6874.2",
    "username": "maryam",
    "number_color": "#112233",
    "number_id": "904",
    "partner_id": None,
    "in_delivery_line": 0,
    "valid": "approve",
    "summary": "",
    "user_ip": "203.0.113.9",
    "user_id": "55",
    "files_path": None,
    "parent_id": 54,
    "reject_comment": None,
    "return": 0,
    "not_documented": {"a": 1},
}
MESSAGE = OutboxMessage(
    messages_outbox_id=70_114_001,
    number="+98TABRIZ",
    state_id=MessageState.SENT,
    state="finish",
    status="تمام شد",
    type="webservice",
    message="سلام",
    time=SENT,
    time_send=SENT,
    rcpts_count=3,
    exit_count=3,
    part=1,
    cost=6874.2,
    username="maryam",
    number_color="#112233",
    number_id=904,
    partner_id=None,
    in_delivery_line=False,
    valid="approve",
    summary="",
    user_ip="203.0.113.9",
    user_id=55,
    files_path=None,
    parent_id=54,
    reject_comment=None,
    return_=0.0,
)
ZERO = {"en": 0, "fa": 0}

SAMPLES = [
    Sample(
        endpoint=endpoints.REPORTS_OUTBOX,
        call=lambda client: client.reports.outbox(),
        json={"page": 1, "limit": 10},
        answer=paged([FULL], path="/api/report/new_list", total=31),
        returns=Page(items=(MESSAGE,), current_page=1, last_page=4, per_page=10, total=31),
    ),
    Sample(
        name="all filters; an unknown state, empty times",
        endpoint=endpoints.REPORTS_OUTBOX,
        call=lambda client: client.reports.outbox(
            page=3,
            limit=1000,
            filters=OutboxFilters(
                username="m*",
                number="3000 999",
                messages_outbox_id=70_114_001,
                create_from_date=SENT,
                create_to_date=SENT.astimezone(TEHRAN) + timedelta(hours=1),
                send_from_date=SENT,
                send_to_date=SENT,
                from_exit_count=0,
                to_exit_count=9,
                message="سل",
                state_id=MessageState.SENT,
            ),
        ),
        json={
            "page": 3,
            "limit": 1000,
            "filters": {
                "username": "m*",
                "number": "+983000999",
                "messages_outbox_id": "70114001",
                "create_from_date": str(SENT_UNIX),
                "create_to_date": str(SENT_UNIX + 3600),
                "send_from_date": str(SENT_UNIX),
                "send_to_date": str(SENT_UNIX),
                "from_exit_count": 0,
                "to_exit_count": 9,
                "message": "سل",
                "state_id": "6",
            },
        },
        answer=ok(
            [{"messages_outbox_id": 5, "state_id": 42, "time": "0", "time_send": None}],
            current_page="3",
            last_page="3",
            per_page="1000",
            total=None,
        ),
        returns=Page(
            items=(OutboxMessage(messages_outbox_id=5, state_id=42),),
            current_page=3,
            last_page=3,
            per_page=1000,
            total=None,
        ),
    ),
    Sample(
        name="empty filters are not sent; an empty page",
        endpoint=endpoints.REPORTS_OUTBOX,
        call=lambda client: client.reports.outbox(filters=OutboxFilters()),
        json={"page": 1, "limit": 10},
        answer=paged([], path="/api/report/new_list"),
        returns=Page(items=(), current_page=1, last_page=0, per_page=10, total=0),
    ),
    Sample(
        endpoint=endpoints.REPORTS_BY_ID,
        call=lambda client: client.reports.by_id(70_114_001),
        query={"messages_outbox_id": "70114001"},
        answer=ok(FULL),
        returns=MESSAGE,
    ),
    Sample(
        name="empty data",
        endpoint=endpoints.REPORTS_BY_ID,
        call=lambda client: client.reports.by_id(1),
        query={"messages_outbox_id": "1"},
        answer=ok([]),
        returns=OutboxMessage(),
    ),
    Sample(
        endpoint=endpoints.REPORTS_RECIPIENTS,
        call=lambda client: client.reports.recipients(70_114_001),
        query={"page": "1", "per_page": "10", "bulk_id": "70114001"},
        answer=paged(
            [
                {
                    "recipient": "+989124445566",
                    "message": "سلام",
                    "is_readable": True,
                    "msg_parts": "1",
                    "message_status": "2",
                },
                {"recipient": "+989351112233", "is_readable": "no", "msg_parts": None, "message_status": 17},
            ],
            path="/api/report/recipients",
        ),
        returns=Page(
            items=(
                RecipientReport(
                    recipient="+989124445566",
                    message="سلام",
                    is_readable=True,
                    msg_parts=1,
                    message_status=DeliveryStatus.DELIVERED,
                ),
                RecipientReport(recipient="+989351112233", is_readable=False, message_status=17),
            ),
            current_page=1,
            last_page=1,
            per_page=10,
            total=2,
        ),
    ),
    Sample(
        name="another page",
        endpoint=endpoints.REPORTS_RECIPIENTS,
        call=lambda client: client.reports.recipients(8, page=2, per_page=500),
        query={"page": "2", "per_page": "500", "bulk_id": "8"},
        answer=ok(None),
        returns=Page(),
    ),
    Sample(
        endpoint=endpoints.REPORTS_STATS,
        call=lambda client: client.reports.stats(70_114_001),
        query={"bulk_id": "70114001"},
        answer=ok(
            {
                "operators_blacklist": {"mci": ZERO, "irancell": ZERO},
                "operators_failed": [],
                "operators_pending": None,
                "operators_sent": {"mci": {"en": 2, "fa": "5"}, "rightel": {"fa": 1.0}},
                "operators_delivered": {},
            }
        ),
        returns=BulkStats(
            operators_blacklist={"mci": Languages(fa=0, en=0), "irancell": Languages(fa=0, en=0)},
            operators_sent={"mci": Languages(fa=5, en=2), "rightel": Languages(fa=1)},
        ),
    ),
    Sample(
        endpoint=endpoints.REPORTS_INBOX,
        call=lambda client: client.reports.inbox(),
        json={"page": 1, "per_page": 10},
        answer=paged(
            [
                {
                    "messages_inbox_id": "880",
                    "from": "+989124445566",
                    "number": "+983000999",
                    "message": "بله",
                    "type": "normal",
                    "time": SENT_UNIX,
                    "seen": "1",
                }
            ],
            path="/api/report/messages-inbox",
        ),
        returns=Page(
            items=(
                InboxMessage(
                    messages_inbox_id=880,
                    from_="+989124445566",
                    number="+983000999",
                    message="بله",
                    type="normal",
                    time=SENT,
                    seen=True,
                ),
            ),
            current_page=1,
            last_page=1,
            per_page=10,
            total=1,
        ),
    ),
    Sample(
        name="after an id",
        endpoint=endpoints.REPORTS_INBOX,
        call=lambda client: client.reports.inbox(page=2, per_page=50, from_id=880),
        json={"page": 2, "per_page": 50, "filters": {"from_id": 880}},
        answer=ok({}, current_page=2, last_page=1),
        returns=Page(items=(), current_page=2, last_page=1, per_page=None, total=None),
    ),
]
