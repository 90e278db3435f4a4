"""The database of a register, a store server or a payment terminal: encrypted SQLite, durable.

One way to open it, with settings that nobody can lower: WAL with `synchronous=FULL`, because a
receipt is shown only after its entry is on the disk (P1). SQLite's errors become the project's
faults here and nowhere else; a constraint violation stays `apsw.ConstraintError`, being a bug of
the caller rather than a state of the machine.

Remember with apsw: a text of several statements stops at the first row that one of them yields.
Run pragmas one by one, or exhaust the cursor.
"""

import enum
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import apsw

from holdfast.core.faults import (
    DamagedFault,
    DatabaseFault,
    Fault,
    KeyFault,
    StorageFullFault,
    UnavailableFault,
)
from holdfast.infra.keys import DatabaseKey, key_id_path, record_key_id, recorded_key_id, sync_directory

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 2_000
"""Two writers of one till are a mistake; this outlasts a checkpoint or a backup, not a person."""

WAL_AUTOCHECKPOINT_PAGES: Final = 4_000
"""A backstop of 16 MiB. Measured, 2 cores, 6 pages a sale: SQLite's 1,000 puts a checkpoint into
every 150th sale (commit p99 1.3 ms, p99.9 4.9 ms); with `checkpoint()` called between sales and
this backstop out of reach, p99 is 0.6 ms and p99.9 1.7 ms."""

RESERVE_BYTES: Final = 16 * 1024 * 1024
"""Room for over 500 sales, even if none of their 27 KiB of WAL could be checkpointed: enough to finish,
send and purge."""

_RESTORE = "Restore it from backup, or enrol this machine again."
_PLAIN_HEADER = b"SQLite format 3\0"
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ERRORS = frozenset(
    {
        apsw.SQLITE_IOERR_READ,
        apsw.SQLITE_IOERR_SHORT_READ,
        apsw.SQLITE_IOERR_DATA,
        apsw.SQLITE_IOERR_CORRUPTFS,
    }
)
"""A sector that does not give its bytes back says nothing of what is written elsewhere."""
UNREADABLE = (apsw.CorruptError, apsw.NotADBError, apsw.IOError)
"""What a statement raises that meets a damaged page."""


# ---- opening -----------------------------------------------------------------------------------


def open_database(
    path: Path,
    key: DatabaseKey,
    *,
    create: bool = False,
    read_only: bool = False,
    vfs: str | None = None,
    page_bytes: int = 4096,
    cache_kib: int = 8192,
) -> apsw.Connection:
    """A connection whose settings are those of a till; close it with `.close()`.

    `create` makes the file (mode 600) where there is none; otherwise a missing or empty file is a
    fault, because a till that starts empty after a disk fault would number its documents again.
    `vfs` names the layer under the encryption (`multipleciphers-NAME`), for tests that lose writes.

    KeyFault: the key is not this database's. DatabaseFault: missing, damaged or not ours.
    StorageFullFault, UnavailableFault: as they say.
    """
    assert not (create and read_only), "a database is not made for reading only"
    _prepare_file(path, create=create)
    _check_key_id(path, key, create=create)
    connection = _connect(path, read_only=read_only, vfs=vfs)
    opened = False
    try:
        with faults(connection):
            _unlock(connection, path, key)
            if not create and _pragma(connection, "page_count") == 0:
                raise DatabaseFault(f"The database {path} is empty. {_RESTORE}")
            _settle(connection, path, read_only=read_only, page_bytes=page_bytes, cache_kib=cache_kib)
        if not read_only and recorded_key_id(path) is None:
            record_key_id(path, key)
        opened = True
    finally:
        if not opened:
            connection.close()
    return connection


def _connect(path: Path, *, read_only: bool, vfs: str | None) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
    try:
        connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    except apsw.CantOpenError as error:
        raise fault_of(error, path) or error from error
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def _prepare_file(path: Path, *, create: bool) -> None:
    if path.exists():
        return
    if not create:
        raise DatabaseFault(f"The database {path} is missing. {_RESTORE}")
    # Made here because SQLite would make it with mode 644. It gives its WAL and shared memory the
    # mode of the database, so all three are closed to others, whatever the umask.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_directory(path.parent)  # SQLite does this for its WAL, not for the database itself
    except OSError as error:
        raise DatabaseFault(
            f"The database {path} cannot be made ({error.strerror}). Check its folder."
        ) from error


def _check_key_id(path: Path, key: DatabaseKey, *, create: bool) -> None:
    recorded = recorded_key_id(path)
    if recorded is None or recorded == key.key_id:
        return
    if create and path.stat().st_size == 0:
        record_key_id(path, key)  # left by a database that is gone
        return
    raise KeyFault(
        f"The database {path} was written with the key {recorded}, and this machine's key is {key.key_id}. "
        f"Put back the database key that belongs to it, or have head office recover it from {path}.recovery: "
        "holdfast register recover says how."
    )


