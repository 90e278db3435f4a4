"""Mutants of the till: the crash images, or the tests of its opening and numbering, must find each one."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.journal.epochs import OpenEpoch
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.mark import HighWaterMark
from holdfast.register.till import journal, writing
from holdfast.register.till.till import Till
from tests.crash.crashvfs import crash_images
from tests.crash.test_checkout_crash_images import Recorded, folder, judge, lay_down, record
from tests.integration import test_checkout, test_till_journal, test_till_open
from tests.register_fixture import make_register, selling
from tests.unit.core.shop import BEGAN_MS

FIXTURES = (folder,)
YEARS_MS = 7 * 365 * 86_400_000


def causes(home: RegisterHome, recorded: Recorded, *, newest_mark: bool) -> list[str]:
    """What the images of a power cut show, up to the first that is not in order."""
    chance = random.Random(1)
    for image in crash_images(recorded.log.log, 1, recorded.start):
        marks = recorded.marks[: image.noted + 1]
        lay_down(home, image, marks[-1] if newest_mark else chance.choice(marks))
        if cause := judge(home, image, recorded):
            return [cause]
    return []


def test_a_till_that_does_not_flush_loses_an_acknowledged_step(folder: Path) -> None:
    """The mutant `synchronous=NORMAL`: a harness that lets it live proves nothing (P1)."""
    home = make_register(folder / "register")
    recorded = record(home, synchronous="normal")
    assert causes(home, recorded, newest_mark=False)[0].startswith("neither as acknowledged")


def test_a_mark_written_before_the_commit_opens_an_epoch_for_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark ahead of the database means that entries were lost: here none were (P4)."""
    append = Till.append

    def append_and_mark(self: Till, *arguments: Any) -> Any:
        written = append(self, *arguments)
        self._note()
        return written

    home = make_register(folder / "register")
    with monkeypatch.context() as patch:
        patch.setattr(Till, "append", append_and_mark)
        recorded = record(home)
    assert causes(home, recorded, newest_mark=True)[0].startswith("neither as acknowledged")


def test_a_till_as_it_ships_stands_the_newest_mark_at_each_point(folder: Path) -> None:
    home = make_register(folder / "register")
    assert not causes(home, record(home), newest_mark=True)


def test_a_mark_that_is_not_written_repeats_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restored database is then believed: it goes on in the segment of what it lost (P4)."""
    write, first = HighWaterMark.write, list[object]()

    def write_once(self: HighWaterMark, mark: Any) -> bool:
        first.append(mark)
        return write(self, mark) if len(first) == 1 else True

    monkeypatch.setattr(HighWaterMark, "write", write_once)
    with pytest.raises(AssertionError, match="not in"):
        test_till_open.test_a_restored_database_goes_on_in_a_segment_of_its_own(
            make_register(tmp_path / "register"), tmp_path
        )


Check = Callable[[RegisterHome], None]


def the_newest_epoch_is_last_whatever_the_clock_says(home: RegisterHome) -> None:
    """The clock jumps back by years between two epochs."""
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        clock.jump_to(BEGAN_MS - YEARS_MS)
        checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin"))
        heads = test_till_journal.journal_of(home).heads()
        assert heads[-1].epoch == checkout.head().epoch, "the last head is not that of the newest epoch"


def test_epochs_are_in_the_order_of_their_opening(tmp_path: Path) -> None:
    the_newest_epoch_is_last_whatever_the_clock_says(make_register(tmp_path / "register"))


def test_a_clock_trusted_for_the_order_of_epochs_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order is by ordinal and seq, never by time: sync would take an old epoch for the one being sold in."""
    epoch_heads = journal.QUERIES.epoch_heads

    def by_time(connection: Any) -> Any:
        times = dict(connection.execute("select n, opened_at_ms from epoch").fetchall())
        return sorted(epoch_heads(connection), key=lambda row: times[row[0]])

    monkeypatch.setattr(journal.QUERIES, "epoch_heads", by_time)
    with pytest.raises(AssertionError, match="not that of the newest epoch"):
        the_newest_epoch_is_last_whatever_the_clock_says(make_register(tmp_path / "register"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_head_remembered_between_transactions_takes_a_number_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes on one till: each must read the head under the write lock (P4)."""
    read_head, known = writing.read_head, dict[int, Any]()
    store = writing.store

    def remembered(on: Any) -> Any:
        found = known.get(id(on)) or read_head(on)
        if found is not None:
            known[id(on)] = found
        return found

    def store_and_remember(on: Any, at: Any, written: Any, *arguments: Any) -> Any:
        result = store(on, at, written, *arguments)
        known.pop(id(on), None)
        remembered(on)
        return result

    monkeypatch.setattr(writing, "read_head", remembered)
    monkeypatch.setattr(writing, "store", store_and_remember)
    check: Check = test_checkout.test_two_checkouts_on_one_till_never_take_the_same_number
    with pytest.raises(AssertionError, match="R01-"):
        check(make_register(tmp_path / "register"))
