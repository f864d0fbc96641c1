"""The rules of the jobs section: job categories and counts of people."""

from __future__ import annotations

from ippanel_edge.sandbox.population import IRANCELL, JOB_CATEGORIES, JOB_SUB_CATEGORIES, MCI, OTHER, find_people
from ippanel_edge.sandbox.replies import Reply, invalid_message, label, ok
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.places import operator_counts, read_job_filter, select_slices


@serves("jobs.categories", "GET", "/api/send/jobs/categories")
def categories(call: Call) -> Reply:
    """List the main categories."""
    call.check()
    return ok([{"id": category.id, "name": category.name} for category in JOB_CATEGORIES])


@serves("jobs.sub_categories", "GET", "/api/send/jobs/sub-categories")
def sub_categories(call: Call) -> Reply:
    """List the sub-categories of a main category, whose id is serialised as a str."""
    main_id = call.query.integer("main_category_id")
    main_name = next((category.name for category in JOB_CATEGORIES if category.id == main_id), None)
    if main_id and main_name is None:
        call.query.add_error("main_category_id", invalid_message(label("main_category_id")))
    call.check()
    return ok(
        [
            {"id": category.id, "name": category.name, "main_id": str(main_id), "main_name": main_name}
            for category in JOB_SUB_CATEGORIES
            if category.main_id == main_id
        ]
    )


@serves("jobs.count", "GET", "/api/send/jobs/number-count")
def count(call: Call) -> Reply:
    """Count the people of a job category by operator; `start` and `size` select a slice of each operator."""
    query = call.query
    criteria = read_job_filter(query)
    operator = query.integer_or_none("operator_id")
    if operator is not None and operator not in (MCI, IRANCELL, OTHER):
        query.add_error("operator_id", invalid_message(label("operator_id")))
    start = query.integer_or_none("start", minimum=0) or 0
    size = query.integer_or_none("size", minimum=0)
    call.check()
    operators = (MCI, IRANCELL, OTHER) if operator is None else (operator,)
    return operator_counts(select_slices(find_people(criteria), dict.fromkeys(operators, (start, size))))
