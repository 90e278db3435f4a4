"""Shifts: float, blind declaration, over and short; a day that has them sells in none but them (PO5)."""

import msgspec
import pytest

from holdfast.core.basket.limits import Act
from holdfast.core.business_day import DayClosed, DayOpened, DayState, after, trading_date
from holdfast.core.cash.count import Count, count_pieces
from holdfast.core.cash.moves import Moved
from holdfast.core.cash.shift import (
    Declared,
    ShiftClosed,
    ShiftOpened,
    abandon,
    close_shift,
    open_shift,
    still_open,
)
from holdfast.core.cash.sums import effects
from holdfast.core.ids import StaffId
from holdfast.core.money import CURRENCIES
from holdfast.core.totals import DayTotals
from tests.unit.core.shop import act, done, refused

DATE = "2026-11-22"
OPENED = ShiftOpened(shift=4, business_date=DATE, currency="EUR", float_minor=20_000, by=StaffId("c1"))
TOTALS = DayTotals(sales=2, total_minor=5_000, drawer_minor=5_000)


def close(
    *counts: Count, expected: dict[str, int] | None = None, by: Act | None = None, may_any: bool = False
) -> object:
    held = {"EUR": 25_000} if expected is None else expected
    return close_shift(by or act(), OPENED, counts, held, TOTALS, (), may_any=may_any)


def test_the_float_and_what_was_left_are_both_on_record() -> None:
    opened = done(open_shift(act(), 5, DATE, "EUR", 20_000, 18_500))
    assert (opened.shift, opened.put_in_minor, opened.by) == (5, 1_500, "c1")
    assert effects(opened) == (Moved(kind="opening", currency="EUR", times=1, amount_minor=1_500),)
    assert refused(open_shift(act(), 5, DATE, "EUR", -1, 0)) == "shift.float"


def test_one_shift_a_drawer_and_the_refusal_says_whose_and_the_way_on() -> None:
    answer = still_open(OPENED)
    assert refused(answer) == "shift.open"
    assert "Shift 4 of c1" in str(answer)
    assert "Cash, Close the shift" in str(answer)


@pytest.mark.parametrize(("counted", "over_short"), [(25_000, 0), (24_990, -10), (25_500, 500), (0, -25_000)])
def test_what_is_over_or_short_makes_the_drawer_what_was_counted(counted: int, over_short: int) -> None:
    closed = close(Count(currency="EUR", counted_minor=counted))
    assert isinstance(closed, ShiftClosed)
    (declared,) = closed.declared
    assert (declared.expected_minor, declared.counted_minor) == (25_000, counted)
    assert declared.over_short_minor == over_short
    assert sum(moved.amount_minor for moved in effects(closed)) == over_short


def test_pieces_stay_on_record() -> None:
    counted = done(count_pieces(CURRENCIES["EUR"], {20_000: 1, 5_000: 1}))
    closed = close(counted)
    assert isinstance(closed, ShiftClosed)
    assert closed.declared[0].pieces == counted.pieces
    again = msgspec.json.decode(msgspec.json.encode(closed), type=ShiftClosed)
    assert again == closed


def test_foreign_notes_in_the_drawer_are_counted_too() -> None:
    euro = Count(currency="EUR", counted_minor=25_000)
    expected = {"EUR": 25_000, "USD": 500, "GBP": 0}
    assert refused(close(euro, expected=expected)) == "shift.not-counted"
    assert refused(close(Count(currency="USD", counted_minor=1), expected={"EUR": 0})) == "shift.not-counted"
    closed = close(euro, Count(currency="USD", counted_minor=400), expected=expected)
    assert isinstance(closed, ShiftClosed)
    assert [(each.currency, each.over_short_minor) for each in closed.declared] == [("EUR", 0), ("USD", -100)]


def test_somebody_elses_shift_is_closed_with_a_managers_word() -> None:
    euro = Count(currency="EUR", counted_minor=25_000)
    other = msgspec.structs.replace(act(), by=StaffId("c2"))
    assert refused(close(euro, by=other)) == "shift.needs-manager"
    assert isinstance(close(euro, by=other, may_any=True), ShiftClosed)
    approved = msgspec.structs.replace(other, approved_by=StaffId("m1"))
    closed = close(euro, by=approved)
    assert isinstance(closed, ShiftClosed)
    assert (closed.opened_by, closed.by, closed.approved_by) == ("c1", "c2", "m1")


def test_without_a_shift_there_is_nothing_to_close() -> None:
    assert refused(close_shift(act(), None, (), {}, TOTALS, (), may_any=True)) == "shift.none"


def test_a_shift_that_nobody_counts_leaves_the_drawer_as_it_is() -> None:
    closed = abandon(OPENED, {"EUR": 25_000, "USD": 500}, TOTALS, (), by=StaffId(""), cause="restored")
    assert closed.declared == (
        Declared(currency="EUR", expected_minor=25_000),
        Declared(currency="USD", expected_minor=500),
    )
    assert effects(closed) == ()
    assert closed.cause == "restored"


def test_a_day_that_has_had_a_shift_sells_in_none_but_one() -> None:
    state = after(DayState(), DayOpened(business_date=DATE, offered_date=DATE, clock_ms=0))
    assert trading_date(state) == DATE, "a chain without shifts sells as ever"
    state = after(state, OPENED)
    assert (trading_date(state), state.shift) == (DATE, 4)
    closed = close(Count(currency="EUR", counted_minor=0))
    assert isinstance(closed, ShiftClosed)
    state = after(state, closed)
    assert refused(trading_date(state)) == "shift.none"
    state = after(state, DayClosed(business_date=DATE, totals=DayTotals()))
    assert refused(trading_date(state)) == "day.not-open"
    assert trading_date(after(state, DayOpened(business_date=DATE, offered_date=DATE, clock_ms=0))) == DATE
