"""Prices by business date, and what a feed may not bring in."""

import msgspec
import pytest

from holdfast.core.catalogue import Price, price_on, price_refusal, product_refusal
from holdfast.core.ids import Sku
from tests.unit.core.shop import MUG, refused

TODAY = Price(sku=MUG.sku, unit_price_e4=49_900, currency="EUR", valid_from="2025-01-01")
TOMORROW = msgspec.structs.replace(TODAY, unit_price_e4=59_900, valid_from="2025-03-02")
FOREIGN = msgspec.structs.replace(TODAY, currency="CHF", unit_price_e4=1)
PRICES = [TOMORROW, TODAY, FOREIGN]


def test_tomorrows_price_is_there_today_and_unused() -> None:
    assert price_on(PRICES, MUG.sku, "EUR", "2025-03-01") == TODAY
    assert price_on(PRICES, MUG.sku, "EUR", "2025-03-02") == TOMORROW


def test_no_price() -> None:
    assert refused(price_on(PRICES, MUG.sku, "EUR", "2024-12-31")) == "catalogue.no-price"
    assert refused(price_on(PRICES, Sku("mug"), "EUR", "2025-03-01")) == "catalogue.no-price"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("sku", "", "text.empty"),
        ("description", "x" * 201, "text.too-long"),
        ("description", "bell\x07", "text.unprintable"),
        ("description", "half \ud800", "text.unprintable"),
        ("tax_code", "", "text.empty"),
        ("barcodes", ("",), "text.empty"),
        ("barcodes", ("1",) * 51, "catalogue.barcodes"),
    ],
)
def test_products_that_are_not_taken_in(field: str, value: object, code: str) -> None:
    assert refused(product_refusal(msgspec.structs.replace(MUG, **{field: value}))) == code


def test_products_of_every_language_are() -> None:
    for text in ("Käse", "りんご", "خبز\u200cنان", "🍎"):
        assert product_refusal(msgspec.structs.replace(MUG, description=text)) is None


def test_prices_out_of_range() -> None:
    assert price_refusal(0) is None
    assert refused(price_refusal(-1)) == "catalogue.price-out-of-range"
    assert refused(price_refusal(10**13 + 1)) == "catalogue.price-out-of-range"
