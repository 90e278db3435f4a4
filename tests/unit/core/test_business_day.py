"""Which date a business day has, and who may open it (PO5, P7)."""

import datetime

import msgspec
import pytest

from holdfast.core.business_day import (
    DayClosed,
    DayOffer,
    DayOpened,
    DayState,
    after,
    close_day,
    date_of,
    day_required,
    is_date,
    offered_date,
    open_day,
)
from holdfast.core.ids import DocumentNumber, StaffId, TransactionId
from holdfast.core.refusals import Refusal
from holdfast.core.sale import TransactionVoided
from holdfast.core.totals import DayTotals
from tests.unit.core.shop import done, refused

BY = StaffId("m1")


def ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000


def offer(clock: str, head_office: str | None = None, offset_min: int = 0) -> DayOffer:
    return DayOffer(ms(clock), ms(head_office) if head_office else None, offset_min)


NOON = offer("2025-03-10T12:00:00", "2025-03-10T11:59:00")


@pytest.mark.parametrize(
    ("at", "offset_min", "date"),
    [
        ("2025-03-10T23:30:00", 0, "2025-03-10"),
        ("2025-03-10T23:30:00", 60, "2025-03-11"),
        ("2025-03-10T02:00:00", -300, "2025-03-09"),
        ("1969-12-31T23:59:59", 0, "1969-12-31"),
    ],
)
def test_the_date_is_the_stores(at: str, offset_min: int, date: str) -> None:
    assert date_of(ms(at), offset_min) == date


def test_a_clock_beyond_all_reason_gives_a_date() -> None:
    assert date_of(2**62, 0) == "9999-12-31"
    assert date_of(-(2**62), 0) == "0001-01-01"


@pytest.mark.parametrize(
    ("last", "clock", "head_office", "offered"),
    [
        (None, "2025-03-10T12:00:00", None, "2025-03-10"),
        (None, "2025-03-10T12:00:00", "2025-03-08T12:00:00", "2025-03-10"),
        (None, "2020-01-01T00:00:00", "2025-03-08T12:00:00", "2025-03-08"),
        ("2025-03-09", "2020-01-01T00:00:00", None, "2025-03-09"),
        ("2025-03-12", "2025-03-10T12:00:00", "2025-03-11T12:00:00", "2025-03-12"),
    ],
)
def test_what_is_offered(last: str | None, clock: str, head_office: str | None, offered: str) -> None:
    state = DayState(business_date=last)
    assert offered_date(state, offer(clock, head_office)) == offered
    assert done(open_day(state, offer(clock, head_office), by=BY, approved_by=BY)).business_date == offered


def test_opening_records_what_it_was_decided_on() -> None:
    opened = done(open_day(DayState(), NOON, "2025-03-11", by=BY))
    assert opened == DayOpened(
        business_date="2025-03-11",
        offered_date="2025-03-10",
        clock_ms=NOON.clock_ms,
        head_office_ms=NOON.head_office_ms,
        by=BY,
    )


@pytest.mark.parametrize("chosen", ["2025-03-12", "2025-03-08", "2035-01-01"])
def test_over_a_day_from_the_offered_date_needs_a_manager(chosen: str) -> None:
    assert refused(open_day(DayState(), NOON, chosen, by=BY)) == "day.needs-manager"
    assert done(open_day(DayState(), NOON, chosen, by=BY, approved_by=BY)).approved_by == "m1"


@pytest.mark.parametrize(
    ("last", "clock", "head_office", "allowed"),
    [
        ("2025-03-09", "2026-03-10T12:00:00", None, False),
        ("2025-03-09", "2026-03-10T12:00:00", "2025-03-10T11:00:00", False),
        ("2025-03-09", "2026-03-10T12:00:00", "2026-03-09T11:00:00", True),
        ("2025-03-09", "2025-03-16T12:00:00", None, True),
        (None, "2026-03-10T12:00:00", None, False),
        (None, "2026-03-10T12:00:00", "2026-03-10T11:00:00", True),
        (None, "2026-03-10T12:00:00", "2099-01-01T00:00:00", False),
        (None, "2099-01-01T00:00:00", "2026-03-10T12:00:00", False),
        ("2026-03-09", "2026-03-10T12:00:00", "2099-01-01T00:00:00", False),
        ("2026-03-09", "2019-01-01T00:00:00", "2026-03-10T12:00:00", True),
        ("2026-03-09", "2019-01-01T00:00:00", None, False),
        ("2026-03-09", "2026-03-10T12:00:00", "2026-02-01T12:00:00", True),
    ],
)
def test_a_clock_far_ahead_of_all_else_needs_a_manager(
    last: str | None, clock: str, head_office: str | None, allowed: bool
) -> None:
    answer = open_day(DayState(business_date=last), offer(clock, head_office), by=BY)
    assert allowed == isinstance(answer, DayOpened)


