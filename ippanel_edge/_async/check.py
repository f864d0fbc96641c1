"""The check of a client when a program starts: network, key, account, credit and sender line. It only reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.sections.auth import Auth
from ippanel_edge._async.sections.numbers import Numbers
from ippanel_edge._async.sections.payment import Payment
from ippanel_edge.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    DecodeError,
    EdgeError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    ServerError,
    evolve,
)
from ippanel_edge.models.auth import TokenOwner
from ippanel_edge.models.check import ClientCheck
from ippanel_edge.models.payment import Credit
from ippanel_edge.values import phones

T = TypeVar("T")

_ROWS: Final = 1000
_OF_ONE_CALL: Final = (PermissionDenied, DecodeError)
"""Errors after which the other calls may still succeed."""
_ADVICE: Final[tuple[tuple[tuple[type[EdgeError], ...], str], ...]] = (
    ((AuthenticationError,), "check api_key=, token= or credentials=, or the variable IPPANEL_API_KEY"),
    ((PermissionDenied,), "check the permissions of the key in the panel"),
    ((NotFound, DecodeError), "check base_url or IPPANEL_BASE_URL, and any proxy in between"),
    ((ServerError, RateLimited), "try again later"),
    ((ConnectionFailed, OutcomeUnknown), "check the network, the proxy, and base_url or IPPANEL_BASE_URL"),
)


@attrs.define(eq=False, repr=False)
class AsyncCheck:
    """One check. The attributes are what it has found out so far.

    Attributes:
        latency: the time to the fastest response, in seconds.
        is_done: whether further calls would fail too.
    """

    base_url: str
    from_number: str | None
    user: TokenOwner | None = None
    credit: float | None = None
    is_own_line: bool | None = None
    latency: float | None = None
    is_done: bool = False
    problems: list[str] = attrs.field(factory=list[str])

    async def run(self, auth: Auth, payment: Payment, numbers: Numbers, *, seconds: float) -> ClientCheck:
        """Make the calls within some seconds. An error of a call is reported as a problem, not raised."""
        try:
            with _io.deadline(seconds):
                self._judge_user(await self._answer(auth.check_token))
                self._judge_credit(await self._answer(payment.credit))
                line = self.from_number
                if line is not None:
                    self._judge_line(line, await self._answer(lambda: _has_line(numbers, line)))
        except _io.DeadlinePassed:
            advice = "check the network and the proxy, or pass a longer deadline="
            self.problems.append(f"{self.base_url}: no response within {seconds:g} s; {advice}")
        return ClientCheck(
            base_url=self.base_url,
            user=self.user,
            credit=self.credit,
            from_number=self.from_number,
            is_own_line=self.is_own_line,
            latency=self.latency,
            problems=tuple(self.problems),
        )

    async def _answer(self, request: Callable[[], Awaitable[T]]) -> T | None:
        """Return the result of a call; None if it fails or is pointless."""
        if self.is_done:
            return None
        began = _io.monotonic()
        try:
            found = await request()
        except EdgeError as error:
            self.is_done = not isinstance(error, _OF_ONE_CALL)
            self.problems.append(self._problem(error))
            if isinstance(error, ApiError | DecodeError):
                self._measure(began)
            return None
        self._measure(began)
        return found

    def _measure(self, began: float) -> None:
        seconds = _io.monotonic() - began
        self.latency = seconds if self.latency is None else min(self.latency, seconds)

    def _problem(self, error: EdgeError) -> str:
        advice = next((advice for kinds, advice in _ADVICE if isinstance(error, kinds)), None)
        if isinstance(error, ApiError):  # its advice stands before the words of the service
            return str(error if error.advice or advice is None else evolve(error, advice=advice))
        where = f"{self.base_url}: " if isinstance(error, ConnectionFailed | OutcomeUnknown) else ""
        return f"{where}{error}; {advice}" if advice else f"{where}{error}"

    def _judge_user(self, user: TokenOwner | None) -> None:
        self.user = user
        if user is not None and user.send_block:
            self.problems.append(f"sending is blocked for the user {user.user_name}; contact the support of the panel")
        if user is not None and user.document_block:
            self.problems.append(
                f"the user {user.user_name} is blocked until documents are uploaded; see users.documents.list()"
            )

    def _judge_credit(self, credit: Credit | None) -> None:
        if credit is None or credit.credit is None:
            return
        self.credit = credit.credit
        if credit.credit + (credit.gift or 0.0) <= 0:
            self.problems.append(f"the credit is {credit.credit:g} Rials; add credit in the panel")

    def _judge_line(self, line: str, found: bool | None) -> None:  # noqa: FBT001 - None: it could not be found out
        self.is_own_line = found
        if found is False:
            self.problems.append(
                f"from_number: {line} is not among the lines of the account; choose one of numbers.list(), "
                "or check IPPANEL_FROM_NUMBER"
            )


async def _has_line(numbers: Numbers, line: str) -> bool:
    """Return whether the account has a sender line. Pages are read until it is found."""
    async for each in numbers.iter_list(per_page=_ROWS):
        if each.number is not None and _normalised(each.number) == line:
            return True
    return False


def _normalised(number: str) -> str:
    """Return a line as the client's is; one in a format that this SDK does not know stays as it is."""
    try:
        return phones.sender_line(number)
    except EdgeError:
        return number
