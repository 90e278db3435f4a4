"""Foreign cash: rates by business date, what is due in it, its value, and change in home cash (PO2)."""

import msgspec
import pytest

from holdfast.core.foreign_cash import (
    CurrencyRate,
    accepted_on,
    currency_rate_refusal,
    foreign_due_minor,
    foreign_tender,
)
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Tender
from holdfast.core.tender import Due, Till, due, foreign_change_refusal, settle
from tests.unit.core.shop import CASHIER_LIMITS, act, done, refused

EURO = Till.of(CURRENCIES["EUR"], "half-up")
FRANC = Till.of(CURRENCIES["CHF"], "half-up")
DOLLAR = CurrencyRate(
    currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=100, valid_from="2025-01-01"
)
YEN = CurrencyRate(currency="JPY", home="EUR", rate_e8=612_345, smallest_minor=1_000, valid_from="2025-01-01")


def dollars(foreign_minor: int, rate: CurrencyRate = DOLLAR) -> Tender:
    return done(foreign_tender(foreign_minor, rate, "half-up"))


def test_the_rate_is_that_of_the_business_date() -> None:
    """Tomorrow's is there today and unused; one without a rate in force is not offered."""
    changed = msgspec.structs.replace(DOLLAR, rate_e8=92_000_000, valid_from="2025-02-01")
    ended = msgspec.structs.replace(YEN, accepted=False, valid_from="2025-02-01")
    other_home = msgspec.structs.replace(DOLLAR, home="GBP", rate_e8=79_000_000)
    rates = [changed, ended, DOLLAR, other_home, YEN]
    assert accepted_on(rates, "EUR", "2024-12-31") == ()
    assert accepted_on(rates, "EUR", "2025-01-31") == (YEN, DOLLAR)
    assert accepted_on(rates, "EUR", "2025-02-01") == (changed,)
    assert accepted_on(rates, "CHF", "2025-02-01") == ()


def test_what_is_due_is_rounded_up_to_the_smallest_note() -> None:
    assert foreign_due_minor(1_830, DOLLAR) == 2_000  # exactly 20 dollars
    assert foreign_due_minor(1_831, DOLLAR) == 2_100
    assert foreign_due_minor(1, YEN) == 1_000
    assert foreign_due_minor(0, DOLLAR) == 0


def test_what_was_given_is_valued_once_by_the_rule() -> None:
    half = msgspec.structs.replace(DOLLAR, rate_e8=50_000_000, smallest_minor=1)
    assert dollars(2_000) == Tender(
        kind="foreign_cash",
        amount_minor=1_830,
        foreign_currency="USD",
        foreign_minor=2_000,
        rate_e8=91_500_000,
    )
    assert dollars(5_000, YEN).amount_minor == 3_062  # 5000 yen are 30.61725 euro
    assert done(foreign_tender(5, half, "half-up")).amount_minor == 3
    assert done(foreign_tender(5, half, "half-even")).amount_minor == 2


def test_change_is_home_cash() -> None:
    settled = done(settle(1_234, [dollars(2_000)], EURO))
    assert settled.tenders[-1] == Tender(kind="change", amount_minor=-596)
    assert settled.rounding_minor == 0


def test_change_in_coins_is_rounded_once() -> None:
    """CHF 14.23 were given for CHF 12.32: 1.91 is over, and 1.90 is what coins can pay."""
    euro = CurrencyRate(
        currency="EUR", home="CHF", rate_e8=94_866_667, smallest_minor=500, valid_from="2025-01-01"
    )
    settled = done(settle(1_232, [dollars(1_500, euro)], FRANC))
    assert [tender.amount_minor for tender in settled.tenders] == [1_423, -190]
    assert settled.rounding_minor == 1


def test_half_a_coin_too_much_stays_in_the_drawer() -> None:
    """What is due in coins is never more than what goes into the drawer for it."""
    dollar = CurrencyRate(
        currency="USD", home="HKD", rate_e8=780_000_000, smallest_minor=1, valid_from="2025-01-01"
    )
    till = Till.of(CURRENCIES["HKD"], "half-up")
    settled = done(settle(775, [dollars(100, dollar)], till))  # 7.75 is 7.80 in coins, as 1 dollar is
    assert [tender.kind for tender in settled.tenders] == ["foreign_cash"]
    assert settled.rounding_minor == 5


