"""Tenders: what is due, cash rounding, change, and refunds (PO2, PO3).

Cash is rounded to the smallest coin, and only the part that is paid in cash; every other kind
of tender is exact. Foreign cash is cash too: it may be more than is due, and its value need not
be one that coins can pay. Σ tenders = total + rounding, with change as its own negative tender.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from holdfast.core.basket.limits import Act, approval_needed
from holdfast.core.bounds import AMOUNT_MINOR_MAX, TENDERS_MAX, text_refusal
from holdfast.core.card_tender import card_refusal
from holdfast.core.foreign_cash import FOREIGN_CASH, is_foreign_in_order
from holdfast.core.money import Currency, RoundingRule, plain_amount, round_to_coin
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender

CASH = "cash"
CHANGE = "change"
IMPORTED = "imported"
"""Stands for whatever paid a document of another system's history; exact and alone."""

STILL_DUE = "tender.insufficient"
"""Code of the refusal that a further tender cures."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


class Till(msgspec.Struct, frozen=True):
    """How cash is counted where the register stands."""

    currency: Currency
    rule: RoundingRule
    coin_minor: int
    """The country's smallest coin, where it is not the currency's own."""

    @classmethod
    def of(cls, currency: Currency, rule: RoundingRule, coin_minor: int | None = None) -> "Till":
        return cls(currency, rule, coin_minor or currency.coin_minor)


class Due(msgspec.Struct, frozen=True):
    """What is still open, in minor units; negative is to be paid out, of either zero is nothing."""

    amount_minor: int
    """To be paid by an exact tender."""
    cash_minor: int
    """To be paid in cash, rounded to the smallest coin."""


class Settlement(msgspec.Struct, frozen=True):
    """How a total was paid, as the journal stores it."""

    tenders: tuple[Tender, ...]
    rounding_minor: int


class _Given(NamedTuple):
    """What tenders are worth, by how they count."""

    exact_minor: int
    cash_minor: int
    foreign_minor: int


def due(total_minor: int, tenders: Sequence[Tender], till: Till) -> Due:
    """What is still open after the tenders so far; for the screen. Overpaid cash leaves nothing."""
    exact, cash, foreign = _given(tenders)
    open_minor = total_minor - exact
    cash_due = _left_minor(open_minor, foreign, till)
    if cash or foreign:
        left = cash_due - cash
        left = max(0, left) if total_minor >= 0 else min(0, left)
        return Due(left if cash else max(0, open_minor - foreign), left)
    return Due(open_minor, cash_due)


def settle(total_minor: int, tenders: Sequence[Tender], till: Till) -> Settlement | Refusal:
    """The tenders with change and rounding, if they pay the total, or pay it out where negative.

    A remainder below half the smallest coin needs no tender: it is rounded away.
    """
    if len(tenders) > TENDERS_MAX:
        return Refusal("tender.too-many", f"At most {TENDERS_MAX} tenders pay one transaction. Remove one.")
    for tender in tenders:
        if refusal := _tender_refusal(tender, till):
            return refusal
    if any(tender.kind == IMPORTED for tender in tenders):
        return _settle_imported(total_minor, tenders)
    if refusal := _direction_refusal(total_minor, tenders):
        return refusal
    given = _given(tenders)
    if abs(given.exact_minor) > abs(total_minor):
        over = plain_amount(abs(given.exact_minor) - abs(total_minor), till.currency)
        return Refusal("tender.too-much", f"That is {over} too much; only cash gives change. Enter less.")
    return _settle_cash(total_minor, given, tenders, till)


def foreign_change_refusal(due: Due, tender: Tender, act: Act, till: Till) -> Refusal | None:
    """Why a manager is needed for the change that this tender of foreign cash would bring; None if none is.

    A till is no bureau de change: a note too many, or a nought too many, goes out as home cash.
    """
    change_minor = tender.amount_minor - due.cash_minor
    if tender.kind != FOREIGN_CASH or change_minor <= act.limits.foreign_change_minor_max:
        return None
    limit = plain_amount(act.limits.foreign_change_minor_max, till.currency)
    return approval_needed(
        act,
        f"Change of over {limit} for foreign cash",
        lambda limits: change_minor <= limits.foreign_change_minor_max,
    )


def _settle_cash(
    total_minor: int, given: _Given, tenders: Sequence[Tender], till: Till
) -> Settlement | Refusal:
    exact, cash, foreign = given
    open_minor = total_minor - exact  # it has the total's sign or is 0
    if (cash or foreign) and not _left_minor(open_minor, 0, till):
        return _NOTHING_DUE
    if cash % till.coin_minor:
        coin = plain_amount(till.coin_minor, till.currency)
        return Refusal("tender.no-such-coin", f"The smallest coin is {coin}. Enter what coins can pay.")
    left = _left_minor(open_minor, foreign, till)
    over = cash - left if total_minor >= 0 else left - cash
    if over < 0:
        return _still_due(left - cash if cash else open_minor - foreign, till.currency)
    if over and total_minor < 0:
        too_much = plain_amount(over, till.currency)
        return Refusal("tender.too-much", f"That is {too_much} more than is to be paid out. Enter less.")
    change = (Tender(kind=CHANGE, amount_minor=-over),) if over else ()
    settlement = Settlement((*tenders, *change), left - (open_minor - foreign))
    paid = sum([tender.amount_minor for tender in settlement.tenders])
    assert paid == total_minor + settlement.rounding_minor, "tenders pay the total and its rounding"
    return settlement


def _given(tenders: Sequence[Tender]) -> _Given:
    exact = cash = foreign = 0
    for tender in tenders:
        if tender.kind == CASH:
            cash += tender.amount_minor
        elif tender.kind == FOREIGN_CASH:
            foreign += tender.amount_minor
        else:
            exact += tender.amount_minor
    return _Given(exact, cash, foreign)


def _left_minor(open_minor: int, foreign_minor: int, till: Till) -> int:
    """What coins must still pay after foreign cash of that value; below zero it is to be given back.

    Half a coin too much stays in the drawer: given back, a coin would be paid that nobody brought.
    """
    left = open_minor - foreign_minor
    if foreign_minor and left < 0:
        return -((-2 * left + till.coin_minor - 1) // (2 * till.coin_minor)) * till.coin_minor
    return round_to_coin(left, till.coin_minor, till.rule)


def _settle_imported(total_minor: int, tenders: Sequence[Tender]) -> Settlement | Refusal:
    if len(tenders) == 1 and tenders[0].amount_minor == total_minor:
        return Settlement(tuple(tenders), 0)
    return Refusal("tender.imported", "A document of history is paid by one tender of exactly its total.")


def _tender_refusal(tender: Tender, till: Till) -> Refusal | None:
    if not _KIND.match(tender.kind) or tender.kind == CHANGE:
        return Refusal("tender.kind", f"{tender.kind[:40]!r} is no tender that can be given. Choose another.")
    limit = 2**63 - 1 if tender.kind == IMPORTED else AMOUNT_MINOR_MAX
    if abs(tender.amount_minor) > limit:
        return Refusal("tender.amount", "That amount is far too high. Check it.")
    if not is_foreign_in_order(tender, till.currency.code, till.rule):
        return Refusal(
            "tender.foreign-cash",
            f"Foreign cash is taken at its rate, and paid out in {till.currency.code} alone. Take it again.",
        )
    return card_refusal(tender) or text_refusal("The reference", tender.reference)


def _direction_refusal(total_minor: int, tenders: Sequence[Tender]) -> Refusal | None:
    if not total_minor and tenders:
        return _NOTHING_DUE
    if any(tender.amount_minor == 0 for tender in tenders):
        return Refusal("tender.amount", "A tender has an amount. Enter it.")
    if any((tender.amount_minor > 0) != (total_minor > 0) for tender in tenders):
        return Refusal(
            "tender.direction",
            "Money is owed to the customer. Pay it out."
            if total_minor < 0
            else "Money is due from the customer; nothing is to be paid out.",
        )
    return None


def _still_due(amount_minor: int, currency: Currency) -> Refusal:
    amount = plain_amount(abs(amount_minor), currency)
    if amount_minor < 0:
        return Refusal(STILL_DUE, f"{amount} is still to be paid out.")
    return Refusal(STILL_DUE, f"{amount} is still due.")


_NOTHING_DUE = Refusal("tender.nothing-due", "Nothing is due. Remove the tender, then conclude.")
