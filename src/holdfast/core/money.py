"""Money: currencies, exact rounding, and decimal text to integers. No float comes near it.

Amounts are integers of the currency's minor unit (`_minor`), unit prices integers of a
ten-thousandth of the major unit (`_e4`), quantities integers of a thousandth (`_milli`).
Every rounding is an exact ratio of integers under a named rule (PO1, PO2, PO9).
"""

import re
from typing import Literal

import msgspec

from holdfast.core.refusals import Refusal

RoundingRule = Literal["half-up", "half-even"]
"""`half-up`: a half goes away from zero, so that a return rounds as its sale did.
`half-even`: a half goes to the even neighbour."""

ROUNDING_RULES: tuple[RoundingRule, ...] = ("half-up", "half-even")


class Currency(msgspec.Struct, frozen=True):
    """A currency as ISO 4217 has it, with its smallest coin."""

    code: str
    digits: int
    """Minor digits: 2 for EUR, 0 for JPY, 3 for KWD."""
    coin_minor: int
    """Smallest cash coin in minor units. A country may have a larger one than its currency."""


# ISO 4217, active codes by minor digits. Funds codes, metals and test codes are left out.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG "
    "YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}

# Where cash is rounded by law or custom of the currency's own country.
_COIN_MINOR = {
    "AUD": 5,
    "CAD": 5,
    "CHF": 5,
    "CZK": 100,
    "DKK": 50,
    "HKD": 10,
    "HUF": 500,
    "ILS": 10,
    "MYR": 5,
    "NOK": 100,
    "NZD": 10,
    "SEK": 100,
    "SGD": 5,
    "ZAR": 10,
}

CURRENCIES: dict[str, Currency] = {
    code: Currency(code, digits, _COIN_MINOR.get(code, 1))
    for digits, codes in _DIGITS.items()
    for code in codes.split()
}


def currency_of(code: str) -> Currency | Refusal:
    """The currency with this ISO 4217 code, in capitals."""
    return CURRENCIES.get(code) or Refusal(
        "money.unknown-currency", f"{code[:10]!r} is not a currency of ISO 4217. Write it as in EUR."
    )


def round_ratio(numerator: int, denominator: int, rule: RoundingRule) -> int:
    """numerator ÷ denominator to the nearest integer; exact at any size, and odd about zero."""
    assert denominator > 0, "a ratio has a positive denominator"
    whole, rest = divmod(abs(numerator), denominator)
    if rest:
        twice = 2 * rest
        if twice > denominator or (twice == denominator and (rule == "half-up" or whole % 2)):
            whole += 1
    return whole if numerator >= 0 else -whole


def line_amount_minor(quantity_milli: int, unit_price_e4: int, currency: Currency, rule: RoundingRule) -> int:
    """quantity × price in minor units, rounded once (PO1)."""
    return round_ratio(quantity_milli * unit_price_e4 * 10**currency.digits, 10**7, rule)


def round_to_coin(amount_minor: int, coin_minor: int, rule: RoundingRule) -> int:
    """The nearest amount that coins can pay (PO2)."""
    assert coin_minor > 0, "a coin is worth something"
    return round_ratio(amount_minor, coin_minor, rule) * coin_minor


_DECIMAL = re.compile(r"(-?)([0-9]*)(?:\.([0-9]+))?\Z")
DECIMAL_CHARS_MAX = 30
INT64_MAX = 2**63 - 1


def parse_decimal(text: str, places: int) -> int | Refusal:
    """Decimal text as an integer of 10^-places; ASCII digits with `.` as the mark, no grouping.

    Digits beyond `places` are refused unless they are zeros: nothing is rounded here.
    """
    match = _DECIMAL.match(text) if len(text) <= DECIMAL_CHARS_MAX else None
    if match is None or not (match[2] or match[3]):
        return Refusal("money.not-a-number", f"{text[:40]!r} is not a number. Write it as in 12.50.")
    fraction = (match[3] or "").rstrip("0")
    if len(fraction) > places:
        return Refusal(
            "money.too-many-digits", f"{text!r} has more than {places} digits behind the point. Shorten it."
        )
    magnitude = int(match[2] + fraction.ljust(places, "0") or "0")
    if magnitude > INT64_MAX:
        return Refusal("money.too-many-digits", f"{text!r} is far too large. Check it.")
    return -magnitude if match[1] else magnitude


def parse_e4(text: str) -> int | Refusal:
    """A unit price as text, in ten-thousandths."""
    return parse_decimal(text, 4)


def parse_milli(text: str) -> int | Refusal:
    """A quantity or weight as text, in thousandths."""
    return parse_decimal(text, 3)


def parse_minor(text: str, currency: Currency) -> int | Refusal:
    """An amount as text, in minor units."""
    return parse_decimal(text, currency.digits)


def plain_decimal(value: int, places: int) -> str:
    """The inverse of `parse_decimal`, with all places: 1250, 2 → `12.50`."""
    digits = str(abs(value)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def plain_amount(amount_minor: int, currency: Currency) -> str:
    """For an operator's sentence: `EUR 12.50`. Screens and receipts format by language instead."""
    return f"{currency.code} {plain_decimal(amount_minor, currency.digits)}"
