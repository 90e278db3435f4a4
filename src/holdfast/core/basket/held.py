"""What the transaction's holds do in it: lines that sell value or pay it out, and tenders that take it.

    | act | in a sale | in a return |
    |---|---|---|
    | issue, top up, pay | a line: the customer pays for it | a tender: what he gets back |
    | redeem, charge | a tender | — |
    | cash out | — | a line: he gets what was on it |

Every hold is used by one line or by some tenders; one that none uses is given up when all concludes.
"""

from collections.abc import Collection, Sequence

import msgspec

from holdfast.core.basket.line import BasketLine
from holdfast.core.basket.value import Basket, next_line, with_line_added
from holdfast.core.central.accounts import AMOUNT_MAX, Act, HoldKey, Kind
from holdfast.core.central.at_till import Holds, Stage, TillHold, movement_of
from holdfast.core.central.entries import ValueMovement
from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender
from holdfast.core.tax import NO_TURNOVER

_E4_DIGITS = 4
_LINE_ACTS = {
    "sale": frozenset({Act.ISSUE, Act.TOP_UP, Act.PAY}),
    "return": frozenset({Act.CASH_OUT}),
}
_TENDER_ACTS = {
    "sale": frozenset({Act.REDEEM, Act.CHARGE}),
    "return": frozenset({Act.ISSUE, Act.TOP_UP, Act.PAY}),
}
_NAMES: dict[Act, str] = {
    Act.ISSUE: "{what}",
    Act.TOP_UP: "Top-up of {what}",
    Act.CASH_OUT: "{what} paid out",
    Act.PAY: "Payment on {what}",
}
_DEPARTMENTS: dict[Kind, str] = {
    Kind.GIFT_CARD: "Gift cards",
    Kind.CREDIT_MEMO: "Credit memos",
    Kind.POINTS: "Points",
    Kind.ON_ACCOUNT: "Payments on account",
}
"""Value has departments of its own, so that those of goods are turnover."""
SKUS: dict[Kind, Sku] = {kind: Sku(kind.value.replace("_", "-").upper()) for kind in Kind}


def act_refusal(basket: Basket, act: Act) -> Refusal | None:
    """Why this is not done in a transaction of its kind; None: it is."""
    if act in _LINE_ACTS[basket.kind] or act in _TENDER_ACTS[basket.kind]:
        return None
    if basket.kind == "sale":
        return Refusal("hold.in-sale", "Conclude or void this sale first; then pay it out.")
    return Refusal("hold.in-return", "This is a return. Conclude or void it first.")


def is_line(basket: Basket, act: Act) -> bool:
    """Whether the act is a line of such a transaction, rather than a tender."""
    return act in _LINE_ACTS[basket.kind]


def hold_of(basket: Basket, key: HoldKey) -> TillHold | None:
    return next((hold for hold in basket.holds if hold.key == key), None)


def with_line(basket: Basket, hold: TillHold, at_ms: int) -> Basket | Refusal:
    """The line of a hold that head office granted: what was asked for, or all that there is to pay out."""
    assert is_line(basket, hold.act), "its act is a line"
    assert hold.stage is Stage.HELD, "head office was asked first"
    amount_minor = hold.available if hold.act is Act.CASH_OUT else hold.asked_amount
    if not 0 < amount_minor <= AMOUNT_MAX:
        return Refusal("hold.amount", "How much is it to be? Enter an amount above zero.")
    named = _NAMES[hold.act].format(what=hold.words)
    line = BasketLine(
        line=next_line(basket),
        sku=SKUS[hold.kind],
        description=named[0].upper() + named[1:],
        quantity_milli=1_000 if basket.kind == "sale" else -1_000,
        unit_price_e4=amount_minor * 10 ** (_E4_DIGITS - basket.money.digits),
        tax=NO_TURNOVER,
        department=_DEPARTMENTS[hold.kind],
        scanned_s=min(max(0, (at_ms - basket.began_at_ms) // 1_000), 10_000_000),
        hold=hold.key,
    )
    return with_line_added(basket, line)


def tender_refusal(basket: Basket, tender: Tender) -> Refusal | None:
    """Why this is no tender of central value in this transaction; None if it is one, or another kind."""
    if not tender.hold:
        return None
    hold = hold_of(basket, tender.hold)
    if hold is None:
        return Refusal("hold.gone", "That was taken off meanwhile. Begin it again.")
    if any(other.hold == tender.hold for other in basket.tenders):
        return Refusal("hold.used", f"The {hold.words} pays part of it already. Take it off to change that.")
    assert tender.kind == hold.kind.value, "a tender is of its hold's kind"
    if hold.act not in _TENDER_ACTS[basket.kind]:
        return Refusal(
            "hold.is-line",
            f"This transaction pays on the {hold.words}, or pays it out. Take another tender.",
        )
    return None


def without(basket: Basket, key: HoldKey) -> Basket:
    """Its line and its tenders go with a hold; the line stays on record as voided."""
    return msgspec.structs.replace(
        basket,
        lines=tuple(line for line in basket.lines if line.hold != key),
        voided_lines=(*basket.voided_lines, *(line for line in basket.lines if line.hold == key)),
        tenders=tuple(tender for tender in basket.tenders if tender.hold != key),
    )


def used(basket: Basket, tenders: Collection[Tender] = ()) -> frozenset[HoldKey]:
    """Keys that lines and tenders use; `tenders` are further ones."""
    by_lines = {line.hold for line in basket.lines}
    by_tenders = {tender.hold for tender in (*basket.tenders, *tenders)}
    return frozenset(by_lines | by_tenders) - {HoldKey("")}


def dropped(before: Basket, after: Basket) -> Holds:
    """Holds whose line or tenders a change took away: they are given up with them (GC3)."""
    gone = used(before) - used(after)
    return tuple(hold for hold in after.holds if hold.key in gone)


def unused(basket: Basket, tenders: Collection[Tender]) -> Holds:
    """Holds that concluding with these tenders gives up."""
    keys = used(basket, tenders)
    return tuple(hold for hold in basket.holds if hold.key not in keys)


def values_of(
    basket: Basket, amounts_minor: Sequence[int], tenders: Sequence[Tender], *, later: bool
) -> tuple[ValueMovement, ...]:
    """What the document moves: by lines, whose amounts are given, and by tenders, in their order."""
    holds = {hold.key: hold for hold in basket.holds}
    moved = [
        movement_of(holds[line.hold], abs(amount), line=number, later=later)
        for number, (line, amount) in enumerate(zip(basket.lines, amounts_minor, strict=True), 1)
        if line.hold
    ]
    moved += [
        movement_of(holds[tender.hold], tender.points or abs(tender.amount_minor), tender=number, later=later)
        for number, tender in enumerate(tenders, 1)
        if tender.hold
    ]
    return tuple(moved)


def payable_minor(hold: TillHold, due_minor: int) -> int:
    """How much of what is due this hold pays."""
    left = min(hold.available, hold.asked_amount or hold.available)
    return min(max(0, due_minor), left)


def kinds_held(basket: Basket) -> frozenset[Kind]:
    """What the operations table asks for: kinds that head office holds for this transaction."""
    return frozenset(hold.kind for hold in basket.holds if hold.stage is Stage.HELD and not hold.grant)