def _unlock(connection: apsw.Connection, path: Path, key: DatabaseKey) -> None:
    # Pinned, so that a newer library's default cannot make old databases unreadable. `raw:` needs
    # no derivation: the key is random already. Not cached, so the text is not kept.
    connection.execute("pragma cipher='chacha20'", can_cache=False).fetchall()
    connection.execute(f"pragma key='raw:{key.reveal().hex()}'", can_cache=False).fetchall()
    try:
        _pragma(connection, "schema_version")  # the first read is the first that can fail
    except apsw.NotADBError as error:
        raise _why_unreadable(path) from error


def _why_unreadable(path: Path) -> Fault:
    with path.open("rb") as file:
        if file.read(len(_PLAIN_HEADER)) == _PLAIN_HEADER:
            return DatabaseFault(
                f"The database {path} is not encrypted, so it is not Holdfast's. Restore it from backup."
            )
    if recorded_key_id(path) is not None:
        return DamagedFault(
            f"The file {path} is damaged: its key is the right one, and it still does not open. Keep a copy "
            "of it for support, and restore it from backup; head office asks for what is missing.",
            str(path),
        )
    return KeyFault(
        f"The database {path} does not open with this machine's key, and {key_id_path(path).name}, which "
        "would name the right one, is missing. Put back the database key that belongs to it; with the "
        "right key, the file is damaged and must be restored from backup."
    )


def _settle(
    connection: apsw.Connection, path: Path, *, read_only: bool, page_bytes: int, cache_kib: int
) -> None:
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    _pragma(connection, f"cache_size=-{cache_kib}")
    _pragma(connection, "mmap_size=0")  # a bad sector must be an error, not a SIGBUS
    _pragma(connection, "temp_store=memory")  # temporary files would not be encrypted (P9)
    _pragma(connection, "foreign_keys=on")
    _pragma(connection, "trusted_schema=off")
    if not read_only:
        if _pragma(connection, "page_count") == 0:
            # Only before the first page is written, so before the journal mode; on a database that
            # is in use, `auto_vacuum` would wait for the write lock at each opening.
            _pragma(connection, f"page_size={page_bytes}")
            _pragma(connection, "auto_vacuum=incremental")
        _pragma(connection, "journal_mode=wal")
        _pragma(connection, f"wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}")
        # A WAL that once grew large is cut back, so that it does not hold a small disk's room.
        _pragma(connection, f"journal_size_limit={4 * WAL_AUTOCHECKPOINT_PAGES * page_bytes}")
        if _pragma(connection, "journal_mode") != "wal":
            raise DatabaseFault(
                f"The folder of {path} does not support a write-ahead log. Use a local disk, not a share."
            )
    _pragma(connection, "synchronous=full")
    assert _pragma(connection, "synchronous") == 2, "a till's commits are flushed (P1)"
    assert _pragma(connection, "foreign_keys") == 1, "foreign keys are checked"


def _pragma(connection: apsw.Connection, text: str) -> object:
    """The first column of the first row, or None. All rows are read: an unread one holds a lock."""
    rows = connection.execute(f"pragma {text}").fetchall()
    return rows[0][0] if rows else None


# ---- faults ------------------------------------------------------------------------------------


@contextmanager
def faults(connection: apsw.Connection) -> Iterator[None]:
    """Turn the connection's errors within the block into the project's faults; others pass."""
    try:
        yield
    except apsw.Error as error:
        _raise_fault_of(connection, error)
        raise


def _raise_fault_of(connection: apsw.Connection, error: apsw.Error) -> None:
    """Raise the fault that this error of the connection is; return where only a bug can cause it."""
    fault = fault_of(error, connection.filename, connection.system_errno)
    if fault is not None:
        raise fault from error


def fault_of(error: apsw.Error, path: Path | str, system_errno: int = 0) -> Fault | None:
    """The fault that an SQLite error is, or None for one that only a bug can cause.

    `system_errno` tells a full disk from a failing one where SQLite says "I/O error" for both.
    """
    match error:
        case apsw.FullError():
            return _full(path)
        case apsw.IOError():
            if system_errno in _FULL_ERRNOS:
                return _full(path)
            is_of_reading = getattr(error, "extendedresult", 0) in _READ_ERRORS
            return _damaged(path) if is_of_reading else _failing(path, error, system_errno)
        case apsw.BusyError() | apsw.LockedError() | apsw.ProtocolError():
            return UnavailableFault(
                f"The database {path} is in use by another process for over {BUSY_TIMEOUT_MS // 1000} s. "
                "Try again; if it stays, stop the other process."
            )
        case apsw.NotADBError():
            return DamagedFault(
                f"The file {path} is not a database, or not one of this key. {_RESTORE}", str(path)
            )
        case apsw.CorruptError():
            return _damaged(path)
        case apsw.CantOpenError() | apsw.ReadOnlyError() | apsw.PermissionsError():
            return DatabaseFault(
                f"The database {path} cannot be opened or written. Check that its folder is there, and that "
                "it and its files belong to the user who runs Holdfast."
            )
        case _:
            return None


def _full(path: Path | str) -> Fault:
    return StorageFullFault(
        f"The disk that holds {path} is full; the last change was not stored. Make room on it."
    )


