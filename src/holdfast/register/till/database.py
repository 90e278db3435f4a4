"""Opening the till's database: the right key, the right register, a version that is understood."""

from typing import Any, Final

import apsw

from holdfast.core.faults import DatabaseFault
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
    connection = open_database(home.till, key, create=True)
    try:
        _bring_up_to_date(connection, origin)
    finally:
        connection.close()


def open_till(
    home: RegisterHome, key: DatabaseKey, origin: OriginId, *, vfs: str | None = None
) -> apsw.Connection:
    """The till of `origin` for its one writer, at the newest schema.

    KeyFault, DatabaseFault, NewerVersionFault, StorageFullFault and UnavailableFault as they say.
    """
    connection = open_database(home.till, key, vfs=vfs)
    opened = False
    try:
        _bring_up_to_date(connection, origin)
        opened = True
    finally:
        if not opened:
            connection.close()
    return connection


def read_till(home: RegisterHome, key: DatabaseKey, origin: OriginId) -> apsw.Connection:
    """The till of `origin` for reading, beside its writer. Its writer migrates it first."""
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


def _migrations() -> tuple[Migration, ...]:
    return load_migrations(__name__.rpartition(".")[0])


def _bring_up_to_date(connection: apsw.Connection, origin: OriginId) -> None:
    migrate_sqlite(connection, _migrations())
    with immediate(connection):
        if QUERIES.origin(connection) is None:
            QUERIES.claim(connection, origin=origin)
        _require_origin(connection, origin)


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
