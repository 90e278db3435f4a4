"""A head office served over HTTP on loopback by granian, over a real PostgreSQL, for tests."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest
from psycopg import sql

from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.messages import (
    Challenge,
    Heartbeat,
    SessionOpened,
    SignedStatement,
    decode,
    encode,
    heartbeat_statement,
)
from holdfast.core.sync.session import answer_challenge
from holdfast.hq.central.attempts import Attempts
from holdfast.hq.service import HeadOffice, init_home
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.web.app import create_app
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.hq.web.services import Services, open_services
from holdfast.hq.web.throttle import Throttle
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.tls import make_certificate, pinned_context
from holdfast.infra.web import free_port, serve
from tests.journal_samples import SampleJournal
from tests.postgres_fixture import MakeDatabase

TIMEOUT_S = 120.0
PASSWORD = "correct horse battery"


_TABLES = """
select tablename from pg_tables
where schemaname = 'public'
  and tablename not in ('migration', 'incarnation', 'store', 'feed', 'period', 'stock_version')
"""


@dataclass
class ServedHeadOffice:
    """A head office that answers at `url`."""

    url: str
    services: Services
    _clients: list[httpx.Client] = field(default_factory=list[httpx.Client])

    def client(self, **headers: str) -> httpx.Client:
        """A client of its own: other cookies, other connections."""
        tls = self.services.tls
        pinned = pinned_context(tls.certificate.read_text()) if tls else True
        client = httpx.Client(
            base_url=self.url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=pinned
        )
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()

    def empty(self) -> None:
        """Take away what a test brought; stores and the incarnation stay."""
        head_office = self.services.head_office
        with head_office.services_pool.connection() as conn:
            names = [row[0] for row in conn.execute(_TABLES).fetchall()]
            conn.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
            conn.execute("alter sequence chain_number restart")
            conn.execute("update feed set n = 0, changed_at_ms = null")
        head_office.fleet.forget()
        self.services.days.forget()
        head_office.feeds._packed.clear()
        head_office.central._attempts = Attempts(self.services.clock)
        self.services.throttle = Throttle(self.services.clock)

    # ---- registers

    def enrol(self, journal: SampleJournal, series: str = "R01", store: str = "S1") -> SampleJournal:
        """Make the journal's origin known, without a code."""
        facts = OriginFacts(
            origin=OriginId(journal.origin), store=StoreId(store), series=series, currency="GBP"
        )
        with PostgresStore(self.services.head_office.ingest_pool).transaction(None) as transaction:
            record = OriginRecord(facts=facts, name=f"Till {series}")
            transaction.enrol(record, journal.key.key_id, journal.key.public_bytes)
        return journal

    def session(self, journal: SampleJournal) -> httpx.Client:
        """A client in a session of that register."""
        plain = self.client()
        challenge = decode(
            plain.post("/v1/session/challenge", json={"origin": journal.origin}).content, Challenge
        )
        request = answer_challenge(journal.origin, challenge, journal.key, software="test")
        answer = plain.post("/v1/session", content=encode(request))
        assert answer.status_code == 200, answer.text
        return self.client(Authorization=f"Bearer {decode(answer.content, SessionOpened).token}")

    def beat(self, journal: SampleJournal, **fields: object) -> SignedStatement:
        """A heartbeat as the register signs it."""
        now_ms = self.services.clock.now_ms()
        values: dict[str, object] = {
            "origin": journal.origin, "clock_ms": now_ms, "offset_min": 0, "head": journal.position,
            "owed_count": 0, "owed_minor": 0, "currency": "GBP",
            "business_date": "2026-09-21", "day_open": True, "nonce": self.nonce_of(journal),
        }  # fmt: skip
        encoded = encode(Heartbeat(**(values | fields)))  # type: ignore[arg-type]
        signature = journal.key.sign(heartbeat_statement(encoded))
        return SignedStatement(statement=encoded, key_id=journal.key.key_id, signature=signature)

    def nonce_of(self, journal: SampleJournal) -> str:
        """What its next word is to name."""
        store = PostgresStore(self.services.head_office.ingest_pool)
        with store.transaction(None) as transaction:
            news = transaction.news(OriginId(journal.origin))
        return news.nonce or news.incarnation

    # ---- people

    def link(self, name: str = "admin") -> str:
        """A one-time link's path."""
        return f"/welcome/{Accounts(self.services.pool, self.services.clock).new_link(name)}"

    def signed_in(self, name: str = "admin") -> httpx.Client:
        """A client with an administrator's session."""
        client = self.client(Accept="text/html")
        path = self.link(name)
        csrf = csrf_of(client.get(path).text)
        answer = client.post(path, data={"csrf": csrf, "password": PASSWORD, "again": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client


def csrf_of(html: str) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found, html[:500]
    return found[1]


@contextmanager
def served(home: HeadOfficeHome, dsn: str, *, tls: bool = False) -> Iterator[ServedHeadOffice]:
    """Serve a head office on that database until the block ends."""
    port = free_port()
    config = HeadOfficeConfig(dsn=dsn, listen_port=port, timezone="Europe/London")
    if tls:
        config = msgspec.structs.replace(config, tls_certificate="tls/c.pem", tls_key="tls/k.pem")
    init_home(home, config)
    if tls:
        make_certificate(home.tls / "c.pem", home.tls / "k.pem", ["127.0.0.1"])
    ready, stops = threading.Event(), list[Callable[[], None]]()
    with HeadOffice.open(home) as head_office, open_services(head_office) as services:
        server = threading.Thread(
            target=serve,
            args=(create_app(services),),
            kwargs={
                "host": "127.0.0.1",
                "port": port,
                "wakeups": services.wakeups,
                "tls": services.tls,
                "on_ready": lambda _: ready.set(),
                "hand_stop": stops.append,
            },
        )
        server.start()
        assert ready.wait(TIMEOUT_S), "head office answers"
        office = ServedHeadOffice(f"{'https' if tls else 'http'}://127.0.0.1:{port}", services)
        try:
            yield office
        finally:
            office.close()
            stops[0]()
            server.join(TIMEOUT_S)
            assert not server.is_alive(), "the server ends when it is asked to"


@pytest.fixture(scope="session")
def shared_office(
    head_office_template: str, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedHeadOffice]:
    """One server for all tests that leave it whole."""
    dsn = make_database(template=head_office_template)
    with served(HeadOfficeHome(tmp_path_factory.mktemp("shared") / "hq"), dsn) as office:
        yield office


@pytest.fixture
def office(shared_office: ServedHeadOffice) -> Iterator[ServedHeadOffice]:
    """A served head office with the stores S1 and S2, and nothing else in it."""
    yield shared_office
    shared_office.close()
    shared_office.empty()


@pytest.fixture
def own_office(head_office_dsn: str, tmp_path: Path) -> Iterator[ServedHeadOffice]:
    """The same for a test that breaks it."""
    with served(HeadOfficeHome(tmp_path / "hq"), head_office_dsn) as office:
        yield office
