"""A second head office over a real PostgreSQL: it is asked what the one in memory is asked, at the same time
and with the same chance, and must give the same answers and end in the same state."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import IncarnationId, OriginId
from holdfast.hq import safe
from holdfast.hq.dump import dump_memory, dump_postgres
from holdfast.hq.ingest import Ingest
from holdfast.hq.schema import create_schema
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore, PostgresTransaction
from holdfast.hq.verify import verify_head_office
from holdfast.infra.keys import verify
from holdfast.infra.postgres.connect import Pool, connect, open_pool, same_database
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.simulation.head_office import SimHeadOffice, answer_of, begin_restored, retried
from holdfast.simulation.network import Answer
from holdfast.simulation.signing import SimKey
from holdfast.simulation.stores import SimStore

DIFFERENCES_MAX = 20
ROWS_SHOWN = 3
SHOWN_CHARS = 600
_DATABASES = itertools.count(1)


class FailingPostgresStore(PostgresStore):
    """Its commits can be made to fail, as those of `SimStore`."""

    failing_commits = 0

    @contextmanager
    def transaction(self, origin: OriginId | None) -> Iterator[PostgresTransaction]:
        with super().transaction(origin) as transaction:
            yield transaction
            if self.failing_commits and origin is not None:
                self.failing_commits -= 1
                raise UnavailableFault("the database went away at the commit")


class DrawnRandomness:
    """Gives what the first head office drew for the same request."""

    def __init__(self) -> None:
        self.drawn: list[bytes] = []

    def bytes(self, count: int) -> bytes:
        found = self.drawn.pop(0) if self.drawn else b""
        return found if len(found) == count else b"?" * count


class PostgresOffice:
    """One server, and one database a run."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._first: SimHeadOffice | None = None
        self._pool: Pool | None = None
        self._name = self._backup = ""
        self._randomness = DrawnRandomness()
        self.differences: list[str] = []

    # ---- one run

    def begin(self, first: SimHeadOffice) -> None:
        """An empty database beside a head office in memory that is empty too."""
        self.end()
        self._first, self.differences = first, []
        self._name = self._create("template0")
        conn = connect(self._dsn, name="simulation")
        try:
            create_schema(conn, IncarnationId(first.store.tables.incarnations[0][0]), 0)
        finally:
            conn.close()
        self._open()

    def end(self) -> None:
        """Lets go of the run's databases."""
        self._close()
        for name in filter(None, (self._name, self._backup)):
            self._drop(name)
        self._name = self._backup = ""

    @property
    def _dsn(self) -> str:
        return same_database(self._server.dsn, self._name)

    def _create(self, template: str) -> str:
        name = f"simulated_{next(_DATABASES)}"
        with psycopg.connect(self._server.dsn, autocommit=True) as conn:
            statement = sql.SQL("create database {} template {}")
            conn.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def _drop(self, name: str) -> None:
        with psycopg.connect(self._server.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _open(self, failing: int = 0) -> None:
        self._pool = open_pool(self._dsn, name="simulation", max_size=2)
        self._store = FailingPostgresStore(self._pool)
        self._store.failing_commits = failing
        self.restart()

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _office(self) -> SimHeadOffice:
        assert self._first is not None, "a run was begun"
        return self._first

    # ---- what the first one did

    def restart(self) -> None:
        first = self._office()
        self._ingest = Ingest(self._store, first.key, verify, first.clock, self._randomness)

    def enrol(self, record: OriginRecord, key: SimKey) -> None:
        facts = record.facts
        assert self._pool is not None, "a run was begun"
        with self._pool.connection() as conn:
            conn.execute(
                "insert into store (store, name, currency, timezone) values (%s, %s, %s, 'Europe/London') "
                "on conflict do nothing",
                [facts.store, facts.store, facts.currency],
            )
        with self._store.transaction(None) as transaction:
            transaction.enrol(record, key.key_id, key.public_bytes)

    def handle(self, origin: OriginId, kind: str, body: bytes, expected: Answer) -> None:
        self._randomness.drawn = list(self._office().tape.drawn)
        answer = answer_of(self._ingest, origin, kind, body)
        memory, postgres = _said(expected), _said(answer)
        if memory != postgres:
            names = [
                name for name in memory.keys() | postgres.keys() if memory.get(name) != postgres.get(name)
            ]
            apart = {name: (memory.get(name), postgres.get(name)) for name in sorted(names)}
            self._differ(f"{kind} of {origin}: {str(apart)[:SHOWN_CHARS]} (memory, PostgreSQL)")

    def retry_quarantine(self, expected: tuple[int, int] | str) -> None:
        self._randomness.drawn = list(self._office().tape.drawn)
        result = retried(self._ingest)
        if result != expected:
            self._differ(f"quarantine tried again: {expected} in memory, {result} in PostgreSQL")

    def fail_next_commit(self, failing: int) -> None:
        self._store.failing_commits = failing

    def backup(self) -> None:
        self._close()
        if self._backup:
            self._drop(self._backup)
        self._backup = self._create(self._name)
        self._open(self._store.failing_commits)
        assert self._pool is not None, "it was just opened"
        with self._pool.connection() as conn:
            cursors = [safe.Cursor(*row) for row in conn.execute(safe.CURSORS_SQL.encode()).fetchall()]
        safe.advance(self._pool, self._backup, cursors, self._office().clock.now_ms())

    def restore(self, *, noticed: bool) -> None:
        self._close()
        self._drop(self._name)
        self._name = self._create(self._backup)
        self._open()
        if noticed:
            first = self._office()
            self._randomness.drawn = list(first.tape.drawn)
            begin_restored(self._store, first.clock, self._randomness)

    # ---- the end

    def compare(self, store: SimStore) -> list[str]:
        """Where the two differ: in an answer, in a table, or in what `holdfast verify` would say."""
        wanted, found = dump_memory(store), dump_postgres(self._dsn)
        for table in sorted(wanted.keys() | found.keys()):
            memory, postgres = wanted.get(table, []), found.get(table, [])
            if memory != postgres:
                only = str([row for row in memory if row not in postgres][:ROWS_SHOWN])
                beyond = str([row for row in postgres if row not in memory][:ROWS_SHOWN])
                shown = f"memory alone has {only[:SHOWN_CHARS]}, PostgreSQL {beyond[:SHOWN_CHARS]}"
                self._differ(f"table {table}: {shown}")
        with self._office().speaking(), open_pool(self._dsn, name="verify", max_size=1) as pool:
            verified = verify_head_office(pool, verify).differences
        for difference in verified[:DIFFERENCES_MAX]:
            self._differ(f"verify: {difference}")
        return self.differences

    def _differ(self, said: str) -> None:
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(f"stores: {said}")


def _said(answer: Answer) -> dict[str, Any]:
    """The answer's fields, whatever order they are written in."""
    said: dict[str, Any] = msgspec.json.decode(answer.body) if answer.body else {}
    return said | {"status": answer.status, "code": answer.code, "detail": answer.detail}


@contextmanager
def postgres_office() -> Iterator[PostgresOffice]:
    """An embedded server of its own, for as long as the block lasts."""
    memory = Path("/dev/shm")  # what is simulated is worth nothing after the run
    place = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="holdfast-soak-", dir=place) as name:
        folder = Path(name)
        folder.chmod(0o755)  # where root runs PostgreSQL as another user
        server = EmbeddedPostgres(folder / "data", {"shared_buffers": "64MB"})
        server.start(timeout_s=120)
        office = PostgresOffice(server)
        try:
            yield office
        finally:
            office.end()
            server.stop()
