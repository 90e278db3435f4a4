"""Goods coming back on a receipt of which only the code is known: never more than was paid on it (PO8)."""

import pytest

from holdfast.core.basket import (
    Act,
    Basket,
    CodeBound,
    add_return_by_code,
    change_quantity,
    override_price,
    void_line,
)
from holdfast.core.catalogue import Product
from holdfast.core.ids import DocumentNumber
from holdfast.core.pricing import price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalLine
from tests.unit.core.shop import (
    BOLT,
    CASHIER_LIMITS,
    MUG,
    TAXES,
    act,
    done,
    empty,
    pay_in_cash,
    price_of,
    refused,
    sell,
)

NUMBER = DocumentNumber("R02-ABCDE-000012")


def bound(total_minor: int, came_back_minor: int = 0) -> CodeBound:
    return CodeBound(document=NUMBER, total_minor=total_minor, came_back_minor=came_back_minor)


def bring(
    basket: Basket,
    left: CodeBound,
    product: Product = MUG,
    quantity_milli: int | None = None,
    by: Act | None = None,
) -> Basket | Refusal:
    tax = TAXES[product.tax_code]
    return add_return_by_code(basket, by or act(), left, product, price_of(product), tax, quantity_milli)


def test_each_line_names_the_receipt_and_no_line_of_it() -> None:
    sale = pay_in_cash(done(bring(empty("return"), bound(499))))
    assert [line.original for line in sale.lines] == [OriginalLine(document=NUMBER, line=0)]
    assert sale.total_minor == -499


def test_never_more_than_was_paid_whoever_approves() -> None:
    approved = act(approved_by="m1")
    assert (
        refused(bring(empty("return"), bound(998), quantity_milli=3_000, by=approved))
        == "return.more-than-paid"
    )
    basket = done(bring(empty("return"), bound(998), quantity_milli=2_000))
    assert refused(bring(basket, bound(998))) == "return.more-than-paid"
    assert refused(change_quantity(basket, approved, 1, 3_000)) == "return.more-than-paid"
    assert refused(override_price(basket, approved, 1, 60_000, "Wrong label")) == "return.more-than-paid"


def test_what_came_back_before_counts() -> None:
    assert refused(bring(empty("return"), bound(998, 500))) == "return.more-than-paid"
    assert not isinstance(bring(empty("return"), bound(998, 499)), Refusal)


def test_a_tax_on_top_counts_too() -> None:
    """A bolt is 0.33 and 0.03 of tax."""
    assert refused(bring(empty("return"), bound(35), BOLT)) == "return.more-than-paid"
    assert price(done(bring(empty("return"), bound(36), BOLT))).total_minor == -36


def test_taking_less_back_always_may() -> None:
    basket = done(bring(done(bring(empty("return"), bound(998))), bound(998)))
    assert not isinstance(change_quantity(basket, act(), 1, 1_000), Refusal)
    assert not isinstance(void_line(basket, act(), 1), Refusal)


def test_much_of_it_needs_a_manager_as_without_a_receipt() -> None:
    cashier = act(CASHIER_LIMITS)
    assert (
        refused(bring(empty("return"), bound(9_999), quantity_milli=5_000, by=cashier))
        == "basket.needs-manager"
    )
    by_manager = act(CASHIER_LIMITS, approved_by="m1")
    assert not isinstance(bring(empty("return"), bound(9_999), quantity_milli=5_000, by=by_manager), Refusal)


@pytest.mark.parametrize("kind", ["sale", "return"])
def test_one_return_is_for_one_receipt(kind: str) -> None:
    basket = sell(empty(), MUG) if kind == "sale" else done(bring(empty("return"), bound(998)))
    other = CodeBound(document=DocumentNumber("R03-ABCDE-000001"), total_minor=998, came_back_minor=0)
    assert refused(bring(basket, other)) == ("basket.is-sale" if kind == "sale" else "return.other-receipt")
