"""A second head office over a real PostgreSQL: it is asked what the one in memory is asked, at the same time
and with the same chance, and must give the same answers and end in the same state."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import psycopg
from psycopg import sql

from holdfast.core.central.numbers import MAC_KEY_BYTES
from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import IncarnationId, KeyId, OriginId
from holdfast.core.sync.commands import Command
from holdfast.hq import safe
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.commands import CommandBook
from holdfast.hq.dump import dump_memory, dump_postgres
from holdfast.hq.feeds import Feeds
from holdfast.hq.ingest import Ingest
from holdfast.hq.schema import create_schema
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore, PostgresTransaction
from holdfast.hq.verify import verify_head_office
from holdfast.infra.keys import verify
from holdfast.infra.postgres.connect import Pool, connect, open_pool, same_database
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.simulation.desk import Desk, answer_of, answer_within
from holdfast.simulation.head_office import Rows, SimHeadOffice, begin_restored, retried
from holdfast.simulation.network import Answer
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


class SwitchedPool:
    """A pool whose database may be put away and come back, as a copy of it must be made: a process that holds
    sessions goes on over it."""

    def __init__(self) -> None:
        self.now: Pool | None = None

    def connection(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        assert self.now is not None, "the database is there"
        return self.now.connection()

    def as_pool(self) -> Pool:
        """The same under the name that stores know it by."""
        return cast(Pool, self)


class PostgresOffice:
    """One server, and one database a run."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._first: SimHeadOffice | None = None
        self._switched = SwitchedPool()
        self._pool = self._switched.as_pool()
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
        self._store = FailingPostgresStore(self._pool)
        self.restart()

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

    def _open(self) -> None:
        self._switched.now = open_pool(self._dsn, name="simulation", max_size=2)

    def _close(self) -> None:
        if self._switched.now is not None:
            self._switched.now.close()
            self._switched.now = None

    def _office(self) -> SimHeadOffice:
        assert self._first is not None, "a run was begun"
        return self._first

    # ---- what the first one did

    def restart(self) -> None:
        first = self._office()
        self._desk = Desk(
            Ingest(
                self._store, first.key, verify, first.clock, self._randomness, number_key=bytes(MAC_KEY_BYTES)
            ),
            Feeds(self._pool, first.key, first.clock),
            CommandBook(self._pool, first.key, first.clock),
            CentralDesk(self._store, first.clock, bytes(MAC_KEY_BYTES)),
        )

    def enrol(self, record: OriginRecord, key_id: KeyId, public_key: bytes) -> None:
        facts = record.facts
        with self._pool.connection() as conn:
            conn.execute(
                "insert into store (store, name, currency, timezone) values (%s, %s, %s, 'UTC') "
                "on conflict do nothing",
                [facts.store, facts.store, facts.currency],
            )
        with self._store.transaction(None) as transaction:
            transaction.enrol(record, key_id, public_key)

    def rekey(self, origin: OriginId, key_id: KeyId, public_key: bytes) -> None:
        with self._store.transaction(None) as transaction:
            transaction.give_key(origin, key_id, public_key, 0)
        self._desk.ingest.end_sessions(origin, but=key_id)

    def publish(self, feed: str, rows: Rows, expected: tuple[int, int]) -> None:
        changed = self._desk.feeds.put(feed, rows)
        if changed != expected:
            self._differ(f"rows of {feed}: {expected} in memory, {changed} in PostgreSQL")

    def issue(self, origin: OriginId, kind: str, arguments: dict[str, str], expected: Command) -> None:
        command = self._desk.commands.issue(origin, kind, by="admin", arguments=arguments)
        if command != expected:
            self._differ(f"command to {origin}: {expected} in memory, {command} in PostgreSQL")

    def open_accounts(self, accounts: Sequence[Numbered]) -> None:
        with self._store.transaction(None) as transaction:
            transaction.central.open(accounts, 0)

    def open_value(self) -> None:
        with self._pool.connection() as conn:
            conn.execute(
                "insert into value_reopened (incarnation, at_ms, by, reason) "
                "select incarnation, 0, '', 'all answered' from incarnation order by number desc limit 1 "
                "on conflict do nothing"
            )

    @property
    def desk(self) -> Desk:
        return self._desk

    def handle(self, token: str, kind: str, body: bytes, expected: Answer) -> None:
        self._randomness.drawn = list(self._office().tape.drawn)
        self._compare_answers(kind, expected, answer_of(self._desk, token, kind, body))

    def handle_within(self, origin: OriginId, kind: str, body: bytes, expected: Answer) -> None:
        self._randomness.drawn = list(self._office().tape.drawn)
        self._compare_answers(kind, expected, answer_within(self._desk, origin, kind, body))

    def _compare_answers(self, kind: str, expected: Answer, answer: Answer) -> None:
        memory, postgres = _said(expected), _said(answer)
        if memory != postgres:
            names = [
                name for name in memory.keys() | postgres.keys() if memory.get(name) != postgres.get(name)
            ]
            apart = {name: (memory.get(name), postgres.get(name)) for name in sorted(names)}
            self._differ(f"{kind}: {str(apart)[:SHOWN_CHARS]} (memory, PostgreSQL)")

    def retry_quarantine(self, expected: tuple[int, int] | str) -> None:
        self._randomness.drawn = list(self._office().tape.drawn)
        result = retried(self._desk.ingest)
        if result != expected:
            self._differ(f"quarantine tried again: {expected} in memory, {result} in PostgreSQL")

    def fail_next_commit(self, failing: int) -> None:
        self._store.failing_commits = failing

    def backup(self) -> None:
        self._close()
        if self._backup:
            self._drop(self._backup)
        self._backup = self._create(self._name)
        self._open()
        with self._pool.connection() as conn:
            cursors = [safe.Cursor(*row) for row in conn.execute(safe.CURSORS_SQL.encode()).fetchall()]
        safe.advance(self._pool, self._backup, cursors, self._office().clock.now_ms())

    def restore(self, *, noticed: bool) -> None:
        self._close()
        self._drop(self._name)
        self._name = self._create(self._backup)
        self._open()
        self._store.failing_commits = 0
        self.restart()
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
        self._compare_down(store)
        with self._office().speaking(), open_pool(self._dsn, name="verify", max_size=1) as pool:
            verified = verify_head_office(pool, verify).differences
        for difference in verified[:DIFFERENCES_MAX]:
            self._differ(f"verify: {difference}")
        return self.differences

    def _compare_down(self, store: SimStore) -> None:
        """Feeds and commands, which `dump_memory` does not know."""
        feeds = sorted((feed, key, n, body.decode()) for (feed, key), (n, body) in store.feed_rows.items())
        commands = sorted((*place, given.outcome) for place, given in store.commands.items())
        with psycopg.connect(self._dsn) as conn:
            rows = conn.execute(
                "select feed, key, n, case when deleted then 'null' else body end from feed_row"
            ).fetchall()
            held = conn.execute("select origin, incarnation, number, outcome from command").fetchall()
        if sorted(rows) != feeds:
            self._differ("rows of feeds are not those in memory")
        if sorted(held, key=lambda row: row[:3]) != commands:
            self._differ("commands are not those in memory")

    def _differ(self, said: str) -> None:
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(f"stores: {said}")


def _said(answer: Answer) -> dict[str, Any]:
    """The answer's fields, whatever order they are written in; of a signed one its bytes."""
    said: dict[str, Any] = {"body": answer.body}
    if answer.body.startswith(b"{"):
        said = msgspec.json.decode(answer.body)
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
