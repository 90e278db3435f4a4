"""Numbered SQL migrations, the same for SQLite (here) and PostgreSQL (`infra.postgres.migrations`).

A migration is a file `NNNN_name.sql` in a package folder, numbered from 0001 without gaps. Each is applied
in one transaction together with its row in the table `migration`, so that a crash leaves it applied and
recorded, or neither. Two processes that start at once apply each migration once: the second waits.

A file never changes once it was released (its hash is recorded), and never commits by itself.
"""

import contextlib
import hashlib
import importlib.resources
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import apsw

from holdfast.core.faults import DatabaseFault, NewerVersionFault, StorageFullFault, UnavailableFault

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_ENDS_TRANSACTION = re.compile(r"^\s*(commit|rollback|abort)\b(?!\s+to\b)", re.IGNORECASE | re.MULTILINE)
LOCK_TIMEOUT_MS = 600_000
"""As long as the slowest migration of another process may take."""

CREATE_TABLE = """
create table if not exists migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at {type} not null default {now}
)"""
_SQLITE_TABLE = CREATE_TABLE.format(type="text", now="(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")
SELECT_APPLIED = "select number, name, sha256 from migration order by number"


@dataclass(frozen=True)
class Migration:
    """One file: what it does to the schema, and the hash of its bytes."""

    number: int
    name: str
    sql: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


def load_migrations(package: str, folder: str = "migrations") -> tuple[Migration, ...]:
    """The migrations in a folder of a package, in order. DatabaseFault unless they count 1, 2, 3 …"""
    return read_migrations(importlib.resources.files(package).joinpath(folder))


def read_migrations(folder: Traversable) -> tuple[Migration, ...]:
    """The migrations in any folder; other files in it than `.sql` are left alone."""
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    migrations = tuple(_read(file) for file in files)
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise DatabaseFault(f"Migration {migration} stands where number {expected:04} must be.")
    return migrations


def migrate_sqlite(conn: apsw.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Bring an SQLite database up to date; the migrations applied now. Faults as for PostgreSQL.

    `pragma foreign_keys` cannot change inside a transaction, so a migration that rebuilds a table defers them
    (`pragma defer_foreign_keys = on`).
    """
    if conn.in_transaction:
        raise DatabaseFault("Migrations need a connection outside any transaction.")
    applied_now: list[Migration] = []
    with _sqlite_faults(), _patient(conn):
        while (migration := _sqlite_step(conn, migrations)) is not None:
            applied_now.append(migration)
    return applied_now


# ---- what is to do: pure -----------------------------------------------------------------------


def next_migration(
    migrations: Sequence[Migration], applied: Mapping[int, tuple[str, str]]
) -> Migration | None:
    """The first migration that is not in `applied` (number to name and hash); a fault if they do not fit."""
    known = {migration.number: migration for migration in migrations}
    newest = max(applied, default=0)
    if newest > len(migrations):
        raise NewerVersionFault(
            "This database was written by a newer Holdfast: it is at migration "
            f"{newest:04}_{applied[newest][0]}, "
            f"and this one knows {len(migrations):04}. Start the newer Holdfast again, or restore a backup "
            "from "
            "before the upgrade."
        )
    for number, (name, sha256) in applied.items():
        if known[number].sha256 != sha256:
            raise DatabaseFault(
                f"Migration {number:04}_{name} is not the one that this database was made with. Install an "
                "unchanged release of Holdfast; a released migration is never edited."
            )
    missing = set(range(1, newest)) - set(applied)
    if missing:
        raise DatabaseFault(
            f"This database is at migration {newest:04} but lacks {min(missing):04}. Its table migration was "
            "changed by hand: restore a backup."
        )
    return known.get(newest + 1)


def _read(file: Traversable) -> Migration:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise DatabaseFault(f"{file.name} is no migration: the name must be like 0001_first_tables.sql.")
    content = file.read_bytes()
    text = content.decode("utf-8")
    migration = Migration(int(match[1]), match[2], text, hashlib.sha256(content).hexdigest())
    if _ENDS_TRANSACTION.search(text):
        raise DatabaseFault(f"Migration {migration} ends its transaction by itself, which it must not.")
    return migration


# ---- SQLite ------------------------------------------------------------------------------------


def _sqlite_step(conn: apsw.Connection, migrations: Sequence[Migration]) -> Migration | None:
    conn.execute("begin immediate")
    try:
        migration = _sqlite_apply(conn, migrations)
        if not conn.in_transaction:
            raise DatabaseFault(f"Migration {migration} ended its transaction by itself, which it must not.")
        conn.execute("commit")
    finally:
        if conn.in_transaction:
            conn.execute("rollback")
    return migration


def _sqlite_apply(conn: apsw.Connection, migrations: Sequence[Migration]) -> Migration | None:
    conn.execute(_SQLITE_TABLE)
    rows: list[Any] = conn.execute(SELECT_APPLIED).fetchall()
    migration = next_migration(migrations, {number: (name, sha256) for number, name, sha256 in rows})
    if migration is None:
        return None
    try:
        conn.execute(migration.sql)
    except (apsw.SQLError, apsw.ConstraintError) as refusal:
        raise refused(migration, refusal) from refusal
    conn.execute(
        "insert into migration (number, name, sha256) values (?, ?, ?)",
        (migration.number, migration.name, migration.sha256),
    )
    return migration


@contextlib.contextmanager
def _patient(conn: apsw.Connection) -> Iterator[None]:
    """Wait for another process's migration; afterwards the connection waits as it did before."""
    before_ms = conn.pragma("busy_timeout")
    conn.set_busy_timeout(LOCK_TIMEOUT_MS)
    try:
        yield
    finally:
        conn.set_busy_timeout(before_ms if isinstance(before_ms, int) else 0)


@contextlib.contextmanager
def _sqlite_faults() -> Iterator[None]:
    try:
        yield
    except apsw.FullError as refusal:
        raise StorageFullFault("The disk is full. Make room, then start again.") from refusal
    except apsw.BusyError as refusal:
        raise UnavailableFault("Another process is still changing this database.") from refusal


def refused(migration: Migration, refusal: Exception) -> DatabaseFault:
    """The fault of a migration that the database refuses."""
    return DatabaseFault(
        f"Migration {migration} cannot be applied: {refusal}. The database is as it was before."
    )
