"""Money, tax, tender and returns against exact fractions, for any input inside the bounds."""

from fractions import Fraction
from typing import get_args

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.core.basket import (
    Basket,
    add_product,
    add_return,
    discount_line,
    discount_total,
    returnable,
    void_line,
)
from holdfast.core.catalogue import Price, Product, Unit
from holdfast.core.ids import DocumentNumber, Sku
from holdfast.core.invariants import broken_invariants
from holdfast.core.money import (
    CURRENCIES,
    ROUNDING_RULES,
    Currency,
    RoundingRule,
    line_amount_minor,
    parse_decimal,
    plain_decimal,
    round_ratio,
    round_to_coin,
)
from holdfast.core.pricing import conclude, distribute, price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.core.tax import TaxKey, TaxRate, tax_total
from holdfast.core.tender import Till, due, settle
from holdfast.core.totals import day_deltas, drawer_minor, is_return, stock_deltas
from tests.unit.core.shop import act, done, empty

rules = st.sampled_from(ROUNDING_RULES)
currencies = st.sampled_from([CURRENCIES[code] for code in ("EUR", "CHF", "SEK", "JPY", "KWD", "HUF")])
amounts = st.integers(-(10**12), 10**12)
rates = st.one_of(st.integers(0, 10_000_000), st.sampled_from([50_000, 70_000, 190_000, 200_000, 88_750]))
bounded = settings(max_examples=150, deadline=None)


@bounded
@given(st.integers(), st.integers(1), rules)
def test_rounding_is_the_nearest_and_odd(numerator: int, denominator: int, rule: RoundingRule) -> None:
    exact, rounded = Fraction(numerator, denominator), round_ratio(numerator, denominator, rule)
    assert abs(exact - rounded) <= Fraction(1, 2)
    assert round_ratio(-numerator, denominator, rule) == -rounded
    if abs(exact - rounded) == Fraction(1, 2):
        assert abs(rounded) > abs(exact) if rule == "half-up" else rounded % 2 == 0


@bounded
@given(st.integers(-(10**9), 10**9), st.integers(0, 10**13), currencies, rules)
def test_a_line_is_within_half_a_minor_unit(
    quantity_milli: int, unit_price_e4: int, currency: Currency, rule: RoundingRule
) -> None:
    exact = Fraction(quantity_milli, 1_000) * Fraction(unit_price_e4, 10_000) * 10**currency.digits
    amount = line_amount_minor(quantity_milli, unit_price_e4, currency, rule)
    assert abs(amount - exact) <= Fraction(1, 2)
    assert line_amount_minor(-quantity_milli, unit_price_e4, currency, rule) == -amount


@bounded
@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 6))
def test_decimal_text_there_and_back(value: int, places: int) -> None:
    assert parse_decimal(plain_decimal(value, places), places) == value


@bounded
@given(st.text(max_size=40), st.integers(0, 6))
def test_any_text_is_a_number_or_refused(text: str, places: int) -> None:
    value = parse_decimal(text, places)
    if isinstance(value, int):
        assert Fraction(text) * 10**places == value


@bounded
@given(amounts, rates, rules)
def test_net_and_tax_are_gross(lines_minor: int, rate_e6: int, rule: RoundingRule) -> None:
    rate = Fraction(rate_e6, 1_000_000)
    within = tax_total(TaxKey("A", rate_e6, True), lines_minor, rule)
    assert within.net_minor + within.tax_minor == lines_minor
    assert abs(within.tax_minor - lines_minor * rate / (1 + rate)) <= Fraction(1, 2)
    on_top = tax_total(TaxKey("A", rate_e6, False), lines_minor, rule)
    assert on_top.net_minor == lines_minor
    assert abs(on_top.tax_minor - lines_minor * rate) <= Fraction(1, 2)
    back = tax_total(TaxKey("A", rate_e6, True), -lines_minor, rule)
    assert (back.net_minor, back.tax_minor) == (-within.net_minor, -within.tax_minor)


