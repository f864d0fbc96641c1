# Generated from ippanel_edge/_async/sections/payment.py by tests/codegen/generate_sync.py: edit that, not this.
"""Payment: the account's credit."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Run
from ippanel_edge.config import Defaults
from ippanel_edge.models.payment import Credit
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Payment:
    """The account balance."""

    _run: Run
    _defaults: Defaults

    def credit(self) -> Credit:
        """Return the account balance.

        Source: payment/my-credit.md.
        """
        return self._run(call(endpoints.PAYMENT_CREDIT))
