"""The till as its writer holds it: transactions, the next entry and epoch, the mark, the disk reserve."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import apsw
import msgspec

from holdfast import __version__
from holdfast.core.basket import Basket
from holdfast.core.business_day import NOBODY, DayClosed, DayOffer, DayState
from holdfast.core.cash.z_report import Counters, DayFigures
from holdfast.core.central.at_till import doubted
from holdfast.core.central.numbers import NUMBER_KEY
from holdfast.core.faults import ConfigurationFault, DamagedFault, DatabaseFault
from holdfast.core.ids import EPOCH_RANDOM_BYTES, EpochId, epoch_id
from holdfast.core.journal import epochs, writer
from holdfast.core.journal.bodies import REGISTRY, EpochClosed, EpochOpened
from holdfast.core.journal.chain import Position
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Head, Stamp, Written
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.mark import HighWaterMark, Mark
from holdfast.infra.sqlite import (
    DiskReserve,
    Immediate,
    ReserveState,
    checkpoint,
    empty_log,
    faults,
    open_database,
)
from holdfast.register.identity import load_papers, signing_key_id
from holdfast.register.till import cash, closing, mending, purging, writing
from holdfast.register.till.counters import read_counters, write_counters
from holdfast.register.till.database import QUERIES, open_till
from holdfast.register.till.handed import handed_seq
from holdfast.register.till.places import place
from holdfast.register.till.suspended import all_suspended, replace_suspended
from holdfast.register.till.writing import NO_DATE, Place, Standing

T = TypeVar("T")

_BEHIND_CACHE_KIB = 64
"""A checkpoint goes around the cache."""


_DAMAGED = (
    "The disk does not give back part of this register's data, and nothing of this was stored. Start the "
    "register again: it goes on with all that can be read."
)
RETIRED = (
    "This register was retired: its journal is closed, and head office waits for nothing more of it. To use "
    "the machine again, enrol it as a new register in another folder."
)


def is_closed(connection: apsw.Connection, last: Place) -> bool:
    """Whether the journal's last entry is the one that closes it."""
    return QUERIES.entry_type(connection, id=place(last.n, last.head.seq)) == "epoch_closed"


