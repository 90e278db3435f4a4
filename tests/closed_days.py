"""A register's closed day as sample entries: a shift, cash that moved, its count, and the Z report."""

import msgspec

from holdfast.core.cash.moves import CashMoved, DrawerOpened
from holdfast.core.cash.shift import Declared, ShiftClosed, ShiftOpened
from holdfast.core.cash.sums import add, content, effects, listed
from holdfast.core.cash.z_report import ChainPlace, Counters, DayFigures, ZReport, z_report
from holdfast.core.ids import StaffId
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.core.totals import DayTotals, day_deltas
from tests.journal_samples import STAMP, SampleJournal

BY = StaffId("c1")
CURRENCY = "GBP"


def close_day(journal: SampleJournal, *, short_minor: int = 0, wrong_minor: int = 0) -> ZReport:
    """Append what ends the day of all that `journal` sold so far. `wrong_minor`: what its total is off by."""
    totals, numbers = DayTotals(), []
    for entry in journal.epochs[journal.epoch]:
        body = REGISTRY.decode(decode_entry(entry.data))
        assert isinstance(body, msgspec.Struct)
        totals += day_deltas(body)
        if number := getattr(body, "document", None):
            numbers.append(number)
    opened = ShiftOpened(shift=1, business_date=STAMP.date, currency=CURRENCY, float_minor=10_000, by=BY)
    dropped = CashMoved(kind="drop", currency=CURRENCY, amount_minor=-5_000, shift=1, reason="bag 7", by=BY)
    no_sale = DrawerOpened(reason="change", shift=1, by=BY, approved_by=StaffId("m1"))
    moved = add({}, [*effects(opened), *effects(dropped), *effects(no_sale)])
    expected = content(CURRENCY, totals, moved.values())[CURRENCY]
    declared = Declared(
        currency=CURRENCY,
        expected_minor=expected,
        counted_minor=expected - short_minor,
        over_short_minor=-short_minor,
    )
    closed = ShiftClosed(
        shift=1,
        business_date=STAMP.date,
        currency=CURRENCY,
        totals=totals,
        declared=(declared,),
        moved=listed(moved),
        opened_by=BY,
        by=BY,
    )
    for name, body in (
        ("shift_opened", opened),
        ("cash_moved", dropped),
        ("drawer_opened", no_sale),
        ("shift_closed", closed),
    ):
        journal.append(name, 1, body)
    moved = add(moved, effects(closed))
    figures = DayFigures(
        business_date=STAMP.date,
        currency=CURRENCY,
        totals=msgspec.structs.replace(totals, total_minor=totals.total_minor + wrong_minor),
        moved=listed(moved),
        drawer_minor=content(CURRENCY, totals, moved.values()),
        shifts=(1,),
        first_document=numbers[0] if numbers else None,
        last_document=numbers[-1] if numbers else None,
    )
    at = journal.position
    report = z_report(figures, Counters(), ChainPlace(at.epoch, at.seq, at.hash), None, by=BY)
    journal.append("z_report", 1, report)
    return report
