"""State as a fold over one origin's journal: what `holdfast verify` holds projections against."""

from collections import Counter

import msgspec

from holdfast.core import business_day, drill, totals, work_mode
from holdfast.core.business_day import DayClosed, DayOpened, DayState
from holdfast.core.cash.fold import CashState
from holdfast.core.drill import Drill
from holdfast.core.ids import DocumentNumber, Sku
from holdfast.core.journal.bodies import REGISTRY, EpochOpened
from holdfast.core.journal.entry import Entry, Unprojectable
from holdfast.core.sale import Sale
from holdfast.core.work_mode import WorkMode


class RegisterState:
    """What a register's own projections must equal. Grows by `apply`, entry by entry in order."""

    def __init__(self) -> None:
        self.stock_milli: Counter[Sku] = Counter()
        self.drawer_minor = 0
        self.documents = 0
        """Documents numbered in the current segment; the next number is one more."""
        self.business_date = ""
        self.day_open = False
        self.day = DayState()
        self.cash = CashState()
        self.work_mode = WorkMode()
        self.drill: Drill | None = None
        self.day_totals: dict[str, totals.DayTotals] = {}
        self.numbers: set[DocumentNumber] = set()
        self.unprojectable: list[tuple[int, Unprojectable]] = []

    def apply(self, entry: Entry) -> None:
        body = REGISTRY.decode(entry)
        if isinstance(body, Unprojectable):
            self.unprojectable.append((entry.seq, body))
            return
        self.apply_body(entry, body)

    def apply_body(self, entry: Entry, body: msgspec.Struct) -> None:
        if isinstance(body, EpochOpened):
            self.documents = 0
        elif isinstance(body, DayOpened):
            self.business_date = body.business_date
            self.day_open = True
        elif isinstance(body, DayClosed):
            self.day_open = False
        if not isinstance(body, Sale):
            self.day = business_day.after(self.day, body)
            self.cash.apply(entry.date, body, self.day_totals)
        self.work_mode = work_mode.after(self.work_mode, body, entry.at_ms)
        self.drill = drill.after(self.drill, body, entry.epoch, entry.seq, entry.at_ms)
        number = getattr(body, "document", None)
        if number is not None:
            assert number not in self.numbers, f"document {number} is numbered twice"
            self.numbers.add(number)
            self.documents += 1
        for sku, delta in totals.stock_deltas(body).items():
            self.stock_milli[sku] += delta
        delta = totals.day_deltas(body)
        before = self.day_totals.get(entry.date, totals.DayTotals())
        self.day_totals[entry.date] = before + delta
        self.drawer_minor += delta.drawer_minor
