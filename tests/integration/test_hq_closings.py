"""Each Z report is held against head office's own totals of the same documents, to the cent (PO5)."""

import datetime
from pathlib import Path

import msgspec
import psycopg
import pytest

from holdfast.core.basket import UNLIMITED, Act, add_return
from holdfast.core.cash.count import Count
from holdfast.core.cash.z_report import DayFigures, ZReport, z_report
from holdfast.core.ids import DocumentNumber, StaffId, TransactionId
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import ExternalDocument, Sale, SaleLine, TaxTotal, Tender
from holdfast.hq import closings
from holdfast.hq.closings import Closing, Closings, Counts, check_due
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.postgres.connect import Pool
from holdfast.register.checkout import Checkout
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.register_fixture import (
    CASHIER,
    DATE,
    MANAGER,
    ORIGIN,
    copy_data,
    make_register,
    open_checkout,
    restore_data,
    scan,
    sell_one,
)
from tests.sending import enrol, send_all
from tests.unit.core.shop import APPLES, BEGAN_MS, act, done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

TODAY = datetime.date.fromisoformat(DATE)
DAY_MS = 86_400_000
DOLLARS = Tender(
    kind="foreign_cash", amount_minor=915, foreign_currency="USD", foreign_minor=1_000, rate_e8=91_500_000
)


def by(staff: StaffId) -> Act:
    return Act(by=staff, at_ms=BEGAN_MS, limits=UNLIMITED)


@pytest.fixture
def home(tmp_path: Path, postgres_hq: HeadOfficeUnderTest) -> RegisterHome:
    made = make_register(tmp_path / "register")
    enrol(postgres_hq, made, ORIGIN, "R01")
    return made


def trade(till: Checkout) -> None:
    """A little of everything."""
    sell_one(till, APPLES, cash_minor=500)
    sell_one(till, count=2)
    found = done(till.returnable(till.documents()[0].document, 2))
    done(till.begin(by=CASHIER, kind="return"))
    done(till.change(lambda basket: add_return(basket, act(), found)))
    done(till.conclude(cash_given_minor=-499))
    done(till.begin(by=CASHIER))
    scan(till)
    done(till.take(DOLLARS))
    done(till.begin(by=CASHIER))
    scan(till)
    done(till.void(reason="left", by=CASHIER))


def end_day(till: Checkout, over_minor: int = 0) -> None:
    held = till.drawer()
    counts = [Count(currency=code, counted_minor=minor) for code, minor in held.items()]
    counts[0] = msgspec.structs.replace(counts[0], counted_minor=held["EUR"] + over_minor)
    done(till.close_shift(counts, by(CASHIER), may_any=True))
    done(till.close_day(by=MANAGER))


def a_day(home: RegisterHome, clock: ManualClock | None = None, seed: int = 1) -> None:
    """Opened with a float, a little of everything, and closed 5 cents short."""
    till = open_checkout(home, clock, seed)
    done(till.open_day(by=CASHIER, approved_by=MANAGER, float_minor=20_000))
    trade(till)
    done(till.move_cash("drop", 10_000, CURRENCIES["EUR"], by(CASHIER), reference="bag 1"))
    done(till.open_drawer("change", by(CASHIER)))
    end_day(till, -5)
    till.close()


def the_day(pool: Pool, date: datetime.date = TODAY) -> Closing:
    counts, (closing,) = Closings(pool).of(date, None)
    assert counts.registers == 1
    return closing


def alerts(office: HeadOfficeUnderTest) -> list[str]:
    assert office.dsn is not None
    with psycopg.connect(office.dsn) as conn:
        found = conn.execute(
            "select detail from alert where kind = 'z-report' and acknowledged_at_ms is null order by id"
        ).fetchall()
    return [detail for (detail,) in found]


