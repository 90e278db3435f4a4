"""A till's journal on its way to head office by the sync core that ships, over a line that fails."""

import random
from contextlib import closing

from holdfast.core.ids import EpochId, OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.messages import Ack, Offer, Receipt, decode, encode
from holdfast.core.sync.sender import Idle, Policy, ReceiptGiven, Sender
from holdfast.hq.store.port import OriginRecord
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from tests.hq_fixtures import HeadOfficeUnderTest

POLICY = Policy(batch_entries=12, few_entries=3)
TURNS_MAX = 2_000


class Given:
    """Head office's signed word, as `reference.db` keeps it."""

    def __init__(self) -> None:
        self._by: dict[str, Receipt] = {}

    def take(self, receipt: Receipt) -> None:
        known = self._by.get(receipt.epoch)
        if known is None or known.seq < receipt.seq:
            self._by[receipt.epoch] = receipt

    def receipts(self) -> tuple[Receipt, ...]:
        return tuple(self._by.values())


class Line:
    """Between one register and head office: requests and answers get lost, and come twice."""

    def __init__(
        self,
        office: HeadOfficeUnderTest,
        home: RegisterHome,
        origin: OriginId,
        currency: str,
        store: str = "S1",
    ) -> None:
        self._office, self._home, self._origin = office, home, origin
        self._given = Given()
        self._now_ms = 0
        key = SigningKey.load(home.signing_key)
        facts = OriginFacts(origin=origin, store=StoreId(store), series=origin.upper(), currency=currency)
        with office.store.transaction(None) as transaction:
            record = OriginRecord(facts=facts, name=origin, kind="register")
            transaction.enrol(record, key.key_id, key.public_bytes)

    def applied(self) -> dict[EpochId, int]:
        """How far head office's receipts go."""
        return {
            receipt.epoch: receipt.seq for receipt in self._given.receipts() if receipt.level == "applied"
        }

    def send(self, chance: random.Random, lost: float, turns: int = TURNS_MAX) -> bool:
        """Until head office has all, or for so many requests. A new sender each time: its process died."""
        key = SigningKey.load(self._home.signing_key)
        with closing(read_till(self._home, DatabaseKey.load(self._home.database_key), self._origin)) as file:
            journal = TillJournal(file, key, self._given)
            sender = Sender(journal, policy=POLICY, jitter=chance.random)
            for _ in range(turns):
                request = sender.poll(self._now_ms)
                if isinstance(request, Idle):
                    if request.until_ms is None:
                        return True
                    self._now_ms = request.until_ms
                    continue
                if chance.random() < lost:
                    sender.on_lost(self._now_ms)
                    continue
                answers = [
                    self._heard(request.kind, request.body) for _ in range(1 + (chance.random() < lost))
                ]
                if chance.random() < lost:
                    sender.on_lost(self._now_ms)
                    continue
                for event in sender.on_reply(answers[-1], self._now_ms):
                    if isinstance(event, ReceiptGiven):
                        self._given.take(event.receipt)
                    assert type(event).__name__ not in ("Blocked", "EpochNeeded"), event
        return False

    def _heard(self, kind: str, body: bytes) -> bytes:
        ingest = self._office.ingest
        if kind == "offer":
            return encode(ingest.offer(decode(body, Offer)))
        answer = ingest.receive_batch(self._origin, body)
        assert isinstance(answer, Ack), answer
        return encode(answer)
