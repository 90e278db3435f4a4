"""How fast do owed sales reach head office's durable database: from one register, and from many at once?

The limit is PostgreSQL's own: COPY of the same documents' headers and lines alone, into tables with
the same indexes, committed after as many rows as a batch has.
"""

import time
from pathlib import Path

from psycopg import sql

from bench.draining import Draining
from bench.figure import Figure, Size, figure, median
from bench.rows import document_rows
from holdfast.core.ids import IncarnationId
from holdfast.core.ingest.rows import COLUMNS
from holdfast.core.sync.limits import BATCH_ENTRIES
from holdfast.hq.schema import create_schema
from holdfast.infra.postgres.connect import connect
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from tests.office import Office

ROUNDS = 3
"""The median of so many; the first finds caches cold."""


def run(folder: Path, size: Size) -> list[Figure]:
    copied = copy_rate(folder / "copy", size.drain)
    limit = ("COPY of headers and lines alone", copied)
    with Office(folder / "office") as office:
        single = office.register("R00", folder / "R00")
        with Draining([single]) as draining:
            one = median([size.drain / draining.drain_s(size.drain, seed) for seed in range(ROUNDS)])
        names = [f"F{number:02d}" for number in range(size.fleet)]
        homes = [office.register(name, folder / name) for name in names]
        each = size.drain // size.fleet
        with Draining(homes) as draining:
            many = median([each * size.fleet / draining.drain_s(each, seed) for seed in range(ROUNDS)])
    return [
        figure(f"drain of {size.drain:,} sales, one register", one, "sales/s", limit=limit, at_least=10_000),
        figure(f"drain of {size.fleet} × {each} sales at once", many, "sales/s", limit=limit, at_least=8_000),
    ]


def copy_rate(folder: Path, sales: int) -> float:
    """Sales a second of COPY alone; the median of rounds, as for the drain."""
    with EmbeddedPostgres(folder) as server:
        connection = connect(server.dsn, name="bench")
        try:
            create_schema(connection, IncarnationId("bench"), 0)
            rates: list[float] = []
            for chain in range(ROUNDS):
                batches = [
                    document_rows(chain, first, min(BATCH_ENTRIES, sales - first))
                    for first in range(0, sales, BATCH_ENTRIES)
                ]
                began = time.perf_counter()
                for batch in batches:
                    with connection.transaction(), connection.cursor() as cursor:
                        for table, rows in batch.items():
                            with cursor.copy(_copy_into(table)) as copy:
                                for row in rows:
                                    copy.write_row(row)
                rates.append(sales / (time.perf_counter() - began))
            return median(rates)
        finally:
            connection.close()


def _copy_into(table: str) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table]))
    return sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), columns)
