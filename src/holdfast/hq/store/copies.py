"""COPY of a batch's rows, table after table on one connection, while further rows are being decided.

psycopg's own COPY waits until the server has taken a block in. Here libpq is handed a table's rows
whole and sends them on at each `step`, so that the server stores while Python decides.
"""

import select
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import psycopg
from psycopg import pq

from holdfast.core.ingest.rows import Row, Rows
from holdfast.hq.store import copy_rows


class Copies:
    """At most one COPY is under way; the next one begins when the server has finished with it."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._under_way = False
        self._sent: Counter[str] = Counter()
        """Table → how many of its rows were handed over."""

    def __enter__(self) -> "Copies":
        assert not self._under_way, "one batch after the other"
        self._sent.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error the COPY under way comes to its end, whichever; the transaction is undone."""
        if not self._under_way or self._conn.broken:
            return
        if kind is None:
            self.finish()
        else:
            self._under_way = False
            self._results()

    def step(self, rows: Rows, tables: tuple[str, ...]) -> None:
        """Send on; where the server waits, hand over the table for which most rows wait."""
        if self._is_free():
            self.begin(rows, max(tables, key=lambda table: len(rows.appended[table]) - self._sent[table]))

    def begin(self, rows: Rows, table: str) -> None:
        """Hand over all that waits for this table, after what is under way."""
        fresh = rows.appended[table][self._sent[table] :]
        if fresh:
            self.copy(table, fresh)
            self._sent[table] += len(fresh)

    def copy(self, table: str, rows: Sequence[Row]) -> None:
        """Hand over these rows, after what is under way."""
        encoded = copy_rows.encode(table, rows)
        self.finish()
        server = self._conn.pgconn
        server.send_query(copy_rows.statement(table).encode())
        self._under_way = True
        self._wait()
        answer = server.get_result()
        if answer is None or answer.status != pq.ExecStatus.COPY_IN:
            self._under_way = False
            _require([*([] if answer is None else [answer]), *self._results()])
        # Queued by libpq however large it is: the connection does not block.
        server.put_copy_data(encoded)
        server.put_copy_end()
        server.flush()

    def finish(self) -> None:
        """Wait until the server has stored what it was handed. Raises what it says against it."""
        if self._under_way:
            self._under_way = False
            _require(self._results())

    def _is_free(self) -> bool:
        if not self._under_way:
            return True
        server = self._conn.pgconn
        server.flush()
        server.consume_input()
        if server.is_busy():
            return False
        self.finish()
        return True

    def _results(self) -> list[pq.abc.PGresult]:
        """All that the server answers to one command; at most two."""
        found: list[pq.abc.PGresult] = []
        while True:
            self._wait()
            answer = self._conn.pgconn.get_result()
            if answer is None:
                return found
            found.append(answer)
            assert len(found) <= 2, "a COPY has one answer, and one before it"

    def _wait(self) -> None:
        """Until the next result is there; what libpq has queued is sent meanwhile."""
        server = self._conn.pgconn
        poll = select.poll()
        while server.is_busy():
            unsent = server.flush()
            poll.register(server.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
            poll.poll()
            server.consume_input()


def _require(results: list[pq.abc.PGresult]) -> None:
    for result in results:
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)
