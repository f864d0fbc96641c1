"""Payment: the account's credit."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge.config import Defaults
from ippanel_edge.models.payment import Credit


@attrs.frozen(repr=False, eq=False)
class Payment:
    """What the account has to spend."""

    _call: AsyncCaller
    _defaults: Defaults

    async def credit(self) -> Credit:
        """Give the account's credit, in Rials.

        Raises:
            EdgeError: as every call.

        Source: payment/my-credit.md.
        """
        return await self._call(endpoints.PAYMENT_CREDIT)
