"""Shifts, moved cash, X and Z reports at the till: each that writes is one durable transaction (PO5)."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from holdfast.core import business_day
from holdfast.core.basket import Act
from holdfast.core.business_day import DayState
from holdfast.core.cash import moves, shift
from holdfast.core.cash.count import Count
from holdfast.core.cash.moves import CashMoved, DrawerOpened, Moved
from holdfast.core.cash.shift import NO_SHIFT, ShiftClosed, ShiftOpened, still_open
from holdfast.core.cash.z_report import Counters, DayFigures
from holdfast.core.journal.writer import Stamp
from holdfast.core.money import Currency
from holdfast.core.refusals import Refusal
from holdfast.core.totals import DayTotals
from holdfast.register.checkout.work_mode import WorkModes
from holdfast.register.till import cash, closing, writing
from holdfast.register.till.cash import ShiftRow, ZRow

_BASKET_OPEN = Refusal(
    "shift.basket-open", "A transaction is still open. Conclude or void it, then close the shift."
)


class ShiftSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """The shift that is open, as of now."""

    opened: ShiftOpened
    opened_at_ms: int
    totals: DayTotals
    moved: tuple[Moved, ...]


class OpenShift(NamedTuple):
    """The shift that is open."""

    opened: ShiftOpened
    opened_at_ms: int


class XReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the next Z report would say now; taking it changes nothing."""

    at_ms: int
    z_number: int
    """The next Z report's."""
    figures: DayFigures
    grand_total_minor: int
    shift: ShiftSoFar | None


class CashDesk(WorkModes):
    """The drawer of this register."""

    # ---- reading -----------------------------------------------------------------------------

    def drawer(self) -> dict[str, int]:
        """What the drawer must hold, by currency. A blind count must not show it before."""
        with self._till.reading() as connection:
            return cash.drawer(connection, self.config.currency)

    def shift(self) -> OpenShift | None:
        """The shift that is open."""
        with self._till.reading():
            row = self._shift_row(self._till.day())
            return None if row is None else OpenShift(row.opened, row.opened_at_ms)

    def closed_shift(self, number: int) -> ShiftClosed | None:
        """The end of a shift."""
        with self._till.reading() as connection:
            row = cash.shift_row(connection, number)
            return None if row is None else row.closed

    def x_report(self) -> XReport | Refusal:
        """The day so far; it reads, and changes nothing."""
        with self._till.reading():
            till = self._till
            day = till.day()
            date = business_day.day_required(day)
            if isinstance(date, Refusal):
                return date
            figures = closing.figures(till, date)
            before = till.counters(figures)
            return XReport(
                at_ms=till.stamp(date).at_ms,
                z_number=before.z + 1,
                figures=figures,
                grand_total_minor=before.grand_total_minor + figures.totals.sold_minor,
                shift=self._so_far(day),
            )

    def _so_far(self, day: DayState) -> ShiftSoFar | None:
        row = self._shift_row(day)
        if row is None:
            return None
        connection = self._till.connection
        return ShiftSoFar(
            opened=row.opened,
            opened_at_ms=row.opened_at_ms,
            totals=cash.shift_totals(connection, row),
            moved=cash.shift_moved(connection, row.opened.business_date, row.opened.shift),
        )

    def _shift_row(self, day: DayState) -> ShiftRow | None:
        return cash.shift_row(self._till.connection, day.shift) if day.shift else None

    def z_report(self, number: int) -> ZRow | None:
        """A Z report of this register; it stays when entries are purged."""
        with self._till.reading() as connection:
            return cash.z_report(connection, number)

    def z_reports(self, limit: int = 50, before: int | None = None) -> list[ZRow]:
        """Newest first; `before` a number for the page after it."""
        with self._till.reading() as connection:
            return cash.z_reports(connection, limit, before)

    # ---- shifts ------------------------------------------------------------------------------

    def open_shift(self, float_minor: int, act: Act) -> ShiftOpened | Refusal:
        """Begin a shift with so much home cash in the drawer."""
        return self._unless_full(lambda: self._open_shift(self._till.day(), float_minor, act))

    def _open_shift(self, day: DayState, float_minor: int, act: Act) -> ShiftOpened | Refusal:
        date = business_day.day_required(day)
        if isinstance(date, Refusal):
            return date
        open_now = closing.open_shift(self._till, day)
        if open_now is not None:
            return still_open(open_now)
        opened = self._next_shift(date, float_minor, act)
        if isinstance(opened, ShiftOpened):
            self._begin_shift(opened, self._till.stamp(date))
        return opened

    def _next_shift(self, date: str, float_minor: int, act: Act) -> ShiftOpened | Refusal:
        till, home = self._till, self.config.currency
        left_minor = cash.drawer(till.connection, home)[home]
        return shift.open_shift(act, till.next_shift(), date, home, float_minor, left_minor)

    def _begin_shift(self, opened: ShiftOpened, stamp: Stamp) -> None:
        till = self._till
        till.append(till.place(), "shift_opened", 1, opened, stamp)
        till.count(Counters(shift=opened.shift))

    def close_shift(self, counts: Sequence[Count], act: Act, *, may_any: bool) -> ShiftClosed | Refusal:
        """End the shift with what was counted. `may_any`: this person may close somebody else's."""

        def work() -> ShiftClosed | Refusal:
            till = self._till
            basket = writing.read_basket(till.cursor)
            if basket is not None and (basket.lines or basket.voided_lines):
                return _BASKET_OPEN
            row = self._shift_row(till.day())
            if row is None:
                return NO_SHIFT
            closed = shift.close_shift(
                act,
                row.opened,
                counts,
                cash.drawer(till.connection, self.config.currency),
                cash.shift_totals(till.connection, row),
                cash.shift_moved(till.connection, row.opened.business_date, row.opened.shift),
                may_any=may_any,
            )
            if isinstance(closed, ShiftClosed):
                writing.write_basket(till.cursor, None)
                stamp = till.stamp(row.opened.business_date)
                till.append(till.place(), "shift_closed", 1, closed, stamp)
            return closed

        return self._till.transact(work, finishing=True)

    # ---- cash without a sale -----------------------------------------------------------------

    def move_cash(
        self,
        kind: str,
        amount_minor: int,
        currency: Currency,
        act: Act,
        *,
        reason: str = "",
        reference: str = "",
    ) -> CashMoved | Refusal:
        """Put cash into the drawer, or take it out. Also between two shifts."""

        def work() -> CashMoved | Refusal:
            day = self._till.day()
            date = business_day.day_required(day)
            if isinstance(date, Refusal):
                return date
            moved = moves.move(
                act, kind, amount_minor, currency, shift=day.shift, reason=reason, reference=reference
            )
            if isinstance(moved, CashMoved):
                self._till.append(self._till.place(), "cash_moved", 1, moved, self._till.stamp(date))
            return moved

        return self._till.transact(work, finishing=True)

    def open_drawer(self, reason: str, act: Act) -> DrawerOpened | Refusal:
        """The drawer may be opened without a sale; the journal knows."""

        def work() -> DrawerOpened | Refusal:
            day = self._till.day()
            date = business_day.day_required(day)
            if isinstance(date, Refusal):
                return date
            opened = moves.open_drawer(act, reason, shift=day.shift)
            if isinstance(opened, DrawerOpened):
                self._till.append(self._till.place(), "drawer_opened", 1, opened, self._till.stamp(date))
            return opened

        return self._till.transact(work, finishing=True)
