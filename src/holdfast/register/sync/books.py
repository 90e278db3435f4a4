"""The databases as one part of the sync process holds them: the till's to read, the reference to write.

Each part opens its own in its own thread, and opens them anew after a fault.
"""

import os
from collections.abc import Mapping

import apsw

from holdfast.core.business_day import DayState
from holdfast.core.faults import DamagedFault, DatabaseFault
from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import Signer
from holdfast.core.parameters import FIRST_DATE, Place, Value
from holdfast.core.readiness import Readiness, assess
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.queries import Engine, load_queries
from holdfast.infra.sqlite import faults
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.forgetting import Forgetting
from holdfast.register.sync.parameters import read_settings
from holdfast.register.sync.readiness import facts_of
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.requests import Inbox
from holdfast.register.till.database import read_till
from holdfast.register.till.history import Owed, owed
from holdfast.register.till.journal import TillJournal
from holdfast.register.till.writing import read_day

_TILL = load_queries("holdfast.register.sync", "till_reads.sql", Engine.SQLITE)


class TillReads:
    """What sync reads of a till beside its journal."""

    def __init__(self, home: RegisterHome, connection: apsw.Connection) -> None:
        self._home = home
        self._connection = connection

    def owed(self, applied: Mapping[EpochId, int]) -> Owed:
        """Documents above head office's applied cursors."""
        with faults(self._connection):
            return owed(self._connection, applied)

    def day(self) -> DayState:
        with faults(self._connection):
            return read_day(self._connection)

    def keep_from_seq(self, epoch: EpochId, business_date: str) -> int:
        """First seq of `epoch` that a purge must leave: from this business date on, and the head. All of one
        of which a damaged page says nothing."""
        try:
            with faults(self._connection):
                return _TILL.keep_from_seq(self._connection, epoch=epoch, business_date=business_date) or 1
        except DamagedFault:
            return 1

    def first_kept_seq(self, epoch: EpochId, seq: int) -> int | None:
        """The first entry from `seq` on whose bytes no purge took; None: none."""
        with faults(self._connection):
            return _TILL.first_kept_seq(self._connection, epoch=epoch, seq=seq)

    def disk_free_bytes(self) -> int:
        try:
            disk = os.statvfs(self._home.data)
        except OSError as error:
            raise DatabaseFault(
                f"The folder {self._home.data} cannot be read ({error.strerror}). Check the disk."
            ) from error
        return disk.f_bavail * disk.f_frsize


class Books:
    """One part's connections, and everything that is read and written over them."""

    def __init__(self, home: RegisterHome, key: DatabaseKey, origin: OriginId, signer: Signer) -> None:
        """KeyFault, DatabaseFault, StorageFullFault, UnavailableFault: as opening says."""
        self._home = home
        self._key = key
        self.handed = home.handed
        self._reference = open_reference(home, key)
        self._till: apsw.Connection | None = None
        opened = False
        try:
            self.reference = Reference(self._reference, origin)
            self.feeds = FeedStore(self._reference)
            self.inbox = Inbox(self._reference)
            self._till = read_till(home, key, origin)
            self.journal = TillJournal(self._till, signer, self.reference)
            self.till = TillReads(home, self._till)
            self.forgetting = Forgetting(self._reference, self._till)
            opened = True
        finally:
            if not opened:
                self.close()

    def parameter(self, name: str) -> Value | None:
        """What counts at this register on its business date; None: the default does."""
        config = load_config(self._home.config, RegisterConfig)
        place = Place(config.store, config.series)
        found = read_settings(
            self._reference, [name], place, lambda: self.till.day().business_date or FIRST_DATE
        )
        return found[name].value if name in found else None

    def readiness(self, now_ms: int) -> Readiness:
        """Whether this register would survive an outage. Faults of reading what that depends on."""
        assert self._till is not None, "books are read while they are open"
        config = load_config(self._home.config, RegisterConfig)
        return assess(facts_of(self._home, config, self._key, self._reference, self._till, now_ms))

    def close(self) -> None:
        """Let go of both databases."""
        self._reference.close()
        if self._till is not None:
            self._till.close()
