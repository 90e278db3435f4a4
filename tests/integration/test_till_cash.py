"""Shifts, moved cash, X and Z reports over a real till.db: what is kept is the fold of the journal (PO5)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import pytest

from holdfast.core.basket import UNLIMITED, Act, add_return
from holdfast.core.cash.count import Count
from holdfast.core.cash.moves import WAYS, CashMoved, DrawerOpened
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.z_report import ZReport
from holdfast.core.ids import StaffId
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Tender
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.verify import verify_register
from tests.register_fixture import (
    CASHIER,
    DATE,
    MANAGER,
    copy_data,
    make_register,
    open_checkout,
    refusal_of,
    restore_data,
    scan,
    sell_one,
)
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act, done

DAY_MS = 86_400_000
EURO = CURRENCIES["EUR"]
DOLLARS = Tender(
    kind="foreign_cash", amount_minor=915, foreign_currency="USD", foreign_minor=1_000, rate_e8=91_500_000
)


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGAN_MS)


@pytest.fixture
def till(home: RegisterHome, clock: ManualClock) -> Iterator[Checkout]:
    """Its day open, with a first shift and 200.00 in the drawer."""
    checkout = open_checkout(home, clock)
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER, float_minor=20_000))
    yield checkout
    with contextlib.suppress(OSError):  # a test that looks at what it left has closed it
        checkout.close()


def by(staff: StaffId, approved_by: str = "") -> Act:
    return Act(by=staff, at_ms=BEGAN_MS, limits=UNLIMITED, approved_by=StaffId(approved_by))


def count(**minor: int) -> list[Count]:
    return [Count(currency=currency, counted_minor=amount) for currency, amount in minor.items()]


def close(till: Checkout, **minor: int) -> ShiftClosed:
    return done(till.close_shift(count(**minor), by(CASHIER), may_any=False))


def bring_back(till: Checkout) -> None:
    """One mug of the newest sale."""
    found = done(till.returnable(till.documents()[0].document, 1))
    done(till.begin(by=CASHIER, kind="return"))
    done(till.change(lambda basket: add_return(basket, act(), found)))
    done(till.conclude(cash_given_minor=-499))


def bodies(home: RegisterHome) -> list[msgspec.Struct]:
    """Of all entries, in their order."""
    with contextlib.closing(open_database(home.till, DatabaseKey.load(home.database_key))) as connection:
        rows = connection.execute("select data from entry order by id").fetchall()
    return [REGISTRY.decode(decode_entry(data)) for (data,) in rows]  # pyright: ignore[reportArgumentType]


def test_a_drawer_is_float_and_sales_and_moves(till: Checkout) -> None:
    sell_one(till, count=2)
    bring_back(till)
    done(till.begin(by=CASHIER))
    scan(till)
    done(till.take(DOLLARS))
    assert till.drawer() == {"EUR": 20_000 + 998 - 499 - 416, "USD": 1_000}
    for kind in WAYS:
        done(till.move_cash(kind, 1_000, EURO, by(CASHIER), reason="because"))
    done(till.move_cash("bank", 400, CURRENCIES["USD"], by(CASHIER), reference="bag 3"))
    opened = done(till.open_drawer("change for the meter", by(CASHIER)))
    assert opened == DrawerOpened(reason="change for the meter", shift=1, by=CASHIER)
    assert till.drawer() == {"EUR": 20_083 - 1_000, "USD": 600}


def test_a_shift_ends_with_a_count_and_the_drawer_is_what_was_counted(
    till: Checkout, home: RegisterHome
) -> None:
    sell_one(till)
    closed = close(till, EUR=20_000)
    assert (closed.shift, closed.totals.sales, closed.totals.total_minor) == (1, 1, 499)
    (declared,) = closed.declared
    assert (declared.expected_minor, declared.counted_minor, declared.over_short_minor) == (
        20_499,
        20_000,
        -499,
    )
    assert till.drawer() == {"EUR": 20_000}
    assert refusal_of(till.begin(by=CASHIER)) == "shift.none"
    assert refusal_of(till.close_shift(count(EUR=0), by(CASHIER), may_any=True)) == "shift.none"
    second = done(till.open_shift(15_000, by(MANAGER)))
    assert (second.shift, second.left_minor, second.put_in_minor) == (2, 20_000, -5_000)
    sell_one(till, count=3)
    assert close_of_other(till) == "shift.needs-manager"
    last = done(till.close_shift(count(EUR=16_497), by(CASHIER, "m1"), may_any=False))
    assert (last.totals.sales, last.totals.total_minor, last.declared[0].over_short_minor) == (1, 1_497, 0)
    till.close()
    assert verify_register(home).differences == ()


def close_of_other(till: Checkout) -> str:
    return refusal_of(till.close_shift(count(EUR=0), by(CASHIER), may_any=False))


def test_a_day_does_not_close_over_a_basket_or_a_shift_and_says_which(till: Checkout) -> None:
    done(till.begin(by=CASHIER))
    scan(till)
    assert refusal_of(till.close_shift(count(EUR=0), by(CASHIER), may_any=False)) == "shift.basket-open"
    assert refusal_of(till.close_day(by=CASHIER)) == "day.basket-open"
    done(till.conclude(cash_given_minor=499))
    answer = till.close_day(by=CASHIER)
    assert refusal_of(answer) == "shift.open"
    assert "Shift 1 of c1" in str(answer)
    assert refusal_of(till.open_shift(0, by(CASHIER))) == "shift.open"
    close(till, EUR=20_499)
    done(till.close_day(by=CASHIER))
    assert refusal_of(till.close_day(by=CASHIER)) == "day.not-open"
    assert refusal_of(till.open_shift(0, by(CASHIER))) == "day.not-open"
    assert refusal_of(till.move_cash("drop", 1, EURO, by(CASHIER))) == "day.not-open"
    assert refusal_of(till.open_drawer("why not", by(CASHIER))) == "day.not-open"
    assert refusal_of(till.x_report()) == "day.not-open"


def test_x_reads_and_changes_nothing_and_z_says_the_same(till: Checkout, home: RegisterHome) -> None:
    first = sell_one(till, APPLES)
    sell_one(till)
    bring_back(till)
    done(till.move_cash("drop", 10_000, EURO, by(CASHIER)))
    before = till.head()
    x = done(till.x_report())
    assert done(till.x_report()) == x
    assert till.head() == before
    assert x.shift is not None
    assert x.shift.totals == x.figures.totals
    held = till.drawer()["EUR"]
    close(till, EUR=held + 5)
    done(till.close_day(by=MANAGER))
    row = till.z_report(1)
    assert row is not None
    z = row.report
    assert (z.number, z.business_date, z.by) == (1, DATE, MANAGER)
    assert z.totals == x.figures.totals
    assert (z.totals.sales, z.totals.returns, z.totals.returned_minor) == (2, 1, 499)
    assert z.totals.departments_minor == {"fruit": first.total_minor}, "the mug came back"
    assert (z.grand_total_minor, z.grand_returned_minor) == (first.total_minor + 499, 499)
    assert (z.first_document, z.last_document) == (first.document, till.documents()[0].document)
    assert (z.over_short_minor, z.drawer_minor, z.shifts) == (5, {"EUR": held + 5}, (1,))
    assert [(each.kind, each.amount_minor) for each in z.moved] == [
        ("opening", 20_000),
        ("drop", -10_000),
        ("over_short", 5),
    ]
    till.close()
    written = [type(body).__name__ for body in bodies(home)][-3:]
    assert written == ["ShiftClosed", "ZReport", "DayClosed"]
    assert z.head is not None
    assert z.head.seq == len(bodies(home)) - 2
    assert verify_register(home).differences == ()


def test_a_date_that_is_opened_again_has_a_second_z_of_its_own(till: Checkout, home: RegisterHome) -> None:
    one = sell_one(till)
    close(till, EUR=20_499)
    done(till.close_day(by=CASHIER))
    done(till.open_day(by=CASHIER))
    done(till.close_day(by=CASHIER))
    done(till.open_day(by=CASHIER, float_minor=20_499))
    two = sell_one(till, count=2)
    done(till.move_cash("drop", 99, EURO, by(CASHIER)))
    close(till, EUR=0)
    done(till.close_day(by=CASHIER))
    third, second, first = (row.report for row in till.z_reports())
    assert [z.number for z in (first, second, third)] == [1, 2, 3]
    assert [z.totals.total_minor for z in (first, second, third)] == [499, 0, 998]
    assert (first.first_document, first.last_document) == (one.document, one.document)
    assert (second.first_document, second.last_document, second.shifts) == (None, None, ())
    assert (third.first_document, third.last_document, third.shifts) == (two.document, two.document, (2,))
    assert [each.kind for each in third.moved] == ["opening", "drop", "over_short"]
    assert third.since is not None
    assert third.grand_total_minor == 1_497
    assert till.z_reports(before=3, limit=1)[0].report == second
    till.close()
    assert verify_register(home).differences == ()


def test_a_chain_without_shifts_sells_as_ever_and_has_its_z(home: RegisterHome, clock: ManualClock) -> None:
    checkout = open_checkout(home, clock)
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    sell_one(checkout)
    done(checkout.move_cash("drop", 100, EURO, by(CASHIER)))
    done(checkout.close_day(by=CASHIER))
    (row,) = checkout.z_reports()
    assert (row.report.shifts, row.report.drawer_minor) == ((), {"EUR": 399})
    checkout.close()
    assert verify_register(home).differences == ()


@pytest.mark.parametrize("keeps_counters", [True, False])
def test_numbers_and_grand_totals_go_on_through_a_restore(
    till: Checkout, home: RegisterHome, clock: ManualClock, tmp_path: Path, keeps_counters: bool
) -> None:
    """A database of yesterday: what lies beside it knows how far the register was."""
    sell_one(till)
    close(till, EUR=20_499)
    done(till.close_day(by=CASHIER))
    till.close()
    copy_data(home, tmp_path / "backup")
    checkout = open_checkout(home, clock, seed=2)
    for day in range(2):
        clock.advance(DAY_MS)
        done(checkout.open_day(by=CASHIER, float_minor=0))
        sell_one(checkout, count=day + 2)
        done(checkout.close_shift(count(EUR=0), by(CASHIER), may_any=False))
        done(checkout.close_day(by=CASHIER))
    before = checkout.z_reports()[0].report
    checkout.close()
    restore_data(home, tmp_path / "backup")
    if not keeps_counters:
        home.counters.unlink()
    checkout = open_checkout(home, clock, seed=3)
    clock.advance(DAY_MS)
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER, float_minor=0))
    sell_one(checkout)
    done(checkout.close_shift(count(EUR=0), by(CASHIER), may_any=False))
    done(checkout.close_day(by=CASHIER))
    after = checkout.z_reports()[0].report
    if keeps_counters:
        assert (before.number, after.number, before.shifts, after.shifts) == (3, 4, (3,), (4,))
        assert after.grand_total_minor == before.grand_total_minor + 499
    else:
        assert after.number == 2, "the database alone counts, and the epoch tells the two apart"
    checkout.close()
    assert verify_register(home).differences == ()


def test_a_restored_till_ends_the_shift_of_a_day_that_was_over_uncounted(
    till: Checkout, home: RegisterHome, clock: ManualClock, tmp_path: Path
) -> None:
    sell_one(till)
    till.close()
    copy_data(home, tmp_path / "backup")
    checkout = open_checkout(home, clock, seed=2)
    close(checkout, EUR=20_499)
    done(checkout.close_day(by=CASHIER))
    clock.advance(DAY_MS)
    done(checkout.open_day(by=CASHIER, float_minor=0))
    checkout.close()
    restore_data(home, tmp_path / "backup")
    checkout = open_checkout(home, clock, seed=3)
    assert not checkout.day().open
    ended = checkout.closed_shift(1)
    assert ended is not None
    assert (ended.cause, ended.declared[0].counted_minor) == ("restored", None)
    assert checkout.drawer() == {"EUR": 20_499}
    assert checkout.z_reports()[0].report.number == 2, "the first was lost with the disk"
    checkout.close()
    assert verify_register(home).differences == ()


def test_a_retired_register_ends_its_shift_and_its_day(till: Checkout, home: RegisterHome) -> None:
    sell_one(till)
    assert till.retire(by=CASHIER) is None
    till.close()
    *_, closed, z, _, _ = bodies(home)
    assert isinstance(closed, ShiftClosed)
    assert closed.cause == "retired"
    assert isinstance(z, ZReport)
    assert z.totals.sales == 1


def test_reports_outlive_a_purge(till: Checkout, home: RegisterHome) -> None:
    sell_one(till)
    done(till.move_cash("drop", 100, EURO, by(CASHIER)))
    close(till, EUR=20_399)
    done(till.close_day(by=CASHIER))
    done(till.open_day(by=CASHIER, float_minor=20_399))
    head = till.head()
    assert till.purge({head.epoch: head.seq}) == head.seq
    sell_one(till)
    assert till.drawer() == {"EUR": 20_898}
    assert [row.report.number for row in till.z_reports()] == [1]
    close(till, EUR=20_898)
    done(till.close_day(by=CASHIER))
    assert till.z_reports()[0].report.totals.total_minor == 499
    till.close()
    assert verify_register(home).differences == ()


@pytest.mark.parametrize(
    ("tampering", "code"),
    [
        ("update cash_sum set amount_minor = amount_minor + 1 where kind = 'drop'", "drawer"),
        ("delete from cash_sum where kind = 'opening'", "drawer"),
        ("update z_report set report = json_set(report, '$.grand_total_minor', 1)", "z-report"),
        ("delete from z_report", "z-report"),
        ("update shift set closed = json_set(closed, '$.declared[0].counted_minor', 1)", "shift"),
        ("update day set shift = 1", "shift"),
    ],
)
def test_what_differs_from_the_journal_is_found(
    till: Checkout, home: RegisterHome, tampering: str, code: str
) -> None:
    sell_one(till)
    done(till.move_cash("drop", 100, EURO, by(CASHIER)))
    close(till, EUR=20_000)
    done(till.close_day(by=CASHIER))
    till.close()
    with contextlib.closing(open_database(home.till, DatabaseKey.load(home.database_key))) as connection:
        connection.execute(tampering)
    assert code in {found.code for found in verify_register(home).differences}


def test_a_z_that_misses_what_came_back_is_found(
    till: Checkout, home: RegisterHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted mistake: the report is made without its returns."""
    make = "holdfast.register.till.closing.z_report"
    sell_one(till)
    bring_back(till)
    close(till, EUR=20_000)
    with monkeypatch.context() as patch:
        patch.setattr(make, _without_returns)
        done(till.close_day(by=CASHIER))
    till.close()
    found = verify_register(home).differences
    assert [each.code for each in found] == ["z-report"]
    assert "its totals" in found[0].sentence


