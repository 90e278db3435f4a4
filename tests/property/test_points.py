"""Points accrue once: one customer at five registers that were offline, any order of arrival, anything sent
twice (LY4, P2, P8)."""

from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.central.accounts import AccountId, Kind
from holdfast.core.ids import CustomerNumber, OriginId
from holdfast.core.loyalty.ledger import Booked, expired_by, expiries, months_later
from holdfast.core.loyalty.parameters import IN_USE, PER_UNIT
from holdfast.core.loyalty.points import earned, with_points
from holdfast.core.loyalty.redeem import redeemable
from tests.hq_fixtures import memory_head_office
from tests.journal_samples import SampleJournal, sale, signing_key

ADA = CustomerNumber("C1")
REGISTERS = 5
sales = st.lists(
    st.tuples(st.integers(1, REGISTERS), st.integers(100, 30_000), st.booleans()), min_size=1, max_size=15
)
deliveries = st.lists(st.integers(1, REGISTERS), max_size=12)


@settings(max_examples=40, deadline=None)
@given(sales, deliveries, st.integers(0, 3))
def test_points_of_five_registers_accrue_once(
    sold: list[tuple[int, int, bool]], order: list[int], per_unit: int
) -> None:
    with memory_head_office() as hq:
        journals: dict[int, SampleJournal] = {}
        for n in range(1, REGISTERS + 1):
            journals[n] = SampleJournal(key=signing_key(n), origin=OriginId(f"reg{n:02}")).open(n)
            hq.enrol(journals[n], series=f"R{n:02}")
        expected = 0
        begun_with: dict[str, bool | int | str | list[str]] = {IN_USE: True, PER_UNIT: per_unit}
        for place, (n, total_minor, told) in enumerate(sold, 1):
            body = sale(f"R{n:02}-00001-{place:06}", total_minor=total_minor)
            body = with_points(msgspec.structs.replace(body, customer=ADA), begun_with, told=told)
            journals[n].append("sale", 1, body)
            expected += total_minor // 100 * per_unit
        for n in [*order, *journals, *order]:  # some several times, before and after the others
            journal = journals[n]
            hq.ingest.receive_batch(journal.origin, journal.batch(1, 10_000))
        with hq.store.transaction(None) as transaction:
            found = transaction.central.lock((Kind.POINTS, AccountId(ADA)))
        balance = 0 if found is None else found.account.balance
        assert balance == expected
        assert (0 if found is None else found.account.movements) == (len(sold) if per_unit else 0)


@given(st.integers(-(10**8), 10**8), st.integers(0, 1_000))
def test_a_return_takes_back_what_the_same_sale_earned(total_minor: int, per_unit: int) -> None:
    forth = msgspec.structs.replace(sale("R01-00001-000001", total_minor=total_minor), customer=ADA)
    back = msgspec.structs.replace(sale("R01-00001-000002", total_minor=-total_minor), customer=ADA)
    back_lines = tuple(msgspec.structs.replace(line, amount_minor=-line.amount_minor) for line in forth.lines)
    back = msgspec.structs.replace(back, lines=back_lines)
    assert earned(forth, per_unit) + earned(back, per_unit) == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10_000), st.sampled_from([1, 100, 1_000]))
def test_points_pay_no_more_than_is_due_or_there(points: int, due: int, rate: int, unit_minor: int) -> None:
    used, amount_minor = redeemable(points, due, rate, unit_minor)
    assert 0 <= amount_minor <= due
    assert 0 <= used <= points
    assert used * unit_minor >= amount_minor * rate, "no point pays more than it is worth"


days = st.dates(date(2015, 1, 1), date(2035, 12, 31)).map(lambda day: day.isoformat())
movements = st.lists(st.tuples(days, st.integers(1, 1_000), st.integers(0, 1_000)), max_size=20)


@given(movements, st.integers(1, 60), days, st.randoms(use_true_random=False))
def test_what_expires_is_what_nobody_took_in_any_order(
    moved: list[tuple[str, int, int]], months: int, today: str, chance: object
) -> None:
    booked: list[Booked] = []
    balance = 0
    for day, added, taken in moved:
        booked.append(Booked(day, added))
        balance += added
        taken = min(taken, balance)
        if taken:
            booked.append(Booked(day, -taken))
            balance -= taken
    left = expiries(booked, months)
    assert sum(points for _, points in left) == balance, "each point expires once, unless it was taken"
    assert [day for day, _ in left] == sorted(day for day, _ in left)
    gone = expired_by(booked, months, today)
    assert 0 <= gone <= balance
    chance.shuffle(booked)  # type: ignore[attr-defined]
    assert expired_by(booked, months, today) == gone, "late ones make no difference"
    if gone:
        assert expired_by([*booked, Booked(today, -gone)], months, today) == 0, "booked, it is over"


@given(days, st.integers(-600, 600))
def test_months_keep_the_day_or_the_months_last(day: str, months: int) -> None:
    later = months_later(day, months)
    assert later[8:] <= day[8:]
    assert months_later(later, -months)[:7] == day[:7]