def _damaged(path: Path | str) -> Fault:
    return DamagedFault(
        f"The database {path} is damaged. Keep a copy of it for support, and restore it from backup.",
        str(path),
    )


def _failing(path: Path | str, error: apsw.IOError, system_errno: int) -> Fault:
    # After a failed flush the system may call the same pages clean: only reading the disk again
    # tells what it holds, and opening anew does that.
    cause = os.strerror(system_errno) if system_errno else str(error)
    return DatabaseFault(
        f"The disk that holds {path} reported an error ({cause}). Restart Holdfast: it reads back what is "
        "stored. If it happens again, replace the disk."
    )


# ---- transactions ------------------------------------------------------------------------------


def immediate(connection: apsw.Connection) -> "Immediate":
    """BEGIN IMMEDIATE … COMMIT; anything raised inside rolls back. Faults as in `open_database`.

    Once the block ends without a fault, what it wrote is on the disk. Read head and numbers inside
    it, never before: the write lock is what keeps two processes from using one number (P4).

    StorageFullFault means that nothing was stored, and so does DamagedFault. Another DatabaseFault, from a
    failing disk, means that only a restart can tell; do not go on with this connection.
    """
    return Immediate(connection.cursor())


class Immediate:
    """One write transaction, for a `with` block, as `immediate` says; over a cursor that may be kept.

    No generator: every sale and every scan goes through it.
    """

    __slots__ = ("_connection", "_cursor")

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self._connection = cursor.connection

    def __enter__(self) -> apsw.Connection:
        assert not self._connection.in_transaction, "transactions do not nest"
        self._run("begin immediate")
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        committed = False
        try:
            if error is None:
                self._run("commit")
                committed = True
            elif isinstance(error, apsw.Error):
                _raise_fault_of(self._connection, error)
        finally:
            # A full disk or a failing one may have rolled back already.
            if not committed and self._connection.in_transaction:
                self._run("rollback")

    def _run(self, statement: str) -> None:
        try:
            self._cursor.execute(statement)
        except apsw.Error as error:
            _raise_fault_of(self._connection, error)
            raise


def checkpoint(connection: apsw.Connection) -> int:
    """Move what the WAL holds into the database without making anybody wait; pages left in the WAL.

    Call it between sales, on a connection of its own: it takes 3 to 6 ms, on a busy disk several times that.
    """
    with faults(connection):
        in_wal, moved = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    return max(in_wal - moved, 0)


def empty_log(connection: apsw.Connection) -> None:
    """Move all of the WAL into the database and cut its file to nothing, so that no former page is in it.

    Writers wait meanwhile. UnavailableFault where a reader does not let go in time.
    """
    with faults(connection):
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


# ---- disk reserve ------------------------------------------------------------------------------


class ReserveState(enum.Enum):
    """Whether room is kept back for finishing a sale on a full disk."""

    HELD = "held"
    SPENT = "spent"
    """Given up: the disk is full, or was and has too little room yet. Somebody must make room."""


class DiskReserve:
    """A preallocated file beside the database, given up when the disk is full.

    Without it a full disk stops the till with a basket open and sales unsent. With it the sale is
    finished, and what is sent and purged makes room again.
    """

    def __init__(self, database: Path, size_bytes: int = RESERVE_BYTES) -> None:
        assert size_bytes > 0, "a reserve of nothing is none"
        self.path = database.with_name(database.name + ".reserve")
        self.size_bytes = size_bytes

    @property
    def state(self) -> ReserveState:
        try:
            held = self.path.stat().st_blocks * 512 >= self.size_bytes
        except FileNotFoundError:
            held = False
        return ReserveState.HELD if held else ReserveState.SPENT

    def ensure(self) -> ReserveState:
        """Make the reserve where it is missing and there is room for it twice; call it while idle.

        Twice, so that making it does not itself fill the disk that a sale is about to write to.
        """
        if self.state is ReserveState.HELD:
            return ReserveState.HELD
        try:
            free = os.statvfs(self.path.parent)
            if free.f_bavail * free.f_frsize >= 2 * self.size_bytes:
                self._allocate()
        except OSError as error:
            if error.errno not in _FULL_ERRNOS:
                raise DatabaseFault(
                    f"The disk reserve {self.path} cannot be made ({error.strerror})."
                ) from error
            self.release()  # somebody else was quicker to take the room; keep nothing half
        return self.state

    def _allocate(self) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self.size_bytes)  # real blocks; a sparse file holds no room
        finally:
            os.close(descriptor)

    def release(self) -> bool:
        """Give the room up. True when there was some to give."""
        had_room = self.state is ReserveState.HELD
        self.path.unlink(missing_ok=True)
        return had_room

    def spend_on(self, work: Callable[[], T]) -> T:
        """Do a whole transaction; on a full disk give up the reserve and do it once more.

        `work` must be the whole of it, from BEGIN to COMMIT: the first try left nothing behind.
        StorageFullFault when there was no reserve left, or it was not enough.
        """
        try:
            return work()
        except StorageFullFault:
            if not self.release():
                raise
        return work()
