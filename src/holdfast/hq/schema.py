"""The database of head office: made by its migrations, and its first incarnation."""

from typing import Any

import psycopg

from holdfast.core.ids import IncarnationId
from holdfast.infra.migrations import load_migrations
from holdfast.infra.postgres.migrations import migrate_postgres


def create_schema(conn: psycopg.Connection[Any], first: IncarnationId, now_ms: int) -> None:
    """Bring the database up to date; where it has no incarnation yet, `first` begins.

    Raises NewerVersionFault for a database that a newer Holdfast wrote.
    """
    migrate_postgres(conn, load_migrations("holdfast.hq"))
    with conn.transaction():
        conn.execute(
            "insert into incarnation (number, incarnation, began_at_ms, cause) "
            "select 1, %s, %s, 'created' where not exists (select from incarnation) "
            "on conflict do nothing",
            [first, now_ms],
        )
