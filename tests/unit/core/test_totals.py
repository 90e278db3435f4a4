"""What a body adds to stock, day and drawer (PO5, ST2)."""

import msgspec

from holdfast.core.basket import add_return, returnable, void_line
from holdfast.core.business_day import DayClosed
from holdfast.core.ids import DocumentNumber, Sku
from holdfast.core.pricing import conclude, void_transaction
from holdfast.core.sale import AccountAdjusted, StockAdjusted, StockLine, Tender
from holdfast.core.totals import DayTotals, day_deltas, drawer_minor, is_return, stock_deltas
from tests.unit.core.shop import APPLES, BOLT, MUG, act, done, empty, pay_in_cash, sell

LINES = (
    StockLine(line=1, sku=Sku("MUG"), quantity_milli=-2_000),
    StockLine(line=2, sku=Sku("MUG"), quantity_milli=5_000),
    StockLine(line=3, sku=Sku("mug"), quantity_milli=-1_000),
)


def test_totals_without_foreign_cash_are_the_bytes_they_were() -> None:
    """A closed day of an older version says the same, and stays the same."""
    said = b'{"sales":1,"net_minor":{},"tax_minor":{},"tenders_minor":{"cash":5},"drawer_minor":5}'
    kept = msgspec.json.decode(said, type=DayTotals)
    assert kept.foreign_cash == {}
    assert msgspec.json.encode(kept) == said
    assert msgspec.json.encode(kept + DayTotals()) == said


def test_a_sale_takes_off_and_its_return_puts_back() -> None:
    basket = sell(sell(sell(empty(), MUG), APPLES, 1_234), MUG, 2_000)
    sale = pay_in_cash(done(void_line(sell(basket, BOLT), act(), 4)))
    assert stock_deltas(sale) == {"MUG": -3_000, "APPLE": -1_234}
    back = done(add_return(empty("return"), act(), done(returnable(sale, 3)), 1_000))
    assert stock_deltas(pay_in_cash(back)) == {"MUG": 1_000}


def test_an_adjustment_says_it_itself() -> None:
    number = DocumentNumber("A-1")
    stock = StockAdjusted(document=number, reason="count", lines=LINES, at_ms=0)
    assert stock_deltas(stock) == {"MUG": 3_000, "mug": -1_000}
    assert (day_deltas(stock), drawer_minor(stock)) == (DayTotals(), 0)
    account = AccountAdjusted(
        document=number, reason="bad debt", currency="GBP", lines=LINES, amount_minor=-1_106_206, at_ms=0
    )
    assert (stock_deltas(account), day_deltas(account)) == ({}, DayTotals())


def test_a_voided_transaction_moves_nothing() -> None:
    voided = done(void_transaction(sell(empty(), MUG), act(), "left"))
    assert (stock_deltas(voided), drawer_minor(voided)) == ({}, 0)
    assert day_deltas(voided) == DayTotals(voids=1)


def test_a_day_adds_up() -> None:
    sale = pay_in_cash(sell(sell(empty(), MUG, 3_000), BOLT, 30_000))
    cash = Tender(kind="cash", amount_minor=5_000)
    second = done(conclude(sell(empty(), MUG), [cash], DocumentNumber("R1-ABCDE-000002")))
    back = pay_in_cash(done(add_return(empty("return"), act(), done(returnable(sale, 1)))))
    day = day_deltas(sale) + day_deltas(second) + day_deltas(back)
    assert (day.sales, day.returns, day.documents) == (2, 1, 3)
    assert day.total_minor == sale.total_minor + 499 - 1_497 == sum(day.tenders_minor.values())
    assert day.tenders_minor == {"cash": sale.total_minor + 5_000 - 1_497, "change": -4_501}
    assert day.drawer_minor == day.total_minor
    assert day.tax_minor == {"V20": 250 + 83 - 250, "S8": 83}
    assert day.net_minor["V20"] + day.tax_minor["V20"] == 499


def test_a_day_of_coins() -> None:
    sale = pay_in_cash(sell(empty(currency="CHF"), BOLT))
    day = day_deltas(sale)
    assert (day.total_minor, day.rounding_minor, day.drawer_minor) == (36, -1, 35)
    assert not is_return(sale)


def test_what_is_paid_otherwise_is_not_in_the_drawer() -> None:
    card = Tender(kind="card", amount_minor=499)
    sale = done(conclude(sell(empty(), MUG), [card], DocumentNumber("R1-ABCDE-000001")))
    assert (drawer_minor(sale), day_deltas(sale).tenders_minor) == (0, {"card": 499})


def test_other_bodies_add_nothing() -> None:
    closed = DayClosed(business_date="2025-03-10", totals=DayTotals(sales=3))
    assert (stock_deltas(closed), day_deltas(closed), drawer_minor(closed)) == ({}, DayTotals(), 0)
