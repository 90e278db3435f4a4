"""Cash, change, coins, split tenders, refunds and history (PO2, PO3)."""

import pytest

from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Tender
from holdfast.core.tender import Due, Settlement, Till, due, settle
from tests.unit.core.shop import done, refused

EURO = Till.of(CURRENCIES["EUR"], "half-up")
FRANC = Till.of(CURRENCIES["CHF"], "half-up")


def cash(amount_minor: int) -> Tender:
    return Tender(kind="cash", amount_minor=amount_minor)


def card(amount_minor: int) -> Tender:
    return Tender(kind="card", amount_minor=amount_minor)


def imported(amount_minor: int) -> Tender:
    return Tender(kind="imported", amount_minor=amount_minor)


def paid(settlement: Settlement) -> list[tuple[str, int]]:
    return [(tender.kind, tender.amount_minor) for tender in settlement.tenders]


def test_exact_cash() -> None:
    assert done(settle(1234, [cash(1234)], EURO)) == Settlement((cash(1234),), 0)


def test_change_is_its_own_negative_tender() -> None:
    assert paid(done(settle(1234, [cash(2000)], EURO))) == [("cash", 2000), ("change", -766)]


def test_split_cash() -> None:
    assert paid(done(settle(1234, [cash(1000), cash(500)], EURO))) == [
        ("cash", 1000),
        ("cash", 500),
        ("change", -266),
    ]


@pytest.mark.parametrize(
    ("total", "given", "rounding", "change"),
    [(1234, 2000, 1, -765), (1232, 1230, -2, 0), (-1234, -1235, -1, 0), (1235, 1235, 0, 0)],
)
def test_cash_is_rounded_to_the_smallest_coin(total: int, given: int, rounding: int, change: int) -> None:
    settlement = done(settle(total, [cash(given)], FRANC))
    assert settlement.rounding_minor == rounding
    assert sum(t.amount_minor for t in settlement.tenders if t.kind == "change") == change


def test_only_the_cash_part_is_rounded() -> None:
    assert done(settle(1234, [card(1234)], FRANC)).rounding_minor == 0
    settlement = done(settle(1234, [card(1000), cash(500)], FRANC))
    assert (paid(settlement)[-1], settlement.rounding_minor) == (("change", -265), 1)


def test_less_than_a_coin_is_rounded_away() -> None:
    assert done(settle(2, [], FRANC)) == Settlement((), -2)
    assert done(settle(0, [], EURO)) == Settlement((), 0)
    assert refused(settle(2, [cash(5)], FRANC)) == "tender.nothing-due"


def test_a_country_with_a_larger_coin_than_its_currency() -> None:
    till = Till.of(CURRENCIES["EUR"], "half-up", 5)
    assert done(settle(1232, [cash(1230)], till)).rounding_minor == -2


@pytest.mark.parametrize(
    ("total", "tenders", "till", "code", "said"),
    [
        (1234, [cash(1000)], EURO, "tender.insufficient", "EUR 2.34 is still due"),
        (1234, [], EURO, "tender.insufficient", "EUR 12.34 is still due"),
        (1234, [cash(1000)], FRANC, "tender.insufficient", "CHF 2.35 is still due"),
        (-1234, [cash(-1000)], EURO, "tender.insufficient", "EUR 2.34 is still to be paid out"),
        (-1234, [cash(-2000)], EURO, "tender.too-much", "EUR 7.66"),
        (1234, [card(1235)], EURO, "tender.too-much", "EUR 0.01"),
        (1234, [cash(1236)], FRANC, "tender.no-such-coin", "CHF 0.05"),
        (1234, [cash(-1000)], EURO, "tender.direction", "due from the customer"),
        (-1234, [cash(1234)], EURO, "tender.direction", "owed to the customer"),
        (0, [cash(1)], EURO, "tender.nothing-due", ""),
        (1234, [card(1234), cash(100)], EURO, "tender.nothing-due", ""),
        (1234, [cash(0)], EURO, "tender.amount", ""),
        (1234, [cash(10**13)], EURO, "tender.amount", ""),
        (1234, [Tender(kind="change", amount_minor=1234)], EURO, "tender.kind", ""),
        (1234, [Tender(kind="Cash\n", amount_minor=1234)], EURO, "tender.kind", ""),
        (1234, [Tender(kind="card", amount_minor=1234, reference="\x00")], EURO, "text.unprintable", ""),
        (1234, [cash(100)] * 21, EURO, "tender.too-many", ""),
        (1234, [imported(1233)], EURO, "tender.imported", ""),
        (1234, [imported(1234), cash(1)], EURO, "tender.imported", ""),
    ],
)
def test_refusals(total: int, tenders: list[Tender], till: Till, code: str, said: str) -> None:
    answer = settle(total, tenders, till)
    assert refused(answer) == code
    assert said in getattr(answer, "sentence", "")


@pytest.mark.parametrize("total", [1234, -1234, 0])
def test_history_is_paid_exactly(total: int) -> None:
    assert done(settle(total, [imported(total)], FRANC)) == Settlement((imported(total),), 0)


def test_what_is_still_due() -> None:
    assert due(1234, [], FRANC) == Due(1234, 1235)
    assert due(1234, [card(1000)], FRANC) == Due(234, 235)
    assert due(1234, [cash(1000)], FRANC) == Due(235, 235)
    assert due(1234, [cash(2000)], FRANC) == Due(0, 0)
    assert due(-1234, [cash(-1000)], EURO) == Due(-234, -234)
