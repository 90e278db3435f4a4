"""A head office to test a register against: the ingest that ships, its store in memory, a real socket."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from holdfast.core.catalogue import Price, Product
from holdfast.core.central.accounts import Account, AccountId, Kind, State
from holdfast.core.central.grants import Granted, GrantRequest, Terms
from holdfast.core.central.holds import Declined, HoldRequest
from holdfast.core.central.numbers import MAC_KEY_BYTES, number_end, number_mac, pin_mac
from holdfast.core.central.services import BalanceRequest, ReleaseRequest
from holdfast.core.faults import Fault, MalformedFault
from holdfast.core.ids import EpochId, IncarnationId, OriginId, Sku, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.commands import Command, CommandBatch, Outcome
from holdfast.core.sync.feed import FeedPage, FeedRow, pack
from holdfast.core.sync.messages import (
    HeartbeatReply,
    Problem,
    SessionRequest,
    SignedStatement,
    decode,
    encode,
)
from holdfast.core.sync.receiver import Refused
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.ingest import Ingest
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.memory import MemoryStore
from holdfast.hq.store.port import OriginRecord
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey, verify
from holdfast.simulation.allowances import MemoryAllowances
from tests.register_fixture import HEAD_OFFICE, ORIGIN

Answer = tuple[int, bytes]
PAGE_ROWS = 7
POLL_S_MAX = 1.0
NUMBER_KEY = bytes(MAC_KEY_BYTES)
NO_TERMS = Terms(
    currency="EUR", allowed_minor=0, chain_minor=0, lasts_ms=1, per_card_minor=0, per_transaction_minor=0
)


class HeadOffice:
    """Serves until closed; what it stores is read from `store` directly."""

    def __init__(self, register_key: SigningKey, incarnation: str = "inc1") -> None:
        self.store = MemoryStore(IncarnationId(incarnation))
        self.signer: SigningKey = HEAD_OFFICE
        """Signs receipts and feeds; a forger's key in the test of forged ones."""
        self.asked: Counter[str] = Counter()
        self.feeds: dict[str, list[tuple[str, Any]]] = {}
        self.replay: Callable[[str, bytes], bytes] = lambda _, body: body
        """What a hostile middle makes of answers, by path."""
        self.commands: list[Command] = []
        self.outcomes: dict[int, Outcome] = {}
        self.heartbeats: list[SignedStatement] = []
        self.refuse: dict[str, Refused] = {}
        self.terms: dict[Kind, Terms] = {}
        self._clock = SystemClock("UTC")
        self.grants_at_ms: Callable[[], int] = self._clock.now_ms
        self.restart()
        self.enrol(register_key)
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def restart(self) -> None:
        """A new process over the same store: sessions are gone."""
        self.ingest = Ingest(
            self.store, self.signer, verify, self._clock, SystemRandomness(), number_key=NUMBER_KEY
        )
        self.desk = CentralDesk(self.store, self._clock, NUMBER_KEY)

    def enrol(self, key: SigningKey) -> None:
        facts = OriginFacts(origin=ORIGIN, store=StoreId("S1"), series="R01", currency="EUR")
        with self.store.transaction(None) as transaction:
            transaction.enrol(OriginRecord(facts=facts), key.key_id, key.public_bytes)

    def close(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    # ---- what arrived

    def entries(self) -> dict[tuple[int, int], bytes]:
        """(chain, seq) → the stored bytes."""
        return {place: row[-1] for place, row in list(self.store.tables.entries.items())}

    def journalled(self, type: str) -> list[dict[str, Any]]:
        """Bodies of the entries of that type. While more arrive: of a copy."""
        rows = list(self.store.tables.entries.values())
        return [msgspec.json.decode(row[-1])["body"] for row in rows if row[3] == type]

    def documents(self) -> list[str]:
        return sorted(row[3] for row in self.store.tables.appended["document"])

    def heads(self) -> dict[EpochId, int]:
        return {r.facts.epoch: r.facts.head.seq for r in list(self.store.tables.chains.values())}

    # ---- what goes down

    def publish(self, feed: str, rows: Mapping[str, msgspec.Struct | None]) -> None:
        self.feeds.setdefault(feed, []).extend(rows.items())
        with self.store.transaction(None):
            self.store.tables.feeds[feed] = len(self.feeds[feed])

    def publish_shop(self, count: int = 20) -> None:
        products = {
            f"S{i}": Product(sku=Sku(f"S{i}"), description=f"Mug {i}", tax_code="std") for i in range(count)
        }
        prices = {
            f"S{i}|2025-01-01|EUR": Price(
                sku=Sku(f"S{i}"), unit_price_e4=10_000 + i, currency="EUR", valid_from="2025-01-01"
            )
            for i in range(count)
        }
        self.publish("products", products)
        self.publish("prices", prices)

    def page(self, feed: str, incarnation: str, since: int) -> FeedPage:
        current = self.ingest.incarnation()
        since = since if incarnation == current else 0
        rows = self.feeds.get(feed, [])
        chosen = rows[since : since + PAGE_ROWS]
        return FeedPage(
            feed=feed,
            incarnation=current,
            since_n=since,
            to_n=since + len(chosen),
            more=since + len(chosen) < len(rows),
            rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(body))) for key, body in chosen),
        )

    def command(self, kind: str, origin: OriginId = ORIGIN, **arguments: str) -> int:
        number = len(self.commands) + 1
        self.commands.append(
            Command(
                origin=origin,
                incarnation=self.ingest.incarnation(),
                number=number,
                kind=kind,
                arguments=arguments,
                issued_at_ms=self._clock.now_ms(),
            )
        )
        return number

    # ---- central value

    def prepare(
        self, kind: Kind, account: str, number: str = "", *, pin: str = "", balance: int = 0, limit: int = 0
    ) -> None:
        """An account as head office makes one: a card that nobody bought yet, or one with something on it."""
        opened = Account(
            kind=kind,
            account=AccountId(account),
            currency="EUR",
            state=State.ACTIVE if balance or kind is not Kind.GIFT_CARD else State.PREPARED,
            limit=limit,
            number_end=number_end(number),
        )
        numbered = Numbered(
            account=opened,
            number_mac=number_mac(NUMBER_KEY, kind, number) if number else None,
            pin_mac=pin_mac(NUMBER_KEY, kind, number, pin) if pin else None,
        )
        with self.store.transaction(None) as transaction:
            transaction.central.open([numbered], 0)
        with_value = msgspec.structs.replace(opened, balance=balance, movements=1 if balance else 0)
        place = (kind, AccountId(account))
        self.store.tables.central.accounts[place] = msgspec.structs.replace(numbered, account=with_value)

    def balance(self, kind: Kind, account: str) -> int:
        with self.store.transaction(None) as transaction:
            found = transaction.central.lock((kind, AccountId(account)))
        assert found is not None, "it was prepared"
        return found.account.balance

    def held(self, kind: Kind, account: str) -> list[str]:
        """Keys under which it is held."""
        with self.store.transaction(None) as transaction:
            return [hold.key for hold in transaction.central.holds_of((kind, AccountId(account)))]

    def allow(self, kind: Kind, amount_minor: int, *, per_card_minor: int = 0) -> None:
        """What registers may take offline from now on, each by itself."""
        self.terms[kind] = Terms(
            currency="EUR",
            allowed_minor=amount_minor,
            chain_minor=10**9,
            lasts_ms=24 * 3_600_000,
            per_card_minor=per_card_minor,
            per_transaction_minor=0,
        )

    def grant(self, origin: OriginId, request: GrantRequest) -> Granted | Declined:
        """As `hq.central.allowances` decides, with `allow` for parameters and its state in memory."""
        desk = MemoryAllowances(self.store, self.grants_at_ms, lambda kind: self.terms.get(kind, NO_TERMS))
        return desk.ask(origin, request)

    # ---- requests

    def answer(self, method: str, target: str, token: str, body: bytes) -> Answer:
        url = urlsplit(target)
        self.asked[url.path] += 1
        if url.path in self.refuse:
            return _refused(self.refuse[url.path])
        if url.path == "/v1/health":
            return 200, msgspec.json.encode(
                {"incarnation": self.ingest.incarnation(), "time_ms": self._clock.now_ms()}
            )
        if url.path == "/v1/session/challenge":
            return 200, encode(self.ingest.challenge())
        if url.path == "/v1/session":
            return _answer(self.ingest.open_session(decode(body, SessionRequest)))
        session = self.ingest.session(token)
        if session is None:
            return _refused(Refused(401, "session.unknown", "open another"))
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        status, answer = self._in_session(session.origin, url.path, query, body)
        return status, self.replay(url.path, answer)

    def _in_session(self, origin: OriginId, path: str, query: dict[str, str], body: bytes) -> Answer:
        match path:
            case "/v1/sync/offer":
                return _answer(self.ingest.receive_offer(origin, body))
            case "/v1/sync/entries":
                return _answer(self.ingest.receive_batch(origin, body))
            case "/v1/sync/heartbeat":
                statement = decode(body, SignedStatement)
                reply: HeartbeatReply = self.ingest.heartbeat(origin, statement)
                self.heartbeats.append(statement)
                return _answer(reply)
            case "/v1/sync/commands":
                return 200, self._wait_for_commands(
                    query["incarnation"], int(query["after"]), float(query["wait_s"])
                )
            case "/v1/sync/commands/outcome":
                outcome = decode(body, Outcome)
                self.outcomes.setdefault(outcome.number, outcome)
                return 204, b""
            case "/v1/services/hold":
                return _told(self.desk.hold(origin, decode(body, HoldRequest)))
            case "/v1/services/allowance":
                return _told(self.grant(origin, decode(body, GrantRequest)))
            case "/v1/services/balance":
                asked = decode(body, BalanceRequest)
                return _told(self.desk.balance(asked.kind, asked.number, asked.account, asked.pin))
            case "/v1/services/release":
                released = decode(body, ReleaseRequest)
                self.desk.release(origin, released.key, released.cause)
                return 204, b""
            case _:
                feed = path.rpartition("/")[2]
                page = self.page(feed, query["incarnation"], int(query["since"]))
                return 200, pack("feed", page, self.signer)

    def _wait_for_commands(self, incarnation: str, after: int, wait_s: float) -> bytes:
        until = time.monotonic() + min(wait_s, POLL_S_MAX)
        while True:
            found = tuple(
                c
                for c in self.commands
                if (c.number > after or c.incarnation != incarnation) and c.number not in self.outcomes
            )
            if found or time.monotonic() > until or self._stopped.wait(0.05):
                return pack("commands", CommandBatch(commands=found), self.signer)