def test_a_business_date_never_goes_back() -> None:
    state = DayState(business_date="2025-03-10")
    answer = open_day(state, NOON, "2025-03-09", by=BY, approved_by=BY)
    assert refused(answer) == "day.goes-back"
    assert done(open_day(state, NOON, by=BY)).business_date == "2025-03-10"


def test_a_manager_is_told_what_each_witness_says() -> None:
    answer = open_day(
        DayState(business_date="2026-03-09"), offer("2026-03-10T12:00:00", "2099-01-01T00:00:00"), by=BY
    )
    assert isinstance(answer, Refusal)
    for said in ("2099-01-01", "clock says 2026-03-10", "last business day was 2026-03-09", "manager"):
        assert said in answer.sentence


class TestADateInTheFuture:
    """A wrong date that was opened by mistake has one way back: two witnesses and a manager."""

    wrong = DayState(business_date="2099-01-01")
    now = offer("2026-03-10T12:00:00", "2026-03-10T11:00:00")

    def test_a_manager_goes_back_to_what_clock_and_head_office_say(self) -> None:
        assert offered_date(self.wrong, self.now) == "2026-03-10"
        assert refused(open_day(self.wrong, self.now, by=BY)) == "day.needs-manager"
        opened = done(open_day(self.wrong, self.now, by=BY, approved_by=BY))
        assert (opened.business_date, opened.instead_of) == ("2026-03-10", "2099-01-01")
        assert after(self.wrong, opened) == DayState(business_date="2026-03-10", open=True)

    def test_nobody_goes_back_further_than_both_say(self) -> None:
        for chosen in ("2026-03-08", "2026-03-12", "2098-12-31"):
            answer = open_day(self.wrong, self.now, chosen, by=BY, approved_by=BY)
            assert refused(answer) == "day.goes-back"

    @pytest.mark.parametrize(
        ("clock", "head_office"),
        [
            ("2026-03-10T12:00:00", None),
            ("2026-03-10T12:00:00", "2099-01-01T00:00:00"),
            ("2099-01-01T00:00:00", "2026-03-10T12:00:00"),
            ("2026-03-10T12:00:00", "2025-03-10T12:00:00"),
        ],
    )
    def test_one_witness_leads_nowhere(self, clock: str, head_office: str | None) -> None:
        answer = open_day(self.wrong, offer(clock, head_office), "2026-03-10", by=BY, approved_by=BY)
        assert refused(answer) == "day.goes-back"

    def test_whoever_stays_needs_a_manager_too(self) -> None:
        assert refused(open_day(self.wrong, self.now, "2099-01-01", by=BY)) == "day.needs-manager"


@pytest.mark.parametrize(
    "text", ["", "10.3.2025", "20250310", "2025-3-10", "2025-02-30", "2025-W11-1", "2025-03-1\x00"]
)
def test_what_is_no_date(text: str) -> None:
    assert not is_date(text)
    assert refused(open_day(DayState(), NOON, text, by=BY)) == "day.no-date"


def test_open_and_close_in_turn() -> None:
    state = DayState()
    assert refused(day_required(state)) == "day.not-open"
    assert refused(close_day(state, DayTotals(), currency="EUR", by=BY)) == "day.not-open"
    state = after(state, done(open_day(state, NOON, by=BY)))
    assert done(day_required(state)) == "2025-03-10"
    assert refused(open_day(state, NOON, by=BY)) == "day.open"
    number = DocumentNumber("R1-ABCDE-000001")
    closed = done(
        close_day(
            state, DayTotals(sales=1), currency="EUR", by=BY, first_document=number, last_document=number
        )
    )
    state = after(state, closed)
    assert state == DayState(business_date="2025-03-10")
    other = TransactionVoided(
        transaction=TransactionId("t"), currency="EUR", lines=(), began_at_ms=0, reason=""
    )
    assert after(state, other) == state


def test_bodies_survive_the_journal() -> None:
    closed = DayClosed(business_date="2025-03-10", totals=DayTotals(sales=2, tax_minor={"V20": 7}), by=BY)
    assert msgspec.json.decode(msgspec.json.encode(closed), type=DayClosed) == closed
    opened = done(open_day(DayState(), NOON, by=BY))
    assert msgspec.json.decode(msgspec.json.encode(opened), type=DayOpened) == opened
