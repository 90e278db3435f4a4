"""Opening the till's database: the right key, the right register, a version that is understood."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from holdfast.core.faults import DamagedFault, DatabaseFault
from holdfast.core.ids import OriginId
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.migrations import Migration, load_migrations, migrate_sqlite, next_migration
from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.infra.sqlite import faults, immediate, open_database

QUERIES: Final[Queries] = load_queries(__name__.rpartition(".")[0], "till.sql", Engine.SQLITE)
"""The named queries of `till.sql`."""


def sql_of(name: str) -> str:
    """The text of a query, to run as it is: on the hot path aiosql's call costs as much as SQLite's work."""
    query: Any = getattr(QUERIES, name)
    return query.sql


def create_till(home: RegisterHome, key: DatabaseKey, origin: OriginId) -> None:
    """Make an empty till of `origin`, or finish one whose making was cut short. Only enrolment does this:
    a till that starts empty after a disk fault would number its documents again (P4)."""
    make_till(home.till, key, origin).close()


def make_till(path: Path, key: DatabaseKey, origin: OriginId) -> apsw.Connection:
    """An empty till of `origin` in a file of its own. Faults as `open_till` raises them."""
    return _brought_up_to_date(open_database(path, key, create=True), origin)


def open_till(
    home: RegisterHome, key: DatabaseKey, origin: OriginId, *, vfs: str | None = None
) -> apsw.Connection:
    """The till of `origin` for its one writer, at the newest schema.

    KeyFault, DatabaseFault, NewerVersionFault, StorageFullFault and UnavailableFault as they say.
    """
    with damage_of(home):
        return _brought_up_to_date(open_database(home.till, key, vfs=vfs), origin)


def read_till(home: RegisterHome, key: DatabaseKey, origin: OriginId) -> apsw.Connection:
    """The till of `origin` for reading, beside its writer. Its writer migrates it first."""
    with damage_of(home):
        connection = open_database(home.till, key, read_only=True)
        opened = False
        try:
            with faults(connection):
                _require_version(connection)
                _require_origin(connection, origin)
            opened = True
        finally:
            if not opened:
                connection.close()
        return connection


@contextmanager
def damage_of(home: RegisterHome) -> Iterator[None]:
    """Damage that is met within the block is said with its cure."""
    try:
        yield
    except DamagedFault as fault:
        raise DamagedFault(
            f"The disk does not give back part of {home.till}. Stop the till where it runs, then: holdfast "
            f"register mend --home {home.path}. It goes on with all that can be read, and keeps the damaged "
            "file.",
            fault.path,
        ) from fault


def _migrations() -> tuple[Migration, ...]:
    return load_migrations(__name__.rpartition(".")[0])


def _brought_up_to_date(connection: apsw.Connection, origin: OriginId) -> apsw.Connection:
    """The connection, or closed where that fails."""
    done = False
    try:
        with faults(connection):
            migrate_sqlite(connection, _migrations())
        with immediate(connection):
            if QUERIES.origin(connection) is None:
                QUERIES.claim(connection, origin=origin)
            _require_origin(connection, origin)
        done = True
    finally:
        if not done:
            connection.close()
    return connection


def _require_version(connection: apsw.Connection) -> None:
    rows: list[Any] = connection.execute("select number, name, sha256 from migration").fetchall()
    waiting = next_migration(_migrations(), {number: (name, sha256) for number, name, sha256 in rows})
    if waiting is not None:
        raise DatabaseFault(
            f"The database {connection.filename} is of an older version. Start the register once: it brings "
            "its database up to date."
        )


def _require_origin(connection: apsw.Connection, origin: OriginId) -> None:
    found = QUERIES.origin(connection)
    if found != origin:
        raise DatabaseFault(
            f"The database {connection.filename} belongs to the register {found}, and this one is {origin}. "
            "Put back this register's own data folder, or enrol this machine again."
        )