@bounded
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30), st.data())
def test_what_is_shared_out_is_the_whole(weights: list[int], data: st.DataObject) -> None:
    whole = sum(weights)
    amount = data.draw(st.integers(0, whole))
    parts = distribute(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert not whole or abs(part - Fraction(amount * weight, whole)) < 1


kinds = st.sampled_from(["cash", "cash", "card", "imported", "change", "voucher"])
some_tenders = st.lists(
    st.builds(Tender, kind=kinds, amount_minor=st.one_of(st.integers(-3_000, 3_000), amounts)), max_size=4
)


@bounded
@given(st.one_of(st.integers(-5_000, 5_000), amounts), some_tenders, currencies, rules)
def test_any_tenders_pay_exactly_or_are_refused(
    total: int, tenders: list[Tender], currency: Currency, rule: RoundingRule
) -> None:
    settled = settle(total, tenders, Till.of(currency, rule))
    if isinstance(settled, Refusal):
        return
    assert sum(tender.amount_minor for tender in settled.tenders) == total + settled.rounding_minor
    assert abs(settled.rounding_minor) * 2 <= currency.coin_minor
    assert all(tender.amount_minor < 0 for tender in settled.tenders if tender.kind == "change")


@bounded
@given(amounts, st.integers(0, 10**6), currencies, rules)
def test_change_is_what_cash_exceeds(total: int, more: int, currency: Currency, rule: RoundingRule) -> None:
    till = Till.of(currency, rule)
    cash = due(total, (), till).cash_minor
    assume(cash)
    assert cash == round_to_coin(total, currency.coin_minor, rule)
    more = more * currency.coin_minor if total > 0 else 0
    assume(abs(cash) + more <= 10**12)
    settled = done(settle(total, [Tender(kind="cash", amount_minor=cash + more)], till))
    assert settled.rounding_minor == cash - total
    assert sum(t.amount_minor for t in settled.tenders if t.kind == "change") == -more
    assert due(total, settled.tenders[:1], till).cash_minor == 0


@st.composite
def sales(draw: st.DrawFn) -> tuple[Basket, Sale]:
    """A sale of up to six lines, with any discounts and voided lines, paid in cash."""
    currency = draw(currencies)
    basket = empty(currency=currency.code)
    rates_by_code = {code: draw(rates) for code in "AB"}
    for number in range(draw(st.integers(1, 6))):
        code = draw(st.sampled_from("AB"))
        unit: Unit = draw(st.sampled_from(get_args(Unit)))
        product = Product(sku=Sku(f"P{number % 4}"), description="", tax_code=code, unit=unit)
        cost = draw(st.integers(0, 10**7))
        row = Price(sku=product.sku, unit_price_e4=cost, currency=currency.code, valid_from="")
        rate = TaxRate(code=code, name="", rate_e6=rates_by_code[code], inclusive=code == "A", valid_from="")
        quantity = draw(st.integers(1, 9_999)) * (1 if unit == "kg" else 1_000)
        basket = done(add_product(basket, act(), product, row, rate, quantity))
        percent = draw(st.integers(0, 3_000))
        if percent:
            basket = done(discount_line(basket, act(), number + 1, percent_e2=percent))
    for _ in range(draw(st.integers(0, 2))):
        percent = draw(st.integers(1, 10_000))
        basket = done(discount_total(basket, act(), percent_e2=percent))
    if len(basket.lines) > 1 and draw(st.booleans()):
        basket = done(void_line(basket, act(), 1))
    return basket, paid(basket)


def paid(basket: Basket) -> Sale:
    total = price(basket).total_minor
    cash = due(total, (), Till.of(basket.money, basket.rounding_rule)).cash_minor
    tenders = [Tender(kind="cash", amount_minor=cash)] if cash else []
    return done(conclude(basket, tenders, DocumentNumber("N")))


@bounded
@given(sales())
def test_a_sale_adds_up_and_survives_the_journal(made: tuple[Basket, Sale]) -> None:
    basket, sale = made
    assert broken_invariants(sale) == []
    assert msgspec.json.decode(msgspec.json.encode(sale), type=Sale) == sale
    kept = msgspec.json.decode(msgspec.json.encode(basket), type=Basket)
    assert kept == basket
    assert msgspec.json.encode(paid(kept)) == msgspec.json.encode(sale)


@bounded
@given(sales())
def test_a_whole_return_negates_the_sale(made: tuple[Basket, Sale]) -> None:
    _, sale = made
    basket = empty("return", sale.currency)
    for line in sale.lines:
        basket = done(add_return(basket, act(), done(returnable(sale, line.line))))
    back = paid(basket)
    assert is_return(back)
    assert [line.amount_minor for line in back.lines] == [-line.amount_minor for line in sale.lines]
    assert (back.total_minor, back.rounding_minor) == (-sale.total_minor, -sale.rounding_minor)
    assert drawer_minor(back) == -drawer_minor(sale)
    assert stock_deltas(back) == {sku: -delta for sku, delta in stock_deltas(sale).items()}
    day = day_deltas(sale) + day_deltas(back)
    assert (day.total_minor, day.drawer_minor, day.documents) == (0, 0, 2)
    assert not any((*day.tax_minor.values(), *day.net_minor.values(), *day.tenders_minor.values()))


@bounded
@given(sales(), st.data())
def test_parts_of_a_line_sum_to_what_it_cost(made: tuple[Basket, Sale], data: st.DataObject) -> None:
    _, sale = made
    sold = sale.lines[0]
    step = 1 if sold.unit == "kg" else 1_000
    back_milli = back_minor = 0
    while back_milli < sold.quantity_milli:
        left = (sold.quantity_milli - back_milli) // step
        part = data.draw(st.integers((left + 3) // 4, left)) * step
        found = done(returnable(sale, sold.line, back_milli, back_minor))
        document = paid(done(add_return(empty("return", sale.currency), act(), found, part)))
        back_milli -= document.lines[0].quantity_milli
        back_minor -= document.lines[0].amount_minor
    assert (back_milli, back_minor) == (sold.quantity_milli, sold.amount_minor)
    assert isinstance(returnable(sale, sold.line, back_milli, back_minor), Refusal)