def _answer(message: msgspec.Struct) -> Answer:
    return _refused(message) if isinstance(message, Refused) else (200, encode(message))


def _told(answer: msgspec.Struct) -> Answer:
    """As `hq.web.service_routes` answers."""
    if not isinstance(answer, Declined):
        return 200, encode(answer)
    said = {"type": "about:blank", "title": "refused", "status": 409, "detail": answer.sentence}
    who = {"code": answer.code, "holder_name": answer.holder, "since_ms": answer.since_ms}
    return 409, msgspec.json.encode(said | who)


def _refused(refused: Refused) -> Answer:
    return refused.status, encode(
        Problem(
            type=f"urn:holdfast:problem:{refused.code}",
            title="refused",
            status=refused.status,
            detail=refused.detail,
            code=refused.code,
        )
    )


def _handler(office: HeadOffice) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one segment

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                status, body = office.answer(self.command, self.path, token, self.rfile.read(length))
            except MalformedFault as fault:
                status, body = _refused(Refused(400, fault.code, fault.sentence))
            except Fault as fault:
                status, body = _refused(Refused(503 if fault.retriable else 403, fault.code, fault.sentence))
            self.send_response(status)
            self.send_header(
                "Content-Type", "application/json" if status < 400 else "application/problem+json"
            )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # the line was cut: that is what these tests do

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


def signing_key(home: RegisterHome) -> SigningKey:
    return SigningKey.load(home.signing_key)


def opened_documents(beat: SignedStatement) -> dict[str, Any]:
    return json.loads(beat.statement)
