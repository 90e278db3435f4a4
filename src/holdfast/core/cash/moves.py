"""Cash that moves without a sale: to the safe, to the bank, petty expense and income, change (PO5).

And the drawer that is opened without a sale. Each is an entry of its own, with who and why.
"""

from typing import Annotated, Literal, TypeGuard

import msgspec

from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.bounds import AMOUNT_MINOR_MAX, Int64, Key, reason_refusal, text_refusal
from holdfast.core.ids import StaffId
from holdfast.core.money import Currency
from holdfast.core.refusals import Refusal

MoveKind = Literal["drop", "bank", "float", "expense", "income"]

WAYS: dict[MoveKind, int] = {"drop": -1, "bank": -1, "float": +1, "expense": -1, "income": +1}
"""Whether it goes into the drawer (+1) or out of it. In the order in which screens offer them.

`drop`: to the safe. `bank`: deposited. `float`: change put in. `expense`, `income`: petty cash.
"""
NEEDS_REASON: frozenset[MoveKind] = frozenset({"expense", "income"})
"""The others say it by their name."""
REFERENCE_CHARS_MAX = 64


class CashMoved(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `cash_moved`, version 1."""

    kind: str
    """A `MoveKind`."""
    currency: Annotated[str, msgspec.Meta(max_length=3)]
    amount_minor: Int64
    """Into the drawer; out of it negative."""
    shift: int = 0
    """The one that was open; 0: none."""
    reason: str = ""
    reference: Key = ""
    """The number of a bag, or of a bill."""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")


class Moved(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What several entries of one kind moved in one currency."""

    kind: str
    """A `MoveKind`; or `opening`, `over_short`, `no_sale`: what shifts and the drawer add (`sums`)."""
    currency: str
    times: Int64
    amount_minor: Int64
    """Into the drawer; out of it negative."""


class DrawerOpened(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `drawer_opened`, version 1: the drawer was opened without a sale."""

    reason: str
    shift: int = 0
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")


def is_kind(text: str) -> TypeGuard[MoveKind]:
    """Whether that is one of the kinds."""
    return text in WAYS


def move(
    act: Act,
    kind: str,
    amount_minor: int,
    currency: Currency,
    *,
    shift: int,
    reason: str = "",
    reference: str = "",
) -> CashMoved | Refusal:
    """What to journal. `amount_minor` is what was counted, without a sign; the kind tells the way."""
    if not is_kind(kind):
        return Refusal("cash.kind", f"{kind[:20]!r} is no way to move cash. Choose one of those shown.")
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        return Refusal("cash.amount", "How much was moved? Enter an amount above zero.")
    if refusal := _words_refusal(kind, reason, reference) or act_refusal(act):
        return refusal
    return CashMoved(
        kind=kind,
        currency=currency.code,
        amount_minor=WAYS[kind] * amount_minor,
        shift=shift,
        reason=reason.strip(),
        reference=reference.strip(),
        by=act.by,
        approved_by=act.approved_by,
    )


def open_drawer(act: Act, reason: str, *, shift: int) -> DrawerOpened | Refusal:
    """The drawer opens without a sale; a reason is on record."""
    if refusal := reason_refusal(reason) or act_refusal(act):
        return refusal
    return DrawerOpened(reason=reason.strip(), shift=shift, by=act.by, approved_by=act.approved_by)


def _words_refusal(kind: MoveKind, reason: str, reference: str) -> Refusal | None:
    wrong = reason_refusal(reason) if kind in NEEDS_REASON else text_refusal("The reason", reason)
    return wrong or text_refusal("The reference", reference, REFERENCE_CHARS_MAX)
