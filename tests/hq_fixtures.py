"""Head offices for tests: the same ingest over memory and over a real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from holdfast.core.central.numbers import MAC_KEY_BYTES
from holdfast.core.ids import IncarnationId, OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import Row
from holdfast.core.sync.messages import Heartbeat, HeartbeatReply, SignedStatement, decode
from holdfast.hq.dump import dump_memory, dump_postgres
from holdfast.hq.ingest import Ingest
from holdfast.hq.schema import create_schema
from holdfast.hq.store.memory import MemoryStore
from holdfast.hq.store.port import HeadOfficeStore, OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.verify import Verified, verify_head_office
from holdfast.infra.clock import ManualClock, SeededRandomness
from holdfast.infra.keys import SigningKey, verify
from holdfast.infra.postgres.connect import Pool, connect, open_pool
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from tests.hq_messages import HEARD
from tests.journal_samples import SampleJournal
from tests.postgres_fixture import MakeDatabase, drop_database

INCARNATION = IncarnationId("life1")
HEAD_OFFICE_KEY = SigningKey(b"H" * 32)


class HeardIngest(Ingest):
    """Registers remember what they are to name next, as `register/sync/feeds.py` does."""

    def heartbeat(self, session: OriginId, statement: SignedStatement) -> HeartbeatReply:
        reply = super().heartbeat(session, statement)
        HEARD[decode(statement.statement, Heartbeat).origin] = reply.nonce
        return reply


@dataclass
class HeadOfficeUnderTest:
    """Ingest over one of the stores, and what stands in it."""

    store: HeadOfficeStore
    dump: Callable[[], dict[str, list[tuple[object, ...]]]]
    dsn: str | None = None
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        HEARD.clear()
        self.ingest = HeardIngest(
            self.store,
            HEAD_OFFICE_KEY,
            verify,
            self.clock,
            SeededRandomness(1),
            number_key=bytes(MAC_KEY_BYTES),
        )

    def enrol(
        self, journal: SampleJournal, series: str = "R01", store: str = "S1", kind: str = "register"
    ) -> None:
        facts = OriginFacts(
            origin=OriginId(journal.origin), store=StoreId(store), series=series, currency="GBP"
        )
        with self.store.transaction(None) as transaction:
            transaction.enrol(
                OriginRecord(facts=facts, name=series, kind=kind),
                journal.key.key_id,
                journal.key.public_bytes,
            )

    def verify(self) -> Verified:
        """What `holdfast verify` finds."""
        assert self.dsn is not None, "verification reads PostgreSQL"
        with open_pool(self.dsn, name="verify", max_size=1) as pool:
            return verify_head_office(pool, verify)

    def refuse(self, table: str, check_sql: str) -> None:
        """As a DBA's constraint does that no validation knows of."""
        assert self.dsn is not None, "constraints are PostgreSQL's"
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(f"alter table {table} add constraint planted check ({check_sql})".encode())


@contextmanager
def memory_head_office(
    checks: dict[str, Callable[[Row], bool]] | None = None,
) -> Iterator[HeadOfficeUnderTest]:
    store = MemoryStore(INCARNATION, checks)
    yield HeadOfficeUnderTest(store, lambda: dump_memory(store))


@contextmanager
def postgres_head_office(dsn: str) -> Iterator[HeadOfficeUnderTest]:
    with open_pool(dsn, name="test", max_size=8) as pool:
        yield HeadOfficeUnderTest(PostgresStore(pool), lambda: dump_postgres(dsn), dsn)


@pytest.fixture(scope="session")
def head_office_template(make_database: MakeDatabase) -> str:
    """A migrated database to copy for each test."""
    dsn = make_database()
    conn = connect(dsn, name="test")
    try:
        create_schema(conn, INCARNATION, 0)
        with conn.transaction():
            conn.execute(
                "insert into store (store, name, currency, timezone)"
                " values ('S1', 'Main street', 'GBP', 'Europe/London'),"
                " ('S2', 'Station', 'GBP', 'Europe/London')"
            )
    finally:
        conn.close()
    return dsn


@pytest.fixture
def head_office_dsn(
    head_office_template: str, make_database: MakeDatabase, postgres_server: EmbeddedPostgres
) -> Iterator[str]:
    dsn = make_database(template=head_office_template)
    yield dsn
    drop_database(postgres_server, dsn)


@pytest.fixture
def postgres_hq(head_office_dsn: str) -> Iterator[HeadOfficeUnderTest]:
    with postgres_head_office(head_office_dsn) as head_office:
        yield head_office


@pytest.fixture
def memory_hq() -> Iterator[HeadOfficeUnderTest]:
    with memory_head_office() as head_office:
        yield head_office


@pytest.fixture
def hq_pool(head_office_dsn: str) -> Iterator[Pool]:
    """Connections to a head office's database that has two stores and nothing else."""
    with open_pool(head_office_dsn, name="test", max_size=4) as pool:
        yield pool
