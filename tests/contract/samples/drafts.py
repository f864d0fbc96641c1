"""Samples of the drafts and drafts.groups endpoints."""

from __future__ import annotations

from datetime import UTC, datetime

from ippanel_edge import endpoints
from ippanel_edge.models.common import Page
from ippanel_edge.models.drafts import Draft, DraftGroup
from tests.contract.sample import Sample, ok, paged

SAMPLES = [
    Sample(
        endpoint=endpoints.DRAFTS_LIST,
        call=lambda client: client.drafts.list(61, page=1, per_page=20),
        query={"draft_group_id": "61", "page": "1", "per_page": "20"},
        answer=paged(
            [
                {
                    "draft_group_id": 61,
                    "user_id": "7",
                    "draft_id": 611,
                    "time": 1767225600,
                    "message": "سلام",
                    "type": "normal",
                },
                {"draft_group_id": "61", "user_id": 7, "draft_id": "612", "time": 0, "message": "", "type": None},
            ],
            path="/api/user/draft/list",
            per_page=20,
        ),
        returns=Page(
            items=(
                Draft(
                    draft_group_id=61,
                    user_id=7,
                    draft_id=611,
                    time=datetime(2026, 1, 1, tzinfo=UTC),
                    message="سلام",
                    type="normal",
                ),
                Draft(draft_group_id=61, user_id=7, draft_id=612, message=""),
            ),
            current_page=1,
            last_page=1,
            per_page=20,
            total=2,
        ),
    ),
    Sample(
        name="all groups",
        endpoint=endpoints.DRAFTS_LIST,
        call=lambda client: client.drafts.list(),
        query={"page": "1", "per_page": "10"},
        answer=ok(None),
        returns=Page[Draft](),
    ),
    Sample(
        endpoint=endpoints.DRAFTS_CREATE,
        call=lambda client: client.drafts.create(61, "وقت شما فرداست"),
        json={"draft_group_id": 61, "message": "وقت شما فرداست"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.DRAFTS_UPDATE,
        call=lambda client: client.drafts.update(611, "وقت شما پس فرداست"),
        json={"draft_id": 611, "message": "وقت شما پس فرداست"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.DRAFTS_DELETE,
        call=lambda client: client.drafts.delete(iter([611, 612])),
        json={"draft_ids": [611, 612]},
        answer=ok([]),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.DRAFTS_GROUPS_LIST,
        call=lambda client: client.drafts.groups.list(page=2, per_page=5),
        query={"page": "2", "per_page": "5"},
        answer=ok(
            [{"title": "یادآوری", "draft_group_id": "61", "user_id": 7, "time": "1767225600"}, {"title": None}],
            current_page="2",
            last_page=2,
            per_page="5",
            total=7,
        ),
        returns=Page(
            items=(
                DraftGroup(title="یادآوری", draft_group_id=61, user_id=7, time=datetime(2026, 1, 1, tzinfo=UTC)),
                DraftGroup(),
            ),
            current_page=2,
            last_page=2,
            per_page=5,
            total=7,
        ),
    ),
    Sample(
        endpoint=endpoints.DRAFTS_GROUPS_CREATE,
        call=lambda client: client.drafts.groups.create("یادآوری"),
        json={"title": "یادآوری"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.DRAFTS_GROUPS_UPDATE,
        call=lambda client: client.drafts.groups.update(61, "تبریک"),
        json={"draft_group_id": 61, "title": "تبریک"},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.DRAFTS_GROUPS_DELETE,
        call=lambda client: client.drafts.groups.delete(61),
        json={"draft_group_id": 61},
        answer=ok(None),
        returns=None,
    ),
]
