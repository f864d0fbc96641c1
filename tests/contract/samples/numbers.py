"""Samples of the numbers endpoints."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.common import Page
from ippanel_edge.models.numbers import Number
from tests.contract.sample import Sample, ok, paged

SAMPLES = [
    Sample(
        name="without pagination fields",
        endpoint=endpoints.NUMBERS_LIST,
        call=lambda client: client.numbers.list(),
        query={"page": "1", "per_page": "10"},
        answer=ok(
            [
                {"id": 501, "number": "+983000818", "operator_id": 7, "alias": None, "gets": 0, "is_66_char": 1},
                {"id": "502", "number": "+98KETAB", "operator_id": None, "alias": "کتاب", "gets": "1"},
            ]
        ),
        returns=Page(
            items=(
                Number(id=501, number="+983000818", operator_id=7, gets=False, is_66_char=True),
                Number(id=502, number="+98KETAB", alias="کتاب", gets=True),
            )
        ),
    ),
    Sample(
        name="with pagination fields",
        endpoint=endpoints.NUMBERS_LIST,
        call=lambda client: client.numbers.list(page=1, per_page=50),
        query={"page": "1", "per_page": "50"},
        answer=paged([{"id": 7, "number": "+98210001"}], path="/api/number/numbers", per_page=50),
        returns=Page(items=(Number(id=7, number="+98210001"),), last_page=1, per_page=50, total=1),
    ),
    Sample(
        name="by ids",
        endpoint=endpoints.NUMBERS_ASSIGN,
        call=lambda client: client.numbers.assign(send=True, gets=False, number_id=501, target_user_id=88),
        json={"number_id": 501, "target_user_id": 88, "send": True, "gets": False},
        answer=ok(None),
        returns=None,
    ),
    Sample(
        name="by names",
        endpoint=endpoints.NUMBERS_ASSIGN,
        call=lambda client: client.numbers.assign(send=False, gets=True, number="۳۰۰۰۸۱۸", target_user="omid"),
        json={"number": "+983000818", "target_user": "omid", "send": False, "gets": True},
        answer=ok([]),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.NUMBERS_UNASSIGN,
        call=lambda client: client.numbers.unassign(
            number_id=501, number="+983000818", target_user_id=88, target_user="omid"
        ),
        json={"number_id": 501, "number": "+983000818", "target_user_id": 88, "target_user": "omid"},
        answer=ok(None),
        returns=None,
    ),
]