def test_a_closed_day_is_the_same_at_the_till_and_at_head_office(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    a_day(home)
    enrol(memory_hq, home, ORIGIN, "R01")
    for office in (postgres_hq, memory_hq):
        send_all(office, home, ORIGIN)
    assert postgres_hq.dump() == memory_hq.dump(), "each store keeps the same rows"
    assert postgres_hq.verify().differences == ()
    assert the_day(hq_pool).due, "it came, and was not compared yet"
    assert check_due(hq_pool, postgres_hq.clock) == 1
    closing = the_day(hq_pool)
    assert (closing.result, closing.detail, closing.numbers) == ("equal", "", (1,))
    assert (closing.sales, closing.returns, closing.over_short_minor) == (3, 1, -5)
    assert closing.total_minor == closing.own_total_minor
    assert Closings(hq_pool).of(TODAY, None)[0] == Counts(registers=1, closed=1, equal=1, unequal=0)
    assert Closings(hq_pool).of(TODAY, "S2")[0].registers == 0
    assert Closings(hq_pool).latest_date() == DATE
    assert alerts(postgres_hq) == []
    stored = Closings(hq_pool).report(closing.chains[0], closing.seqs[0])
    assert stored is not None
    assert [(each.currency, each.over_short_minor) for each in stored.declared] == [("EUR", -5), ("USD", 0)]
    assert [(each.kind, each.amount_minor) for each in stored.movements] == [
        ("drop", -10_000),
        ("no_sale", 0),
    ]
    assert check_due(hq_pool, postgres_hq.clock) == 0, "what was compared stays so"


def _misses_refunds(figures: DayFigures, *rest: object, **more: object) -> ZReport:
    before = figures.totals
    wrong = msgspec.structs.replace(
        before,
        returns=0,
        total_minor=before.sold_minor,
        returned_minor=0,
        drawer_minor=before.drawer_minor + 499,
    )
    return z_report(msgspec.structs.replace(figures, totals=wrong), *rest, **more)  # type: ignore[arg-type]


def _misses_a_department(figures: DayFigures, *rest: object, **more: object) -> ZReport:
    wrong = msgspec.structs.replace(figures.totals, departments_minor={})
    return z_report(msgspec.structs.replace(figures, totals=wrong), *rest, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mutant", "figures"),
    [
        (
            _misses_refunds,
            ["returns: Z says 0, head office has 1", "returned: Z says 0.00, head office has 4.99"],
        ),
        (_misses_a_department, ["department fruit: Z says 0.00"]),
    ],
)
def test_a_z_that_misses_something_is_told_with_its_figures(
    home: RegisterHome,
    postgres_hq: HeadOfficeUnderTest,
    hq_pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
    mutant: object,
    figures: list[str],
) -> None:
    """Planted mistakes at the till: head office's own totals come from other rows by other code."""
    with monkeypatch.context() as patch:
        patch.setattr("holdfast.register.till.closing.z_report", mutant)
        a_day(home)
    send_all(postgres_hq, home, ORIGIN)
    check_due(hq_pool, postgres_hq.clock)
    assert the_day(hq_pool).result == "unequal"
    (told,) = alerts(postgres_hq)
    assert told.startswith(f"Z report of {DATE}: ")
    for figure in figures:
        assert figure in told


@pytest.mark.parametrize(
    ("tampering", "figure"),
    [
        (
            "update document_tender set amount_minor = amount_minor + 1 where kind = 'cash' and seq = 4",
            "tender cash",
        ),
        ("update document set total_minor = total_minor - 1 where seq = 4", "total"),
        ("delete from document_tax where seq = 4", "tax V20"),
        ("update document_line set department = 'other' where department = 'fruit'", "department other"),
        ("update document_foreign_cash set foreign_minor = 1", "foreign cash USD"),
        ("update document_line set quantity_milli = 1000", "returns"),
    ],
)
def test_head_offices_own_figures_come_from_its_own_rows(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, tampering: str, figure: str
) -> None:
    a_day(home)
    send_all(postgres_hq, home, ORIGIN)
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute(tampering.encode())
    check_due(hq_pool, postgres_hq.clock)
    closing = the_day(hq_pool)
    assert closing.result == "unequal"
    assert f"{figure}: Z says" in closing.detail


def test_a_difference_that_ends_settles_its_alert(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    a_day(home)
    send_all(postgres_hq, home, ORIGIN)
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute("update document set total_minor = total_minor + 1 where seq = 4")
        check_due(hq_pool, postgres_hq.clock)
        assert len(alerts(postgres_hq)) == 1
        conn.execute("update document set total_minor = total_minor + 1 where seq = 4")
        conn.execute("update day_check set due = true")
        check_due(hq_pool, postgres_hq.clock)
        (told,) = alerts(postgres_hq)
        assert "head office has" in told
        conn.execute("update document set total_minor = total_minor - 2 where seq = 4")
        conn.execute("update day_check set due = true")
    check_due(hq_pool, postgres_hq.clock)
    assert the_day(hq_pool).result == "equal"
    assert alerts(postgres_hq) == []


def test_a_date_that_was_opened_again_waits_for_its_next_z(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    a_day(home)
    till = open_checkout(home, seed=2)
    done(till.open_day(by=CASHIER, float_minor=0))
    sell_one(till)
    send_all(postgres_hq, home, ORIGIN)
    check_due(hq_pool, postgres_hq.clock)
    assert the_day(hq_pool).result == "open"
    done(
        till.close_shift(
            [Count(currency=code, counted_minor=0) for code in till.drawer()], by(CASHIER), may_any=True
        )
    )
    done(till.close_day(by=CASHIER))
    till.close()
    send_all(postgres_hq, home, ORIGIN)
    check_due(hq_pool, postgres_hq.clock)
    closing = the_day(hq_pool)
    assert (closing.result, closing.numbers, closing.sales) == ("equal", (1, 2), 4)


def test_a_day_over_two_epochs_is_one(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    till = open_checkout(home)
    done(till.open_day(by=CASHIER, approved_by=MANAGER, float_minor=0))
    trade(till)
    till.open_new_epoch(OpenEpoch("forked", 0, "a twin was met"))
    trade(till)
    end_day(till)
    till.close()
    send_all(postgres_hq, home, ORIGIN)
    check_due(hq_pool, postgres_hq.clock)
    closing = the_day(hq_pool)
    assert (closing.result, closing.detail, closing.sales) == ("equal", "", 6)


def test_sales_that_a_restored_register_lost_are_told(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, tmp_path: Path
) -> None:
    """They are at head office, and in no Z report: the printed one is short of them."""
    till = open_checkout(home)
    done(till.open_day(by=CASHIER, approved_by=MANAGER, float_minor=0))
    sell_one(till)
    till.close()
    copy_data(home, tmp_path / "backup")
    till = open_checkout(home, seed=2)
    sell_one(till, count=3)
    till.close()
    send_all(postgres_hq, home, ORIGIN)
    restore_data(home, tmp_path / "backup")
    till = open_checkout(home, seed=3)
    sell_one(till, count=2)
    end_day(till)
    till.close()
    send_all(postgres_hq, home, ORIGIN)
    check_due(hq_pool, postgres_hq.clock)
    closing = the_day(hq_pool)
    assert closing.result == "unequal"
    assert "sales: Z says 2, head office has 3" in closing.detail
    assert "total: Z says 14.97, head office has 29.94" in closing.detail


def test_days_of_history_and_documents_entered_twice_agree(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, tmp_path: Path
) -> None:
    """An invoice of another system keeps its own date, and counts in the day of the till that entered it."""
    other = make_register(tmp_path / "other", "reg02", "R02")
    enrol(postgres_hq, other, "reg02", "R02")
    for each, origin in ((home, ORIGIN), (other, "reg02")):
        till = open_checkout(each)
        done(till.open_day(by=CASHIER, approved_by=MANAGER))
        done(till.record("sale", lambda number: invoice(number, "536365"), reference="536365"))
        sell_one(till)
        done(till.close_day(by=CASHIER))
        till.close()
        send_all(postgres_hq, each, origin)
    assert check_due(hq_pool, postgres_hq.clock) == 2
    _, found = Closings(hq_pool).of(TODAY, None)
    assert [(each.result, each.detail, each.sales) for each in found] == [("equal", "", 2), ("equal", "", 2)]


def invoice(number: DocumentNumber, reference: str) -> Sale:
    line = SaleLine(
        line=1, sku=APPLES.sku, description="Lantern", quantity_milli=6_000, unit_price_e4=25_500,
        amount_minor=1_530, tax_code="0",
    )  # fmt: skip
    return Sale(
        document=number,
        transaction=TransactionId(f"t-{reference}"),
        currency="EUR",
        lines=(line,),
        taxes=(TaxTotal(tax_code="0", rate_e6=0, inclusive=True, net_minor=1_530, tax_minor=0),),
        tenders=(Tender(kind="imported", amount_minor=1_530),),
        total_minor=1_530,
        began_at_ms=0,
        external=ExternalDocument(reference=reference, business_date="2010-12-01"),
    )


def test_a_day_that_is_not_all_here_waits_for_the_rest(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    a_day(home)
    send_all(postgres_hq, home, ORIGIN)
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute("update chain set parent_epoch = 'gone', parent_seq = 9, parent_hash = '\\x00'")
    check_due(hq_pool, postgres_hq.clock)
    assert the_day(hq_pool).result == "waiting"


def test_the_keeper_compares_by_itself_and_ends(
    home: RegisterHome, postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    a_day(home)
    send_all(postgres_hq, home, ORIGIN)
    keeper = closings.ClosingKeeper(hq_pool, postgres_hq.clock, every_s=0.01)
    for _ in range(6_000):
        if the_day(hq_pool).result == "equal":
            break
        keeper._stopped.wait(0.01)
    keeper.stop()
    assert the_day(hq_pool).result == "equal"
