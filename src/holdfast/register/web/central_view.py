"""What screens say of central value in the open transaction, and of it in one that concluded."""

from typing import Any

import msgspec

from holdfast.core.basket import Basket, held
from holdfast.core.central.accounts import GIVES, NUMBERED, WORDS, Kind
from holdfast.core.central.at_till import Stage, TillHold
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.sentences import balance_later
from holdfast.core.money import plain_decimal
from holdfast.core.sale import Sale
from holdfast.core.tender import Due
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.tendering import Amount

_STATES = {"prepared": "gift.state.prepared", "active": "gift.state.active", "blocked": "gift.state.blocked"}
_USUAL_UNITS = (10, 25, 50, 100)
_STAGES = {Stage.ASKED: "held.asked", Stage.IN_DOUBT: "held.in-doubt"}


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hold as the till shows it."""

    key: str
    kind: str
    name: str
    state: str
    """What is known of it: its balance, since when it is locked, or that head office did not answer."""
    in_doubt: bool
    used: bool
    """A line or a tender uses it."""
    pays: str = ""
    """On the payment page: the amount that it would pay; empty: it pays nothing more."""
    leaves: str = ""
    """What stays on it then, or what stays due."""


def held_rows(basket: Basket, fmt: Formats, now_ms: int, due: Due | None = None) -> list[HeldRow]:
    """All but those whose line says everything. `due`: on the payment page. A customer's can be
    taken off, and is paid with by its own button."""
    used = held.used(basket)
    by_lines = {line.hold for line in basket.lines}
    return [
        _row(hold, hold.key in used, fmt, now_ms, due)
        for hold in basket.holds
        if not (hold.key in by_lines and hold.stage is Stage.HELD)
    ]


def _row(hold: TillHold, used: bool, fmt: Formats, now_ms: int, due: Due | None) -> HeldRow:
    row = HeldRow(
        key=hold.key,
        kind=hold.kind.value,
        name=hold.words[0].upper() + hold.words[1:],
        state=_state(hold, fmt, now_ms),
        in_doubt=hold.stage is Stage.IN_DOUBT,
        used=used,
    )
    if due is None or used or hold.stage is not Stage.HELD or hold.kind not in NUMBERED:
        return row
    if due.amount_minor < 0:
        return msgspec.structs.replace(row, pays=say("held.refund", amount=fmt.money(-due.amount_minor)))
    pays = held.payable_minor(hold, due.amount_minor)
    short = due.amount_minor - pays
    leaves = say("held.short", amount=fmt.money(short)) if short else ""
    if hold.grant:
        return msgspec.structs.replace(row, pays=say("held.take", amount=fmt.money(pays)), leaves=leaves)
    return msgspec.structs.replace(
        row,
        pays=say("held.take", amount=fmt.money(pays)) if pays else "",
        leaves=leaves or say("held.leaves", amount=fmt.money(hold.balance - pays)),
    )


def _state(hold: TillHold, fmt: Formats, now_ms: int) -> str:
    if hold.stage is not Stage.HELD:
        return say(_STAGES[hold.stage])
    if hold.grant:
        return say("held.allowance", amount=fmt.money(hold.available))
    if hold.kind not in NUMBERED:
        return say("held.locked", since=fmt.moment(hold.since_ms, now_ms)) if hold.since_ms else ""
    balance = say("held.has", before=fmt.money(hold.balance))
    if not hold.since_ms:
        return balance
    locked = say("held.locked", since=fmt.moment(hold.since_ms, now_ms))
    return f"{balance} · {locked}"


def line_extra(basket: Basket, key: str, amount_minor: int, fmt: Formats) -> str:
    """Of a line that sells value or pays it out: the balance before and after."""
    hold = next((hold for hold in basket.holds if hold.key == key), None)
    if hold is None or hold.kind not in NUMBERED:
        return ""
    after = hold.balance + (abs(amount_minor) if hold.act in GIVES else -abs(amount_minor))
    return say("held.before-after", before=fmt.money(hold.balance), after=fmt.money(after))


def balances(sale: Sale, fmt: Formats, *, is_applied: bool) -> list[str]:
    """After concluding: the new balances once head office has them; that they follow where it was offline."""
    said = [_balance(movement, fmt, is_applied=is_applied) for movement in sale.values]
    return [one for one in said if one]


def _balance(movement: ValueMovement, fmt: Formats, *, is_applied: bool) -> str:
    if movement.kind is Kind.ON_ACCOUNT:
        return _owed(movement, fmt, is_applied=is_applied)
    if movement.kind not in NUMBERED:
        return ""
    what = f"{WORDS[movement.kind]} …{movement.number_end}"
    what = what[0].upper() + what[1:]
    if is_applied and movement.grant:
        return say("balance.booked", what=what)  # nobody told a balance before
    if is_applied:
        return say("balance.new", what=what, amount=fmt.money(movement.after))
    return balance_later(WORDS[movement.kind]) if movement.later else say("balance.sent", what=what)


def _owed(movement: ValueMovement, fmt: Formats, *, is_applied: bool) -> str:
    what = WORDS[movement.kind].capitalize()
    if is_applied and movement.grant:
        return say("balance.booked", what=what)
    if not is_applied:
        return balance_later(WORDS[movement.kind]) if movement.later else say("balance.sent", what=what)
    if movement.after > 0:
        return say("balance.in-credit", what=what, amount=fmt.money(movement.after))
    if not movement.after:
        return say("balance.nothing-owed", what=what)
    return say("balance.owed", what=what, amount=fmt.money(-movement.after))


def usual_amounts(fmt: Formats) -> tuple[Amount, ...]:
    """What a gift card is usually sold for."""
    scale = 10**fmt.currency.digits
    return tuple(
        Amount(plain_decimal(units * scale, fmt.currency.digits), fmt.money(units * scale))
        for units in _USUAL_UNITS
    )


def card_view(told: Any, fmt: Formats) -> dict[str, Any]:
    """What a look-up found (GC1)."""
    return {
        "name": say("gift.named", end=told.number_end),
        "state": told.state,
        "state_said": say(_STATES.get(told.state, "gift.state.blocked")),
        "balance": fmt.money(told.balance),
        "available": fmt.money(told.available),
        "has_more": told.available > 0,
        "is_held": told.available != told.balance,
    }
