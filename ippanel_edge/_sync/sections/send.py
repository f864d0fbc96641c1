# Generated from ippanel_edge/_async/sections/send.py by tests/codegen/generate_sync.py: edit that, not this.
"""Send: every way to send a text, its price, and taking a scheduled one back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Caller, sparing
from ippanel_edge.api import send
from ippanel_edge.config import Defaults
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    PatternContact,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    Price,
    SendResult,
    WholePhonebooks,
)
from ippanel_edge.values.checks import identity
from ippanel_edge.values.files import FileInput
from ippanel_edge.values.secrets import Secret


@attrs.frozen(repr=False, eq=False)
class Send:
    """Sending costs money and reaches people: nothing in here is repeated unless it is proven that nothing was sent.

    In every method `from_number` is the sender line, else the client's; `send_time` is an aware datetime, 5 minutes
    to 3 months ahead, else now; texts have at most 1,400 characters or 20 parts. All but `pattern` and `votp` pass
    human review first. Each raises

    - ConfigurationError: an argument is wrong; nothing was sent.
    - ApiError, one of its kinds: the service refused; nothing was sent. RateLimited means that the same text went to
      the same number less than 40 seconds ago.
    - ConnectionFailed: nothing was sent.
    - OutcomeUnknown, ServerError or DecodeError with outcome UNKNOWN: it may have been sent. Look into
      `reports.outbox` before you send it again.
    """

    _call: Caller
    _defaults: Defaults
    _secret: Secret | None

    def webservice(
        self,
        recipients: Iterable[str] | str,
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to up to 1,000 numbers.

        Args:
            recipients: numbers in any spelling, or one; repeats are sent as given.
            message: the text.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message, the same for all recipients.

        Source: send/webservice.md.
        """
        return self._call(
            endpoints.SEND_WEBSERVICE,
            json=send.webservice(self._defaults, recipients, message, from_number=from_number, send_time=send_time),
        )

    def peer_to_peer(
        self, messages: Iterable[PeerMessage], *, from_number: str | None = None, send_time: datetime | None = None
    ) -> SendResult:
        """Send many texts, each to its own recipients.

        Args:
            messages: texts with their recipients.
            from_number: the sender line.
            send_time: when.

        Returns:
            An id for each of `messages`, in their order.

        Source: send/peer-to-peer.md.
        """
        return self._call(
            endpoints.SEND_PEER_TO_PEER,
            json=send.peer_to_peer(self._defaults, messages, from_number=from_number, send_time=send_time),
        )

    def peer_to_peer_file(
        self, file: FileInput, *, from_number: str | None = None, send_time: datetime | None = None
    ) -> SendResult:
        """Send a text for each row of a file, at most 10,000 rows.

        Args:
            file: CSV with the header ``recipient,message``, or XLSX with numbers in column A and texts in B: a path,
                a binary file object or (name, bytes). Numbers may be local (09…) or E.164.
            from_number: the sender line.
            send_time: when.

        Returns:
            An id for each row.

        Source: send/peer-to-peer-file.md.
        """
        return self._call(
            endpoints.SEND_PEER_TO_PEER_FILE,
            form=send.file_form(
                "peer_to_peer_file", self._defaults, None, from_number=from_number, send_time=send_time
            ),
            files=[("files[]", send.table(file, self._defaults))],
        )

    def postal_code(
        self,
        targets: Iterable[PostalCodeTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to numbers of postal codes.

        Args:
            targets: which numbers of which postal codes.
            message: the text.
            other_recipients: further numbers.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/postalcode.md.
        """
        return self._call(
            endpoints.SEND_POSTAL_CODE,
            json=send.postal_code(
                self._defaults,
                targets,
                message,
                other_recipients=other_recipients,
                from_number=from_number,
                send_time=send_time,
            ),
        )

    def country(
        self,
        targets: Iterable[CountryTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to numbers of places, first version (ids from `banks`).

        Args:
            targets: which numbers of which places: a province; province and county; or all three.
            message: the text.
            other_recipients: further numbers.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/country/index.md.
        """
        return self._call(
            endpoints.SEND_COUNTRY,
            json=send.country(
                self._defaults,
                targets,
                message,
                other_recipients=other_recipients,
                from_number=from_number,
                send_time=send_time,
            ),
        )

    def geolocation(
        self,
        targets: Iterable[GeolocationTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to numbers of places, second version (ids from `geolocation`).

        Args:
            targets: which numbers of which places.
            message: the text.
            other_recipients: further numbers.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/countryV2/index.md.
        """
        return self._call(
            endpoints.SEND_GEOLOCATION,
            json=send.geolocation(
                self._defaults,
                targets,
                message,
                other_recipients=other_recipients,
                from_number=from_number,
                send_time=send_time,
            ),
        )

    def job(
        self,
        targets: Iterable[JobTarget],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to numbers of trades (ids from `jobs`).

        Args:
            targets: which numbers of which trades.
            message: the text.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/jobs/index.md.
        """
        return self._call(
            endpoints.SEND_JOB,
            json=send.job(self._defaults, targets, message, from_number=from_number, send_time=send_time),
        )

    def keyword(
        self,
        file: FileInput,
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send a text with placeholders, filled from the columns of a file.

        Args:
            file: XLSX with numbers in column A and values in B, C …: a path, a binary file object or (name, bytes).
            message: the text; ``{ex_B}`` stands for column B.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/keyword.md.
        """
        return self._call(
            endpoints.SEND_KEYWORD,
            form=send.file_form(
                "keyword", self._defaults, send.required(message), from_number=from_number, send_time=send_time
            ),
            files=[("files[]", send.table(file, self._defaults, kinds=send.SHEETS))],
        )

    def keyword_phonebook(
        self,
        phonebook_ids: Iterable[int],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send a text with placeholders, filled from the fields of phonebooks.

        Args:
            phonebook_ids: the phonebooks.
            message: the text; ``{ex_7041}`` stands for the phonebook's field 7041.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/keyword-phonebook.md.
        """
        return self._call(
            endpoints.SEND_KEYWORD_PHONEBOOK,
            json=send.keyword_phonebook(
                self._defaults, phonebook_ids, message, from_number=from_number, send_time=send_time
            ),
        )

    def phonebook(
        self,
        selections: Iterable[WholePhonebooks | PhonebookNumbers],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to phonebooks, whole or in part.

        Args:
            selections: at most 100 choices.
            message: the text.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/phonebook.md.
        """
        return self._call(
            endpoints.SEND_PHONEBOOK,
            json=send.phonebook(self._defaults, selections, message, from_number=from_number, send_time=send_time),
        )

    @sparing
    def pattern(
        self,
        code: str,
        recipient: str,
        params: Mapping[str, object],
        *,
        from_number: str | None = None,
        phonebook: PatternContact | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send an approved pattern to one number. It skips human review and goes out at once: the way for codes.

        Args:
            code: the pattern's code.
            recipient: the number, in any spelling.
            params: a value (text or number) for each of the pattern's variables; ``{}`` where it has none.
            from_number: the sender line.
            phonebook: the phonebook entry to keep the recipient in.
            send_time: when; of the service's Persian page only.

        Returns:
            The id of the message.

        Source: send/pattern.md.
        """
        return self._call(
            endpoints.SEND_PATTERN,
            json=send.pattern(
                self._defaults,
                code,
                recipient,
                params,
                from_number=from_number,
                send_time=send_time,
                phonebook=phonebook,
            ),
        )

    def file(
        self,
        file: FileInput,
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one text to the numbers of a file, at most 1,000,000.

        Args:
            file: CSV with the header ``phone_number`` and one column, or XLSX with numbers in column A: a path, a
                binary file object or (name, bytes). Numbers may be local (09…) or E.164.
            message: the text.
            other_recipients: further numbers.
            from_number: the sender line.
            send_time: when.

        Returns:
            The id of the message.

        Source: send/file.md.
        """
        return self._call(
            endpoints.SEND_FILE,
            form=send.file_form(
                "file",
                self._defaults,
                send.required(message),
                from_number=from_number,
                send_time=send_time,
                other_recipients=other_recipients,
            ),
            files=[("files[]", send.table(file, self._defaults))],
        )

    @sparing
    def votp(self, recipient: str, code: str | int) -> SendResult:
        """Call a number and speak a code. The service chooses the line.

        Args:
            recipient: the number, in any spelling.
            code: 1 to 14 digits; as text, leading zeros are kept.

        Returns:
            The id of the message.

        Source: send/votp.md.
        """
        return self._call(endpoints.SEND_VOTP, json=send.votp(self._defaults, recipient, code))

    @sparing
    def url(
        self,
        recipient: str,
        message: str,
        *,
        from_number: str | None = None,
        username: str | None = None,
        password: str | None = None,
        in_url: bool = False,
    ) -> SendResult:
        """Send by the address made for simple callers.

        Its credentials travel in a POST form, where no access log keeps them, unless you ask for the documented GET.

        Args:
            recipient: the number, in any spelling.
            message: the text.
            from_number: the sender line.
            username: with password, instead of the client's key.
            password: with username.
            in_url: whether to send all of it as a GET, the credentials in the URL.

        Returns:
            The id of the message.

        Source: send/url.md.
        """
        return self._call(
            attrs.evolve(endpoints.SEND_URL, method="GET") if in_url else endpoints.SEND_URL,
            **send.url(
                self._defaults,
                self._secret,
                recipient,
                message,
                from_number=from_number,
                username=username,
                password=password,
                in_url=in_url,
            ),
        )

    def cancel(self, message_outbox_id: int) -> None:
        """Take a scheduled message back, until 5 minutes before its time.

        Args:
            message_outbox_id: from its SendResult.

        Raises:
            NotFound: there is no such message, or it is too late.

        Source: send/cancel-scheduled.md.
        """
        return self._call(
            endpoints.SEND_CANCEL,
            json={"message_outbox_id": identity(message_outbox_id, argument="message_outbox_id")},
        )

    def calculate_price(self, message: str, *, number: str | None = None) -> Price:
        """Say what a text costs, in Rials, without the opt-out suffix that promotional lines add.

        Args:
            message: the text.
            number: the sender line, else the client's.

        Source: send/calculate-price.md.
        """
        return self._call(endpoints.SEND_CALCULATE_PRICE, json=send.price(self._defaults, message, number=number))
