"""The lines of the ticket as HTML, and what of them a page shows already.

An answer brings only the lines that changed: a basket of a hundred lines is answered as fast as an empty one.
The page names what it shows by a digest; one that this process does not remember gets the whole ticket.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from markupsafe import Markup

from holdfast.core.basket import Basket, BasketLine
from holdfast.core.pricing import Priced
from holdfast.core.receipt.model import line_extras
from holdfast.core.sale import SaleLine
from holdfast.register.web.central_view import line_extra
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say

STATES_KEPT_MAX = 32


class Line(msgspec.Struct, frozen=True):
    """A line under its id in the basket."""

    id: int
    html: Markup


class Shown(msgspec.Struct, frozen=True):
    """A ticket with lines. `kind`: what else it looks like; only tickets of one kind are compared."""

    kind: str
    lines: tuple[Line, ...]


class Changes(msgspec.Struct, frozen=True):
    """From what a page shows to what it has to show."""

    gone: tuple[int, ...]
    changed: tuple[Markup, ...]
    added: tuple[Markup, ...]


class Ticket:
    """Draws lines, and remembers what was drawn last; thread-safe."""

    def __init__(self, draw: Callable[[dict[str, Any]], str], fmt: Formats) -> None:
        """`draw`: a row to the HTML of its line."""
        self._draw = draw
        self._fmt = fmt
        self._lock = threading.Lock()
        self._drawn: dict[int, tuple[BasketLine, SaleLine, Line]] = {}
        self._states: OrderedDict[str, Shown] = OrderedDict()

    def lines(self, basket: Basket, priced: Priced) -> tuple[Line, ...]:
        """The lines of the basket, in order."""
        pairs = zip(basket.lines, priced.lines, strict=True)
        with self._lock:
            return tuple(
                self._value_line(basket, line, charged) if line.hold else self._line(line, charged)
                for line, charged in pairs
            )

    def _value_line(self, basket: Basket, line: BasketLine, charged: SaleLine) -> Line:
        """Central value: with the balance before and after in place of a code."""
        said = line_extra(basket, line.hold, charged.amount_minor, self._fmt)
        row = self._row(line, charged) | {"detail": said}
        return Line(line.line, Markup(self._draw(row)))  # escaped by the template

    def _line(self, line: BasketLine, charged: SaleLine) -> Line:
        known = self._drawn.get(line.line)  # of the last basket that had a line of this id
        if known is not None and known[0] == line and known[1] == charged:
            return known[2]
        found = Line(line.line, Markup(self._draw(self._row(line, charged))))  # escaped by the template
        self._drawn[line.line] = (line, charged, found)
        return found

    def _row(self, line: BasketLine, charged: SaleLine) -> dict[str, Any]:
        fmt = self._fmt
        return {
            "id": line.line,
            "quantity": fmt.quantity(abs(line.quantity_milli), line.unit),
            "description": line.description,
            "detail": f"{fmt.unit_price(line.unit_price_e4)}{per_unit(line.unit)} · {line.sku}",
            "extras": line_extras(charged, fmt),
            "amount": fmt.money(charged.amount_minor),
        }

    def remember(self, shown: Shown) -> str:
        """The digest by which a page names this ticket later."""
        digest = blake2b(shown.kind.encode(), digest_size=12)
        for line in shown.lines:
            digest.update(f"\n{line.id} {line.html}".encode())
        name = digest.hexdigest()
        with self._lock:
            self._states[name] = shown
            self._states.move_to_end(name)
            while len(self._states) > STATES_KEPT_MAX:
                self._states.popitem(last=False)
        return name

    def changes(self, name: str, now: Shown) -> Changes | None:
        """What a page needs that shows the ticket of that name; None: all of it."""
        with self._lock:
            before = self._states.get(name)
        if before is None or before.kind != now.kind or not before.lines or not now.lines:
            return None
        old = {line.id: line.html for line in before.lines}
        new = {line.id: line.html for line in now.lines}
        stays = [line.id for line in before.lines if line.id in new]
        if [line.id for line in now.lines[: len(stays)]] != stays:
            return None  # another order
        return Changes(
            gone=tuple(each for each in old if each not in new),
            changed=tuple(_in_place(new[each]) for each in stays if old[each] != new[each]),
            added=tuple(line.html for line in now.lines[len(stays) :]),
        )


def _in_place(html: Markup) -> Markup:
    """The line, to take the place of the one with its id."""
    return Markup(
        str(html).replace("<li ", '<li hx-swap-oob="true" ', 1)
    )  # Markup's own escapes what it is given


def per_unit(unit: str) -> str:
    """What stands behind a unit price."""
    return say("word.per-kg") if unit == "kg" else ""
