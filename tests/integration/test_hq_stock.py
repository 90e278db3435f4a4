"""Stock levels: whatever is folded, and whenever, they are the sum of what batches added."""

import threading

import pytest

from holdfast.hq.stock import StockKeeper, fold
from holdfast.infra.postgres.connect import Pool, open_pool
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

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
