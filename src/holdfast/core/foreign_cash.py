"""Foreign cash: notes and coins of another currency, taken at head office's rate (PO2).

A rate is home currency for one foreign unit, exact, in hundred-millionths (`rate_e8`). What is due
is rounded up to the smallest note or coin that is taken; what was given is valued once, by the
document's rounding rule. Change and refunds are home cash, always.
"""

from collections.abc import Iterable

import msgspec

from holdfast.core.bounds import AMOUNT_MINOR_MAX
from holdfast.core.money import CURRENCIES, Currency, RoundingRule, currency_of, plain_amount, round_ratio
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender

FOREIGN_CASH = "foreign_cash"
"""The kind of tender."""

RATE_PLACES = 8
_E8 = 10**RATE_PLACES
RATE_E8_MAX = 10**16
"""A hundred million of the home currency for one foreign unit."""


class CurrencyRate(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the currencies feed: what a foreign currency is worth from a business date on."""

    currency: str
    """ISO 4217, of the notes and coins."""
    home: str
    """ISO 4217, of the registers that take them."""
    rate_e8: int
    """Hundred-millionths of the home currency's unit for one foreign unit."""
    smallest_minor: int
    """The smallest note or coin that is taken, in the foreign currency's minor units."""
    valid_from: str
    """ISO date; in force until a later row of the same two currencies begins."""
    accepted: bool = True
    """False: not taken from that date on."""

    @property
    def key(self) -> str:
        """What the feed knows the row by."""
        return f"{self.currency}|{self.home}|{self.valid_from}"

    @property
    def money(self) -> Currency:
        return CURRENCIES[self.currency]


def currency_rate_refusal(rate: CurrencyRate) -> Refusal | None:
    """Why this row of a feed cannot be taken in; None if it can."""
    for code in (rate.currency, rate.home):
        if isinstance(found := currency_of(code), Refusal):
            return found
    if rate.currency == rate.home:
        return Refusal("currency.home", f"{rate.home} is the home currency itself. Name a foreign one.")
    if not 0 < rate.rate_e8 <= RATE_E8_MAX:
        return Refusal("currency.rate", "A rate is above zero and not that high. Check it.")
    if not 0 < rate.smallest_minor <= AMOUNT_MINOR_MAX:
        return Refusal("currency.smallest", "The smallest note or coin is above zero. Check it.")
    return None


def accepted_on(rates: Iterable[CurrencyRate], home: str, business_date: str) -> tuple[CurrencyRate, ...]:
    """What is taken on a business date, by currency code; of two rows of one date the later in `rates`."""
    in_force: dict[str, CurrencyRate] = {}
    for rate in rates:
        if rate.home != home or rate.valid_from > business_date:
            continue
        former = in_force.get(rate.currency)
        if former is None or rate.valid_from >= former.valid_from:
            in_force[rate.currency] = rate
    return tuple(in_force[code] for code in sorted(in_force) if in_force[code].accepted)


def home_value_minor(
    foreign_minor: int, foreign: Currency, rate_e8: int, home: Currency, rule: RoundingRule
) -> int:
    """What foreign money is worth in the home currency's minor units, rounded once."""
    return round_ratio(foreign_minor * rate_e8 * 10**home.digits, 10**foreign.digits * _E8, rule)


def foreign_due_minor(due_minor: int, rate: CurrencyRate) -> int:
    """The least that is worth at least `due_minor` of home cash and can be paid, in foreign minor units."""
    assert due_minor >= 0, "refunds are paid out in home cash"
    worth = rate.smallest_minor * rate.rate_e8 * 10 ** CURRENCIES[rate.home].digits
    notes = -(-due_minor * 10**rate.money.digits * _E8 // worth)
    return notes * rate.smallest_minor


def foreign_tender(foreign_minor: int, rate: CurrencyRate, rule: RoundingRule) -> Tender | Refusal:
    """What the customer handed over, valued."""
    if foreign_minor <= 0:
        return Refusal("tender.amount", "A tender has an amount. Enter it.")
    if foreign_minor > AMOUNT_MINOR_MAX:
        return Refusal("tender.amount", "That amount is far too high. Check it.")
    if foreign_minor % rate.smallest_minor:
        smallest = plain_amount(rate.smallest_minor, rate.money)
        return Refusal("tender.no-such-coin", f"The smallest note or coin taken here is {smallest}.")
    value = home_value_minor(foreign_minor, rate.money, rate.rate_e8, CURRENCIES[rate.home], rule)
    if not 0 < value <= AMOUNT_MINOR_MAX:
        given = plain_amount(foreign_minor, rate.money)
        return Refusal("tender.amount", f"{given} is worth nothing here, or far too much. Check it.")
    return Tender(
        kind=FOREIGN_CASH,
        amount_minor=value,
        foreign_currency=rate.currency,
        foreign_minor=foreign_minor,
        rate_e8=rate.rate_e8,
    )


def is_foreign_in_order(tender: Tender, home: str, rule: RoundingRule) -> bool:
    """Foreign cash is worth its rate, was taken and not paid out; any other tender names nothing foreign."""
    if tender.kind != FOREIGN_CASH:
        return not (tender.foreign_currency or tender.foreign_minor or tender.rate_e8)
    foreign, own = CURRENCIES.get(tender.foreign_currency), CURRENCIES.get(home)
    if foreign is None or own is None or foreign == own:
        return False
    if tender.foreign_minor <= 0 or not 0 < tender.rate_e8 <= RATE_E8_MAX:
        return False
    return tender.amount_minor == home_value_minor(tender.foreign_minor, foreign, tender.rate_e8, own, rule)
