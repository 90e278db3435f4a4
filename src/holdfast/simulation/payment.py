"""How simulated customers pay: cash, too much of it, foreign notes, a card, and all of these in parts.

It is settled by the rules that ship. What lies in the drawer then is counted here once more."""

import random
from collections.abc import Sequence

import msgspec

from holdfast.core.foreign_cash import CurrencyRate, foreign_due_minor, foreign_tender
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Tender
from holdfast.core.tender import CASH, CHANGE, STILL_DUE, Settlement, Till, due, settle
from holdfast.simulation.reference import CURRENCY

COIN_MINOR = 5
"""The smallest coin here, so that cash is rounded."""
PARTS_MAX = 3
TILL = Till.of(CURRENCIES[CURRENCY], "half-up", COIN_MINOR)


class Drawer(msgspec.Struct, frozen=True):
    """What one document put into it."""

    home_minor: int = 0
    """Less what went out."""
    foreign_minor: tuple[tuple[str, int], ...] = ()
    """By currency, in its own minor units, note by note."""


def pay(chance: random.Random, total_minor: int, rates: Sequence[CurrencyRate]) -> Settlement:
    """The tenders that pay a total, or pay it out."""
    if total_minor < 0:
        back_minor = due(total_minor, (), TILL).cash_minor
        settled = settle(
            total_minor, (Tender(kind=CASH, amount_minor=back_minor),) if back_minor else (), TILL
        )
        assert isinstance(settled, Settlement), f"cash is paid out: {settled}"
        return settled
    given: list[Tender] = []
    settled = settle(total_minor, given, TILL)
    while not isinstance(settled, Settlement):
        assert settled.code == STILL_DUE, f"a part is taken: {settled.sentence}"
        assert len(given) <= PARTS_MAX, "the last part pays the rest"
        given.append(_part(chance, total_minor, given, rates))
        settled = settle(total_minor, given, TILL)
    return settled


def in_parts(chance: random.Random, total_minor: int, rates: Sequence[CurrencyRate]) -> tuple[Tender, ...]:
    """What was taken of a basket that is voided then: at most one part."""
    if total_minor < 2 * COIN_MINOR or chance.random() < 0.5:
        return ()
    return (_part(chance, total_minor, (), rates),)


def drawer_of(tenders: Sequence[Tender]) -> Drawer:
    """Counted by hand: what was put in, and what was taken out."""
    home = sum(tender.amount_minor for tender in tenders if tender.kind in (CASH, CHANGE))
    foreign = tuple(
        (tender.foreign_currency, tender.foreign_minor) for tender in tenders if tender.foreign_currency
    )
    return Drawer(home, foreign)


def _part(
    chance: random.Random, total_minor: int, given: Sequence[Tender], rates: Sequence[CurrencyRate]
) -> Tender:
    left = due(total_minor, given, TILL)
    kind = (
        "all" if len(given) >= PARTS_MAX else chance.choice(("all", "over", "some", "notes", "note", "card"))
    )
    if kind in ("notes", "note") and rates:
        rate = chance.choice(rates)
        wanted_minor = foreign_due_minor(left.amount_minor, rate) if kind == "notes" else rate.smallest_minor
        notes = foreign_tender(wanted_minor, rate, TILL.rule)
        if isinstance(notes, Tender):
            return notes
    if kind == "card" and left.amount_minor > 1:
        return Tender(kind="card", amount_minor=chance.randrange(1, left.amount_minor))
    if kind == "some" and left.cash_minor > COIN_MINOR:
        return Tender(kind=CASH, amount_minor=COIN_MINOR * chance.randrange(1, left.cash_minor // COIN_MINOR))
    over_minor = COIN_MINOR * chance.randrange(100) if kind == "over" else 0
    return Tender(kind=CASH, amount_minor=left.cash_minor + over_minor)
