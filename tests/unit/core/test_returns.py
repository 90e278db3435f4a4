"""Goods coming back, with a receipt and without one (PO3)."""

import msgspec
import pytest

from holdfast.core.basket import (
    Act,
    Basket,
    Returnable,
    add_return,
    add_return_without_receipt,
    change_quantity,
    discount_line,
    discount_total,
    override_price,
    remove_line_discounts,
    returnable,
    void_line,
)
from holdfast.core.pricing import price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalLine, Sale
from holdfast.core.tax import TaxKey
from tests.unit.core.shop import (
    APPLES,
    BOLT,
    CASHIER_LIMITS,
    MANAGER,
    MUG,
    STANDARD,
    act,
    done,
    empty,
    pay_in_cash,
    price_of,
    refused,
    sell,
)

CASHIER = act(CASHIER_LIMITS)
APPROVED = act(CASHIER_LIMITS, approved_by=MANAGER)


def discounted_sale() -> Sale:
    basket = sell(sell(sell(empty(), MUG, 3_000), APPLES, 777), BOLT, 30_000)
    basket = done(discount_line(basket, act(), 1, percent_e2=333, reason="dent"))
    return pay_in_cash(done(discount_total(basket, act(), amount_minor=101, reason="friend")))


def bring_back(sale: Sale, basket: Basket | None = None) -> Basket:
    basket = basket or empty("return")
    for line in sale.lines:
        basket = done(add_return(basket, act(), done(returnable(sale, line.line))))
    return basket


def found(sale: Sale, line: int = 1, milli: int = 0, minor: int = 0) -> Returnable:
    return done(returnable(sale, line, milli, minor))


def test_a_whole_return_mirrors_the_sale_exactly() -> None:
    sale = discounted_sale()
    back = pay_in_cash(bring_back(sale), "R1-ABCDE-000002")
    assert back.total_minor == -sale.total_minor
    assert [line.amount_minor for line in back.lines] == [-line.amount_minor for line in sale.lines]
    assert [(tax.net_minor, tax.tax_minor) for tax in back.taxes] == [
        (-tax.net_minor, -tax.tax_minor) for tax in sale.taxes
    ]
    mirrored = [-discount.amount_minor for line in back.lines for discount in line.discounts]
    assert mirrored == [discount.amount_minor for line in sale.lines for discount in line.discounts]
    assert back.lines[0].original == OriginalLine(document=sale.document, line=1)


def test_parts_of_a_line_bring_back_exactly_what_it_cost() -> None:
    sale = discounted_sale()
    cost, brought = sale.lines[0].amount_minor, 0
    for part in range(3):
        basket = done(add_return(empty("return"), act(), found(sale, 1, part * 1_000, brought), 1_000))
        brought -= price(basket).total_minor
    assert brought == cost
    assert refused(returnable(sale, 1, 3_000, cost)) == "return.nothing-left"


def test_never_more_than_was_sold() -> None:
    sale = discounted_sale()
    two_left = found(sale, 1, 1_000, 400)
    answer = add_return(empty("return"), act(), two_left, 3_000)
    assert refused(answer) == "return.more-than-sold"
    assert "Only 2 of this line" in getattr(answer, "sentence", "")
    basket = done(add_return(empty("return"), act(), two_left, 1_000))
    assert refused(change_quantity(basket, act(), 1, 3_000)) == "return.more-than-sold"
    assert done(change_quantity(basket, act(), 1, 2_000)).lines[0].quantity_milli == -2_000
    assert refused(add_return(basket, act(), two_left, 1_000)) == "return.already-there"
    assert len(done(add_return(done(void_line(basket, act(), 1)), act(), two_left, 1_000)).lines) == 1


def test_the_tax_that_was_charged_comes_back() -> None:
    sale = discounted_sale()
    taxes = tuple(msgspec.structs.replace(tax, rate_e6=175_000) for tax in sale.taxes)
    assert found(msgspec.structs.replace(sale, taxes=taxes)).tax == TaxKey("V20", 175_000, True)
    assert found(msgspec.structs.replace(sale, taxes=())).tax == TaxKey("V20", 0, True)


def test_what_cannot_come_back() -> None:
    sale = discounted_sale()
    assert refused(returnable(sale, 4)) == "return.no-line"
    back = pay_in_cash(bring_back(sale), "R1-ABCDE-000002")
    assert refused(returnable(back, 1)) == "return.of-return"
    assert refused(add_return(empty(), act(), found(sale))) == "basket.is-sale"
    assert refused(add_return(empty("return", "CHF"), act(), found(sale))) == "basket.other-currency"
    assert refused(add_return(empty("return"), act(), found(sale), 500)) == "basket.whole-pieces"


def test_a_line_of_a_receipt_keeps_its_price() -> None:
    basket = bring_back(discounted_sale())
    assert refused(override_price(basket, act(), 1, 1, "more")) == "return.price-of-receipt"
    assert refused(discount_line(basket, act(), 1, percent_e2=1)) == "return.price-of-receipt"


def without_receipt(basket: Basket, who: Act = CASHIER, pieces: int = 1) -> Basket | Refusal:
    return add_return_without_receipt(
        basket, who, MUG, price_of(MUG), STANDARD, pieces * 1_000, reason="broken"
    )


def test_without_receipt() -> None:
    basket = done(without_receipt(empty("return")))
    line = price(basket).lines[0]
    assert (line.quantity_milli, line.amount_minor, line.note, line.original) == (
        -1_000,
        -499,
        "broken",
        None,
    )
    less = done(discount_line(basket, CASHIER, 1, amount_minor=99))
    assert price(less).lines[0].discounts[0].amount_minor == -99
    assert price(less).total_minor == -400
    assert refused(without_receipt(empty())) == "basket.is-sale"
    assert (
        refused(add_return_without_receipt(basket, CASHIER, MUG, price_of(MUG), STANDARD, reason=""))
        == "text.reason-needed"
    )


@pytest.mark.parametrize(
    "way", ["at once", "line by line", "by quantity", "by price", "by removing a discount"]
)
def test_much_without_receipt_needs_a_manager(way: str) -> None:
    basket = empty("return")
    if way == "at once":
        assert refused(without_receipt(basket, CASHIER, 5)) == "basket.needs-manager"
        assert done(without_receipt(basket, APPROVED, 5)).approved_by == MANAGER
        return
    basket = done(without_receipt(basket, CASHIER, 4))
    if way == "line by line":
        assert refused(without_receipt(basket)) == "basket.needs-manager"
    elif way == "by quantity":
        assert refused(change_quantity(basket, CASHIER, 1, 5_000)) == "basket.needs-manager"
        assert done(change_quantity(basket, CASHIER, 1, 3_000)).approved_by == ""
    elif way == "by price":
        assert refused(override_price(basket, CASHIER, 1, 59_000, "dear")) == "basket.needs-manager"
    else:
        more = done(
            change_quantity(done(discount_line(basket, CASHIER, 1, percent_e2=5_000)), CASHIER, 1, 8_000)
        )
        assert refused(remove_line_discounts(more, CASHIER, 1)) == "basket.needs-manager"
