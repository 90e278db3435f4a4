"""COPY of a batch's rows, table after table on one connection, while further rows are being decided."""

from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import psycopg

from holdfast.core.ingest.rows import Rows
from holdfast.hq.store import copy_rows


class Copies:
    """At most one COPY is under way; the next one begins where the server has finished with it."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._running = ExitStack()
        self._sent: Counter[str] = Counter()
        """Table → how many of its rows were handed over."""

    def __enter__(self) -> "Copies":
        self._sent.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error the COPY under way is given up with it."""
        self._running.__exit__(kind, error, trace)

    def begin_longest(self, rows: Rows, tables: tuple[str, ...]) -> None:
        """Hand over what waits for that table for which most does: the server is never without work."""
        self.begin(rows, max(tables, key=lambda table: len(rows.appended[table]) - self._sent[table]))

    def begin(self, rows: Rows, table: str) -> None:
        """Hand over all that waits for this table."""
        fresh = rows.appended[table][self._sent[table] :]
        if not fresh:
            return
        encoded = copy_rows.encode(table, fresh)
        self.finish()
        cursor = self._running.enter_context(self._conn.cursor())
        copy = self._running.enter_context(cursor.copy(copy_rows.statement(table).encode()))
        copy.write(encoded)
        self._sent[table] += len(fresh)

    def finish(self) -> None:
        """Wait until the server has stored what it was handed."""
        self._running.close()
