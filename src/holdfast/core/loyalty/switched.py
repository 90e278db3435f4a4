"""Whether a till asks head office for points at all: a person's choice in an outage (LY1, LY3).

It lasts until somebody enables it again or the till is reopened, so that it lies in the till's memory. What
is journalled is the act: who did without, so that a customer's question has an answer.
"""

import msgspec

from holdfast.core.ids import StaffId


class LoyaltySwitched(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `loyalty_switched`, version 1."""

    is_on: bool
    line: str
    """The connection's state then, as core.connection.Mode names it."""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
