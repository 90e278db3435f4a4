"""Cash that moves without a sale, and how a drawer is counted (PO5)."""

import pytest

from holdfast.core.cash.count import Pieces, count_in_total, count_pieces, denominations
from holdfast.core.cash.moves import WAYS, CashMoved, Moved, move, open_drawer
from holdfast.core.cash.sums import add, content, effects, listed
from holdfast.core.money import CURRENCIES
from holdfast.core.totals import DayTotals, ForeignSum
from tests.unit.core.shop import act, done, refused

EURO, YEN, ZLOTY = CURRENCIES["EUR"], CURRENCIES["JPY"], CURRENCIES["PLN"]


@pytest.mark.parametrize("kind", WAYS)
def test_the_kind_tells_the_way(kind: str) -> None:
    moved = done(move(act(), kind, 5_000, EURO, shift=3, reason="stamps", reference="bag 7"))
    assert moved == CashMoved(
        kind=kind,
        currency="EUR",
        amount_minor=5_000 if kind in ("float", "income") else -5_000,
        shift=3,
        reason="stamps",
        reference="bag 7",
        by=act().by,
    )


def test_petty_cash_says_what_for_and_the_others_may() -> None:
    for kind in ("expense", "income"):
        assert refused(move(act(), kind, 1, EURO, shift=0, reason=" ")) == "text.reason-needed"
    for kind in ("drop", "bank", "float"):
        assert done(move(act(), kind, 1, EURO, shift=0)).reason == ""
    assert refused(open_drawer(act(), "", shift=1)) == "text.reason-needed"
    assert done(open_drawer(act(), "change for the meter", shift=1)).shift == 1


@pytest.mark.parametrize("amount_minor", [0, -1, 10**12 + 1])
def test_an_amount_is_above_zero_and_not_absurd(amount_minor: int) -> None:
    assert refused(move(act(), "drop", amount_minor, EURO, shift=0)) == "cash.amount"


def test_what_is_no_kind_is_refused() -> None:
    assert refused(move(act(), "gift", 1, EURO, shift=0)) == "cash.kind"
    assert refused(move(act(), "drop", 1, EURO, shift=0, reference="x" * 65)) == "text.too-long"


def test_every_currency_has_coins_and_notes_that_its_coin_divides() -> None:
    for currency in CURRENCIES.values():
        known = denominations(currency)
        assert list(known) == sorted(set(known), reverse=True), currency.code
        assert known, currency.code
        assert known[-1] <= max(currency.coin_minor, 10 ** max(0, currency.digits - 1) * 50), currency.code
    assert denominations(YEN)[0] == 10_000
    assert denominations(CURRENCIES["KWD"])[-1] == 1


def test_coins_and_notes_add_up() -> None:
    counted = done(count_pieces(EURO, {5_000: 2, 200: 3, 1: 4, 10: 0}))
    assert counted.counted_minor == 10_604
    assert counted.pieces == (Pieces(5_000, 2), Pieces(200, 3), Pieces(1, 4))
    assert done(count_pieces(EURO, {})).counted_minor == 0
    assert refused(count_pieces(EURO, {3: 1})) == "cash.count"
    assert refused(count_pieces(EURO, {5: -1})) == "cash.count"
    assert refused(count_pieces(EURO, {5: 100_001})) == "cash.count"
    assert refused(count_in_total(EURO, -1)) == "cash.count"


def test_what_lies_in_the_drawer_is_sales_and_moves() -> None:
    totals = DayTotals(
        drawer_minor=10_000, foreign_cash={"USD": ForeignSum(foreign_minor=500, amount_minor=457)}
    )
    moved = [
        *effects(done(move(act(), "drop", 6_000, EURO, shift=1))),
        *effects(done(move(act(), "drop", 100, CURRENCIES["USD"], shift=1))),
        *effects(done(move(act(), "float", 250, EURO, shift=1))),
        *effects(done(open_drawer(act(), "change", shift=1))),
    ]
    assert content("EUR", totals, moved) == {"EUR": 4_250, "USD": 400}
    sums = add(add({}, moved), moved)
    assert listed(sums)[0] == Moved(kind="drop", currency="EUR", times=2, amount_minor=-12_000)
    assert [each.kind for each in listed(sums)] == ["drop", "drop", "float", "no_sale"]
    assert listed(add(sums, [*moved, *moved], -1)) == ()
