"""Allowances: how much a register may take begun offline, granted ahead by head office (GC10, OA2).

A grant caps the exposure, not the card: what it let through and the card did not have is overspent, reported,
and never more than the grant. It is bound to the epoch that it was given to and ends with it, so that a
restored register, whose database still holds it, cannot spend it again.
"""

from typing import Annotated

import msgspec

from holdfast.core.bounds import PLAIN
from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.holds import Declined
from holdfast.core.ids import EpochId, OriginId

GRANT_UNKNOWN = "grant-unknown"
GRANT_OF_ANOTHER = "grant-of-another-epoch"
GRANT_EXCEEDED = "grant-exceeded"
GRANT_EXPIRED = "grant-expired"
GRANT_RETURNED = "grant-returned"

GRANTED = frozenset({Kind.GIFT_CARD, Kind.CREDIT_MEMO, Kind.ON_ACCOUNT})
"""Kinds that may be taken begun offline where head office allows it; points never are (LY4)."""


OWED_FOR_MS = 30 * 24 * 3_600_000
"""So long after its expiry a silent register's allowance counts; then its journal is a matter for support."""


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
    returned: bool = False
    """Its register takes nothing of it any more."""
    currency: str = ""

    def left(self, now_ms: int, *, is_heard_out: bool = False) -> int:
        """What was or may be taken of it, as far as head office knows: the chain's exposure by it.

        `is_heard_out`: its register wrote something after the expiry, and it is here; or its epoch is over.
        Until then a sale that was paid by it may be owed, however long ago it expired, within reason.
        """
        is_over = now_ms >= self.expires_at_ms and (
            is_heard_out or now_ms >= self.expires_at_ms + OWED_FOR_MS
        )
        return 0 if self.returned or is_over else max(0, self.amount_minor - self.used)


class GrantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a register asks ahead. Sent again under the same key it gets the same answer."""

    grant: Annotated[str, msgspec.Meta(min_length=16, max_length=64, pattern=PLAIN)]
    """Made by the till, and kept for good."""
    epoch: Annotated[EpochId, msgspec.Meta(min_length=1, max_length=64, pattern=PLAIN)]
    """In which it sells now: the grant ends with it."""
    kind: Kind


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: what the till journals as `allowance_taken` before it takes anything of it."""

    grant: str
    epoch: EpochId
    kind: Kind
    currency: str
    amount_minor: int
    expires_at_ms: int
    """By head office's clock."""
    per_card_minor: int
    """Of one card or customer; 0: no limit of its own."""
    per_transaction_minor: int


def answer_of(grant: Grant, per_card_minor: int, per_transaction_minor: int) -> Granted:
    """What the register is told of a grant, with the limits that it was given."""
    return Granted(
        grant=grant.grant,
        epoch=grant.epoch,
        kind=grant.kind,
        currency=grant.currency,
        amount_minor=grant.amount_minor,
        expires_at_ms=grant.expires_at_ms,
        per_card_minor=per_card_minor,
        per_transaction_minor=per_transaction_minor,
    )


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What head office's parameters say at the register's place."""

    currency: str
    allowed_minor: int
    """For this kind at this register; 0: none."""
    chain_minor: int
    """All registers together, in this currency."""
    lasts_ms: int
    per_card_minor: int
    per_transaction_minor: int


class Exposed(msgspec.Struct, frozen=True, kw_only=True):
    """What is granted, and not known to be used, returned or over."""

    register_minor: int
    """Of this kind at this register; of its former epochs what has not expired."""
    chain_minor: int


def decide_grant(
    request: GrantRequest,
    origin: OriginId,
    known: Grant | None,
    terms: Terms,
    exposed: Exposed,
    now_ms: int,
    *,
    is_current: bool,
) -> Grant | Declined:
    """`known`: what stands under the key. `is_current`: the epoch is this register's newest, and goes on."""
    if known is not None:
        return _again(request, origin, known, now_ms, is_current=is_current)
    if request.kind not in GRANTED or terms.allowed_minor <= 0:
        said = f"Head office allows no {WORDS[request.kind]} to be taken begun offline here."
        return Declined(code="allowance.none", sentence=said)
    if not is_current:
        return _EPOCH
    amount_minor = min(terms.allowed_minor - exposed.register_minor, terms.chain_minor - exposed.chain_minor)
    if amount_minor <= 0:
        return Declined(
            code="allowance.full",
            sentence="All that may be taken offline is granted already. What is used up is granted anew.",
        )
    return Grant(
        grant=request.grant,
        origin=origin,
        epoch=request.epoch,
        kind=request.kind,
        amount_minor=amount_minor,
        expires_at_ms=now_ms + terms.lasts_ms,
        currency=terms.currency,
    )


def _again(
    request: GrantRequest, origin: OriginId, known: Grant, now_ms: int, *, is_current: bool
) -> Grant | Declined:
    if (known.origin, known.epoch, known.kind) != (origin, request.epoch, request.kind):
        return Declined(
            code="allowance.key-used", sentence="This was asked for something else. Ask anew under a new key."
        )
    if not is_current:
        return _EPOCH
    if known.returned or now_ms >= known.expires_at_ms:
        return Declined(code="allowance.ended", sentence="This allowance is over. Ask anew under a new key.")
    return known


_EPOCH = Declined(
    code="allowance.epoch",
    sentence="Head office knows no such journal of this register, or it has ended. Send it first.",
)


def grant_remark(
    grant: Grant | None, origin: OriginId, epoch: EpochId, movement: ValueMovement, at_ms: int = 0
) -> str:
    """What is to be said of a movement that names this allowance; empty: all is in order.

    `at_ms`: when it was taken, by its register's clock.
    """
    if grant is None or grant.kind != movement.kind:
        return GRANT_UNKNOWN
    if (grant.origin, grant.epoch) != (origin, epoch):
        return GRANT_OF_ANOTHER
    if grant.returned:
        return GRANT_RETURNED
    if grant.used + movement.amount > grant.amount_minor:
        return GRANT_EXCEEDED
    return GRANT_EXPIRED if at_ms > grant.expires_at_ms else ""
