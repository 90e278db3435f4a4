"""Numbered SQL migrations for PostgreSQL (how they are written: `infra.migrations`).

Apart from SQLite's, so that a register never loads psycopg.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from holdfast.core.faults import DatabaseFault, StorageFullFault, UnavailableFault
from holdfast.infra.migrations import (
    CREATE_TABLE,
    LOCK_TIMEOUT_MS,
    SELECT_APPLIED,
    Migration,
    next_migration,
    refused,
)

_ADVISORY_LOCK = int.from_bytes(hashlib.sha256(b"holdfast migrations").digest()[:8], "big", signed=True)
_TABLE = CREATE_TABLE.format(type="timestamptz", now="now()")


def migrate_postgres(conn: psycopg.Connection[Any], migrations: Sequence[Migration]) -> list[Migration]:
    """Bring a PostgreSQL database up to date; the migrations applied now. The connection must be idle.

    Raises NewerVersionFault, DatabaseFault (a migration changed, is missing, or fails), StorageFullFault or
    UnavailableFault (another process is still migrating, or the connection was lost).
    """
    if conn.info.transaction_status != TransactionStatus.IDLE:
        raise DatabaseFault("Migrations need a connection outside any transaction.")
    applied_now: list[Migration] = []
    with _postgres_faults():
        while (migration := _postgres_step(conn, migrations)) is not None:
            applied_now.append(migration)
    return applied_now


def _postgres_step(conn: psycopg.Connection[Any], migrations: Sequence[Migration]) -> Migration | None:
    """Apply the next migration in a transaction of its own, under the lock that all of them share."""
    with conn.transaction():
        conn.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}".encode())
        conn.execute("select pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        conn.execute(_TABLE.encode())
        rows = conn.cursor(row_factory=tuple_row).execute(SELECT_APPLIED).fetchall()
        migration = next_migration(migrations, {number: (name, sha256) for number, name, sha256 in rows})
        if migration is None:
            return None
        try:
            conn.execute(migration.sql.encode())
        except psycopg.OperationalError:
            raise  # lost, full or locked out: no fault of the migration
        except psycopg.Error as refusal:
            raise refused(migration, refusal) from refusal
        conn.execute(
            "insert into migration (number, name, sha256) values (%s, %s, %s)",
            [migration.number, migration.name, migration.sha256],
        )
    return migration


@contextlib.contextmanager
def _postgres_faults() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.DiskFull as refusal:
        raise StorageFullFault("PostgreSQL's disk is full. Make room, then start again.") from refusal
    except psycopg.OperationalError as refusal:
        raise UnavailableFault(f"PostgreSQL did not finish the migrations: {refusal}") from refusal
    except psycopg.Error as refusal:
        raise DatabaseFault(f"PostgreSQL refuses the migrations: {refusal}") from refusal
