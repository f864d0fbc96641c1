"""Each argument of each method, and each field of each input class, refuses a value of a wrong type or shape.

A refusal is one ConfigurationError that names the argument, before anything is sent. What is accepted instead is in the
tables below, and it is sent as it is.
"""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from fnmatch import fnmatch
from typing import Any, Final, get_args, get_type_hints
from urllib.parse import unquote

import attrs
import pytest

from ippanel_edge import ConfigurationError, Outcome, RateLimit, RetryPolicy
from ippanel_edge.models import (
    ContactChanges,
    ContactFilters,
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    NewContact,
    NewPattern,
    NewUser,
    OperatorSlice,
    OutboxFilters,
    PackageFilters,
    PatternContact,
    PatternFilters,
    PatternVariable,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    SendResult,
    Slice,
    TicketFilters,
    UserChanges,
    UserFilters,
    WholePhonebooks,
)
from ippanel_edge.wire.call import Call, JsonBody
from tests.contract.calls import Method, methods
from tests.contract.junk import CANARY, JUNK, CallersError

NOTHING: Final = frozenset[str]()
WORDS: Final = frozenset({"'no'", "str subclass", "str enum"})
TEXTS: Final = WORDS | {"Secret"}
ANY_TEXT: Final = TEXTS | {"NUL", "100,000 x"}
IDS: Final = frozenset({"(1, 2, 3)", "{1, 2}"})
JSON: Final = ANY_TEXT | {
    *("None", "True", "False", "0", "-1", "2**63", "10**400", "1.5", "1e300", "''", "' '", "int enum"),
    *("[]", "[[]]", "[None]", "['x']", "[True]", "(1, 2, 3)", "((),)", "{}"),
}

ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "*.other_recipients": frozenset({"[]"}),  # none
    "*.recipient": NOTHING,
    "*.mobile": NOTHING,
    "normalize_phone.value": NOTHING,
    "request.method": NOTHING,
    "request.path": NOTHING,
    "request.query": frozenset({"{}"}),
    "request.data": frozenset({"{}"}),
    "request.json": JSON,
    "request.files": frozenset({"[]"}),
    "send.votp.code": frozenset({"0"}),
    "send.pattern.params": frozenset({"{}"}),
    "send.pattern.code": ANY_TEXT,
    "send.*.message": TEXTS,
    "sms_parts.text": ANY_TEXT | {"''", "' '"},
    "*.from_number": WORDS,  # the name of a line
    "*.number": WORDS,
    "*.number_prefix": NOTHING,
    "*.pre": NOTHING,
    "patterns.*.pattern_code": TEXTS,  # one segment of a path
    "drafts.*.message": TEXTS | {"NUL"},  # limited to 1,400 characters
    "drafts.*.title": TEXTS | {"NUL"},
    "phonebooks.options.*.type": NOTHING,
    "phonebooks.options.create.title": ANY_TEXT,
    "phonebooks.options.update.title": ANY_TEXT,
    "phonebooks.*.title": TEXTS | {"NUL"},  # limited to 200 characters, or too long for a URL
    "phonebooks.*.options": IDS | {"[]"},
    "*.gender_id": frozenset({"int enum"}),
    "*.gender": frozenset({"int enum"}),
    "*.operator_id": frozenset({"int enum"}),
    "jobs.count.start": frozenset({"0"}),
    "jobs.count.size": frozenset({"0"}),
    "reports.*.from_id": frozenset({"0"}),
    "reports.*.on_fault": frozenset({"class", "enum class", "lambda"}),
    "reports.wait_delivered.message_outbox_id": frozenset({"(1, 2, 3)", "{1, 2}"}),
}
"""The accepted junk by method and argument; the first pattern that matches counts."""
ACCEPTED_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "str": ANY_TEXT,
    "bool": frozenset({"True", "False"}),
    "float": frozenset({"1.5", "int enum"}),
    "Iterable[int]": IDS,
}
"""The accepted junk of all other arguments by annotation; nothing for an annotation that is not listed."""
NOT_SENT: Final = frozenset({"every", "timeout", "opt_out", "text", "on_fault", "wait_delivered.message_outbox_id"})
"""Arguments that are not a part of the request, or of the first of several requests."""


