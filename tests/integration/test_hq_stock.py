"""Stock levels: whatever is folded, and whenever, they are the sum of what batches added."""

import copy
import threading
import time

import msgspec
import pytest

from holdfast.core.ids import DocumentNumber, Sku, StoreId
from holdfast.core.stock.entries import CountedLine, StockCounted
from holdfast.core.stock.marks import EVERY_PRODUCT, ZERO, Mark
from holdfast.core.stock.transfers import AtStore, Became, became_of
from holdfast.hq.stock.keeper import StockKeeper, fold
from holdfast.hq.stock.settling import add_marks
from holdfast.hq.stock.views import transfers
from holdfast.infra.postgres.connect import Pool, open_pool
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal
from tests.stock_samples import NOON_MS, adjusted, counted, next_number, register, sold, transferred

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

YEAR = 365 * 24 * 60
STEP = 3
"""Folded at a time; fewer than a batch adds."""


@pytest.fixture
def pool(head_office_dsn: str) -> Pool:
    return open_pool(head_office_dsn, name="test", max_size=4, timeout_s=60.0)


def counts(pool: Pool) -> tuple[int, int]:
    """Rows that wait, and rows folded."""
    with pool.connection() as conn:
        row = conn.execute(
            "select (select count(*) from stock_change), (select count(*) from stock_sum)"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def test_a_level_is_the_same_before_while_and_after_it_is_folded(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest, pool: Pool
) -> None:
    with pool:
        journal = SampleJournal().open().sell(9)
        for hq in (postgres_hq, memory_hq):
            hq.enrol(journal)
        for first in (1, 4, 8):
            for hq in (postgres_hq, memory_hq):
                hq.ingest.receive_batch(journal.origin, journal.batch(first, min(first + 3, 10)))
            wanted = memory_hq.dump()["stock_level"]
            assert wanted, "the sample's goods move"
            assert postgres_hq.dump()["stock_level"] == wanted
            while fold(pool, STEP):
                assert postgres_hq.dump()["stock_level"] == wanted
        waiting, folded = counts(pool)
        assert (waiting, folded) == (0, len({row[:2] for row in postgres_hq.dump()["stock_level"]}))
        assert postgres_hq.verify().differences == ()


def test_only_one_process_folds_at_a_time_and_nobody_waits(
    postgres_hq: HeadOfficeUnderTest, pool: Pool
) -> None:
    with pool:
        journal = SampleJournal().open().sell(2)
        postgres_hq.enrol(journal)
        postgres_hq.ingest.receive_batch(journal.origin, journal.batch())
        waiting = counts(pool)[0]
        with pool.connection() as other:
            other.execute("select pg_advisory_xact_lock(7301)")
            assert fold(pool) == 0
            other.rollback()
        assert fold(pool) == waiting > 0


def test_the_service_folds_by_itself(postgres_hq: HeadOfficeUnderTest, pool: Pool) -> None:
    with pool:
        journal = SampleJournal().open().sell(2)
        postgres_hq.enrol(journal)
        postgres_hq.ingest.receive_batch(journal.origin, journal.batch())
        keeper = StockKeeper(pool, every_s=0.02)
        try:
            tick = threading.Event()
            for _ in range(3_000):
                if counts(pool)[0] == 0:
                    break
                tick.wait(0.02)
        finally:
            keeper.stop()
        assert counts(pool)[0] == 0


# ---- figures -----------------------------------------------------------------------------------


def _levels(hq: HeadOfficeUnderTest) -> dict[tuple[object, ...], object]:
    return {row[:2]: row[2] for row in hq.dump()["stock_level"]}


def _three_registers() -> list[SampleJournal]:
    """What happened in S1, in the order of the minutes; they bring it in any order."""
    one, two, three = register(1), register(2), register(3)
    adjusted(one, 1, "A", 20)
    sold(two, 5, "A", 2)
    sold(three, 6, "A", 1)
    counted(two, 10, A=15, B=4)  # two pieces of A were missing by then
    sold(one, 12, "A", 3)
    sold(three, 13, "B", 1)
    counted(three, 20, A=11)
    sold(one, 25, "A", 1)
    sold(two, 26, "A", 5, own_date="2026-09-20")  # the day before all of this, entered from paper
    return [one, two, three]


def _bring(hq: HeadOfficeUnderTest, journals: list[SampleJournal], order: list[tuple[int, int]]) -> None:
    """All of it is past by then."""
    hq.clock.advance(3_600_000)
    for which, seq in order:
        journal = journals[which]
        hq.ingest.receive_batch(journal.origin, journal.batch(seq, 1))


def _orders() -> list[list[tuple[int, int]]]:
    places = [[(which, seq) for seq in range(1, 5)] for which in range(3)]
    one, two, three = places
    return [one + two + three, three + two + one, two + three + one, [*two[:3], *three, *one, *two[3:]]]


@pytest.mark.parametrize("order", range(4))
def test_counted_figures_stay_true_whoever_sends_first(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest, order: int
) -> None:
    journals = _three_registers()
    for hq in (postgres_hq, memory_hq):
        for number, journal in enumerate(journals, 1):
            hq.enrol(journal, f"R0{number}")
        _bring(hq, journals, _orders()[order])
        assert _levels(hq) == {("S1", "A"): 10_000, ("S1", "B"): 3_000}
    assert postgres_hq.dump()["stock_mark"] == memory_hq.dump()["stock_mark"]
    assert postgres_hq.verify().differences == ()


def test_a_clock_that_is_ahead_freezes_no_figure(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    """Nothing happened after it arrived: the other till's sales count, and so does its recount."""
    for hq in (postgres_hq, memory_hq):
        ahead, right = register(1), register(2)
        hq.enrol(ahead, "R01")
        hq.enrol(right, "R02")
        sold(counted(sold(ahead, YEAR, "A", 1), YEAR + 1, A=7), YEAR + 1, "A", 2)
        _bring(hq, [ahead], [(0, seq) for seq in (1, 2, 3)])
        hq.clock.advance(1)
        _bring(hq, [ahead], [(0, 4)])
        assert _levels(hq) == {("S1", "A"): 5_000}, "its own order holds"
        sold(counted(sold(right, 130, "A", 3), 140, A=3), 150, "A", 1)
        hq.clock.advance(3_600_000)
        hq.ingest.receive_batch(right.origin, right.batch())
        assert _levels(hq) == {("S1", "A"): 2_000}
    assert postgres_hq.dump()["stock_mark"] == memory_hq.dump()["stock_mark"]
    assert postgres_hq.verify().differences == ()


def test_what_a_clock_that_is_ahead_brings_stays_in_its_order(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    """Within a batch, and where the next one has more documents than milliseconds have passed."""
    for hq in (postgres_hq, memory_hq):
        journal = sold(counted(sold(register(1), 60, "A", 1), 61, A=7), 62, "A", 2)
        hq.enrol(journal)
        hq.ingest.receive_batch(journal.origin, journal.batch())
        for _ in range(4):
            sold(journal, 63, "A", 1)
        hq.ingest.receive_batch(journal.origin, journal.batch(5))
        assert _levels(hq) == {("S1", "A"): 1_000}
    assert postgres_hq.verify().differences == ()


def test_a_day_on_paper_ends_by_the_clock_of_its_store(postgres_hq: HeadOfficeUnderTest, pool: Pool) -> None:
    """East of Greenwich the next day is counted before the day before ends in UTC."""
    journal = counted(adjusted(register(1), 0, "A", 10), 20 * 60 + 30, A=7)  # at 8 in the morning there
    sold(journal, 21 * 60, "A", 3, own_date="2026-09-21")
    postgres_hq.enrol(journal)
    with pool, pool.connection() as conn:
        conn.execute("update store set timezone = 'Pacific/Auckland'")
    _bring(postgres_hq, [journal], [(0, 1)])
    postgres_hq.clock.advance(86_400_000)
    postgres_hq.ingest.receive_batch(journal.origin, journal.batch(2))
    assert _levels(postgres_hq) == {("S1", "A"): 7_000}
    assert postgres_hq.verify().differences == ()


def test_a_clone_counts_under_the_numbers_of_its_till(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    """The second branch is counted like any other (P6)."""
    for hq in (postgres_hq, memory_hq):
        one = register(1)
        hq.enrol(one)
        two = copy.deepcopy(one)
        for journal, minute, pieces in ((one, 10, 7), (two, 20, 5)):
            sold(counted(journal, minute, A=pieces), minute + 1, "B", 1)
        hq.clock.advance(3_600_000)
        for journal in (one, two):
            hq.ingest.receive_batch(journal.origin, journal.batch())
        assert _levels(hq) == {("S1", "A"): 5_000, ("S1", "B"): -2_000}
    assert postgres_hq.dump()["stock_mark"] == memory_hq.dump()["stock_mark"]
    assert postgres_hq.verify().differences == ()


def test_a_figure_that_is_not_kept_right_is_found(postgres_hq: HeadOfficeUnderTest, pool: Pool) -> None:
    journal = counted(sold(register(1), 1, "A", 2), 2, A=5)
    postgres_hq.enrol(journal)
    postgres_hq.ingest.receive_batch(journal.origin, journal.batch())
    assert _levels(postgres_hq) == {("S1", "A"): 5_000}
    with pool, pool.connection() as conn:
        conn.execute("update stock_mark set figure_milli = 6000")
    said = [each.sentence for each in postgres_hq.verify().differences]
    assert len(said) == 3, said
    assert said[-1].endswith("is not what was there at its time")


def test_a_product_counted_twice_in_one_count_waits(postgres_hq: HeadOfficeUnderTest) -> None:
    journal = register(1)
    lines = (
        CountedLine(line=1, sku=Sku("A"), quantity_milli=1),
        CountedLine(line=2, sku=Sku("A"), quantity_milli=2),
    )
    journal.append(
        "stock_counted", 1, StockCounted(document=DocumentNumber("R01-1"), lines=lines, at_ms=NOON_MS)
    )
    sold(journal, 1, "A", 1)
    postgres_hq.enrol(journal)
    postgres_hq.ingest.receive_batch(journal.origin, journal.batch())
    assert [row[2] for row in postgres_hq.dump()["quarantine"]] == ["invalid-lines"]
    assert _levels(postgres_hq) == {("S1", "A"): -1_000}


@pytest.mark.parametrize("zero_first", [False, True])
def test_a_sale_that_is_being_stored_while_the_store_is_set_to_zero_leaves_zero(
    postgres_hq: HeadOfficeUnderTest, pool: Pool, *, zero_first: bool
) -> None:
    """Whoever comes second waits for the first, and sees what it stored."""
    hq, journal = postgres_hq, sold(adjusted(register(1), 1, "A", 9), 2, "A", 2)
    hq.enrol(journal)
    hq.ingest.receive_batch(journal.origin, journal.batch(1, 2))
    mark = Mark(
        mark="zero",
        kind=ZERO,
        store=StoreId("S1"),
        sku=EVERY_PRODUCT,
        at_ms=NOON_MS + 3_600_000,
        figure_milli=0,
    )

    def set_to_zero() -> None:
        with hq.store.transaction(None) as transaction:
            transaction.stock.lock(mark.store)
            add_marks(transaction.stock, [mark], 0)

    def bring() -> None:
        hq.ingest.receive_batch(journal.origin, journal.batch(3))

    first, second = (set_to_zero, bring) if zero_first else (bring, set_to_zero)
    with pool, pool.connection() as held:
        # Both need the store's lock; with it taken, the first of them stands in line before the second.
        held.execute("select pg_advisory_xact_lock(7302, hashtext('S1'))")
        threads = [threading.Thread(target=work) for work in (first, second)]
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            _until_waiting(pool, waiting)
        held.commit()
        for thread in threads:
            thread.join()
    assert _levels(hq) == {}
    assert hq.verify().differences == ()


def _until_waiting(pool: Pool, count: int) -> None:
    with pool.connection() as conn:
        conn.autocommit = True
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        for _ in range(6_000):
            row = conn.execute(waiting).fetchone()
            if row is not None and row[0] >= count:
                break
            time.sleep(0.01)
        else:
            pytest.fail(f"{count} transactions never waited for the store")
        conn.autocommit = False


@pytest.mark.parametrize(
    ("sent", "received", "receipts", "became"),
    [
        (5, 0, 0, Became.IN_TRANSIT), (5, 5, 1, Became.RECEIVED), (5, 3, 1, Became.SHORT),
        (5, 6, 1, Became.OVER), (5, 10, 2, Became.TWICE), (5, 5, 2, Became.RECEIVED),
        (0, 5, 1, Became.UNLISTED),
    ],
)  # fmt: skip
def test_what_became_of_a_transfer_has_a_name(
    sent: int, received: int, receipts: int, became: Became
) -> None:
    at = AtStore(
        store=StoreId("S2"), is_addressed=True, sent_milli=sent, received_milli=received, receipts=receipts
    )
    assert became_of(True, [at]) is became
    assert became_of(False, [msgspec.structs.replace(at, sent_milli=0)]) is Became.NEVER_SENT
    ended = msgspec.structs.replace(at, ended_milli=-at.left_milli)
    assert became_of(True, [ended]) is (became if ended == at else Became.ENDED)
    elsewhere = msgspec.structs.replace(at, is_addressed=False, sent_milli=0)
    assert not receipts or became_of(True, [at, elsewhere]) is Became.ELSEWHERE


def test_a_transfer_that_was_received_twice_is_told_and_counted_right(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest, pool: Pool
) -> None:
    one, two, three = register(1), register(2), register(3)
    number = next_number(one)
    transferred(one, 1, "sent", "S2", A=4)
    transferred(two, 5, "received", "S1", number, A=4)
    transferred(three, 6, "received", "S1", number, A=4)
    for hq in (postgres_hq, memory_hq):
        for journal, store in ((one, "S1"), (two, "S2"), (three, "S2")):
            hq.enrol(journal, f"R-{journal.origin}", store)
            hq.ingest.receive_batch(journal.origin, journal.batch())
        assert _levels(hq) == {("S1", "A"): -4_000, ("S2", "A"): 8_000, ("transit:S2", "A"): -4_000}
    counted(three, 9, A=4)
    postgres_hq.ingest.receive_batch(three.origin, three.batch(3))
    assert _levels(postgres_hq)["S2", "A"] == 4_000
    with pool:
        (line,) = transfers(pool, NOON_MS)
    assert (line.sent_by, line.sent_to, line.became, line.difference_milli) == (
        "S1",
        "S2",
        Became.TWICE,
        4_000,
    )
    assert postgres_hq.verify().differences == ()
