"""Opening `reference.db`: made where there is none, set aside where it is damaged.

Unlike the till's database it holds nothing that cannot be fetched again, so a register with nobody
at it does not stop over it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw
import structlog

from holdfast.core.faults import DatabaseFault
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, key_id_path
from holdfast.infra.migrations import load_migrations, migrate_sqlite, next_migration
from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.infra.sqlite import faults, immediate, open_database

T = TypeVar("T")

QUERIES: Final[Queries] = load_queries("holdfast.register.sync", "reference.sql", Engine.SQLITE)
"""The named queries of `reference.sql`."""

_log = structlog.get_logger(__name__)


def open_reference(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    """A connection that may write, at the newest schema; the file is made where there is none.

    Whoever comes first makes it: the till's page or the sync process. A damaged one is kept aside as
    `reference.db.damaged` and a new one begun. KeyFault, NewerVersionFault, StorageFullFault and
    UnavailableFault as they say.
    """
    try:
        connection = open_database(home.reference, key, create=True)
    except DatabaseFault as fault:
        if not os.access(home.reference, os.R_OK | os.W_OK):
            raise  # a matter of rights, not of damage
        _log.error("reference.set-aside", path=str(home.reference), cause=fault.sentence)
        _set_aside(home.reference)
        connection = open_database(home.reference, key, create=True)
    migrated = False
    try:
        with faults(connection):
            if not _is_current(connection):
                migrate_sqlite(connection, load_migrations("holdfast.register.sync"))
        migrated = True
    finally:
        if not migrated:
            connection.close()
    return connection


def read_reference(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    """A connection that only reads. DatabaseFault while there is no database yet."""
    return open_database(home.reference, key, read_only=True)


def _is_current(connection: apsw.Connection) -> bool:
    """Looked up first, without the write lock: a migration waits for that one as long as it takes."""
    tables = connection.execute("select 1 from sqlite_schema where name = 'migration'").fetchall()
    if not tables:
        return False
    rows: list[Any] = connection.execute("select number, name, sha256 from migration").fetchall()
    applied = {number: (name, sha256) for number, name, sha256 in rows}
    return next_migration(load_migrations("holdfast.register.sync"), applied) is None


def _set_aside(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.replace(path.with_name(path.name + ".damaged"))
    key_id_path(path).unlink(missing_ok=True)


def sql_of(name: str) -> str:
    """A named query's text, for loops in which aiosql's call around it would cost as much as SQLite."""
    return getattr(QUERIES, name).sql


def read(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of reads, with the connection's errors as faults."""
    with faults(connection):
        return work()


def read_at_once(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of several reads that all see the same commit."""
    with faults(connection):
        connection.execute("begin")
        try:
            return work()
        finally:
            connection.execute("commit")


def write(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of one transaction, all of it or nothing."""
    with immediate(connection):
        return work()
