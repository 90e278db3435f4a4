"""Opening `reference.db`: made where there is none, set aside where it is damaged.

Unlike the till's database it holds nothing that cannot be fetched again, so a register with nobody
at it does not stop over it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import structlog

from holdfast.core.faults import DamagedFault, DatabaseFault, Fault, NewerVersionFault
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, key_id_path
from holdfast.infra.migrations import load_migrations, migrate_sqlite, next_migration
from holdfast.infra.sqlite import faults, open_database
from holdfast.register.sync.salvage import salvage

_log = structlog.get_logger(__name__)


def open_reference(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    """A connection that may write, at the newest schema; the file is made where there is none.

    Whoever comes first makes it: the till's page or the sync process. A damaged one is kept aside as
    `reference.db.damaged` and a new one begun with what can still be read of it. KeyFault,
    NewerVersionFault, StorageFullFault and UnavailableFault as they say.
    """
    with _alone(home):
        try:
            return _open_whole(home, key)
        except DatabaseFault as fault:
            if isinstance(fault, NewerVersionFault) or not os.access(home.reference, os.R_OK | os.W_OK):
                raise  # a matter of versions or rights, not of damage
            return _begin_anew(home, key, fault)


def read_reference(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    """A connection that only reads. DatabaseFault while there is no database yet."""
    with _alone(home):
        return open_database(home.reference, key, read_only=True)


class ReferenceFile:
    """A connection that goes along when the file is set aside, by this process or another one.

    For one thread, or under a lock.
    """

    def __init__(self, home: RegisterHome, key: DatabaseKey, *, read_only: bool = False) -> None:
        """Faults as `open_reference` and `read_reference` raise them."""
        self._home = home
        self._key = key
        self._open = read_reference if read_only else open_reference
        self._file = _identity(home.reference)
        self._connection = self._open(home, key)

    def connection(self) -> apsw.Connection:
        """To the file that is in place now."""
        if self.is_replaced:
            self._reopen()
        return self._connection

    @property
    def is_replaced(self) -> bool:
        """Whether another file is in its place."""
        return _identity(self._home.reference) != self._file

    def renew(self, fault: DamagedFault) -> bool:
        """Set the file aside, if it is the one that this fault met; whether it was."""
        if os.path.realpath(fault.path) != os.path.realpath(self._home.reference):
            return False
        with _alone(self._home):
            if not self.is_replaced:
                _begin_anew(self._home, self._key, fault).close()
        self._reopen()
        return True

    def reopen(self) -> None:
        """After a failing disk only a fresh connection tells what is stored."""
        with suppress(Fault):  # the next use finds the same fault, and says it
            self._reopen()

    def close(self) -> None:
        self._connection.close()

    def _reopen(self) -> None:
        file = _identity(self._home.reference)  # first: one that is replaced meanwhile is opened again
        fresh = self._open(self._home, self._key)
        self._connection.close()
        self._connection, self._file = fresh, file


def damaged_copy(home: RegisterHome) -> Path:
    """Where a damaged file is kept for support."""
    return home.reference.with_name(home.reference.name + ".damaged")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _alone(home: RegisterHome) -> Iterator[None]:
    """One process at a time opens, makes or replaces the file."""
    try:
        folder = os.open(home.reference.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise DatabaseFault(
            f"The folder {home.reference.parent} cannot be used ({error.strerror}). Check that it is there, "
            "and that it belongs to the user who runs Holdfast."
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _open_whole(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    connection = open_database(home.reference, key, create=True)
    migrated = False
    try:
        with faults(connection):
            if not _is_current(connection):
                migrate_sqlite(connection, load_migrations("holdfast.register.sync"))
            connection.execute("pragma secure_delete = on").fetchall()  # who was forgotten is gone
        migrated = True
    finally:
        if not migrated:
            connection.close()
    return connection


def _begin_anew(home: RegisterHome, key: DatabaseKey, fault: DatabaseFault) -> apsw.Connection:
    """Within `_alone`."""
    _log.error("reference.set-aside", path=str(home.reference), cause=fault.sentence)
    _set_aside(home)
    connection = _open_whole(home, key)
    salvage(damaged_copy(home), key, connection)
    return connection


def _is_current(connection: apsw.Connection) -> bool:
    """Looked up first, without the write lock: a migration waits for that one as long as it takes."""
    tables = connection.execute("select 1 from sqlite_schema where name = 'migration'").fetchall()
    if not tables:
        return False
    rows: list[Any] = connection.execute("select number, name, sha256 from migration").fetchall()
    applied = {number: (name, sha256) for number, name, sha256 in rows}
    return next_migration(load_migrations("holdfast.register.sync"), applied) is None


def _set_aside(home: RegisterHome) -> None:
    """With its log, which may hold the newest part. Who has it open goes on in it until it looks again."""
    path, aside = home.reference, damaged_copy(home)
    for suffix in ("", "-wal", "-shm"):
        aside.with_name(aside.name + suffix).unlink(missing_ok=True)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        wal.replace(aside.with_name(aside.name + "-wal"))
    path.replace(aside)
    key_id_path(path).unlink(missing_ok=True)
