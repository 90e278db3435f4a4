"""Allowances: how much a register may take begun offline, granted ahead by head office (GC10, OA2).

A grant caps the exposure, not the card: what it let through and the card did not have is overspent, reported,
and never more than the grant. It is bound to the epoch that it was given to and ends with it, so that a
restored register, whose database still holds it, cannot spend it again.
"""

import msgspec

from holdfast.core.central.accounts import Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import EpochId, OriginId

GRANT_UNKNOWN = "grant-unknown"
GRANT_OF_ANOTHER = "grant-of-another-epoch"
GRANT_EXCEEDED = "grant-exceeded"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance as head office has it."""

    grant: str
    origin: OriginId
    epoch: EpochId
    kind: Kind
    amount_minor: int
    expires_at_ms: int
    used: int = 0
    """By applied entries."""


def grant_remark(grant: Grant | None, origin: OriginId, epoch: EpochId, movement: ValueMovement) -> str:
    """What is to be said of a movement that names this allowance; empty: all is in order."""
    if grant is None or grant.kind != movement.kind:
        return GRANT_UNKNOWN
    if (grant.origin, grant.epoch) != (origin, epoch):
        return GRANT_OF_ANOTHER
    if grant.used + movement.amount > grant.amount_minor:
        return GRANT_EXCEEDED
    return ""