def accepted_by(name: str, annotation: str) -> frozenset[str]:
    by_type = ACCEPTED_TYPES.get(annotation.removesuffix(" | None"), NOTHING)
    return next((names for pattern, names in ACCEPTED.items() if fnmatch(name, pattern)), by_type)


def check_refusal(error: ConfigurationError, argument: str, junk: str) -> None:
    text = str(error)
    assert error.argument.startswith(argument), (junk, error.argument)
    assert error.outcome is Outcome.NOT_SENT
    assert len(text) > len(error.argument) + 3
    assert len(text) < 400, "a value of any length is quoted in part only"
    assert CANARY not in text


def leaves(value: Any) -> Iterator[object]:
    """Yield the values in JSON, each as JSON has it."""
    if isinstance(value, dict | list):
        for item in items_of(value):
            yield from leaves(item)
    else:
        yield value


def sent_values(call: Call[Any]) -> set[object]:
    """Return the values of a request: those of its path, its query and its body."""
    values: set[object] = {unquote(part) for part in call.path.split("/")}
    values |= {value for _, value in call.query}
    if isinstance(call.body, JsonBody):
        values |= {(type(value), value) for value in leaves(json.loads(call.body.content))}
    elif call.body is not None:
        values |= {value for _, value in call.body.fields}
    return values


def items_of(value: Any) -> list[Any]:
    """Return the values of a dict, or the items of a list, a tuple or a set."""
    return list(value.values() if hasattr(value, "values") else value)


def is_sent(value: Any, call: Call[Any]) -> bool:
    """Return whether a value is a part of a request as a reader expects it: plain, without its class."""
    if isinstance(value, dict | list | tuple | set):
        return all(is_sent(each, call) for each in items_of(value))
    if value is None:
        return True
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, datetime):
        plain = int(plain.timestamp())
    expected = [plain, str(plain), f"+98{plain}"]
    if isinstance(plain, bool):
        expected = [plain, *(("true", "1", "yes", 1) if plain else ("false", "0", "no", 0))]
    return any(each in sent_values(call) or (type(each), each) in sent_values(call) for each in expected)


@pytest.mark.parametrize("method", methods(), ids=lambda method: str(method.name))
def test_an_argument_refuses_junk_or_sends_it_as_it_is(method: Method) -> None:
    for argument, parameter in method.parameters.items():
        annotation = str(parameter.annotation)
        accepted: set[str] = set()
        for junk, make in JUNK.items():
            if junk == "None" and "None" in annotation:
                continue  # valid
            try:
                call = method(**{argument: make()})
            except ConfigurationError as error:
                check_refusal(error, argument, junk)
            except CallersError:
                assert junk == "failing generator"  # the caller's own exception
            else:
                accepted.add(junk)
                is_unsent = bool(NOT_SENT & {argument, f"{method.name.rpartition('.')[2]}.{argument}"})
                assert is_unsent or (call is not None and is_sent(make(), call)), (argument, junk)
        assert accepted == accepted_by(f"{method.name}.{argument}", annotation), argument


def test_none_is_as_good_as_no_argument() -> None:
    for method in methods():
        for argument, parameter in method.parameters.items():
            if parameter.default is None and argument not in method.arguments:
                assert method(**{argument: None}) == method(), f"{method.name}.{argument}"


@pytest.mark.parametrize("junk", ["1e300", "10**400", "10**5000", "nan", "inf", "True", "'no'"])
def test_a_number_of_a_setting_is_refused(junk: str) -> None:
    value = JUNK[junk]()
    settings: list[tuple[Any, str]] = [(RateLimit, "per_second"), (RetryPolicy, "backoff"), (RetryPolicy, "retries")]
    for kind, name in settings:
        with pytest.raises(ConfigurationError) as caught:
            kind(**{name: value})
        check_refusal(caught.value, name, junk)


