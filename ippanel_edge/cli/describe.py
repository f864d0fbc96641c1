"""Plans, counts and errors in the words of the command line. Pure functions."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ippanel_edge.bulk.records import Counts, LoadReport, Plan, Progress, Terms
from ippanel_edge.cli.output import Pairs
from ippanel_edge.errors import ConfigurationError, EdgeError

_SHOWN: Final = 70
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE

_OPTIONS: Final[Mapping[str, str]] = {
    "from_number": "--from",
    "message": "--message",
    "pattern": "--pattern",
    "params": "--params",
    "recipient": "--recipient",
    "send_time": "--send-time",
    "method": "--method",
    "chunk_size": "--chunk-size",
    "concurrency": "--concurrency",
    "timeout": "--timeout",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
    "sheet": "--sheet",
}
"""The option of each argument of the library."""
_UNNAMED: Final = ("source", "columns", "rows", "ledger", "path")
"""Arguments without an option. The text of their errors names the file."""
_KEY: Final = "pass api_key=, token= or credentials=, or set IPPANEL_API_KEY"
_KEYWORD: Final = re.compile(r"\b(recipient|message|encoding|delimiter|sheet|overwrite)=(?:True)?")


def text_of(error: EdgeError, *, has_message: bool = False) -> str:
    """Return the text of an error with the options of the command instead of the arguments of the library.

    Args:
        error: the error.
        has_message: whether --message was given. If not, an error of `message` is one of the column of the texts.
    """
    text = reason(str(error))
    if not isinstance(error, ConfigurationError):
        return text
    argument = error.argument
    if argument == "kind":
        return (
            "the ledger was created with another kind of messages; pass the same --message, --message-column or "
            "--pattern, or use another --ledger"
        )
    if argument == "message" and not has_message:
        text = text.removeprefix("message: ")
    elif argument in _OPTIONS:
        text = text.replace(f"{argument}: ", f"{_OPTIONS[argument]}: ", 1)
    elif argument in _UNNAMED:
        text = text.replace(f"{argument}: ", "", 1)
    text = _KEYWORD.sub(lambda match: "--message-column" if match[1] == "message" else f"--{match[1]}", text)
    return text.replace("Campaign.open", "`ippanel-edge bulk FILE`")


def reason(text: str) -> str:
    """Return the text of an error in one line, with the places of the key that the command has."""
    text = ": ".join(text.splitlines()).replace(_KEY, "set IPPANEL_API_KEY or pass --key-file")
    return text.replace("api_key= or IPPANEL_API_KEY", "IPPANEL_API_KEY or --key-file")


def command(*words: str | Path) -> str:
    """Return a command to copy, in backquotes."""
    return f"`ippanel-edge bulk {shlex.join(map(str, words))}`"


def number(count: int) -> str:
    """Return a count with separators of thousands."""
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return seconds as minutes:seconds, or hours:minutes:seconds."""
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def progress_line(progress: Progress) -> str:
    """Return the progress of a run in one line."""
    counts = progress.counts
    done = settled(counts)
    percent = 100 * done // counts.rows if counts.rows else 100
    left = progress.seconds_left if counts.pending else None
    parts = [
        f"{done:,} of {counts.rows:,} rows ({percent} %)",
        f"{progress.rate:,.0f} rows/s",
        *([] if left is None else [f"{duration(left)} left"]),
        *(f"{count:,} {name}" for name, count in (("rejected", counts.rejected), ("unknown", counts.unknown)) if count),
    ]
    return ", ".join(parts)


def settled(counts: Counts) -> int:
    """Return the number of rows that are sent, rejected or unknown."""
    return counts.sent + counts.rejected + counts.unknown


def terms_pairs(terms: Terms) -> Pairs:
    """Return what all rows of a campaign have in common."""
    pairs = [("From", terms.from_number)]
    if terms.pattern is not None:
        params = ", ".join(
            name if name == column else f"{name}={column}" for name, column in (terms.params or {}).items()
        )
        pairs.append(("Pattern", f"{terms.pattern} ({params})" if params else terms.pattern))
    else:
        pairs.append(("Message", "of each row" if terms.message is None else _shortened(terms.message)))
    if terms.send_time is not None:
        pairs.append(("Send time", terms.send_time.isoformat()))
    return pairs


def load_pairs(report: LoadReport) -> Pairs:
    """Return the numbers of rows that were read."""
    pairs = [
        ("Rows read", number(report.rows)),
        ("Set aside", number(report.set_aside)),
        ("Duplicates", number(report.duplicates)),
    ]
    return [*pairs, ("Loaded before", number(report.already_loaded))] if report.already_loaded else pairs


def plan_pairs(plan: Plan, *, price_error: str | None, rate: float | None) -> Pairs:
    """Return what a run would do.

    Args:
        plan: the plan.
        price_error: why the price is not known.
        rate: the requests per second, if they are limited.
    """
    requests = ", ".join(f"{count:,} ({method.value})" for method, count in plan.requests.items())
    sizes = encodings(plan)
    encoded = "; ".join(f"{rows:,} in {encoding} with {counted(parts, 'part')}" for (encoding, parts), rows in sizes)
    return [
        ("Rows to send", number(plan.rows)),
        ("Requests", requests or "0"),
        ("Parts", number(plan.parts)),
        ("Encodings", encoded or "none"),
        ("Cost", _cost(plan, price_error)),
        ("Duration", "not limited by a rate" if plan.seconds is None else f"{duration(plan.seconds)} at {rate:g}/s"),
    ]


def encodings(plan: Plan) -> list[tuple[tuple[str, int], int]]:
    """Return the number of rows by encoding and number of parts."""
    found: Counter[tuple[str, int]] = Counter()
    for size in plan.sizes:
        found[size.encoding, size.parts] += size.rows
    return sorted(found.items())


def _cost(plan: Plan, price_error: str | None) -> str:
    if plan.cost_from is None or plan.cost_to is None:
        return f"not known: {price_error or 'the service did not state a price'}"
    low, high = f"{plan.cost_from:,.0f}", f"{plan.cost_to:,.0f}"
    return f"{low} Rials" if low == high else f"{low}–{high} Rials"  # noqa: RUF001 - an en dash is the sign of a range


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def counts_pairs(counts: Counts) -> Pairs:
    """Return the number of rows in each state. States without rows are left out, except sent."""
    names = [field.name for field in attrs.fields(Counts)]
    found = [(name, getattr(counts, name)) for name in names]
    return [(name.replace("_", " ").capitalize(), number(count)) for name, count in found if count or name == "sent"]


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan for JSON."""
    return {
        "rows": plan.rows,
        "requests": {method.value: count for method, count in plan.requests.items()},
        "parts": plan.parts,
        "encodings": [
            {"encoding": encoding, "parts": parts, "rows": rows} for (encoding, parts), rows in encodings(plan)
        ],
        "cost_from": plan.cost_from,
        "cost_to": plan.cost_to,
        "seconds": plan.seconds,
    }
