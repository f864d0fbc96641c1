# Generated from ippanel_edge/_async/sections/payment.py by tests/codegen/generate_sync.py: edit that, not this.
"""Payment: the account's credit."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Caller
from ippanel_edge.config import Defaults
from ippanel_edge.models.payment import Credit


@attrs.frozen(repr=False, eq=False)
class Payment:
    """What the account has to spend."""

    _call: Caller
    _defaults: Defaults

    def credit(self) -> Credit:
        """Give the account's credit, in Rials.

        Raises:
            EdgeError: as every call.

        Source: payment/my-credit.md.
        """
        return self._call(endpoints.PAYMENT_CREDIT)
