"""Shifts, moved cash and Z reports as a fold over one register's journal: what its own tables must equal.

And what such an entry says of the entries before it, held against those.
"""

from collections.abc import Mapping

import msgspec

from holdfast.core.cash import sums
from holdfast.core.cash.moves import Moved
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.z_report import Counters, ZReport, is_later
from holdfast.core.totals import DayTotals

Key = tuple[str, int, str, str]
"""Business date, shift, kind, currency."""


class CashState:
    """Grows by `apply`, entry by entry in order."""

    def __init__(self) -> None:
        self.sums: dict[Key, tuple[int, int]] = {}
        """Times and amount."""
        self.shifts: dict[int, tuple[ShiftOpened, ShiftClosed | None]] = {}
        self.z_reports: dict[int, ZReport] = {}
        self.unordered: list[str] = []
        """Z reports that do not go on from those before them."""
        self.untrue: list[str] = []
        """What entries say of those before them, and is not so. Where some were purged it means nothing."""
        self._reported: dict[str, tuple[DayTotals, dict[tuple[str, str], Moved]]] = {}
        self._counters = Counters()

    def apply(self, date: str, body: msgspec.Struct, days: Mapping[str, DayTotals]) -> None:
        """`days`: what each business date had come to before it."""
        if isinstance(body, ShiftOpened):
            self._require(
                body.left_minor == self._held(body.currency, days), f"Shift {body.shift}: what was left"
            )
            self.shifts[body.shift] = (body, None)
        elif isinstance(body, ShiftClosed):
            self._end(body, days)
        elif isinstance(body, ZReport):
            self._report(date, body, days.get(date, DayTotals()))
        for moved in sums.effects(body):
            key = (date, sums.shift_of(body), moved.kind, moved.currency)
            times, amount_minor = self.sums.get(key, (0, 0))
            self.sums[key] = (times + moved.times, amount_minor + moved.amount_minor)

    def _end(self, body: ShiftClosed, days: Mapping[str, DayTotals]) -> None:
        opened = self.shifts.get(body.shift, (None, None))[0]
        if opened is not None:
            self.shifts[body.shift] = (opened, body)
        held = self._content(body.currency, days)
        for each in body.declared:
            what = f"Shift {body.shift}: what was expected in {each.currency}"
            self._require(each.expected_minor == held.get(each.currency, 0), what)
            counted = each.expected_minor if each.counted_minor is None else each.counted_minor
            self._require(each.over_short_minor == counted - each.expected_minor, f"{what}, over or short")

    def _report(self, date: str, body: ZReport, day: DayTotals) -> None:
        if not is_later(body, self._counters):
            self.unordered.append(f"Z report {body.number} does not go on from Z report {self._counters.z}.")
        self._counters = self._counters.highest(body.counters)
        self.z_reports[body.number] = body
        totals, moved = self._reported.get(date, (DayTotals(), {}))
        left = (day - totals) - body.totals
        self._require(left == DayTotals(), f"Z report {body.number}: its totals")
        now = sums.listed(sums.add(self._of_date(date), moved.values(), -1))
        self._require(body.moved == now, f"Z report {body.number}: what was moved")
        self._reported[date] = (totals + body.totals, sums.add(moved, body.moved))

    def _of_date(self, date: str) -> dict[tuple[str, str], Moved]:
        return sums.add({}, self._all(date))

    def _all(self, date: str | None = None) -> list[Moved]:
        return [
            Moved(kind=kind, currency=currency, times=times, amount_minor=amount_minor)
            for (of, _, kind, currency), (times, amount_minor) in self.sums.items()
            if date is None or of == date
        ]

    def _content(self, home: str, days: Mapping[str, DayTotals]) -> dict[str, int]:
        return sums.content(home, sum(days.values(), DayTotals()), self._all())

    def _held(self, home: str, days: Mapping[str, DayTotals]) -> int:
        return self._content(home, days)[home]

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            self.untrue.append(f"{what} is not what the entries before it say.")
