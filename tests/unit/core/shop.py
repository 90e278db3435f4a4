"""A small shop for tests: products, prices, taxes, people, and sales made of them."""

from typing import TypeVar

from holdfast.core.basket import (
    UNLIMITED,
    Act,
    Basket,
    Kind,
    Limits,
    add_product,
    begin,
)
from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import DocumentNumber, Sku, StaffId, TransactionId
from holdfast.core.money import CURRENCIES
from holdfast.core.pricing import conclude, price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.core.tax import TaxRate
from holdfast.core.tender import Till, due

T = TypeVar("T")

BEGAN_MS = 1_760_000_000_000

STANDARD = TaxRate(code="V20", name="VAT 20 %", rate_e6=200_000, inclusive=True, valid_from="2011-01-04")
SALES_TAX = TaxRate(code="S8", name="Sales tax", rate_e6=82_500, inclusive=False, valid_from="2020-01-01")
TAXES = {tax.code: tax for tax in (STANDARD, SALES_TAX)}

MUG = Product(sku=Sku("MUG"), description="Mug, blue", tax_code="V20", barcodes=("4006381333931",))
APPLES = Product(sku=Sku("APPLE"), description="Apples", tax_code="V20", unit="kg", department="fruit")
BOLT = Product(sku=Sku("BOLT"), description="Bolt", tax_code="S8")
PRICES_E4 = {MUG.sku: 49_900, APPLES.sku: 29_900, BOLT.sku: 3_333}

CASHIER_LIMITS = Limits(
    line_discount_e2_max=1_000,
    total_discount_e2_max=500,
    override_e2_max=2_000,
    return_without_receipt_minor_max=2_000,
)
MANAGER = StaffId("m1")


def act(limits: Limits = UNLIMITED, after_s: int = 5, approved_by: str = "") -> Act:
    return Act(
        by=StaffId("c1"), at_ms=BEGAN_MS + after_s * 1000, limits=limits, approved_by=StaffId(approved_by)
    )


def done(answer: T | Refusal) -> T:
    assert not isinstance(answer, Refusal), answer
    return answer


def refused(answer: object) -> str:
    """The code of a refusal; its sentence is one a person can read."""
    assert isinstance(answer, Refusal), answer
    assert answer.sentence[0].isupper() or answer.sentence[0].isdigit() or answer.sentence[0] == "'"
    assert answer.sentence.endswith(".")
    return answer.code


def empty(kind: Kind = "sale", currency: str = "EUR") -> Basket:
    return done(begin(TransactionId("t1"), currency, BEGAN_MS, StaffId("c1"), kind))


def price_of(product: Product, currency: str = "EUR", unit_price_e4: int | None = None) -> Price:
    e4 = PRICES_E4[product.sku] if unit_price_e4 is None else unit_price_e4
    return Price(sku=product.sku, unit_price_e4=e4, currency=currency, valid_from="2020-01-01")


def sell(basket: Basket, product: Product, quantity_milli: int | None = None) -> Basket:
    return done(
        add_product(
            basket,
            act(),
            product,
            price_of(product, basket.currency),
            TAXES[product.tax_code],
            quantity_milli,
        )
    )


def pay_in_cash(basket: Basket, document: str = "R1-ABCDE-000001") -> Sale:
    """Concluded with exactly what is due in cash."""
    total = price(basket).total_minor
    cash = due(total, (), Till.of(CURRENCIES[basket.currency], basket.rounding_rule)).cash_minor
    tenders = (Tender(kind="cash", amount_minor=cash),) if cash else ()
    return done(conclude(basket, tenders, DocumentNumber(document)))
