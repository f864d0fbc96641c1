"""The rules of the jobs section: trades, and how many people work in them."""

from __future__ import annotations

from ippanel_edge.sandbox.population import IRANCELL, MCI, OTHER, SUB_TRADES, TRADES, find
from ippanel_edge.sandbox.replies import Answer, label, not_valid_text, ok
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.places import counts, pick, read_trade


@serves("jobs.categories", "GET", "/api/send/jobs/categories")
def categories(call: Call) -> Answer:
    """List the main categories."""
    call.check()
    return ok([{"id": trade.id, "name": trade.name} for trade in TRADES])


@serves("jobs.sub_categories", "GET", "/api/send/jobs/sub-categories")
def sub_categories(call: Call) -> Answer:
    """List the sub-categories of a main one; the main one's id comes as text."""
    main_id = call.query.integer("main_category_id")
    main_name = next((trade.name for trade in TRADES if trade.id == main_id), None)
    if main_id and main_name is None:
        call.query.fail("main_category_id", not_valid_text(label("main_category_id")))
    call.check()
    return ok(
        [
            {"id": trade.id, "name": trade.name, "main_id": str(main_id), "main_name": main_name}
            for trade in SUB_TRADES
            if trade.main_id == main_id
        ]
    )


@serves("jobs.count", "GET", "/api/send/jobs/number-count")
def count(call: Call) -> Answer:
    """Count the people of a trade, of one operator or of all, from `start` on and at most `size` of each."""
    query = call.query
    wanted = read_trade(query)
    operator = query.integer_or_none("operator_id")
    if operator is not None and operator not in (MCI, IRANCELL, OTHER):
        query.fail("operator_id", not_valid_text(label("operator_id")))
    start = query.integer_or_none("start", least=0) or 0
    size = query.integer_or_none("size", least=0)
    call.check()
    operators = (MCI, IRANCELL, OTHER) if operator is None else (operator,)
    return counts(pick(find(wanted), dict.fromkeys(operators, (start, size))))
