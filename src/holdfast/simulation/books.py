"""What the parts of a register's sync process read and write: both databases, as one part holds them."""

from collections.abc import Mapping
from typing import cast

from holdfast.core.business_day import DayState
from holdfast.core.ids import EpochId, IncarnationId
from holdfast.core.readiness import Readiness
from holdfast.register.sync.books import Books
from holdfast.register.till.history import Owed
from holdfast.simulation.disk import Database, DiskJournal

DISK_FREE_BYTES = 1 << 30
SCORE = 100


class SimTill:
    """What sync reads of a till beside its journal (`register.sync.books.TillReads`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def owed(self, applied: Mapping[EpochId, int]) -> Owed:
        """Documents above head office's applied cursors."""
        epochs = self._database.epochs
        return Owed(count=sum(epoch.documents_above(applied.get(epoch.epoch, 0)) for epoch in epochs))

    def day(self) -> DayState:
        return DayState(business_date=self._database.business_date or None)

    def keep_from_seq(self, epoch: EpochId, business_date: str) -> int:
        """First seq that a purge must leave: from this business date on, and the head."""
        known = self._database.epoch(epoch)
        if known is None:
            return 1
        dates = known.dates
        first = next((place for place, date in enumerate(dates) if date >= business_date), len(dates) - 1)
        return first + 1

    def first_kept_seq(self, epoch: EpochId, seq: int) -> int | None:
        """The first entry from `seq` on whose bytes no purge took; None: none."""
        known = self._database.epoch(epoch)
        entries = () if known is None else known.entries[seq - 1 :]
        return next((entry.seq for entry in entries if entry.readable or entry.data), None)

    def disk_free_bytes(self) -> int:
        return DISK_FREE_BYTES


class NobodyForgotten:
    """Here nobody is a customer by name (`register.sync.forgetting.Forgetting`)."""

    def to_send(self, incarnation: IncarnationId) -> None:
        """No keys of persons."""

    def bring_home(self, now_ms: int) -> int:
        """None to forget."""
        return 0

    def erase(self) -> None:
        """Nothing of anybody."""


class SimBooks:
    """One part's (`register.sync.books.Books`)."""

    def __init__(self, database: Database, journal: DiskJournal) -> None:
        held = database.reference
        self.reference, self.feeds, self.inbox = held.reference, held.feeds, held.inbox
        self.journal = journal
        self.till = SimTill(database)
        self.forgetting = NobodyForgotten()

    def readiness(self, now_ms: int) -> Readiness:
        """It has neither printer nor staff that could fail it."""
        return Readiness(score=SCORE)

    def close(self) -> None:
        """Nothing is open that another part does not use."""


def books_of(database: Database, journal: DiskJournal) -> Books:
    """The same under the name that the parts know it by."""
    return cast(Books, SimBooks(database, journal))