ENDLESS: Final[Mapping[str, tuple[str, Any]]] = {
    "send.webservice": ("recipients", "09121234567"),
    "send.file": ("other_recipients", "09121234567"),
    "send.phonebook": ("selections", WholePhonebooks(phonebook_ids=[1])),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_iterator_ends_at_the_documented_limit(name: str) -> None:
    argument, value = ENDLESS[name]
    (method,) = (method for method in methods() if method.name == name)
    with pytest.raises(ConfigurationError, match="too many") as caught:
        method(**{argument: itertools.repeat(value)})
    assert caught.value.argument.startswith(f"{argument}[")


@pytest.mark.parametrize("name", ["users.documents.upload", "request"])
def test_an_endless_iterator_of_files_ends_at_its_first_bad_file(name: str) -> None:
    (method,) = (method for method in methods() if method.name == name)
    with pytest.raises(ConfigurationError) as caught:
        method(files=itertools.chain([("a.txt", ("a.txt", b"x"))] * (name == "request"), itertools.repeat(7)))
    assert caught.value.argument == ("files[1]" if name == "request" else "files[0]")


ALL_OPERATORS: Final = {name: Slice(size=1) for name in ("mci", "irancell", "other")}
VALID: Final[Mapping[type, Mapping[str, Any]]] = {
    PeerMessage: {"recipients": ["09121234567"], "message": "x"},
    Slice: {"size": 1},
    OperatorSlice: {"id": 1, "size": 1},
    PostalCodeTarget: {"postal_code": 12345, **ALL_OPERATORS},
    CountryTarget: {"province_id": 1, "county_id": 1, **ALL_OPERATORS},
    GeolocationTarget: {"province_id": 1, "operator": [OperatorSlice(id=1, size=1)]},
    JobTarget: {"main_category_id": 1, "operator": [OperatorSlice(id=1, size=1)]},
    WholePhonebooks: {"phonebook_ids": [1]},
    PhonebookNumbers: {"phonebook_id": 1, "number_ids": [1]},
    PatternContact: {"id": 1},
    PatternVariable: {"name": "a", "type": "string"},
    NewPattern: {"description": "x", "message": "x", "variable": []},
    PatternFilters: {},
    NewContact: {"number": "09121234567", "phonebook_id": 1},
    ContactChanges: {"name": "x"},
    ContactFilters: {},
    NewUser: {
        "user_name": "x",
        "password": "Aa1!aaaa",
        "national_code": "0012345679",
        "mobile_number": "09121234567",
        "birth_date": date(1990, 1, 1),
        "acl_id": 1,
    },
    UserChanges: {"name": "x"},
    UserFilters: {},
    PackageFilters: {},
    OutboxFilters: {},
    TicketFilters: {},
}
"""The fields of a valid object of each input class."""
INSIDE: Final[Mapping[type, tuple[type, str]]] = {
    Slice: (PostalCodeTarget, "mci"),
    OperatorSlice: (JobTarget, "operator"),
    PatternVariable: (NewPattern, "variable"),
}
"""The class and the field that an input class is a part of, if it is no argument itself."""

FIELD_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "str": ANY_TEXT | {"''", "' '"},
    "int": frozenset({"0", "-1"}),
    "bool": frozenset({"True", "False"}),
    "datetime": frozenset({"datetime"}),
    "date": frozenset({"date"}),
    "Sequence[int]": IDS | {"[]"},
    "Sequence[OperatorSlice]": frozenset({"[]"}),
    "Sequence[PatternVariable]": frozenset({"[]"}),
    "Mapping[int, str]": frozenset({"{}"}),
    "Mapping[int, object]": frozenset({"{}", "{1: 2}"}),
    "VariableType | str": ANY_TEXT | {"''", "' '"},
    "PatternStatus | str": ANY_TEXT | {"''", "' '"},
    "MessageState | int": frozenset({"0", "-1"}),
    "TicketState | int": frozenset({"0", "-1"}),
}
"""What a constructor accepts by annotation. The limits and empty texts are checked by the method."""
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "PeerMessage.recipients": NOTHING,
    "*.mobile_number": NOTHING,
    "*.mobile": NOTHING,
    "NewContact.number": NOTHING,
    "ContactChanges.number": NOTHING,
    "ContactFilters.number": NOTHING,
    "OutboxFilters.number": WORDS,
}


