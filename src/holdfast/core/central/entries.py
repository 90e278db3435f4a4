"""What a till journals of central value: that it asks, that it gives up, and what a document moves."""

from typing import Annotated

import msgspec

from holdfast.core.bounds import Int64, Key
from holdfast.core.central.accounts import ACTS, AMOUNT_MAX, GIVES, NUMBERED, AccountId, Act, HoldKey, Kind
from holdfast.core.ids import StaffId, TransactionId

MOVEMENTS_MAX = 40
"""Of one document: a few cards sold, a few redeemed."""
HOLDS_MAX = 20
"""Of one transaction at a time."""

Number = Annotated[str, msgspec.Meta(max_length=32)]


class ValueMovement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One movement of central value, part of the document that it belongs to (P3)."""

    kind: Kind
    act: Act
    account: Annotated[AccountId, msgspec.Meta(min_length=1, max_length=64)]
    amount: Int64
    """In the document's minor units, or points. Positive; only `earn` is negative, on a return."""
    key: Annotated[HoldKey, msgspec.Meta(max_length=64)] = HoldKey("")
    """The hold that it settles. Empty: none was needed, or an allowance stands for it."""
    line: Int64 = 0
    """The line that sells it, or pays it out."""
    tender: Int64 = 0
    """The tender that it is, counted from 1."""
    number: Number = ""
    """Of a memo that this till issues: head office learns it here."""
    grant: Key = ""
    """The allowance that it was taken from, begun offline (GC10, OA2)."""
    number_end: Annotated[str, msgspec.Meta(max_length=8)] = ""
    """As its receipt names it."""
    before: Int64 = 0
    """The balance that head office told when it was held; for the receipt alone."""
    later: bool = False
    """Concluded offline: the receipt says that the balance updates later (GC4)."""
    told: bool = False
    """Of points: the receipt says how many, since head office was in reach (LY4)."""

    @property
    def after(self) -> int:
        """The balance that its receipt tells."""
        return self.before + self.amount if self.act in GIVES else self.before - self.amount


class HoldAsked(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `hold_asked`, version 1: journalled before the call leaves, so that its key is never lost."""

    key: Annotated[HoldKey, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    act: Act
    transaction: TransactionId
    number_end: Annotated[str, msgspec.Meta(max_length=8)] = ""
    account: Annotated[AccountId, msgspec.Meta(max_length=64)] = AccountId("")
    """Where it is known without asking: the customer's."""
    by: StaffId = StaffId("")


class HoldEnded(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `hold_ended`, version 1: the transaction goes on without it, or was given up (GC3, GC5)."""

    key: Annotated[HoldKey, msgspec.Meta(min_length=1, max_length=64)]
    transaction: TransactionId
    cause: Annotated[str, msgspec.Meta(max_length=40)]
    """`removed`, `voided`, `refused` or `left`: a basket that nobody came back to."""
    by: StaffId = StaffId("")


class AllowanceTaken(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `allowance_taken`, version 1: what head office granted ahead, journalled before anything of it
    is taken, in the epoch that it was granted to (GC10, OA2)."""

    grant: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    amount: Int64
    """In the currency's minor units."""
    currency: Annotated[str, msgspec.Meta(max_length=3)]
    expires_at_ms: Int64
    """By head office's clock."""


class AllowanceReturned(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `allowance_returned`, version 1: nothing of it is taken here any more. The register retires,
    or has another one in its place."""

    grant: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    unused: Int64 = 0
    cause: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """`retired`, `expired`, `replaced` by one that is asked for anew, or `withdrawn`: parameters allow none
    any more."""


def movement_problem(kind: Kind, act: Act, movement: ValueMovement) -> str | None:
    """What is wrong with one movement by itself; None: nothing."""
    if act not in ACTS[kind]:
        return f"{act} is nothing that is done with {kind}"
    if not 0 < abs(movement.amount) <= AMOUNT_MAX or (movement.amount < 0 and act is not Act.EARN):
        return f"{movement.amount} is no amount to {act}"
    if act is Act.EARN:
        return "points are earned by the whole document" if movement.line or movement.tender else None
    if bool(movement.line) == bool(movement.tender):
        return "a movement belongs to one line or to one tender"
    if bool(movement.number) and not (kind in NUMBERED and act is Act.ISSUE):
        return "only what is issued brings its number"
    return None


def expected_amount(movement: ValueMovement, amount_minor: int) -> bool:
    """Does it move what its line or tender of `amount_minor` says. Points are no money: they may differ."""
    if movement.kind is Kind.POINTS:
        return (movement.amount > 0) == (amount_minor > 0)
    taken = amount_minor if movement.tender else -amount_minor
    return movement.amount == (-taken if movement.act in GIVES else taken)
