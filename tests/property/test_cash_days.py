"""Random days of a till, with crashes in between: the drawer is the fold of its journal, each Z report is
what head office's own totals come to, to the cent, and grand totals never fall (PO5)."""

import contextlib
import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.basket import UNLIMITED, Act, add_return
from holdfast.core.cash.count import Count
from holdfast.core.cash.moves import WAYS
from holdfast.core.foreign_cash import CurrencyRate, foreign_tender
from holdfast.core.ids import DocumentNumber
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.money import CURRENCIES
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.hq.closings import check_due
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.postgres.connect import Pool
from holdfast.register.checkout import Checkout
from holdfast.register.till import closing, writing
from holdfast.register.verify import verify_register
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.register_fixture import CASHIER, MANAGER, make_register, open_checkout, scan
from tests.sending import enrol, send_all
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act, done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

DAY_MS = 86_400_000
EURO = CURRENCIES["EUR"]
DOLLAR = CurrencyRate(
    currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=100, valid_from="2025-01-01"
)
_names = itertools.count(1)

OPERATION = st.one_of(
    st.tuples(st.just("open_day"), st.one_of(st.none(), st.integers(0, 30_000))),
    st.tuples(st.just("open_shift"), st.integers(0, 30_000)),
    st.tuples(st.just("sell"), st.sampled_from([MUG, APPLES])),
    st.tuples(st.just("sell"), st.sampled_from([MUG, APPLES])),
    st.tuples(st.just("sell_for_dollars"), st.integers(1, 9)),
    st.tuples(st.just("bring_back"), st.integers(0, 3)),
    st.tuples(st.just("void"), st.none()),
    st.tuples(st.just("move"), st.tuples(st.sampled_from(list(WAYS)), st.integers(1, 9_999))),
    st.tuples(st.just("no_sale"), st.none()),
    st.tuples(st.just("close_shift"), st.integers(-500, 500)),
    st.tuples(st.just("close_day"), st.none()),
    st.tuples(st.just("next_date"), st.none()),
    st.tuples(st.just("new_epoch"), st.none()),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("crash"), st.tuples(st.sampled_from(["shift", "day", "move"]), st.integers(0, 2))),
)


class Crash(BaseException):
    """The power is gone."""


class Life:
    """One register's days; `held` is what a person with a pencil would have."""

    def __init__(self, home: RegisterHome) -> None:
        self.home = home
        self.clock = ManualClock(BEGAN_MS)
        self.openings = 0
        self.held: Counter[str] = Counter()
        self.sold: list[DocumentNumber] = []
        self.z_total = self.all_total = 0
        self.till = self._opened()

    def _opened(self) -> Checkout:
        self.openings += 1
        return open_checkout(self.home, self.clock, seed=self.openings)

    def act(self) -> Act:
        return Act(by=CASHIER, at_ms=self.clock.now_ms(), limits=UNLIMITED)

    # ---- operations --------------------------------------------------------------------------

    def open_day(self, float_minor: int | None) -> None:
        opened = self.till.open_day(by=CASHIER, approved_by=MANAGER, float_minor=float_minor)
        if not isinstance(opened, Refusal) and float_minor is not None:
            self.held["EUR"] = float_minor

    def open_shift(self, float_minor: int) -> None:
        if not isinstance(self.till.open_shift(float_minor, self.act()), Refusal):
            self.held["EUR"] = float_minor

    def sell(self, product: Any) -> None:
        if isinstance(self.till.begin(by=CASHIER), Refusal):
            return
        scan(self.till, product, 1_000 if product is MUG else 738)
        self._sold(done(self.till.conclude(cash_given_minor=5_000)))

    def sell_for_dollars(self, notes: int) -> None:
        if isinstance(self.till.begin(by=CASHIER), Refusal):
            return
        scan(self.till, MUG)
        taken = done(self.till.take(done(foreign_tender(notes * 100, DOLLAR, "half-up"))))
        if not isinstance(taken, Sale):
            taken = done(self.till.conclude(cash_given_minor=1_000))
        self._sold(taken)

    def bring_back(self, which: int) -> None:
        if not self.sold:
            return
        found = self.till.returnable(self.sold[which % len(self.sold)], 1)
        if isinstance(found, Refusal) or isinstance(self.till.begin(by=CASHIER, kind="return"), Refusal):
            return
        brought = self.till.change(lambda basket: add_return(basket, act(), found))
        priced = self.till.priced()
        if isinstance(brought, Refusal) or priced is None:
            self.void(None)
            return
        back = done(self.till.conclude(cash_given_minor=priced.total_minor))
        self._count(back)

    def void(self, _: None) -> None:
        if isinstance(self.till.begin(by=CASHIER), Refusal):
            return
        scan(self.till)
        done(self.till.void(reason="left", by=CASHIER))

    def move(self, how: tuple[str, int]) -> None:
        kind, minor = how
        moved = self.till.move_cash(kind, minor, EURO, self.act(), reason="because")
        if not isinstance(moved, Refusal):
            self.held["EUR"] += moved.amount_minor
            assert abs(moved.amount_minor) == minor

    def no_sale(self, _: None) -> None:
        self.till.open_drawer("change", self.act())

    def close_shift(self, over_minor: int) -> None:
        counted = {code: max(0, minor) for code, minor in self.till.drawer().items()}
        counted["EUR"] = max(0, counted["EUR"] + over_minor)
        counts = [Count(currency=code, counted_minor=minor) for code, minor in counted.items()]
        if not isinstance(self.till.close_shift(counts, self.act(), may_any=True), Refusal):
            self.held = Counter(counted)

    def close_day(self, _: None) -> None:
        before = self.till.z_reports(1)
        if isinstance(self.till.close_day(by=CASHIER), Refusal):
            return
        report = self.till.z_reports(1)[0].report
        assert report.totals.total_minor == self.z_total
        assert report.drawer_minor == self.till.drawer()
        former = before[0].report if before else None
        assert report.number == (former.number if former else 0) + 1
        assert report.grand_total_minor >= (former.grand_total_minor if former else 0)
        assert report.grand_returned_minor >= (former.grand_returned_minor if former else 0)
        assert report.grand_total_minor - report.grand_returned_minor == self.all_total
        self.z_total = 0

    def next_date(self, _: None) -> None:
        self.clock.advance(DAY_MS)

    def new_epoch(self, _: None) -> None:
        self.till.open_new_epoch(OpenEpoch("forked", 0, "a twin was met"))

    def restart(self, _: None) -> None:
        self.till.close()
        self.till = self._opened()

    def crash(self, how: tuple[str, int]) -> None:
        """In the middle of what is written: none of it is there afterwards."""
        what, after = how
        before = self.till.head(), self.till.day(), self.till.drawer(), self.till.z_reports()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writing, "store", _stops(writing.store, after))
            with contextlib.suppress(Crash):
                if what == "shift":
                    self.till.close_shift([Count(currency="EUR", counted_minor=0)], self.act(), may_any=True)
                    self.held = Counter(self.till.drawer())
                elif what == "day":
                    self.close_day(None)
                else:
                    self.move(("drop", 100))
                return
        self.till.close()
        self.till = self._opened()
        assert (self.till.head(), self.till.day(), self.till.drawer(), self.till.z_reports()) == before

    # ---- what a person with a pencil does ----------------------------------------------------

    def _sold(self, sale: Sale) -> None:
        self.sold.append(sale.document)
        self._count(sale)

    def _count(self, sale: Sale) -> None:
        for tender in sale.tenders:
            if tender.foreign_currency:
                self.held[tender.foreign_currency] += tender.foreign_minor
            else:
                self.held["EUR"] += tender.amount_minor
        self.z_total += sale.total_minor
        self.all_total += sale.total_minor

    def check(self) -> None:
        kept = {code: minor for code, minor in self.till.drawer().items() if minor}
        assert kept == {code: minor for code, minor in self.held.items() if minor}


