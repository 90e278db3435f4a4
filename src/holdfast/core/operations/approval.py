"""That somebody approved with his PIN what another may not do alone: an entry of the journal (PO6)."""

import msgspec

from holdfast.core.ids import StaffId, TransactionId


class OperationApproved(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `operation_approved`, version 1: given before the operation was done, whatever came of it."""

    operation: str
    """Its row's id in the operations table."""
    by: StaffId
    """Whoever was signed in."""
    approved_by: StaffId
    transaction: TransactionId | None = None
    """The one that was open."""