def field_accepts(name: str, annotation: str) -> frozenset[str]:
    by_type = FIELD_TYPES.get(annotation.removesuffix(" | None"), NOTHING)
    return next((names for pattern, names in FIELDS.items() if fnmatch(name, pattern)), by_type)


def input_classes() -> set[type]:
    """Return each attrs class among the annotations of the arguments, and the classes of their fields."""
    found: set[type] = set()
    pending: list[Any] = []
    for method in methods():
        hints = get_type_hints(inspect.unwrap(method.function))
        pending += [hints[name] for name in method.parameters]
    while pending:
        hint = pending.pop()
        pending += get_args(hint)
        is_model = isinstance(hint, type) and attrs.has(hint) and hint.__module__.startswith("ippanel_edge.models")
        if is_model and hint is not SendResult:  # a result, which stands for its ids
            found.add(hint)
            pending += get_type_hints(hint).values()
    return found


def owner(kind: type) -> tuple[Method, str, bool]:
    """Return a method that takes objects of a class, the argument, and whether that is a list."""
    for method in methods():
        for argument, parameter in method.parameters.items():
            annotation = str(parameter.annotation)
            if kind.__name__ in annotation.replace("Iterable[", "").replace("]", "").split(" | "):
                return method, argument, annotation.startswith("Iterable[")
    raise AssertionError(f"no method takes a {kind.__name__}")


def send(value: object) -> Call[Any] | None:
    """Pass an object to its method and return the call."""
    kind = type(value)
    if kind in INSIDE:
        outer, field = INSIDE[kind]
        fields: dict[str, Any] = {**VALID[outer], field: value if field == "mci" else [value]}
        if isinstance(value, PatternVariable):
            fields["message"] = f"%{value.name}%"
        return send(outer(**fields))
    method, argument, is_list = owner(kind)
    return method(**{argument: [value] if is_list else value})


def test_every_input_class_is_tested() -> None:
    assert input_classes() == set(VALID)


def check_object(value: object, field: str, junk: str) -> None:
    """Check that a method refuses an object and names the field, or sends the value of the field as it is."""
    try:
        call = send(value)
    except ConfigurationError as error:
        refusal = error
    else:
        assert call is not None
        is_unset = (type(value), field, junk) == (PatternVariable, "len", "0")  # 0 is no maximum
        assert is_unset or is_sent(JUNK[junk](), call), (field, junk)
        return
    check_refusal(refusal, "", junk)
    names_field = field in refusal.argument or f"{field}=" in str(refusal)
    assert names_field or refusal.argument in ("filters", "changes"), (junk, refusal.argument)


@pytest.mark.parametrize("kind", VALID, ids=lambda kind: str(kind.__name__))
def test_a_field_refuses_junk_or_its_object_is_refused_or_it_is_sent_as_it_is(kind: type) -> None:
    for field in attrs.fields(kind):
        accepted: set[str] = set()
        annotation = kind.__annotations__[field.name]
        for junk, make in JUNK.items():
            if junk == "None" and "None" in annotation:
                continue  # valid
            try:
                value = kind(**{**VALID[kind], field.name: make()})
            except ConfigurationError as error:
                check_refusal(error, field.name, junk)
                continue
            except CallersError:
                continue
            accepted.add(junk)
            check_object(value, field.name, junk)
        assert accepted == field_accepts(f"{kind.__name__}.{field.name}", annotation), field.name
