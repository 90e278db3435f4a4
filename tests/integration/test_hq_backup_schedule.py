"""Backups by themselves: when one is due, what stays, and what is said where none can be taken."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.core.faults import ConfigurationFault
from holdfast.core.sync.messages import receipt_holds
from holdfast.hq.backup import backups, failure, refuse_older, remove_surplus
from holdfast.hq.backup_keeper import (
    FIRST_AFTER_MS,
    HOUR_MS,
    RETRY_MS,
    SETTLE_MS,
    BackupKeeper,
    is_due,
    schedule_of,
)
from holdfast.hq.service import HeadOffice, init_home
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.keys import verify
from holdfast.infra.postgres.progress import silent
from tests.hq_messages import heartbeat_of
from tests.integration.test_hq_backup import enrol, send
from tests.journal_samples import SampleJournal

WAIT_S = 300.0
DAY_MS = 24 * HOUR_MS


@pytest.mark.parametrize(
    ("age_ms", "served_ms", "failed_ms", "taken_ms", "due"),
    [
        (None, 0, None, None, False),
        (None, FIRST_AFTER_MS, None, None, True),
        (DAY_MS - 1, DAY_MS, None, None, False),
        (DAY_MS, SETTLE_MS - 1, None, None, False),
        (DAY_MS, SETTLE_MS, None, None, True),
        (-5 * DAY_MS, SETTLE_MS, None, None, True),
        (None, FIRST_AFTER_MS, RETRY_MS - 1, None, False),
        (None, FIRST_AFTER_MS, RETRY_MS, None, True),
        (-5 * DAY_MS, 2 * DAY_MS, None, DAY_MS - 1, False),
        (-5 * DAY_MS, 2 * DAY_MS, None, DAY_MS, True),
    ],
)
def test_a_backup_is_due(
    age_ms: int | None, served_ms: int, failed_ms: int | None, taken_ms: int | None, *, due: bool
) -> None:
    found = is_due(DAY_MS, age_ms=age_ms, served_ms=served_ms, failed_ms=failed_ms, taken_ms=taken_ms)
    assert found is due


def test_the_schedule_is_switched_off_by_a_zero() -> None:
    assert schedule_of(0, Path("b"), 7) is None
    assert HeadOfficeConfig().backup_every_h == 24


@pytest.fixture
def home(tmp_path: Path) -> HeadOfficeHome:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in folder.name or "pytest" in folder.parent.name:
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    home = HeadOfficeHome(tmp_path / "hq")
    init_home(home, HeadOfficeConfig(backup_dir="kept", backup_keep=2))
    (home.path / "kept").mkdir(mode=0o711)
    for folder in (home.path, home.postgres, home.backups):
        folder.chmod(0o711)
    return home


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_a_service_makes_sales_safe_by_itself_and_keeps_the_newest(home: HeadOfficeHome) -> None:
    journal = SampleJournal().open().sell(5)
    with HeadOffice.open(home, beside_service=False) as hq:
        enrol(hq, journal)
        send(hq, journal, 1, 10)
        keeper = hq.backup_keeper
        assert keeper is not None
        by_hand = hq.take_backup()
        assert Path(by_hand.path).parent == home.path / "kept"
        abandoned = home.path / "kept" / "20260101T000000.000000Z.incomplete"
        (abandoned / "contents").mkdir(parents=True)
        for count in range(1, 4):
            journal.sell(1)
            send(hq, journal, 6 + count, 10)
            keeper.now()
            wait_for(lambda: len(backups(hq.services_pool)) == 1 + count and not keeper.under_way_since_ms)  # noqa: B023
        assert not abandoned.exists()
        rows = backups(hq.services_pool)
        assert [row.by_schedule for row in rows] == [True, True, True, False]
        assert [row.removed_at_ms is None for row in rows] == [True, True, False, True]
        assert [Path(row.path).exists() for row in rows] == [True, True, False, True]
        beat = hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
        [safe] = beat.safe
        assert (safe.level, safe.origin, safe.epoch) == ("safe", journal.origin, journal.epoch)
        assert (safe.seq, safe.hash) == (9, journal.hash_at(journal.epoch, 9))
        assert receipt_holds(safe, hq.signer.public_bytes, verify)


def test_a_backup_that_cannot_be_taken_is_told_once_and_forgotten_when_mended(home: HeadOfficeHome) -> None:
    kept = home.path / "kept"
    kept.rmdir()
    kept.write_text("in the way")
    with HeadOffice.open(home, beside_service=False) as hq:
        keeper = hq.backup_keeper
        assert keeper is not None
        for tries in (1, 2):
            keeper.now()
            wait_for(lambda: (found := failure(hq.services_pool)) is not None and found.tries == tries)  # noqa: B023
        found = failure(hq.services_pool)
        assert found is not None
        assert found.code == "configuration"
        assert str(kept) in found.sentence
        assert alerts(hq) == [("backup", found.sentence, None)]
        kept.unlink()
        kept.mkdir(mode=0o711)
        keeper.now()
        wait_for(lambda: failure(hq.services_pool) is None)
        assert alerts(hq) == [("backup", found.sentence, "a later backup")]
        assert len(backups(hq.services_pool)) == 1


def test_a_service_ends_in_the_middle_of_a_backup_and_leaves_nothing(home: HeadOfficeHome) -> None:
    with HeadOffice.open(home, beside_service=False) as hq:
        keeper = hq.backup_keeper
        assert keeper is not None
        keeper.now()
        wait_for(lambda: keeper.under_way_since_ms)
    assert not list((home.path / "kept").glob("*.incomplete"))
    with HeadOffice.open(home) as hq:
        assert failure(hq.services_pool) is None


def test_a_schedule_takes_its_own_turns(home: HeadOfficeHome) -> None:
    """Nobody asks: the first is due at once where the schedule is short."""
    with HeadOffice.open(home) as hq:
        schedule = schedule_of(1, home.path / "kept", 1)
        assert schedule is not None
        short = type(schedule)(every_ms=1, folder=schedule.folder, keep=1)
        keeper = BackupKeeper(
            hq.services_pool,
            lambda folder, progress: hq._take_backup(folder, progress, by_schedule=True),
            short,
            hq.clock,
            look_s=0.05,
        )
        wait_for(lambda: len(backups(hq.services_pool)) >= 2)
        keeper.stop()
        assert sum(Path(row.path).exists() for row in backups(hq.services_pool)) <= 2
        hq.take_backup(home.backups, silent)


def test_a_backup_of_a_clock_that_was_ahead_outlives_none_that_is_newer(home: HeadOfficeHome) -> None:
    """What a new backup made safe must not go with it while older ones, dated 2099, stay (P1)."""
    with HeadOffice.open(home, beside_service=False) as hq:
        folder = home.path / "kept"
        rows = [hq._take_backup(folder, silent, by_schedule=True) for _ in range(2)]
        with hq.services_pool.connection() as conn:
            conn.execute("update backup set taken_at_ms = taken_at_ms + 2_303_769_600_000")
        newest = hq._take_backup(folder, silent, by_schedule=True)
        assert [row.backup for row in remove_surplus(hq.services_pool, folder, 2, 0)] == [rows[0].backup]
        assert Path(newest.path).is_dir()
        assert [row.backup for row in backups(hq.services_pool)][:2] == [newest.backup, rows[1].backup]
    refuse_older(Path(newest.path))
    with pytest.raises(ConfigurationFault, match="number 3"):
        refuse_older(Path(rows[1].path))


def alerts(hq: HeadOffice) -> list[tuple[str, str, str | None]]:
    with hq.services_pool.connection() as conn:
        return conn.execute("select kind, detail, acknowledged_by from alert order by id").fetchall()