class Till:
    """The database, the mark beside it and the reserve, behind one lock. Threads may share it."""

    def __init__(
        self, home: RegisterHome, *, clock: Clock, randomness: Randomness, vfs: str | None = None
    ) -> None:
        """Open it; call `start` before anything else. Faults as `open_till` and `load_config` raise them."""
        self.config: RegisterConfig = load_config(home.config, RegisterConfig)
        self._key_id = signing_key_id(home)
        self._home = home
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.RLock()
        self._tidying = threading.Lock()
        self._failed: DatabaseFault | None = None
        self._unmarked: Mark | None = None
        self._uncounted: Counters | None = None
        self._reserve = DiskReserve(home.till)
        mending.finish(home)
        with ExitStack() as undo:
            key = DatabaseKey.load(home.database_key)
            self.number_key = hmac.digest(key.reveal(), NUMBER_KEY.encode(), hashlib.sha256)
            """Under which it knows numbers of cards again without keeping them."""
            self.connection = open_till(home, key, self.config.origin, vfs=vfs)
            undo.callback(self.connection.close)
            self.cursor = self.connection.cursor()
            """For the statements of every sale, under the lock."""
            self._behind = open_database(home.till, key, vfs=vfs, cache_kib=_BEHIND_CACHE_KIB)
            undo.callback(self._behind.close)
            self._mark = HighWaterMark(home.mark)
            undo.pop_all()
        marked = self._mark.read()
        self._date_floor = "" if marked is None else marked.business_date

    def start(self) -> None:
        """Compare database and mark, and open a new epoch where they disagree (P4)."""
        self._reserve.ensure()
        self.transact(self._start, finishing=True)
        self._mark.settle()

    def close(self) -> None:
        with self._tidying, self._lock:
            self._mark.close()
            self._behind.close()
            self.connection.close()

    # ---- transactions ------------------------------------------------------------------------

    def transact(self, work: Callable[[], T], *, finishing: bool = False, passing_over: bool = False) -> T:
        """`work` as one durable transaction; on its return what it wrote is on the disk (P1).

        `finishing`: it may use the disk's reserve, and is then run a second time. `passing_over`: it can do
        without what is on a damaged page; else the next start mends the file first.
        """
        with self._lock:
            self._require_sound()
            try:
                result = self._reserve.spend_on(lambda: self._whole(work)) if finishing else self._whole(work)
            except DamagedFault as fault:
                if passing_over:
                    raise  # nothing was stored, and what is not on the bad page can be used on
                mending.want(self._home)
                raise DamagedFault(_DAMAGED, fault.path) from fault
            except DatabaseFault as fault:
                self._failed = fault  # only opening anew tells what the disk holds
                raise
            self._note()
            return result

    def _whole(self, work: Callable[[], T]) -> T:
        self._unmarked = self._uncounted = None
        with Immediate(self.cursor):
            return work()

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """For reads outside a transaction: one thread at a time, SQLite's errors as faults."""
        with self._lock:
            self._require_sound()
            with faults(self.connection):
                yield self.connection

    def _require_sound(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _note(self) -> None:
        """After the commit, never before: a mark ahead of the database means that entries were lost."""
        if self._unmarked is not None:
            self._mark.write(self._unmarked)
            self._unmarked = None
        if self._uncounted is not None:
            write_counters(self._home.counters, self._uncounted)
            self._uncounted = None

    def _to_mark(self, head: Head, date: str) -> Mark:
        known = "" if date == NO_DATE else date
        return Mark(head.epoch, head.seq, head.hash, head.documents, max(self._date_floor, known))

    # ---- within a transaction ----------------------------------------------------------------

    def place(self) -> Place:
        """Where the journal stands now."""
        found = writing.read_head(self.cursor)
        assert found is not None, "a till that was started has an epoch"
        return found

    def handed_seq(self) -> int | None:
        """Up to where entries of the open epoch may have left this register; None: nobody knows."""
        return handed_seq(self._home.handed, self.place().head.epoch)

    def standing(self) -> Standing:
        """The open basket, the business day, and where the journal stands."""
        basket, day, at = writing.read_standing(self.cursor)
        return Standing(basket, self._not_back(day), at)

    def day(self) -> DayState:
        """The business day."""
        return self._not_back(writing.read_day(self.cursor))

    def _not_back(self, found: DayState) -> DayState:
        """Its date is at least the one that the mark remembers: it never goes back."""
        if self._date_floor > (found.business_date or ""):
            return DayState(business_date=self._date_floor, open=False)
        return found

    def forget_later_dates(self) -> None:
        """A manager goes back from a date in the future: the next mark has the date of its own entry.

        Before the commit: should that fail, the till asks a manager again, which is harmless.
        """
        self._date_floor = ""

    def offer(self, head_office_ms: int | None) -> DayOffer:
        at_ms = self._clock.now_ms()
        return DayOffer(at_ms, head_office_ms, self._clock.offset_min(at_ms))

    def stamp(self, date: str | None = None) -> Stamp:
        at_ms = self._clock.now_ms()
        return Stamp(
            at_ms=at_ms,
            offset_min=self._clock.offset_min(at_ms),
            date=date or self.day().business_date or NO_DATE,
        )

    def append(self, at: Place, type: str, version: int, body: msgspec.Struct, stamp: Stamp) -> Written:
        """Store the next entry after `at`, with its number and projections."""
        written = writer.write(self.config.origin, at.head, type, version, body, stamp)
        writing.store(self.cursor, at, written, body, stamp)
        self._unmarked = self._to_mark(written.head, stamp.date)
        return written

    def open_epoch(self, why: OpenEpoch, replaced: Position | None = None) -> Written:
        """Begin a new epoch on top of the last one, numbering in a segment of its own.

        `replaced`: where the register stood that this one goes on for; it is the first one's parent.
        """
        last = writing.read_head(self.cursor)
        epoch = epoch_id(self._randomness.bytes(EPOCH_RANDOM_BYTES))
        stamp = self.stamp()
        written = writer.open_epoch(
            self.config.origin,
            self.config.series,
            epoch,
            replaced if last is None else last.head.position,
            why,
            stamp,
            software=__version__,
            key_id=self._key_id,
        )
        body = REGISTRY.decode(decode_entry(written.data))
        assert isinstance(body, EpochOpened), "an epoch begins with its opening"
        writing.store_opening(self.cursor, written, body, stamp)
        self._doubt_holds()
        self._unmarked = self._to_mark(written.head, stamp.date)
        return written

    def _doubt_holds(self) -> None:
        """Of transactions that stand on the disk: another epoch may mean another life of it (P4)."""
        basket = writing.read_basket(self.cursor)
        if basket is not None and basket.holds:
            writing.write_basket(self.cursor, _doubted(basket))
        for kept in all_suspended(self.connection):
            if kept.basket.holds:
                replace_suspended(
                    self.connection, msgspec.structs.replace(kept, basket=_doubted(kept.basket))
                )

    def close_epoch(self, cause: str) -> Written:
        """The journal's last entry: nothing is written after it."""
        at, stamp = self.place(), self.stamp()
        written = writer.close_epoch(self.config.origin, at.head, cause, stamp)
        writing.store(self.cursor, at, written, EpochClosed(cause=cause), stamp)
        self._unmarked = self._to_mark(written.head, stamp.date)
        return written

    def _start(self) -> None:
        last = writing.read_head(self.cursor)
        if last is not None and is_closed(self.connection, last):
            raise ConfigurationFault(RETIRED)
        marked, papers = self._mark.read(), load_papers(self._home)
        why = epochs.at_start(None if last is None else last.head.position, marked, self.hash_at)
        if why is None:
            if last is not None and (marked is None or marked.hash != last.head.hash):
                # The power failed before the mark heard of the last entry, which people see from here on.
                self._unmarked = self._to_mark(last.head, self.day().business_date or NO_DATE)
            return
        replaces = papers.replaces if last is None and marked is None else None
        if replaces is not None:
            why = epochs.on_replacement(replaces.origin, replaces.at)
        self.open_epoch(why, None if replaces is None else replaces.at)
        day = writing.read_day(self.cursor)
        if day.open and day != self.day():
            # What is sold next must not count to a day that was over before this database was restored.
            closed = closing.end_day(self, day, by=NOBODY, cause="restored")
            assert isinstance(closed, DayClosed), "an open day can be closed"

    def counters(self, but: DayFigures) -> Counters:
        """How far Z reports and shifts were numbered: the highest that database and file know."""
        return cash.counters(self.connection, but.totals).highest(read_counters(self._home.counters))

    def next_shift(self) -> int:
        """The number of the next shift."""
        beside = read_counters(self._home.counters)
        return max(cash.last_shift(self.connection), beside.shift) + 1

    def count(self, counters: Counters) -> None:
        """Remember these beside the database, once the transaction is committed."""
        self._uncounted = counters

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        n = QUERIES.epoch_n(self.connection, epoch=epoch)
        return None if n is None else QUERIES.hash_at(self.connection, id=place(n, seq))

    # ---- the disk ----------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether there is room to begin something: the reserve is there, or could be made again."""
        return self._reserve.ensure() is ReserveState.HELD

    def tidy(self) -> None:
        """Between sales: reserve back, freed room to the disk, mark flushed, WAL into the database.

        The flushes take milliseconds, on a busy disk tens of them: no sale waits for the lock meanwhile.
        """
        with self._tidying:
            with self._lock:
                self._require_sound()
                self._reserve.ensure()
                self.transact(lambda: purging.give_back_some(self.connection), passing_over=True)
            self._mark.sync()
            checkpoint(self._behind)

    def empty_log(self) -> None:
        """Move the whole WAL into the database, and cut it to nothing: no former page stays in it.

        UnavailableFault while somebody reads it.
        """
        with self._tidying, self._lock:
            self._require_sound()
            empty_log(self._behind)


def _doubted(basket: Basket) -> Basket:
    return msgspec.structs.replace(basket, holds=doubted(basket.holds, also_held=True))