def test_home_and_foreign_cash_in_parts() -> None:
    part = dollars(1_000)
    assert due(1_234, [part], EURO) == Due(319, 319)
    assert refused(settle(1_234, [part], EURO)) == "tender.insufficient"
    settled = done(settle(1_234, [part, Tender(kind="cash", amount_minor=500)], EURO))
    assert settled.tenders[-1].amount_minor == -181
    assert due(1_234, [dollars(5_000)], EURO) == Due(0, 0)
    paid = [Tender(kind="card", amount_minor=1_234), part]
    assert refused(settle(1_234, paid, EURO)) == "tender.nothing-due"


def test_refunds_are_home_cash() -> None:
    out = msgspec.structs.replace(dollars(1_000), foreign_minor=-1_000, amount_minor=-915)
    assert refused(settle(-915, [out], EURO)) == "tender.foreign-cash"
    assert refused(settle(-915, [dollars(1_000)], EURO)) == "tender.direction"
    assert done(settle(-915, [Tender(kind="cash", amount_minor=-915)], EURO)).rounding_minor == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_minor": 916},
        {"rate_e8": 91_500_001, "foreign_minor": 100_000_000},
        {"rate_e8": 0, "amount_minor": 1},
        {"foreign_currency": "EUR"},
        {"foreign_currency": "XXX"},
        {"kind": "cash"},
    ],
)
def test_a_tender_that_is_not_worth_its_rate_is_refused(changed: dict[str, object]) -> None:
    wrong = msgspec.structs.replace(dollars(1_000), **changed)
    assert refused(settle(915, [wrong], EURO)) == "tender.foreign-cash"


@pytest.mark.parametrize(
    ("foreign_minor", "rate", "code"),
    [
        (0, DOLLAR, "tender.amount"),
        (-100, DOLLAR, "tender.amount"),
        (10**12 + 100, DOLLAR, "tender.amount"),
        (1_050, DOLLAR, "tender.no-such-coin"),
        (1, msgspec.structs.replace(YEN, smallest_minor=1, rate_e8=1), "tender.amount"),
    ],
)
def test_what_cannot_be_taken(foreign_minor: int, rate: CurrencyRate, code: str) -> None:
    assert refused(foreign_tender(foreign_minor, rate, "half-up")) == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"currency": "usd"}, "money.unknown-currency"),
        ({"home": "XXX"}, "money.unknown-currency"),
        ({"home": "USD"}, "currency.home"),
        ({"rate_e8": 0}, "currency.rate"),
        ({"rate_e8": 10**16 + 1}, "currency.rate"),
        ({"smallest_minor": 0}, "currency.smallest"),
    ],
)
def test_rows_that_no_register_can_use(changed: dict[str, object], code: str) -> None:
    assert currency_rate_refusal(DOLLAR) is None
    assert refused(currency_rate_refusal(msgspec.structs.replace(DOLLAR, **changed))) == code


def test_an_entry_of_before_says_the_same() -> None:
    """Bytes of version 1 without foreign cash are what they were (P1)."""
    for said in (b'{"kind":"cash","amount_minor":500}', b'{"kind":"card","amount_minor":5,"reference":"x"}'):
        assert msgspec.json.encode(msgspec.json.decode(said, type=Tender)) == said
    assert msgspec.json.decode(msgspec.json.encode(dollars(2_000)), type=Tender) == dollars(2_000)


def test_much_change_for_foreign_notes_needs_a_manager_who_may_go_so_far() -> None:
    """A nought too many would go out as home cash; home cash itself comes as the customer counts it."""
    limits = msgspec.structs.replace(CASHIER_LIMITS, foreign_change_minor_max=10_000)
    open_due = Due(1_830, 1_830)
    assert (
        foreign_change_refusal(open_due, dollars(12_000), act(limits), EURO) is None
    )  # 91.50 euro of change
    asked = foreign_change_refusal(open_due, dollars(20_000), act(limits), EURO)
    assert refused(asked) == "basket.needs-manager"
    assert "Change of over EUR 100.00 for foreign cash needs a manager" in getattr(asked, "sentence", "")
    approved = act(limits, approved_by="m1")
    assert foreign_change_refusal(open_due, dollars(20_000), approved, EURO) is None
    bounded = msgspec.structs.replace(approved, approver_limits=limits)
    assert refused(foreign_change_refusal(open_due, dollars(20_000), bounded, EURO)) == "basket.needs-manager"
    cash = Tender(kind="cash", amount_minor=100_000)
    assert foreign_change_refusal(open_due, cash, act(limits), EURO) is None
