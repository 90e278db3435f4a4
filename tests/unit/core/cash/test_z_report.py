"""The Z report's own rules, and what is said where it and head office differ (PO5)."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.cash.agreement import FIGURES_SAID_MAX, said, unequal
from holdfast.core.cash.moves import Moved
from holdfast.core.cash.z_report import ChainPlace, Counters, DayFigures, ZReport, is_later, z_report
from holdfast.core.ids import EpochId, StaffId
from holdfast.core.totals import DayTotals, ForeignSum

HEAD = ChainPlace(EpochId("0" * 26), 9, bytes(32))


def figures(totals: DayTotals, *moved: Moved) -> DayFigures:
    return DayFigures(
        business_date="2026-11-22", currency="EUR", totals=totals, moved=moved, drawer_minor={"EUR": 5}
    )


def test_its_number_and_grand_totals_go_on() -> None:
    day = DayTotals(sales=3, returns=1, total_minor=700, returned_minor=300)
    first = z_report(figures(day), Counters(), HEAD, None, by=StaffId("m1"))
    assert (first.number, first.grand_total_minor, first.grand_returned_minor) == (1, 1_000, 300)
    only_back = DayTotals(returns=2, total_minor=-400, returned_minor=400)
    second = z_report(figures(only_back), first.counters, HEAD, HEAD, by=StaffId("m1"))
    assert (second.number, second.grand_total_minor, second.grand_returned_minor) == (2, 1_000, 700)
    assert is_later(second, first.counters)
    assert not is_later(first, second.counters)
    assert not is_later(first, first.counters)


def test_of_two_memories_the_later_counts_figure_by_figure() -> None:
    """A database that was put back knows less than what lies beside it; or that one was lost."""
    here, beside = (
        Counters(z=3, shift=9, grand_total_minor=500),
        Counters(z=7, shift=8, grand_total_minor=900),
    )
    assert here.highest(beside) == Counters(z=7, shift=9, grand_total_minor=900)
    assert here.highest(beside) == beside.highest(here)


def test_over_and_short_of_home_cash_is_summed() -> None:
    moved = (
        Moved(kind="over_short", currency="EUR", times=2, amount_minor=-120),
        Moved(kind="over_short", currency="USD", times=1, amount_minor=500),
        Moved(kind="drop", currency="EUR", times=1, amount_minor=-9_000),
    )
    report = z_report(figures(DayTotals(), *moved), Counters(), HEAD, None, by=StaffId("m1"))
    assert report.over_short_minor == -120
    assert msgspec.json.decode(msgspec.json.encode(report), type=ZReport) == report


def test_agreement_is_to_the_cent_and_says_both_figures() -> None:
    z = DayTotals(
        sales=2,
        voids=1,
        total_minor=1_000,
        tax_minor={"S": 167},
        tenders_minor={"cash": 1_000},
        departments_minor={"": 1_000},
    )
    assert unequal(z, msgspec.structs.replace(z, voids=0), "EUR") == ()
    own = msgspec.structs.replace(z, sales=1, total_minor=999, tax_minor={"S": 167, "Z": 0})
    assert said(unequal(z, own, "EUR")) == (
        "sales: Z says 2, head office has 1; total: Z says 10.00, head office has 9.99"
    )
    other = msgspec.structs.replace(z, departments_minor={"food": 1_000})
    assert "department (none): Z says 10.00, head office has 0.00" in said(unequal(z, other, "EUR"))
    dollars = msgspec.structs.replace(
        z, foreign_cash={"USD": ForeignSum(foreign_minor=200, amount_minor=183)}
    )
    assert "foreign cash USD: Z says 0.00, head office has 2.00" in said(unequal(z, dollars, "EUR"))


def test_a_long_list_of_differences_is_cut() -> None:
    z = DayTotals(departments_minor={f"d{n}": 1 for n in range(FIGURES_SAID_MAX + 3)})
    assert said(unequal(z, DayTotals(), "EUR")).endswith("and 3 more")


SUMS = st.dictionaries(st.sampled_from("abc"), st.integers(-99, 99))
DAYS = st.builds(
    DayTotals,
    sales=st.integers(0, 9),
    total_minor=st.integers(-99, 99),
    tenders_minor=SUMS,
    departments_minor=SUMS,
    foreign_cash=st.dictionaries(
        st.sampled_from(["USD", "GBP"]),
        st.builds(ForeignSum, foreign_minor=st.integers(0, 99), amount_minor=st.integers(0, 99)),
    ),
)


@given(one=DAYS, other=DAYS)
def test_what_was_added_can_be_taken_off(one: DayTotals, other: DayTotals) -> None:
    assert unequal((one + other) - other, one, "EUR") == ()
    assert one - one == DayTotals()
