"""Rounding, currencies and decimal text, by example."""

import pytest

from holdfast.core.money import (
    CURRENCIES,
    RoundingRule,
    currency_of,
    line_amount_minor,
    parse_decimal,
    parse_e4,
    parse_milli,
    parse_minor,
    plain_amount,
    round_ratio,
    round_to_coin,
)
from tests.unit.core.shop import refused


@pytest.mark.parametrize(
    ("numerator", "denominator", "rule", "rounded"),
    [
        (5, 2, "half-up", 3),
        (-5, 2, "half-up", -3),
        (5, 2, "half-even", 2),
        (7, 2, "half-even", 4),
        (-5, 2, "half-even", -2),
        (49, 100, "half-up", 0),
        (-1, 3, "half-up", 0),
        (0, 7, "half-even", 0),
    ],
)
def test_round_ratio(numerator: int, denominator: int, rule: RoundingRule, rounded: int) -> None:
    assert round_ratio(numerator, denominator, rule) == rounded


@pytest.mark.parametrize(
    ("quantity", "price", "code", "amount"),
    [
        ("3", "4.99", "EUR", "14.97"),
        ("0.333", "2.99", "EUR", "1.00"),
        ("1", "0.125", "EUR", "0.13"),
        ("-1", "0.125", "EUR", "-0.13"),
        ("3", "333.5", "JPY", "1001"),
        ("0.001", "0.5", "KWD", "0.001"),
        ("80995", "2.08", "GBP", "168469.60"),
    ],
)
def test_a_line_is_rounded_once(quantity: str, price: str, code: str, amount: str) -> None:
    currency = CURRENCIES[code]
    milli, e4, minor = parse_milli(quantity), parse_e4(price), parse_minor(amount, currency)
    assert isinstance(milli, int)
    assert isinstance(e4, int)
    assert line_amount_minor(milli, e4, currency, "half-up") == minor


@pytest.mark.parametrize(
    "text", ["", ".", "-", "1.", "1,5", "1e3", " 1", "+1", "٣", "1_000", "NaN", "1" * 31]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert refused(parse_decimal(text, 2)) == "money.not-a-number"


@pytest.mark.parametrize("text", ["0.125", "1.001", "-0.001", "99999999999999999999"])
def test_more_digits_than_fit_are_refused(text: str) -> None:
    assert refused(parse_decimal(text, 2)) == "money.too-many-digits"


@pytest.mark.parametrize(
    ("text", "value"), [("0.1000", 10), (".5", 50), ("-0", 0), ("007", 700), ("-12.34", -1234)]
)
def test_decimal_text(text: str, value: int) -> None:
    assert parse_decimal(text, 2) == value


@pytest.mark.parametrize(
    ("code", "amount", "rounded"),
    [("CHF", 1002, 1000), ("CHF", 1003, 1005), ("DKK", 1025, 1050), ("SEK", -1050, -1100), ("EUR", 1, 1)],
)
def test_the_smallest_coin(code: str, amount: int, rounded: int) -> None:
    assert round_to_coin(amount, CURRENCIES[code].coin_minor, "half-up") == rounded


def test_currencies() -> None:
    assert all(code == currency.code and len(code) == 3 for code, currency in CURRENCIES.items())
    assert [CURRENCIES[code].digits for code in ("EUR", "JPY", "KWD")] == [2, 0, 3]
    assert refused(currency_of("eur")) == "money.unknown-currency"


def test_amounts_in_sentences() -> None:
    assert plain_amount(-5, CURRENCIES["EUR"]) == "EUR -0.05"
    assert plain_amount(1234, CURRENCIES["JPY"]) == "JPY 1234"
