"""The parts of the benchmarks without I/O: medians, ratios and spread, judgement of targets, tables, the page."""

from __future__ import annotations

import asyncio
import statistics
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import client, functions, page, sampling, tables, targets
from benchmarks.measure import Estimate, Results, Round, estimate, percentile, ratio
from benchmarks.process import ROOT
from benchmarks.server import ANSWER, Server
from benchmarks.targets import Target, judge
from ippanel_edge import endpoints
from ippanel_edge.wire.reply import RawAnswer, parse

POSITIVE = st.floats(min_value=0.01, max_value=1e6)
SCENARIO = targets.concurrent(10)
RATIO = Target(SCENARIO, targets.SDK, 0.5, targets.HTTPX)
SECONDS = Target(targets.BURST, targets.SDK, 1.3, field="wall", unit="s", margin=2.0)


def results(rounds: dict[str, list[float]], scenario: str = SCENARIO) -> Results:
    """Return results with the CPU times of each peer."""
    made = Results()
    for peer, values in rounds.items():
        for value in values:
            made.add(scenario, peer, Round(cpu=value, each=value))
    return made


# Medians, ratios and spread.


def test_the_spread_is_the_interquartile_range() -> None:
    assert estimate([1.0, 2.0, 3.0, 4.0, 100.0]) == Estimate(3.0, 2.0)


def test_one_value_has_no_spread() -> None:
    assert estimate([7.0]) == Estimate(7.0, 0.0)


@given(values=st.lists(POSITIVE, min_size=2))
def test_the_value_is_the_median_and_the_spread_is_not_negative(values: list[float]) -> None:
    found = estimate(values)
    assert found.value == statistics.median(values)
    assert 0.0 <= found.spread <= max(values) - min(values) + 1e-6


def test_a_ratio_is_taken_within_the_rounds_so_a_slow_round_does_not_change_it() -> None:
    assert ratio([50.0, 500.0, 50.0], [100.0, 1000.0, 100.0]) == Estimate(0.5, 0.0)


def test_rounds_that_do_not_belong_together_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_99_of_100_values_do_not_exceed_the_percentile() -> None:
    assert percentile([float(value) for value in range(1, 101)], 99) == 99.0
    assert percentile([5.0], 99) == 5.0


@given(values=st.lists(POSITIVE, min_size=1), percent=st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_values_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


# The judgement.


@pytest.mark.parametrize(
    ("mine", "word", "missed"),
    [
        ([40.0, 40.0, 40.0], "met", False),
        ([50.0, 50.0, 50.0], "met", False),
        ([51.0, 51.0, 51.0], "missed", True),
        ([45.0, 52.0, 60.0], "within the margin", False),
    ],
)
def test_a_target_is_missed_by_more_than_the_spread(mine: list[float], word: str, missed: bool) -> None:  # noqa: FBT001
    verdict = judge(RATIO, results({targets.SDK: mine, targets.HTTPX: [100.0] * 3}))
    assert (verdict.word, verdict.is_missed) == (word, missed)


@pytest.mark.parametrize(("mine", "missed"), [(70.0, False), (79.0, False), (81.0, True), (100.0, True)])
def test_the_short_form_allows_the_margin_but_not_twice_the_target(mine: float, missed: bool) -> None:  # noqa: FBT001
    judged = judge(RATIO, results({targets.SDK: [mine], targets.HTTPX: [100.0]}), short=True)
    assert judged.is_missed is missed


def test_an_absolute_target_is_judged_by_its_own_field() -> None:
    made = Results()
    made.add(targets.BURST, targets.SDK, Round(cpu=9.0, wall=1.2))
    assert judge(SECONDS, made).word == "met"
    made.add(targets.BURST, targets.SDK, Round(cpu=9.0, wall=9.0))
    assert not judge(SECONDS, made).is_missed, "two rounds that differ this much say nothing"


def test_a_failed_send_misses_the_target_however_fast_it_was() -> None:
    made = results({targets.HTTPX: [100.0]})
    made.add(SCENARIO, targets.SDK, Round(cpu=1.0, failed=2))
    assert judge(RATIO, made).is_missed
    assert judge(RATIO, made).word == "missed, 2 failed"


def test_a_peer_that_was_not_measured_misses_nothing() -> None:
    verdict = judge(RATIO, results({targets.HTTPX: [100.0]}))
    assert (verdict.word, verdict.is_missed) == ("not measured", False)


def test_each_target_has_a_title_of_its_own() -> None:
    assert len({target.title for target in targets.TARGETS}) == len(targets.TARGETS)


@pytest.mark.parametrize(
    "target", [target for target in targets.TARGETS if target.base], ids=lambda target: target.title
)
def test_the_short_form_notices_a_path_that_became_twice_as_slow(target: Target) -> None:
    made = results({target.peer: [2 * target.limit], str(target.base): [1.0]}, target.scenario)
    assert judge(target, made, short=True).is_missed
    made = results({target.peer: [1.5 * target.limit], str(target.base): [1.0]}, target.scenario)
    assert not judge(target, made, short=True).is_missed


# Tables and page.


def test_a_table_lists_only_peers_and_columns_that_were_measured() -> None:
    made = results({targets.HTTPX: [100.0], targets.SDK: [60.0]})
    lines = list(tables.everything(made))
    assert "| Client | 10 at once |" in lines
    assert "| SDK | 60.0 (0.60) |" in lines
    assert not [line for line in lines if targets.FAST in line or "Bursts" in line]


def test_the_table_of_targets_shows_value_spread_limit_and_result() -> None:
    verdict = judge(RATIO, results({targets.SDK: [60.0], targets.HTTPX: [100.0]}))
    assert tables.verdicts([verdict])[-1] == "| async, 10 at once: SDK / httpx | 0.60 | 0.00 | 0.5 | missed |"


def test_a_profile_leaves_out_layers_without_time_and_ends_with_the_sum() -> None:
    made = Results(profiles={"send": {targets.SDK: {"httpx": 100.0, "anyio": 0.0, "other": 20.5}}})
    assert list(tables.profile_tables(made))[-3:] == ["| httpx | 100 |", "| other | 20.5 |", "| sum | 120 |"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.041, "0.04"), (9.5, "9.50"), (62.04, "62.0"), (100.4, "100"), (12_345.6, "12,346")]
)
def test_numbers_have_few_digits(value: float, text: str) -> None:
    assert tables.number(value) == text


