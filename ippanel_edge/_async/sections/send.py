"""The section `send`: every way to send a message, its price, and cancelling a scheduled one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun, hide_arguments
from ippanel_edge.api import send
from ippanel_edge.api.messages import message_id
from ippanel_edge.api.targets import countries, geolocations, jobs, phonebooks, postal_codes
from ippanel_edge.config import Defaults
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    PatternContact,
    PeerMessage,
    PhonebookNumbers,
    PostalCodeTarget,
    Price,
    WholePhonebooks,
)
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.secrets import Secret
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Send:
    """Sending costs money and reaches people: sends are retried only if the request provably never left this machine.

    In every method, `from_number` is the sender line and defaults to the client's. `send_time` is a timezone-aware
    datetime between 5 minutes and 3 months from now; the message is sent immediately if it is omitted. A message has
    at most 1,400 characters and 20 parts (SMS segments). Only `pattern` is sent without human review. Each method
    raises

    - InvalidArgument: an argument is invalid; nothing was sent. Files of numbers are read and checked first; the error
      names the line or row.
    - ApiError or a subclass: the service rejected the request; nothing was sent. DuplicateMessage means that the same
      text was sent to the same number less than 40 seconds ago.
    - ConnectionFailed: nothing was sent.
    - OutcomeUnknown, ServerError or DecodeError with the outcome UNKNOWN: the message may have been sent. Check
      `reports.outbox` before retrying.
    """

    _run: AsyncRun
    _defaults: Defaults
    _secret: Secret | None

    async def _send(
        self,
        endpoint: Endpoint[SendResult],
        from_number: str | None,
        send_time: datetime | None,
        *fields: Mapping[str, object],
        upload: Upload | None = None,
    ) -> SendResult:
        return await self._run(send.build(endpoint, self._defaults, from_number, send_time, *fields, upload=upload))

    async def webservice(
        self,
        recipients: Iterable[str] | str,
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to up to 1,000 recipients.

        Args:
            recipients: one phone number or an iterable of up to 1,000, in any format. Duplicates are not removed.
            message: the text.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Returns:
            The id of the message, the same for all recipients.

        Source: send/webservice.md.
        """
        return await self._send(
            endpoints.SEND_WEBSERVICE,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_recipients(self._defaults, recipients),
        )

    async def peer_to_peer(
        self,
        messages: Iterable[PeerMessage | tuple[Iterable[str] | str, str]],
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send several messages, each to its own recipients.

        Args:
            messages: each a PeerMessage or a (recipients, text) tuple; recipients is one number or a list of numbers.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Returns:
            One id for each of `messages`, in their order.

        Source: send/peer-to-peer.md.
        """
        return await self._send(
            endpoints.SEND_PEER_TO_PEER, from_number, send_time, send.to_each(self._defaults, messages)
        )

    async def peer_to_peer_file(
        self, file: FileInput, *, from_number: str | None = None, send_time: datetime | None = None
    ) -> SendResult:
        """Send one message for each row of a file, at most 10,000 rows.

        Args:
            file: CSV with the header ``recipient,message``, or XLSX with numbers in column A and messages in column
                B, as a path, a binary file object or (name, bytes). Numbers may be local (09…) or E.164.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Returns:
            One id for each row.

        Source: send/peer-to-peer-file.md.
        """
        return await self._send(
            endpoints.SEND_PEER_TO_PEER_FILE,
            from_number,
            send_time,
            upload=send.table(self._defaults, file, send.MESSAGES),
        )

    async def postal_code(
        self,
        targets: Iterable[PostalCodeTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to numbers of postal codes.

        Args:
            targets: the numbers to select from each postal code; `banks.count` has no count by postal code.
            message: the text.
            other_recipients: other phone numbers, in any format.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/postalcode.md.
        """
        return await self._send(
            endpoints.SEND_POSTAL_CODE,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_targets(self._defaults, postal_codes, targets, other_recipients),
        )

    async def country(
        self,
        targets: Iterable[CountryTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to numbers in a region (v1 of the API; ids from `banks`).

        Args:
            targets: the numbers to select from each place: a province; province and county; or all three.
            message: the text.
            other_recipients: other phone numbers, in any format.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/country/index.md.
        """
        return await self._send(
            endpoints.SEND_COUNTRY,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_targets(self._defaults, countries, targets, other_recipients),
        )

    async def geolocation(
        self,
        targets: Iterable[GeolocationTarget],
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to numbers in a region (v2 of the API; ids from `geolocation`).

        Args:
            targets: the numbers to select from each place.
            message: the text.
            other_recipients: other phone numbers, in any format.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/countryV2/index.md.
        """
        return await self._send(
            endpoints.SEND_GEOLOCATION,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_targets(self._defaults, geolocations, targets, other_recipients),
        )

    async def job(
        self,
        targets: Iterable[JobTarget],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to numbers of job categories (ids from `jobs`).

        Args:
            targets: the numbers to select from each category.
            message: the text.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/jobs/index.md.
        """
        return await self._send(
            endpoints.SEND_JOB,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_targets(self._defaults, jobs, targets),
        )

    async def keyword(
        self, file: FileInput, message: str, *, from_number: str | None = None, send_time: datetime | None = None
    ) -> SendResult:
        """Send a message with placeholders that are replaced by the columns of a file.

        Args:
            file: XLSX with numbers in column A and values in B, C, …, as a path, a binary file object or
                (name, bytes).
            message: the text; ``{ex_B}`` is replaced by column B.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/keyword.md.
        """
        return await self._send(
            endpoints.SEND_KEYWORD,
            from_number,
            send_time,
            send.text(self._defaults, message),
            upload=send.table(self._defaults, file, send.VALUES),
        )

    async def keyword_phonebook(
        self,
        phonebook_ids: Iterable[int],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send a message with placeholders that are replaced by the fields of phonebook contacts.

        Args:
            phonebook_ids: ids of the phonebooks.
            message: the text; ``{ex_7041}`` is replaced by the field with the id 7041.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Raises:
            NotFound: a phonebook does not exist.

        Source: send/keyword-phonebook.md.
        """
        return await self._send(
            endpoints.SEND_KEYWORD_PHONEBOOK,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_fields(phonebook_ids),
        )

    async def phonebook(
        self,
        selections: Iterable[WholePhonebooks | PhonebookNumbers],
        message: str,
        *,
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to phonebooks, whole or in part.

        Args:
            selections: at most 100 selections.
            message: the text.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Raises:
            NotFound: a phonebook does not exist.

        Source: send/phonebook.md.
        """
        return await self._send(
            endpoints.SEND_PHONEBOOK,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_targets(self._defaults, phonebooks, selections),
        )

    @hide_arguments
    async def pattern(
        self,
        code: str,
        recipient: str,
        params: Mapping[str, object],
        *,
        from_number: str | None = None,
        phonebook: PatternContact | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send an approved pattern to one number. It is sent immediately, without human review: use it for codes.

        Args:
            code: the code of the pattern.
            recipient: the phone number, in any format.
            params: a value (str or number) for each variable of the pattern; ``{}`` if it has none.
            from_number: the sender line; defaults to the client's.
            phonebook: the phonebook contact to save the recipient as; not saved if the phonebook is full.
            send_time: timezone-aware time to send at; documented on the service's Persian page only.

        Source: send/pattern.md.
        """
        return await self._send(
            endpoints.SEND_PATTERN, from_number, send_time, send.with_values(code, recipient, params, phonebook)
        )

    async def file(
        self,
        file: FileInput,
        message: str,
        *,
        other_recipients: Iterable[str] = (),
        from_number: str | None = None,
        send_time: datetime | None = None,
    ) -> SendResult:
        """Send one message to the numbers in a file, at most 1,000,000.

        Args:
            file: CSV with the header ``phone_number`` and one column, or XLSX with numbers in column A, as a path, a
                binary file object or (name, bytes). Numbers may be local (09…) or E.164.
            message: the text.
            other_recipients: other phone numbers, in any format.
            from_number: the sender line; defaults to the client's.
            send_time: timezone-aware time to send at; sent immediately if omitted.

        Source: send/file.md.
        """
        return await self._send(
            endpoints.SEND_FILE,
            from_number,
            send_time,
            send.text(self._defaults, message),
            send.to_others(self._defaults, other_recipients, name="other_recipients[]"),
            upload=send.table(self._defaults, file, send.NUMBERS),
        )

    @hide_arguments
    async def votp(self, recipient: str, code: str | int) -> SendResult:
        """Call a number and speak a code. The service chooses the line.

        Args:
            recipient: the phone number, in any format.
            code: 1 to 14 digits; leading zeros of a str are kept.

        Source: send/votp.md.
        """
        return await self._run(send.votp(self._defaults, recipient, code))

    @hide_arguments
    async def url(
        self,
        recipient: str,
        message: str,
        *,
        from_number: str | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> SendResult:
        """Send through the legacy URL endpoint. Prefer `webservice`.

        The request is a POST with a form, which only the service's Persian page documents. The GET of the other pages
        is not supported: it puts the credentials and the message into the URL, which access logs and tracing tools
        store. If the service rejects the POST (405), use `webservice`.

        Args:
            recipient: the phone number, in any format.
            message: the text.
            from_number: the sender line; defaults to the client's.
            username: with password, instead of the client's key.
            password: with username.

        Source: send/url.md.
        """
        return await self._run(
            send.url(
                self._defaults,
                self._secret,
                recipient,
                message,
                from_number=from_number,
                username=username,
                password=password,
            )
        )

    async def cancel(self, message_outbox_id: int | SendResult) -> None:
        """Cancel a scheduled message, up to 5 minutes before it is sent.

        Args:
            message_outbox_id: the id, or the SendResult of one message.

        Raises:
            NotFound: the message does not exist, is not scheduled, or it is too late.

        Source: send/cancel-scheduled.md.
        """
        return await self._run(call(endpoints.SEND_CANCEL, json={"message_outbox_id": message_id(message_outbox_id)}))

    async def calculate_price(self, message: str, *, number: str | None = None) -> Price:
        """Return the price of a message, in Rials, without the opt-out suffix «لغو11».

        Args:
            message: the text.
            number: the sender line; defaults to the client's.

        Source: send/calculate-price.md.
        """
        return await self._run(send.calculate_price(self._defaults, message, number=number))
