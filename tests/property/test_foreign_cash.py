"""Foreign cash against exact fractions: its rate, what is due in it, and the change (PO2)."""

from fractions import Fraction

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.core.foreign_cash import (
    FOREIGN_CASH,
    CurrencyRate,
    foreign_due_minor,
    foreign_tender,
    home_value_minor,
)
from holdfast.core.money import CURRENCIES, ROUNDING_RULES, Currency, RoundingRule
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender
from holdfast.core.tender import Till, due, settle
from tests.unit.core.shop import done

bounded = settings(max_examples=200, deadline=None)
rules = st.sampled_from(ROUNDING_RULES)
homes = st.sampled_from([CURRENCIES[code] for code in ("EUR", "CHF", "HKD", "SEK", "HUF", "JPY", "KWD")])
foreigners = st.sampled_from([CURRENCIES[code] for code in ("USD", "GBP", "KRW", "BHD")])
rates_e8 = st.one_of(st.integers(1, 10**12), st.sampled_from([50_000_000, 91_500_000, 100_000_000, 1]))
totals = st.one_of(st.integers(1, 5_000), st.integers(1, 10**8))


@st.composite
def rates(draw: st.DrawFn, home: Currency) -> CurrencyRate:
    foreign = draw(foreigners)
    smallest = draw(st.sampled_from([1, 5, 100, 1_000, 5_000]))
    return CurrencyRate(
        currency=foreign.code,
        home=home.code,
        rate_e8=draw(rates_e8),
        smallest_minor=smallest,
        valid_from="2025-01-01",
    )


@bounded
@given(st.integers(0, 10**12), foreigners, rates_e8, homes, rules)
def test_the_value_is_the_exact_product_rounded_once(
    foreign_minor: int, foreign: Currency, rate_e8: int, home: Currency, rule: RoundingRule
) -> None:
    units = Fraction(foreign_minor, 10**foreign.digits)
    exact = units * Fraction(rate_e8, 10**8) * 10**home.digits
    value = home_value_minor(foreign_minor, foreign, rate_e8, home, rule)
    assert abs(value - exact) <= Fraction(1, 2)
    if abs(value - exact) == Fraction(1, 2):
        assert value > exact if rule == "half-up" else value % 2 == 0


@bounded
@given(st.data(), totals, homes, rules)
def test_what_is_due_pays_and_a_note_less_is_worth_less(
    data: st.DataObject, total: int, home: Currency, rule: RoundingRule
) -> None:
    till, rate = Till.of(home, rule), data.draw(rates(home))
    cash = due(total, (), till).cash_minor
    assume(cash > 0)
    asked = foreign_due_minor(cash, rate)
    worth = Fraction(rate.rate_e8 * 10**home.digits, 10**8 * 10**rate.money.digits)
    assert asked % rate.smallest_minor == 0
    assert asked * worth >= cash > (asked - rate.smallest_minor) * worth
    given_ = foreign_tender(asked, rate, rule)
    if isinstance(given_, Tender):
        settled = done(settle(total, [given_], till))
        assert due(total, settled.tenders[:1], till).cash_minor == 0


@st.composite
def payments(draw: st.DrawFn, home: Currency, rule: RoundingRule) -> list[Tender]:
    """Home cash, foreign cash and a card, in any order and number."""
    tenders: list[Tender] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["cash", "card", FOREIGN_CASH, FOREIGN_CASH]))
        if kind == FOREIGN_CASH:
            rate = draw(rates(home))
            made = foreign_tender(draw(st.integers(1, 500)) * rate.smallest_minor, rate, rule)
            tenders += [made] if isinstance(made, Tender) else []
        else:
            amount = draw(st.integers(1, 3_000)) * (home.coin_minor if kind == "cash" else 1)
            tenders.append(Tender(kind=kind, amount_minor=amount))
    return tenders


@bounded
@given(st.data(), totals, homes, rules)
def test_tenders_are_the_total_and_its_rounding_and_change_is_never_too_much(
    data: st.DataObject, total: int, home: Currency, rule: RoundingRule
) -> None:
    """PO2: Σ tenders = total + rounding, whatever is given, and at most half a coin is rounded."""
    tenders = data.draw(payments(home, rule))
    settled = settle(total, tenders, Till.of(home, rule))
    if isinstance(settled, Refusal):
        return
    assert sum(tender.amount_minor for tender in settled.tenders) == total + settled.rounding_minor
    assert abs(settled.rounding_minor) * 2 <= home.coin_minor
    change = -sum(tender.amount_minor for tender in settled.tenders if tender.kind == "change")
    over = sum(tender.amount_minor for tender in tenders) - total
    assert change % home.coin_minor == 0
    assert 0 <= change <= max(0, over) + home.coin_minor / 2
    assert change < sum(tender.amount_minor for tender in tenders if tender.kind != "card") or not change
    assert settled.tenders[: len(tenders)] == tuple(tenders)


@bounded
@given(st.data(), totals, homes, rules)
def test_parts_that_do_not_pay_leave_what_pays_the_rest(
    data: st.DataObject, total: int, home: Currency, rule: RoundingRule
) -> None:
    tenders, till = data.draw(payments(home, rule)), Till.of(home, rule)
    settled = settle(total, tenders, till)
    assume(isinstance(settled, Refusal) and settled.code == "tender.insufficient")
    left = due(total, tenders, till)
    rest = Tender(kind="cash", amount_minor=left.cash_minor)
    assert left.cash_minor > 0
    assert done(settle(total, [*tenders, rest], till)).tenders[-1] == rest


@bounded
@given(st.data(), homes, rules)
def test_a_tender_survives_the_journal(data: st.DataObject, home: Currency, rule: RoundingRule) -> None:
    for tender in data.draw(payments(home, rule)):
        assert msgspec.json.decode(msgspec.json.encode(tender), type=Tender) == tender