def test_only_the_generated_part_of_the_page_is_replaced() -> None:
    before = f"# Title\n\n{page.BEGIN}\n\nold\n\n{page.END}\n\nafter\n"
    assert page.replaced(before, "new") == before.replace("old", "new")


@pytest.mark.parametrize("text", ["# Title\n", page.BEGIN, page.END])
def test_a_page_without_a_generated_part_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="no generated part"):
        page.replaced(text, "new")


# What the processes do.


class Transport:
    """Records what the server writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


REQUEST = b"POST /v1/api/send HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"


@given(number=st.integers(1, 4), cuts=st.lists(st.integers(0, 4 * len(REQUEST)), max_size=6))
def test_the_server_answers_each_request_once_however_its_bytes_arrive(number: int, cuts: list[int]) -> None:
    transport: Any = Transport()
    server = Server(0.0)
    server.connection_made(transport)
    data = REQUEST * number
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for start, end in pairwise(edges):
        server.data_received(data[start:end])
    assert transport.written == [ANSWER] * number


def test_a_round_counts_sends_that_fail_or_return_other_ids() -> None:
    answers = iter([[730011], [], RuntimeError(), [730011]])

    async def send() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    measured = asyncio.run(client.run(send, count=4, concurrent=2))
    assert measured["failed"] == 2
    assert measured["rate"] > 0


def test_a_round_of_threads_sends_the_wanted_number() -> None:
    sent: list[int] = []

    def send() -> object:
        sent.append(1)
        return [730011]

    assert client.run_sync(send, count=30, concurrent=3)["failed"] == 0
    assert len(sent) == 30


def test_the_page_of_the_decode_has_rows_of_26_fields_that_the_sdk_reads() -> None:
    assert len(functions.row(0)) == 26
    items, _, _ = parse(endpoints.REPORTS_OUTBOX, RawAnswer(status_code=200, content=functions.page(3)))
    assert [item.messages_outbox_id for item in items] == [70_114_001, 70_114_002, 70_114_003]


@pytest.mark.parametrize(
    ("file", "layer"),
    [
        ("ippanel_edge/_async/sections/send.py", "arguments"),
        ("ippanel_edge/values/segments.py", "arguments"),
        ("ippanel_edge/_async/middleware.py", "engine"),
        ("ippanel_edge/_async/engine.py", "engine"),
        ("ippanel_edge/observers.py", "engine"),
        ("ippanel_edge/_async/exchange.py", "connections"),
        ("ippanel_edge/_async/pool.py", "connections"),
        ("ippanel_edge/_async/fast.py", "connections"),
        ("ippanel_edge/wire/http1.py", "connections"),
        ("ippanel_edge/wire/reply.py", "parsing"),
        ("ippanel_edge/wire/request.py", "building"),
        ("/lib/site-packages/httpcore/_async/http11.py", "httpcore"),
        ("/lib/python3.11/asyncio/selector_events.py", "asyncio"),
        ("/lib/python3.11/json/decoder.py", None),
    ],
)
def test_the_time_of_a_module_counts_for_its_layer(file: str, layer: str | None) -> None:
    assert layer is None or file.startswith("/") or (ROOT / file).exists()
    found = next((name for name, pattern in sampling.SEND_LAYERS if pattern.search(file)), None)
    assert (found is None) if layer is None else (found is not None and found.startswith(layer))


def test_the_modules_of_the_engine_exist() -> None:
    names = sampling.ENGINE.removeprefix("(").partition(")")[0].split("|")
    assert [name for name in names if not (ROOT / f"ippanel_edge/_async/{name}.py").exists()] == []
