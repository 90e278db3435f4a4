"""From basket to document: totals, conclude, void (PO1, PO2)."""

import msgspec
import pytest

from holdfast.core.basket import discount_line, note_transaction, void_line
from holdfast.core.ids import DocumentNumber
from holdfast.core.invariants import INVARIANTS, broken_invariants
from holdfast.core.pricing import conclude, distribute, price, void_transaction
from holdfast.core.sale import Discount, ExternalDocument, Sale, Tender
from tests.unit.core.shop import (
    APPLES,
    BEGAN_MS,
    BOLT,
    CASHIER_LIMITS,
    MUG,
    act,
    done,
    empty,
    pay_in_cash,
    refused,
    sell,
)

NUMBER = DocumentNumber("R1-ABCDE-000001")


def test_a_sale_as_the_journal_stores_it() -> None:
    basket = done(note_transaction(sell(sell(empty(), MUG, 2_000), BOLT), "thanks"))
    sale = done(conclude(basket, [Tender(kind="cash", amount_minor=2_000)], NUMBER))
    assert msgspec.to_builtins(sale) == {
        "document": "R1-ABCDE-000001",
        "transaction": "t1",
        "currency": "EUR",
        "lines": (
            {
                "line": 1,
                "sku": "MUG",
                "description": "Mug, blue",
                "quantity_milli": 2_000,
                "unit_price_e4": 49_900,
                "amount_minor": 998,
                "tax_code": "V20",
                "scanned_s": 5,
            },
            {
                "line": 2,
                "sku": "BOLT",
                "description": "Bolt",
                "quantity_milli": 1_000,
                "unit_price_e4": 3_333,
                "amount_minor": 33,
                "tax_code": "S8",
                "scanned_s": 5,
            },
        ),
        "taxes": (
            {"tax_code": "V20", "rate_e6": 200_000, "inclusive": True, "net_minor": 832, "tax_minor": 166},
            {"tax_code": "S8", "rate_e6": 82_500, "inclusive": False, "net_minor": 33, "tax_minor": 3},
        ),
        "tenders": ({"kind": "cash", "amount_minor": 2_000}, {"kind": "change", "amount_minor": -966}),
        "total_minor": 1_034,
        "began_at_ms": BEGAN_MS,
        "by": "c1",
        "note": "thanks",
    }


def test_an_empty_basket_is_not_concluded() -> None:
    assert refused(conclude(empty(), (), NUMBER)) == "basket.empty"
    voided = done(void_line(sell(empty(), MUG), act(), 1))
    assert refused(conclude(voided, (), NUMBER)) == "basket.empty"
    assert refused(void_transaction(empty(), act(), "left")) == "basket.empty"


def test_what_is_refused_leaves_the_basket_to_go_on() -> None:
    basket = sell(empty(), MUG)
    assert refused(conclude(basket, (), NUMBER)) == "tender.insufficient"
    assert refused(conclude(basket, (), DocumentNumber(""))) == "text.empty"
    history = ExternalDocument(reference="", business_date="2011-01-04")
    assert refused(conclude(basket, (), NUMBER, external=history)) == "text.empty"


def test_a_gift_needs_no_tender() -> None:
    basket = done(discount_line(sell(empty(), MUG), act(), 1, percent_e2=10_000))
    sale = pay_in_cash(basket)
    assert (sale.total_minor, sale.tenders) == (0, ())


def test_history_keeps_its_reference() -> None:
    external = ExternalDocument(reference="536365", business_date="2010-12-01", country="United Kingdom")
    tender = Tender(kind="imported", amount_minor=499)
    assert done(conclude(sell(empty(), MUG), [tender], NUMBER, external=external)).external == external


def test_voiding_a_transaction_records_all_its_lines() -> None:
    basket = done(void_line(sell(sell(empty(), MUG), APPLES, 500), act(), 1))
    voided = done(void_transaction(basket, act(CASHIER_LIMITS), "customer left"))
    assert [(line.line, line.sku) for line in voided.lines] == [(1, "APPLE"), (2, "MUG")]
    assert (voided.transaction, voided.reason, voided.by) == ("t1", "customer left", "c1")
    assert refused(void_transaction(basket, act(), "\x00")) == "text.unprintable"


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [0, 5, 5], [0, 1, 0]),
        (3, [1, 1, 1], [1, 1, 1]),
        (0, [], []),
        (0, [0, 0], [0, 0]),
        (10, [1, 2, 3, 4], [1, 2, 3, 4]),
    ],
)
def test_distribute(amount: int, weights: list[int], parts: list[int]) -> None:
    assert distribute(amount, weights) == parts


def wrong(sale: Sale, name: str) -> Sale:
    """The sale, with exactly the invariant `name` broken."""
    line, change = sale.lines[0], msgspec.structs.replace
    if name == "lines_are_numbered":
        return change(sale, lines=(change(line, line=2), sale.lines[1]))
    if name == "lines_go_one_way":
        nothing = change(line, quantity_milli=0, discounts=(Discount(kind="line", amount_minor=-998),))
        return change(sale, lines=(nothing, sale.lines[1]))
    if name == "amounts_are_quantity_times_price":
        return change(sale, lines=(change(line, quantity_milli=1_000), sale.lines[1]))
    if name == "taxes_cover_the_lines":
        return change(sale, taxes=sale.taxes[1:])
    if name == "total_is_lines_and_added_tax":
        return change(sale, total_minor=sale.total_minor - 1, rounding_minor=1)
    if name == "foreign_cash_is_worth_its_rate":
        dollars = change(sale.tenders[0], kind="foreign_cash", foreign_currency="USD", foreign_minor=1)
        return change(sale, tenders=(change(dollars, rate_e8=90_000_000),))
    return change(sale, tenders=())


@pytest.mark.parametrize("name", [check.__name__ for check in INVARIANTS])
def test_each_invariant_notices(name: str) -> None:
    sale = pay_in_cash(sell(sell(empty(), MUG, 2_000), BOLT))
    assert broken_invariants(sale) == []
    assert broken_invariants(wrong(sale, name)) == [name]


def test_unknown_rules_and_currencies_are_noticed() -> None:
    sale = pay_in_cash(sell(empty(), MUG))
    for change in ({"currency": "XXX"}, {"rounding_rule": "down"}):
        assert broken_invariants(msgspec.structs.replace(sale, **change)) == [
            "amounts_are_quantity_times_price"
        ]


def test_a_discount_shows_in_the_totals() -> None:
    basket = done(discount_line(sell(empty(), MUG), act(), 1, amount_minor=99))
    assert (price(basket).discount_minor, price(basket).total_minor) == (99, 400)
