"""One state of a database, seen the same by several connections, and what queries say of it."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

Rows = list[dict[str, Any]]

_TABLES: LiteralString = """
select schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2
"""

_SPELLING: LiteralString = """
set timezone = 'UTC'; set bytea_output = 'hex'; set intervalstyle = 'iso_8601'; set extra_float_digits = 1
"""


class Finding(msgspec.Struct, frozen=True):
    """A query and its rows as JSON objects, in an order that depends on the rows alone.

    Nothing is rounded: whole numbers are numbers, other numbers are strings, `bytea` is `"\\\\x00ff"`.
    """

    sql: str
    rows: Rows


@contextlib.contextmanager
def exported_snapshot(conn: psycopg.Connection[Any]) -> Iterator[str]:
    """The id under which `pg_dump` sees what this connection sees, until the end of the block."""
    conn.rollback()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    conn.read_only = True
    with conn.transaction():
        conn.execute("set local idle_in_transaction_session_timeout = 0")
        conn.execute("set local statement_timeout = 0")
        yield str(_value(conn, "select pg_export_snapshot()"))


def snapshot_time(conn: psycopg.Connection[Any]) -> datetime:
    """When the transaction began, in UTC by the server's clock."""
    at = _value(conn, "select now()")
    assert isinstance(at, datetime), "now() is a timestamptz"
    return at


def database_size_bytes(conn: psycopg.Connection[Any]) -> int:
    """The bytes that the database takes on its server's disk."""
    return int(_value(conn, "select pg_database_size(current_database())"))


def tables(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Schema and name of every table that is not PostgreSQL's own."""
    return conn.cursor(row_factory=tuple_row).execute(_TABLES).fetchall()


def table_counts(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows each table has."""
    counts: dict[str, int] = {}
    for schema, table in tables(conn):
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
        row = conn.cursor(row_factory=tuple_row).execute(query).fetchone()
        assert row is not None, "count(*) has one row"
        counts[f"{schema}.{table}"] = row[0]
    return counts


def ask(conn: psycopg.Connection[Any], queries: Mapping[str, str]) -> dict[str, Finding]:
    """What each named query says, spelled the same by every server."""
    conn.execute(_SPELLING)
    return {name: Finding(query, _rows(conn, query)) for name, query in queries.items()}


def _rows(conn: psycopg.Connection[Any], query: str) -> Rows:
    wrapped = f"select to_jsonb(q)::text from ({query.strip().rstrip(';')}) q"
    rows = conn.cursor(row_factory=tuple_row).execute(wrapped.encode()).fetchall()
    # Sorted here: the order of text differs between servers.
    return [json.loads(text, parse_float=str) for text in sorted(row[0] for row in rows)]


def _value(conn: psycopg.Connection[Any], query: LiteralString) -> Any:
    row = conn.cursor(row_factory=tuple_row).execute(query).fetchone()
    assert row is not None, "a select without from has one row"
    return row[0]
