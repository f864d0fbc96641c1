"""Samples of the patterns endpoints: full patterns of list and get, and the shorter ones of create and update."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ippanel_edge import endpoints
from ippanel_edge.models.common import Page
from ippanel_edge.models.patterns import NewPattern, Pattern, PatternFilters, PatternRevision, PatternVariable
from ippanel_edge.models.states import PatternStatus, VariableType
from tests.contract.sample import Sample, ok, paged

FULL_ROW: dict[str, Any] = {
    "id": "69a4c0ffee00000000000001",
    "partner_id": "4",
    "verifier_user_id": 5,
    "verifier_partner_id": None,
    "title": "نوبت",
    "username": "mina",
    "user_id": "7",
    "pattern_code": "k2turnqq",
    "pattern_message": "نوبت %turn% برای %name%",
    "admin_comment": None,
    "pattern_description": "یادآوری نوبت",
    "website": "https://clinic.example.test",
    "pattern_status": "active",
    "pattern_status_fa": "فعال",
    "pattern_status_id": "1",
    "pattern_is_share": 1,
    "reject_text": "",
    "type": "sms",
    "variable": [{"name": "turn", "type": "integer", "len": 0}, {"name": "name", "type": "string", "len": "25"}],
    "delimiter": "%",
    "updated_at": "2026-03-04T05:06:07.080000Z",
    "time": 1772600767,
    "pattern_type": "normal",
    "readonly": False,
    "pattern_state_revision": None,
    "pattern_message_revision": "نوبت %turn%",
    "pattern_is_share_revision": None,
    "pattern_description_revision": None,
    "pattern_delimiter_revision": None,
    "pattern_variable_revision": None,
    "pattern_type_revision": "",
    "pattern_state_log": None,
    "pattern_message_log": None,
    "pattern_is_share_log": None,
    "pattern_description_log": None,
    "pattern_delimiter_log": None,
    "pattern_variable_log": None,
    "pattern_type_log": None,
    "revision": {
        "type": "sms",
        "variable": [{"name": "turn", "type": "integer", "len": 0}],
        "pattern_status_id": 3,
        "pattern_status_fa": "در انتظار",
        "pattern_message": "نوبت %turn%",
        "pattern_description": None,
        "pattern_is_share": "0",
        "delimiter": "%",
    },
    "pattern_log": [{"at": 1}],
}
FULL = Pattern(
    id="69a4c0ffee00000000000001",
    partner_id=4,
    verifier_user_id=5,
    title="نوبت",
    username="mina",
    user_id=7,
    pattern_code="k2turnqq",
    pattern_message="نوبت %turn% برای %name%",
    pattern_description="یادآوری نوبت",
    website="https://clinic.example.test",
    pattern_status=PatternStatus.ACTIVE,
    pattern_status_fa="فعال",
    pattern_status_id=1,
    pattern_is_share=True,
    reject_text="",
    type="sms",
    variable=(
        PatternVariable(name="turn", type=VariableType.INTEGER, len=0),
        PatternVariable(name="name", type=VariableType.STRING, len=25),
    ),
    delimiter="%",
    updated_at=datetime(2026, 3, 4, 5, 6, 7, 80_000, tzinfo=UTC),
    time=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    pattern_type="normal",
    readonly=False,
    pattern_message_revision="نوبت %turn%",
    pattern_type_revision="",
    revision=PatternRevision(
        type="sms",
        variable=(PatternVariable(name="turn", type=VariableType.INTEGER, len=0),),
        pattern_status_id=3,
        pattern_status_fa="در انتظار",
        pattern_message="نوبت %turn%",
        pattern_is_share=False,
        delimiter="%",
    ),
    pattern_log=[{"at": 1}],
)
SHORT_ROW: dict[str, Any] = {
    "id": "69a4c0ffee00000000000002",
    "title": None,
    "username": "mina",
    "pattern_code": "k3",
    "pattern_message": "کد %کد%",
    "pattern_status": "pending",
    "pattern_is_share": False,
    "variable": [{"name": "کد", "type": "string", "len": 40}],
    "time": "1772600767",
}
SHORT = Pattern(
    id="69a4c0ffee00000000000002",
    username="mina",
    pattern_code="k3",
    pattern_message="کد %کد%",
    pattern_status=PatternStatus.PENDING,
    pattern_is_share=False,
    variable=(PatternVariable(name="کد", type=VariableType.STRING, len=40),),
    time=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
)

SAMPLES = [
    Sample(
        endpoint=endpoints.PATTERNS_LIST,
        call=lambda client: client.patterns.list(
            page=1,
            per_page=100,
            filters=PatternFilters(
                code="k2turnqq", title="نوبت", is_share=False, state=PatternStatus.ACTIVE, type="normal"
            ),
        ),
        query={
            "page": "1",
            "per_page": "100",
            "filter[code]": "k2turnqq",
            "filter[title]": "نوبت",
            "filter[is_share]": "false",
            "filter[state]": "active",
            "filter[type]": "normal",
        },
        answer=paged([FULL_ROW, {"pattern_status": "frozen", "revision": [], "variable": None}], path="", per_page=100),
        returns=Page(
            items=(FULL, Pattern(pattern_status="frozen")), current_page=1, last_page=1, per_page=100, total=2
        ),
    ),
    Sample(
        name="shared only",
        endpoint=endpoints.PATTERNS_LIST,
        call=lambda client: client.patterns.list(filters=PatternFilters(is_share=True)),
        query={"page": "1", "per_page": "10", "filter[is_share]": "true"},
        answer=paged([], path=""),
        returns=Page[Pattern](items=(), current_page=1, last_page=0, per_page=10, total=0),
    ),
    Sample(
        endpoint=endpoints.PATTERNS_GET,
        call=lambda client: client.patterns.get("k2turnqq"),
        path={"pattern_code": "k2turnqq"},
        answer=ok(FULL_ROW),
        returns=FULL,
    ),
    Sample(
        endpoint=endpoints.PATTERNS_CREATE,
        call=lambda client: client.patterns.create(
            NewPattern(
                description="ورود", message="کد %کد%", variable=[PatternVariable(name="کد", type="string", len=6)]
            )
        ),
        json={
            "description": "ورود",
            "message": "کد %کد%",
            "variable": [{"name": "کد", "type": "string", "len": 6}],
            "is_share": False,
        },
        answer=ok(SHORT_ROW),
        returns=SHORT,
    ),
    Sample(
        name="without variables",
        endpoint=endpoints.PATTERNS_CREATE,
        call=lambda client: client.patterns.create(
            NewPattern(description="خبر", message="20% تخفیف، تا 30% در جشنواره", variable=())
        ),
        json={"description": "خبر", "message": "20% تخفیف، تا 30% در جشنواره", "variable": [], "is_share": False},
        answer=ok({"pattern_code": "k4", "variable": []}),
        returns=Pattern(pattern_code="k4"),
    ),
    Sample(
        endpoint=endpoints.PATTERNS_UPDATE,
        call=lambda client: client.patterns.update(
            "k3",
            NewPattern(
                description="ورود",
                message="کد %کد% را به %site% ندهید",
                variable=[*SHORT.variable, PatternVariable(name="site", type=VariableType.STRING, len=0)],
                is_share=True,
                title="ورود",
                website="https://shop.example.test",
            ),
        ),
        path={"pattern_code": "k3"},
        json={
            "description": "ورود",
            "message": "کد %کد% را به %site% ندهید",
            "variable": [{"name": "کد", "type": "string", "len": 40}, {"name": "site", "type": "string"}],
            "is_share": True,
            "title": "ورود",
            "website": "https://shop.example.test",
        },
        answer=ok(SHORT_ROW),
        returns=SHORT,
    ),
    Sample(
        endpoint=endpoints.PATTERNS_DELETE,
        call=lambda client: client.patterns.delete("k3"),
        path={"pattern_code": "k3"},
        answer=ok(None),
        returns=None,
    ),
]
