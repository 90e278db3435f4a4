"""What a person does in the Cash area, from the text of a form to the checkout."""

from collections.abc import Mapping
from typing import Any

from holdfast.core.basket import Act
from holdfast.core.cash.count import Count, count_in_total, count_pieces, denominations
from holdfast.core.cash.moves import CashMoved, DrawerOpened
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.money import CURRENCIES, Currency, parse_minor, plain_decimal
from holdfast.core.refusals import Refusal
from holdfast.register.web.messages import say
from holdfast.register.web.services import Services

PIECES_DIGITS_MAX = 6
SHIFTS = "shifts"
"""Head office's parameter: whether days have shifts. They have, unless it says no."""


def uses_shifts(services: Services) -> bool:
    """Whether opening the day opens its first shift."""
    return bool(services.shelf.parameter(SHIFTS, True))


def left_minor(services: Services) -> int:
    """Home cash that must be in the drawer now, as an opening proposes it. Not to be shown before a count."""
    return max(0, services.desk.checkout.drawer()[services.fmt.currency.code])


def proposed_float(services: Services) -> dict[str, Any]:
    """What an opening proposes, as text: `left`, empty where there is nothing to tell, and `typed`."""
    left, fmt = left_minor(services), services.fmt
    return {"left": fmt.money(left) if left else "", "typed": plain_decimal(left, fmt.currency.digits)}


def amount_in(text: str, currency: Currency) -> int | Refusal:
    """As people type figures: a comma is a point too, and blanks count for nothing."""
    return parse_minor("".join(text.split()).replace(",", "."), currency)


def float_in(text: str, services: Services) -> int | Refusal:
    """The float as it was entered."""
    if not text.strip():
        return Refusal("shift.float", say("shift.float.missing"))
    return amount_in(text, services.fmt.currency)


class CashActs:
    """Acts of one person; each tells sync that something new is owed."""

    def __init__(self, services: Services, act: Act) -> None:
        self._services = services
        self._desk = services.desk
        self._checkout = services.desk.checkout
        self._act = act

    def open_shift(self, text: str) -> ShiftOpened | Refusal:
        float_minor = float_in(text, self._services)
        if isinstance(float_minor, Refusal):
            return float_minor
        return self._desk.committed(self._checkout.open_shift(float_minor, self._act))

    def close_shift(self, form: Mapping[str, str], *, may_any: bool) -> ShiftClosed | Refusal:
        counts = counts_in(form, self._services)
        if isinstance(counts, Refusal):
            return counts
        return self._desk.committed(self._checkout.close_shift(counts, self._act, may_any=may_any))

    def move(self, kind: str, form: Mapping[str, str]) -> CashMoved | Refusal:
        currency = CURRENCIES.get(form.get("currency", ""), self._services.fmt.currency)
        amount_minor = amount_in(form.get("amount", ""), currency)
        if isinstance(amount_minor, Refusal):
            return amount_minor
        reason, reference = form.get("reason", ""), form.get("reference", "")
        return self._desk.committed(
            self._checkout.move_cash(
                kind, amount_minor, currency, self._act, reason=reason, reference=reference
            )
        )

    def open_drawer(self, reason: str) -> DrawerOpened | Refusal:
        return self._desk.committed(self._checkout.open_drawer(reason, self._act))


# ---- counting ----------------------------------------------------------------------------------


def counted_currencies(services: Services) -> list[Currency]:
    """Home cash, then the foreign ones that are taken today or may be in the drawer."""
    home = services.fmt.currency
    taken = {rate.currency for rate in services.desk.currencies()}
    held = {code for code, minor in services.desk.checkout.drawer().items() if minor and code != home.code}
    return [home, *(CURRENCIES[code] for code in sorted(taken | held) if code in CURRENCIES)]


def counts_in(form: Mapping[str, str], services: Services) -> list[Count] | Refusal:
    """What was counted of each currency."""
    counts: list[Count] = []
    home, *foreign = counted_currencies(services)
    entered = [currency for currency in foreign if form.get(total_field(currency), "").strip()]
    for currency in (home, *entered):
        counted = _count_in(form, currency, services)
        if isinstance(counted, Refusal):
            return counted
        counts.append(counted)
    return counts


def _count_in(form: Mapping[str, str], currency: Currency, services: Services) -> Count | Refusal:
    pieces = _pieces_in(form, currency)
    if isinstance(pieces, Refusal):
        return pieces
    total = form.get(total_field(currency), "").strip()
    if total and not any(pieces.values()):
        pieces = {}
    if not total and not pieces:
        return Refusal("cash.count", say("count.missing"))
    if not total:
        return count_pieces(currency, pieces)
    amount_minor = amount_in(total, currency)
    if isinstance(amount_minor, Refusal):
        return amount_minor
    by_pieces = count_pieces(currency, pieces)
    if not pieces or isinstance(by_pieces, Refusal):
        return by_pieces if isinstance(by_pieces, Refusal) else count_in_total(currency, amount_minor)
    if by_pieces.counted_minor != amount_minor:
        fmt = services.fmt
        said = [fmt.foreign(minor, currency) for minor in (by_pieces.counted_minor, amount_minor)]
        return Refusal("cash.count", say("count.both", pieces=said[0], total=said[1]))
    return by_pieces


def _pieces_in(form: Mapping[str, str], currency: Currency) -> dict[int, int] | Refusal:
    pieces: dict[int, int] = {}
    for minor in denominations(currency):
        text = "".join(form.get(piece_field(currency, minor), "").split())
        if not text:
            continue
        if not (text.isascii() and text.isdecimal()) or len(text) > PIECES_DIGITS_MAX:
            return Refusal("cash.count", say("count.form"))
        pieces[minor] = int(text)
    return pieces


def piece_field(currency: Currency, minor: int) -> str:
    """The name of the field for one coin or note."""
    return f"pieces-{currency.code}-{minor}"


def total_field(currency: Currency) -> str:
    """The name of the field for a currency's total."""
    return f"total-{currency.code}"
