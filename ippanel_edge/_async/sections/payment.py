"""Payment: the account's credit."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.config import Defaults
from ippanel_edge.models.payment import Credit
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Payment:
    """The account balance."""

    _run: AsyncRun
    _defaults: Defaults

    async def credit(self) -> Credit:
        """Return the account balance.

        Source: payment/my-credit.md.
        """
        return await self._run(call(endpoints.PAYMENT_CREDIT))