def _without_returns(figures: object, *rest: object, **more: object) -> ZReport:
    from holdfast.core.cash.z_report import DayFigures, z_report

    assert isinstance(figures, DayFigures)
    totals = msgspec.structs.replace(figures.totals, returns=0, total_minor=499, returned_minor=0)
    return z_report(msgspec.structs.replace(figures, totals=totals), *rest, **more)  # type: ignore[arg-type]


def test_a_till_of_a_version_before_has_departments_from_its_journal(home: RegisterHome) -> None:
    """The migration tells a day's departments, and what came back, from the entries that are there."""
    checkout = open_checkout(home)
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    sell_one(checkout, APPLES)
    sell_one(checkout, MUG)
    bring_back(checkout)
    totals = checkout.totals(DATE)
    checkout.close()
    with contextlib.closing(open_database(home.till, DatabaseKey.load(home.database_key))) as connection:
        connection.execute(
            "update day_totals set totals = json_remove(totals, '$.departments_minor', '$.returned_minor')"
        )
        _migrate_again(connection)
    with contextlib.closing(open_checkout(home, seed=2)) as again:
        assert again.totals(DATE) == totals
    assert verify_register(home).differences == ()


def _migrate_again(connection: apsw.Connection) -> None:
    from importlib import resources

    folder = resources.files("holdfast.register.till") / "migrations"
    (file,) = [
        each for each in folder.iterdir() if each.name.endswith("_cash.sql") and "foreign" not in each.name
    ]
    connection.execute(file.read_text()[file.read_text().index("with sale as") :])


def test_what_a_person_does_is_on_record(till: Checkout, home: RegisterHome) -> None:
    done(till.move_cash("expense", 350, EURO, by(CASHIER, "m1"), reason="stamps", reference="bill 9"))
    till.close()
    opened, moved = (body for body in bodies(home) if isinstance(body, ShiftOpened | CashMoved))
    assert opened == ShiftOpened(
        shift=1, business_date=DATE, currency="EUR", float_minor=20_000, by=CASHIER, approved_by=MANAGER
    )
    assert moved == CashMoved(
        kind="expense",
        currency="EUR",
        amount_minor=-350,
        shift=1,
        reason="stamps",
        reference="bill 9",
        by=CASHIER,
        approved_by=MANAGER,
    )
