"""The assertions of `EdgeSandbox`: what counts as sent, and the texts of failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ippanel_edge import EdgeClient, InsufficientCredit, InvalidArgument, NotFound, OutcomeUnknown
from ippanel_edge.sandbox import Fault, SandboxClock
from ippanel_edge.sandbox.defaults import PROMOTIONAL_NUMBER
from ippanel_edge.testing import EdgeSandbox
from ippanel_edge.testing.clients import sync_client

NOW = datetime(2030, 1, 15, 9, 30, tzinfo=UTC)
ALI, SARA, REZA = "+989123456789", "+989123456780", "+989351112233"


@pytest.fixture
def sandbox() -> EdgeSandbox:
    return EdgeSandbox(SandboxClock(NOW, frozen=True))


@pytest.fixture
def client(sandbox: EdgeSandbox) -> Iterator[EdgeClient]:
    with sync_client(sandbox, in_memory=True) as client:
        # The client would compare send times with the real time, not with the clock of the sandbox.
        yield client.with_options(validate=False)


def failure_of(check: object, *arguments: object, **options: object) -> str:
    assert callable(check)
    with pytest.raises(AssertionError) as caught:
        check(*arguments, **options)
    return str(caught.value)


def test_sent_lists_each_recipient_oldest_first(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice([ALI, SARA], "Hello")
    sandbox.advance(10)
    client.send.pattern("otp", REZA, {"code": "48213"})
    assert [message.number for message in sandbox.sent] == [ALI, SARA, REZA]
    first, _, last = sandbox.sent
    assert (first.text, first.line, first.sending_type, first.pattern_code) == (
        "Hello",
        sandbox.from_number,
        "webservice",
        None,
    )
    assert (last.text, last.sending_type, last.pattern_code) == ("کد ورود شما: 48213", "pattern", "otp")
    assert (first.time, last.time) == (NOW, NOW + timedelta(seconds=10))


def test_each_recipient_of_a_peer_to_peer_send_has_its_own_text(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.peer_to_peer([(ALI, "Hello Ali"), (SARA, "Hello Sara")])
    assert sandbox.sent_to(ALI).text == "Hello Ali"
    assert sandbox.sent_to(SARA).text == "Hello Sara"


def test_a_scheduled_message_is_sent_until_it_is_cancelled(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    at = NOW + timedelta(hours=2)
    result = client.send.webservice(ALI, "Later", send_time=at)
    assert sandbox.sent_to(ALI).scheduled_for == at
    client.send.cancel(result)
    sandbox.assert_nothing_sent()


def test_a_rejected_message_is_not_sent(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    sandbox.state.review = True
    result = client.send.webservice(ALI, "Hello")
    sandbox.assert_sent(ALI)
    sandbox.state.reject(result.id)
    sandbox.assert_nothing_sent()


@pytest.mark.parametrize(
    "spelling", ["09123456789", "0912 345 6789", "۰۹۱۲۳۴۵۶۷۸۹", "+98 (0)912-345-6789", "9123456789"]
)
def test_a_number_is_accepted_in_any_format(sandbox: EdgeSandbox, client: EdgeClient, spelling: str) -> None:
    client.send.pattern("otp", ALI, {"code": "48213"})
    assert sandbox.sent_to(spelling).number == ALI
    assert len(sandbox.all_sent_to(spelling)) == 1
    assert sandbox.last_otp(spelling) == "48213"
    assert sandbox.assert_sent(spelling) == sandbox.assert_sent_once(spelling)


def test_an_invalid_number_is_an_error_that_names_the_argument(sandbox: EdgeSandbox) -> None:
    with pytest.raises(InvalidArgument, match=r"^number: too short by 3 digits"):
        sandbox.sent_to("09123456")


def test_sent_to_returns_the_last_message_to_the_number(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    for text in ("first", "second"):
        client.send.webservice(ALI, text)
    client.send.webservice(SARA, "third")
    assert sandbox.sent_to(ALI).text == "second"
    assert [message.text for message in sandbox.all_sent_to(ALI)] == ["first", "second"]
    assert sandbox.all_sent_to(REZA) == []


def test_containing_compares_digits_of_all_scripts(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(ALI, "کد: ۴۸۲۱۳")
    client.send.webservice(ALI, "Welcome")
    assert sandbox.assert_sent(ALI, containing="48213").text == "کد: ۴۸۲۱۳"
    assert sandbox.assert_sent_once(ALI, containing="۴۸۲۱۳").text == "کد: ۴۸۲۱۳"


def test_a_missing_message_is_reported_with_the_nearest_ones(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(REZA, "Your order is ready")
    client.send.pattern("otp", SARA, {"code": "48213"})
    expected = (
        f"expected a message to {ALI}; 2 messages were sent, nearest first:\n"
        f"  to {SARA} from {sandbox.from_number} (pattern otp): 'کد ورود شما: 48213'\n"
        f"  to {REZA} from {sandbox.from_number} (webservice): 'Your order is ready'"
    )
    assert failure_of(sandbox.sent_to, ALI) == expected
    assert failure_of(sandbox.assert_sent, ALI) == expected
    assert failure_of(sandbox.assert_sent_once, ALI) == expected


def test_a_wrong_text_is_reported_with_the_nearest_texts(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(ALI, "Goodbye")
    client.send.webservice(ALI, "Your order is ready")
    assert failure_of(sandbox.assert_sent, ALI, containing="order was ready") == (
        f"expected a message to {ALI} that contains 'order was ready'; 2 messages were sent, nearest first:\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Your order is ready'\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Goodbye'"
    )


def test_the_right_text_to_a_similar_number_is_the_nearest(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(SARA, "Your order is ready")
    client.send.webservice(ALI, "Goodbye")
    first = failure_of(sandbox.assert_sent, ALI, containing="order is").splitlines()[1]
    assert first == f"  to {SARA} from {sandbox.from_number} (webservice): 'Your order is ready'"


def test_nothing_sent_is_reported_with_the_usual_reason(sandbox: EdgeSandbox) -> None:
    assert failure_of(sandbox.assert_sent, ALI, containing="Hello") == (
        f"expected a message to {ALI} that contains 'Hello'; nothing was sent. A client that the application creates "
        "itself needs the fixture edge_environment, before the client is created"
    )


def test_sends_that_failed_are_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    sandbox.fail("send.webservice", with_=Fault.RESET_BEFORE_ACCEPT)
    sandbox.fail("reports.outbox", status=503)
    with pytest.raises(NotFound):
        client.send.pattern("unknown", ALI, {"code": "48213"})
    with pytest.raises(OutcomeUnknown):
        client.send.webservice(ALI, "Hello")
    failed = "These sends failed: send.pattern (HTTP 404: الگو یافت نشد), send.webservice (broken connection)"
    assert failure_of(sandbox.sent_to, ALI) == f"expected a message to {ALI}; nothing was sent\n{failed}"
    client.send.webservice(SARA, "Hello")
    assert failure_of(sandbox.last_otp, ALI).splitlines()[2] == failed


def test_sends_without_credit_and_refused_messages_are_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    held = client.send.webservice("+989990000012", "Hello")  # the review refuses it
    sandbox.state.main_user.credit = 0
    with pytest.raises(InsufficientCredit):
        client.send.webservice(ALI, "Hello")
    assert failure_of(sandbox.sent_to, ALI) == (
        f"expected a message to {ALI}; nothing was sent\n"
        "These sends failed: send.webservice (HTTP 200: اعتبار شما برای این ارسال کافی نیست), "
        f"message {held.id} (rejected: متن پیام مورد تایید نیست)"
    )


def test_a_second_message_is_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(ALI, "Hello")
    client.send.webservice(ALI, "Hello again", send_time=NOW + timedelta(hours=1))
    assert failure_of(sandbox.assert_sent_once, ALI) == (
        f"expected one message to {ALI}, got 2; 2 messages were sent, oldest first:\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Hello'\n"
        f"  to {ALI} from {sandbox.from_number} (webservice, scheduled for 2030-01-15 10:30:00 UTC): 'Hello again'"
    )
    assert sandbox.assert_sent_once(ALI, containing="again").text == "Hello again"


def test_an_unexpected_message_is_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    sandbox.assert_nothing_sent()
    client.send.webservice(ALI, "Hello")
    assert failure_of(sandbox.assert_nothing_sent) == (
        "expected no message; 1 message was sent, oldest first:\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Hello'"
    )


def test_a_long_failure_is_cut(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice([f"+98912000{number:04}" for number in range(8)], "a" * 200)
    lines = failure_of(sandbox.assert_nothing_sent).splitlines()
    assert len(lines) == 7
    assert lines[1].endswith(f"{'a' * 90}…'")
    assert lines[-1] == "  … and 3 more"


def test_the_last_code_is_found_before_later_messages_without_one(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.pattern("otp", ALI, {"code": "11111"})
    client.send.pattern("otp", ALI, {"code": "۲۲۲۲۲"})
    client.send.webservice(ALI, "Welcome")
    assert sandbox.last_otp(ALI) == "22222"


def test_a_missing_code_is_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(ALI, "Welcome")
    assert failure_of(sandbox.last_otp, ALI) == (
        f"expected a message to {ALI} with a one-time password of 4 to 8 digits; 1 message was sent, nearest first:\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Welcome'"
    )


def test_a_text_with_several_codes_is_reported(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice(ALI, "Order 12345, table 48213")
    assert failure_of(sandbox.last_otp, ALI) == (
        "expected one number of 4 to 8 digits in the message, got 12345 and 48213; read the code from "
        f"sent_to('{ALI}').text. The message is\n"
        f"  to {ALI} from {sandbox.from_number} (webservice): 'Order 12345, table 48213'"
    )


def test_the_code_of_a_voice_message_is_its_text(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.votp(ALI, "123")
    assert sandbox.last_otp(ALI) == "123"


def test_a_phone_writes_to_a_line(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    sandbox.receive("0912 345 6789", "Hello")
    sandbox.receive(SARA, "Hello too", line=PROMOTIONAL_NUMBER.removeprefix("+98"))
    last, first = client.reports.inbox()
    assert (first.from_, first.number, first.message) == (ALI, sandbox.from_number, "Hello")
    assert (last.from_, last.number, last.message) == (SARA, PROMOTIONAL_NUMBER, "Hello too")


def test_a_line_that_does_not_exist_is_an_error(sandbox: EdgeSandbox) -> None:
    with pytest.raises(ValueError, match=r"no line has the number '\+983000999'"):
        sandbox.receive(ALI, "Hello", line="3000999")


def test_the_clock_can_be_advanced(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    result = client.send.webservice(ALI, "Hello")
    sandbox.advance(60)
    (row,) = client.reports.recipients(result.id)
    assert row.is_final
    with pytest.raises(ValueError, match="non-negative"):
        sandbox.advance(-1)


def test_the_representation_has_the_number_of_messages(sandbox: EdgeSandbox, client: EdgeClient) -> None:
    client.send.webservice([ALI, SARA], "Hello")
    assert repr(sandbox) == "<EdgeSandbox http://127.0.0.1/v1, 2 sent>"
