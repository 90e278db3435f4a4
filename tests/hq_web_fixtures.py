"""A head office served over HTTP on loopback by granian, over a real PostgreSQL, for tests."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

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
from holdfast.hq.service import HeadOffice, init_home
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.web.app import create_app
from holdfast.hq.web.services import Services, open_services
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.web import free_port, serve
from tests.journal_samples import SampleJournal

TIMEOUT_S = 30.0
PASSWORD = "correct horse battery"


@dataclass
class ServedHeadOffice:
    """A head office that answers at `url`."""

    url: str
    services: Services
    _clients: list[httpx.Client] = field(default_factory=list[httpx.Client])

    def client(self, **headers: str) -> httpx.Client:
        """A client of its own: other cookies, other connections."""
        client = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()

    # ---- registers

    def enrol(self, journal: SampleJournal, series: str = "R01") -> SampleJournal:
        """Make the journal's origin known, without a code."""
        facts = OriginFacts(
            origin=OriginId(journal.origin), store=StoreId("S1"), series=series, currency="GBP"
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
            "business_date": "2026-09-21", "day_open": True,
        }  # fmt: skip
        encoded = encode(Heartbeat(**(values | fields)))  # type: ignore[arg-type]
        signature = journal.key.sign(heartbeat_statement(encoded))
        return SignedStatement(statement=encoded, key_id=journal.key.key_id, signature=signature)

    # ---- people

    def link(self, name: str = "admin") -> str:
        """A one-time link's path."""
        return f"/welcome/{self.services.accounts.new_link(name)}"

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
def served(home: HeadOfficeHome, dsn: str, **settings: object) -> Iterator[ServedHeadOffice]:
    """Serve a head office on that database until the block ends."""
    port = free_port()
    init_home(home, HeadOfficeConfig(dsn=dsn, listen_port=port, timezone="Europe/London"))
    ready, stops = threading.Event(), list[Callable[[], None]]()
    with HeadOffice.open(home) as head_office, open_services(head_office) as services:
        for name, value in settings.items():
            setattr(services, name, value)
        server = threading.Thread(
            target=serve,
            args=(create_app(services),),
            kwargs={
                "host": "127.0.0.1",
                "port": port,
                "wakeups": services.wakeups,
                "on_ready": lambda _: ready.set(),
                "hand_stop": stops.append,
            },
        )
        server.start()
        assert ready.wait(TIMEOUT_S), "head office answers"
        office = ServedHeadOffice(f"http://127.0.0.1:{port}", services)
        try:
            yield office
        finally:
            office.close()
            stops[0]()
            server.join(TIMEOUT_S)
            assert not server.is_alive(), "the server ends when it is asked to"


@pytest.fixture
def office(head_office_dsn: str, tmp_path: Path) -> Iterator[ServedHeadOffice]:
    """A served head office with the stores S1 and S2, and nothing else in it."""
    with served(HeadOfficeHome(tmp_path / "hq"), head_office_dsn) as office:
        yield office
