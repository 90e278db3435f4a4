"""Taking money: the ways and amounts to offer, and what was handed over so far (PO2)."""

import msgspec

from holdfast.core.card_tender import CARD
from holdfast.core.foreign_cash import CurrencyRate, foreign_due_minor
from holdfast.core.money import Currency, plain_decimal
from holdfast.core.receipt.tenders import given
from holdfast.core.sale import Tender
from holdfast.core.tender import Due
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say

_NOTES: dict[str, tuple[int, ...]] = {
    "EUR": (5, 10, 20, 50, 100, 200),
    "GBP": (5, 10, 20, 50),
    "USD": (1, 5, 10, 20, 50, 100),
    "CHF": (10, 20, 50, 100, 200),
    "JPY": (1_000, 2_000, 5_000, 10_000),
}
_OTHER_NOTES = (5, 10, 20, 50, 100, 200, 500, 1_000)
QUICK_AMOUNTS_MAX = 5
_HELD_WAYS = {
    "gift_card": ("gift.way", "gift.number", "gift.number.hint", "gift.use"),
    "credit_memo": ("memo.way", "memo.number", "memo.number.hint", "memo.use"),
}
CARD_WAY = "card"
"""How a form names the card among the currencies."""
_FIRST_SHOWN = "1900-01-01"
"""A row without a date begins long before: a date of which nobody would be told."""


def quick_amounts(due_minor: int, currency: Currency, smallest_minor: int = 1) -> list[int]:
    """What a customer is likely to hand over beside the exact amount, in minor units, rising.

    For each note, the least that is paid with such notes alone.
    """
    if due_minor <= 0:
        return []
    notes = [note * 10**currency.digits for note in _NOTES.get(currency.code, _OTHER_NOTES)]
    amounts = {-(-due_minor // note) * note for note in notes if note % smallest_minor == 0}
    return sorted(amount for amount in amounts if amount > due_minor)[:QUICK_AMOUNTS_MAX]


class Amount(msgspec.Struct, frozen=True):
    """A sum to touch."""

    plain: str
    """As it is typed."""
    shown: str


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One currency in which cash can be taken, or a card, as the screen shows it."""

    code: str
    name: str
    digits: int
    due: str
    """What is still due in it; of a foreign one rounded up to its smallest note or coin."""
    quick: tuple[Amount, ...]
    rate: str = ""
    """What one unit counts as; empty for the home currency."""
    rate_e8: int = 0
    since: str = ""
    """The business date from which that rate is in force; empty where it always was."""
    is_card: bool = False
    """On a terminal of its own; the others are cash."""
    held: str = ""
    """The kind of central value, where it is that; then with what is asked for its number."""
    number: str = ""
    hint: str = ""
    use: str = ""

    @property
    def is_home(self) -> bool:
        return not self.rate_e8

    @property
    def is_exact(self) -> bool:
        """No coins are needed for it."""
        return self.is_card or bool(self.held)


def ways_to_pay(due: Due, rates: tuple[CurrencyRate, ...], fmt: Formats) -> list[Way]:
    """Home cash, then each foreign currency that is taken today."""
    home = fmt.currency
    ways = [
        Way(
            code=home.code,
            name=fmt.currency_name(home.code),
            digits=home.digits,
            due=fmt.money(due.cash_minor),
            quick=_amounts(quick_amounts(due.cash_minor, home), home, fmt),
        )
    ]
    return ways + [_foreign_way(due, rate, fmt) for rate in rates if due.cash_minor > 0]


def card_way(due: Due, fmt: Formats) -> Way:
    """A card on the standalone terminal: the exact amount, which needs no coins."""
    digits = fmt.currency.digits
    return Way(
        code=CARD_WAY,
        name=say("card.title"),
        digits=digits,
        due=fmt.money(due.amount_minor),
        quick=(Amount(plain_decimal(due.amount_minor, digits), fmt.money(due.amount_minor)),),
        is_card=True,
    )


def held_way(kind: str, due: Due, fmt: Formats) -> Way:
    """Central value: as much as is due, or as there is."""
    words = _HELD_WAYS[kind]
    return Way(
        code=kind,
        name=say(words[0]),
        digits=fmt.currency.digits,
        due=fmt.money(due.amount_minor),
        quick=(),
        held=kind,
        number=say(words[1]),
        hint=say(words[2]),
        use=say(words[3]),
    )


def _foreign_way(due: Due, rate: CurrencyRate, fmt: Formats) -> Way:
    asked = foreign_due_minor(due.cash_minor, rate)
    return Way(
        code=rate.currency,
        name=fmt.currency_name(rate.currency),
        digits=rate.money.digits,
        due=fmt.foreign(asked, rate.money),
        quick=_amounts(quick_amounts(asked, rate.money, rate.smallest_minor), rate.money, fmt),
        rate=fmt.exchange_rate(rate.rate_e8),
        rate_e8=rate.rate_e8,
        since=rate.valid_from if rate.valid_from >= _FIRST_SHOWN else "",
    )


def _amounts(amounts_minor: list[int], currency: Currency, fmt: Formats) -> tuple[Amount, ...]:
    return tuple(
        Amount(plain_decimal(amount, currency.digits), fmt.foreign(amount, currency))
        for amount in amounts_minor
    )


def to_give_back(tenders: tuple[Tender, ...], fmt: Formats) -> str:
    """What a customer gets back who buys nothing after all: what he gave, by currency."""
    said = [(tender.kind == CARD, given(tender, fmt).handed) for tender in tenders]
    return ", ".join(say("card.undo", amount=handed) if by_card else handed for by_card, handed in said)
