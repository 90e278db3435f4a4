"""A peer: the same headers and lines by PostgreSQL's logical replication, applied durably.

Publisher and subscriber are embedded servers of this machine, as durable as head office's. One sale is
one transaction of five rows, committed at the publisher beforehand, as owed sales are.
"""

import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.figure import Figure, Size, figure
from bench.rows import document_rows
from holdfast.core.ids import IncarnationId
from holdfast.core.ingest.rows import COLUMNS
from holdfast.hq.schema import create_schema
from holdfast.infra.postgres.launcher import EmbeddedPostgres

TIMEOUT_S = 300.0
_LOGICAL = {"wal_level": "logical", "max_replication_slots": "4"}


def run(folder: Path, size: Size) -> list[Figure]:
    with (
        EmbeddedPostgres(folder / "publisher", _LOGICAL) as publisher,
        EmbeddedPostgres(folder / "subscriber", _LOGICAL) as subscriber,
        psycopg.connect(publisher.dsn, autocommit=True) as source,
        psycopg.connect(subscriber.dsn, autocommit=True) as target,
    ):
        for connection in (source, target):
            create_schema(connection, IncarnationId("bench"), 0)
        source.execute("alter table document_line replica identity full")
        source.execute("create publication sales for table document, document_line")
        source.execute("select pg_create_logical_replication_slot('sales', 'pgoutput')")
        _sell(source, size.drain)
        target.execute(
            sql.SQL(
                "create subscription sales connection {} publication sales "
                "with (create_slot = false, slot_name = 'sales', copy_data = false, "
                "synchronous_commit = 'on')"
            ).format(publisher.dsn)
        )
        began = time.perf_counter()
        _wait(target, size.drain)
        seconds = time.perf_counter() - began
        target.execute("drop subscription sales")
    return [
        figure(
            f"peer: PostgreSQL logical replication, durable apply, {size.drain:,} sales",
            size.drain / seconds,
            "sales/s",
        )
    ]


def _sell(source: psycopg.Connection[Any], sales: int) -> None:
    """One transaction a sale. How durable they are here is not measured."""
    source.execute("set synchronous_commit = off")
    rows = document_rows(1, 0, sales)
    lines = iter(rows["document_line"])
    with source.pipeline():
        for document in rows["document"]:
            with source.transaction():
                source.execute(_insert("document"), document)
                for _ in range(document[COLUMNS["document"].index("line_count")]):
                    source.execute(_insert("document_line"), next(lines))


def _insert(table: str) -> sql.Composed:
    names = COLUMNS[table]
    return sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * len(names)),
    )


def _wait(target: psycopg.Connection[Any], sales: int) -> None:
    deadline = time.perf_counter() + TIMEOUT_S
    while True:
        row = target.execute(
            "select count(*) from document_line where chain = 1 and seq = %s", [sales]
        ).fetchone()
        if row is not None and row[0]:
            return
        assert time.perf_counter() < deadline, "the subscriber applies what was published"
        time.sleep(0.005)