def _stops(store: Any, after: int) -> Any:
    """As `store`, until the power goes: within its so many-th call from now, once part of it is written."""
    calls = itertools.count()

    def stored(*arguments: Any) -> None:
        store(*arguments)
        if next(calls) == after:
            raise Crash

    return stored


@contextlib.contextmanager
def lived(operations: list[tuple[str, Any]]) -> Iterator[tuple[RegisterHome, str]]:
    """A register after these operations, each of which kept the drawer right, and its day closed."""
    name = f"cash{next(_names)}"
    folder = Path(tempfile.mkdtemp())
    life = Life(make_register(folder / "register", name, name.upper()))
    try:
        life.open_day(10_000)
        for operation, value in operations:
            getattr(life, operation)(value)
            life.check()
        life.close_shift(0)
        life.close_day(None)
        life.till.close()
        assert verify_register(life.home).differences == ()
        yield life.home, name
    finally:
        shutil.rmtree(folder)


def results(office: HeadOfficeUnderTest, origin: str) -> list[tuple[str, str]]:
    assert office.dsn is not None
    with psycopg.connect(office.dsn) as conn:
        rows = conn.execute("select result, detail from day_check where origin = %s", [origin]).fetchall()
    return [(result, detail) for result, detail in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATION, max_size=30))
def test_drawer_z_and_head_office_agree_after_any_days(
    operations: list[tuple[str, Any]], postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    with lived(operations) as (home, origin):
        enrol(postgres_hq, home, origin, origin.upper())
        send_all(postgres_hq, home, origin)
    check_due(hq_pool, postgres_hq.clock)
    found = results(postgres_hq, origin)
    assert found
    assert set(found) == {("equal", "")}


def test_a_z_report_without_its_refunds_does_not_survive(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted mistake: figures for a Z report are made of sales alone."""

    def figures(till: closing.Writer, date: str) -> Any:
        found = right(till, date)
        totals = msgspec.structs.replace(
            found.totals, returns=0, returned_minor=0, total_minor=found.totals.sold_minor
        )
        return msgspec.structs.replace(found, totals=totals)

    right = closing.figures
    monkeypatch.setattr(closing, "figures", figures)
    with pytest.raises(AssertionError, match="total_minor"), lived([("sell", MUG), ("bring_back", 0)]):
        pass
    monkeypatch.setattr(Life, "close_day", lambda self, _: self.till.close_day(by=CASHIER))
    monkeypatch.setattr(f"{__name__}.verify_register", lambda home: _Clean())
    with lived([("sell", MUG), ("bring_back", 0)]) as (home, origin):
        enrol(postgres_hq, home, origin, origin.upper())
        send_all(postgres_hq, home, origin)
    check_due(hq_pool, postgres_hq.clock)
    ((result, detail),) = results(postgres_hq, origin)
    assert result == "unequal"
    assert "returned: Z says 0.00, head office has 4.99" in detail


class _Clean:
    differences = ()
