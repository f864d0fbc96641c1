"""Samples of the jobs endpoints."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.banks import RecipientsCount
from ippanel_edge.models.jobs import JobCategory, JobSubCategory
from tests.contract.sample import Sample, ok

SAMPLES = [
    Sample(
        endpoint=endpoints.JOBS_CATEGORIES,
        call=lambda client: client.jobs.categories(),
        answer=ok([{"id": 31, "name": "باغداری"}, {"id": "32"}]),
        returns=[JobCategory(id=31, name="باغداری"), JobCategory(id=32)],
    ),
    Sample(
        endpoint=endpoints.JOBS_SUB_CATEGORIES,
        call=lambda client: client.jobs.sub_categories(31),
        query={"main_category_id": "31"},
        answer=ok([{"id": 311, "name": "انار", "main_id": "31", "main_name": "باغداری"}]),
        returns=[JobSubCategory(id=311, name="انار", main_id=31, main_name="باغداری")],
    ),
    Sample(
        endpoint=endpoints.JOBS_COUNT,
        call=lambda client: client.jobs.count(31, sub_category_id=311, operator_id=13, start=0, size=50),
        query={"main_category_id": "31", "sub_category_id": "311", "operator_id": "13", "start": "0", "size": "50"},
        answer=ok({"mci_count": 0, "irancell_count": 0, "other_count": 50.0}),
        returns=RecipientsCount(mci_count=0, irancell_count=0, other_count=50),
    ),
    Sample(
        name="main category only",
        endpoint=endpoints.JOBS_COUNT,
        call=lambda client: client.jobs.count(31),
        query={"main_category_id": "31"},
        answer=ok({"mci_count": 812}),
        returns=RecipientsCount(mci_count=812),
    ),
]
