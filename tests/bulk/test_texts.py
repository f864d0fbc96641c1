"""The content of rows: templates, own texts and patterns, and the reasons for which rows are set aside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.bulk.calls import build_call
from ippanel_edge.bulk.raw_rows import RawRow
from ippanel_edge.bulk.records import BadRow, Chunk, Kind, Method, State, Terms
from ippanel_edge.bulk.texts import content_hash, parse_template, preparer, wanted_columns
from ippanel_edge.errors import InvalidArgument

LINE = "+983000100200"
ONE_TEXT = Terms(from_number=LINE, kind=Kind.ONE_TEXT, message="hello")
TEMPLATE = Terms(from_number=LINE, kind=Kind.OWN_TEXT, message="Hi {name}, {n}")
OWN_TEXT = Terms(from_number=LINE, kind=Kind.OWN_TEXT)
PATTERN = Terms(from_number=LINE, kind=Kind.PATTERN, pattern="p", params={"code": "Code", "name": "نام"})
NUMBER = "+989121234567"
HUGE = 10**5000
"""An int with more digits than Python converts to text."""


@pytest.mark.parametrize(
    ("message", "columns", "positional"),
    [
        ("hello", (), "hello"),
        ("Hi {name}", ("name",), "Hi {0}"),
        ("{a}{b}{a}", ("a", "b"), "{0}{1}{0}"),
        ("{ a }", ("a",), "{0}"),
        ("سلام {نام خانوادگی}", ("نام خانوادگی",), "سلام {0}"),
        ("{{a}} {b}", ("b",), "{{a}} {0}"),
        ("{0} {1}", ("0", "1"), "{0} {1}"),
    ],
)
def test_a_template(message: str, columns: tuple[str, ...], positional: str) -> None:
    template = parse_template(message)
    assert (template.columns, template.positional) == (columns, positional)


@pytest.mark.parametrize("message", ["{", "}", "a {b", "a } b", "{}", "{ }", "{a!r}", "{a:>9}", "{a[0]:{b}}"])
def test_an_invalid_template(message: str) -> None:
    with pytest.raises(InvalidArgument, match=r"not a valid template: .*\{column\}") as caught:
        parse_template(message)
    assert caught.value.argument == "message"


def test_a_field_reads_no_attributes() -> None:
    template = parse_template("{a.__class__} {b[0]}")
    assert template.columns == ("a.__class__", "b[0]"), "names of columns, nothing else"
    assert template.positional.format("x", "y") == "x y"


@given(st.text())
def test_a_text_without_fields_is_sent_as_it_is(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    template = parse_template(escaped)
    assert (template.columns, template.text) == ((), text)


def test_a_message_that_is_no_text() -> None:
    with pytest.raises(InvalidArgument, match="expected a str, got int"):
        parse_template(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "columns"),
    [(ONE_TEXT, ()), (TEMPLATE, ("name", "n")), (OWN_TEXT, None), (PATTERN, ("Code", "نام"))],
)
def test_the_columns_that_rows_need(terms: Terms, columns: tuple[str, ...] | None) -> None:
    assert wanted_columns(terms) == columns


@pytest.mark.parametrize(
    ("terms", "row", "content"),
    [
        (ONE_TEXT, (2, "09121234567", ()), None),
        (ONE_TEXT, (2, "۰۹۱۲۱۲۳۴۵۶۷", ()), None),
        (ONE_TEXT, (2, "9121234567", ()), None),
        (TEMPLATE, (2, NUMBER, ["Sara", 7]), "Hi Sara, 7"),
        (TEMPLATE, (2, NUMBER, ["{n} {0} %s", "}"]), "Hi {n} {0} %s, }"),
        (OWN_TEXT, (2, NUMBER, ["a\nb"]), "a\nb"),
        (PATTERN, (2, NUMBER, ["12", "سارا"]), '{"code":"12","name":"سارا"}'),
        (PATTERN, (2, NUMBER, [12, "a"]), '{"code":12,"name":"a"}'),
    ],
)
def test_a_good_row(terms: Terms, row: RawRow, content: str | None) -> None:
    ((line, number, made, hashed),), bad = preparer(terms, "a.csv")([row])
    assert (line, number, made, bad) == (2, NUMBER, content, [])
    assert hashed == (int(NUMBER) if content is None else content_hash(NUMBER, content))


@pytest.mark.parametrize(
    ("terms", "row", "value", "reason"),
    [
        (ONE_TEXT, (2, "12", ()), "12", "recipient"),
        (ONE_TEXT, (2, "", ()), "", "recipient"),
        (ONE_TEXT, (2, None, ()), "", "recipient"),
        (ONE_TEXT, (2, "x" * 99, ()), "x" * 40, "recipient"),
        (ONE_TEXT, (2, NUMBER, "the line is broken"), NUMBER, "the line is broken"),
        (TEMPLATE, (2, NUMBER, ["Sara", None]), NUMBER, "column 'n': has no value"),
        (TEMPLATE, (2, "12", ["Sara", 7]), "12", "recipient"),
        (OWN_TEXT, (2, NUMBER, [""]), NUMBER, "message"),
        (OWN_TEXT, (2, NUMBER, [" \n"]), NUMBER, "message"),
        (OWN_TEXT, (2, NUMBER, [None]), NUMBER, "message"),
        (OWN_TEXT, (2, NUMBER, [7]), NUMBER, "message"),
        (OWN_TEXT, (2, NUMBER, ["a" * 10_000]), NUMBER, "message"),
        (OWN_TEXT, (2, NUMBER, "the line is broken"), NUMBER, "the line is broken"),
        (PATTERN, (2, NUMBER, ["", "a"]), NUMBER, "params['code']: has no value"),
        (PATTERN, (2, NUMBER, ["1", None]), NUMBER, "params['name']: has no value"),
        (PATTERN, (2, NUMBER, [1.5, "a"]), NUMBER, "params['code']: expected a str or an int, got float"),
        (PATTERN, (2, NUMBER, [True, "a"]), NUMBER, "params['code']: expected a str or an int, got bool"),
        (PATTERN, (2, NUMBER, [10**30, "a"]), NUMBER, "params['code']: is too large"),
        (PATTERN, (2, NUMBER, [HUGE, "a"]), NUMBER, "params['code']: is too large"),
        (PATTERN, (2, NUMBER, ["1", "\ud800"]), NUMBER, "params['name']: contains a lone surrogate"),
        (PATTERN, (2, HUGE, ["1", "a"]), "int", "recipient: expected a str, got int"),
        (TEMPLATE, (2, NUMBER, ["Sara", HUGE]), NUMBER, "a value of {name}, {n} cannot be written as text"),
    ],
)
def test_a_bad_row_has_its_line_and_reason(terms: Terms, row: RawRow, value: str, reason: str) -> None:
    good, (bad,) = preparer(terms, "a.csv")([row])
    assert good == []
    assert (bad.source, bad.line, bad.value) == ("a.csv", 2, value)
    assert reason in bad.reason


def test_bad_rows_do_not_stop_the_others() -> None:
    rows: list[RawRow] = [(2, "x", ["a"]), (3, NUMBER, ["a"]), (4, NUMBER, [""])]
    good, bad = preparer(OWN_TEXT, "a.csv")(rows)
    assert [row[0] for row in good] == [3]
    assert [row.line for row in bad] == [2, 4]
    assert all(isinstance(row, BadRow) for row in bad)


ODD = st.characters() | st.characters(categories=["Cs"])  # with lone surrogates, which are not text
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(ODD, max_size=8) | st.just(HUGE)
ROWS = [
    (ONE_TEXT, Method.WEBSERVICE, 0),
    (ONE_TEXT, Method.FILE, 0),
    (TEMPLATE, Method.PEER_TO_PEER, 2),
    (TEMPLATE, Method.PEER_TO_PEER_FILE, 2),
    (OWN_TEXT, Method.PEER_TO_PEER, 1),
    (OWN_TEXT, Method.PEER_TO_PEER_FILE, 1),
    (PATTERN, Method.PATTERN, 2),
]


@pytest.mark.parametrize(("terms", "method", "width"), ROWS)
@given(data=st.data())
def test_a_row_is_set_aside_or_can_be_sent(terms: Terms, method: Method, width: int, data: st.DataObject) -> None:
    recipient = data.draw(st.just(NUMBER) | VALUES)
    values = data.draw(st.lists(VALUES, min_size=width, max_size=width))
    good, bad = preparer(terms, "a.csv")([(2, recipient, values)])
    assert len(good) + len(bad) == 1
    rows = [(1, number, content) for _, number, content, _ in good]
    if rows:
        build_call(terms, Chunk(id=1, method=method, state=State.PENDING, rows=1), rows)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_hash_fits_into_sql_and_depends_on_both(first: str, second: str) -> None:
    hashed = content_hash(NUMBER, json.dumps(first))
    assert -(2**63) <= hashed < 2**63
    assert (hashed == content_hash(NUMBER, json.dumps(second))) == (first == second)
    assert hashed != content_hash("+989121234568", json.dumps(first))
