"""A till's whole journal on its way to a head office under test, without processes or sockets."""

from collections.abc import Sequence
from contextlib import closing

from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.batch import encode_batch
from holdfast.core.sync.messages import Ack, Receipt
from holdfast.hq.store.port import OriginRecord
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from tests.hq_fixtures import HeadOfficeUnderTest

ENTRIES_MAX = 10_000


class NoReceipts:
    """A sender that was never answered."""

    def receipts(self) -> Sequence[Receipt]:
        return ()


def enrol(office: HeadOfficeUnderTest, home: RegisterHome, origin: str, series: str) -> None:
    """Head office knows this register by the key in its home."""
    key = SigningKey.load(home.signing_key)
    facts = OriginFacts(origin=OriginId(origin), store=StoreId("S1"), series=series, currency="EUR")
    with office.store.transaction(None) as transaction:
        transaction.enrol(
            OriginRecord(facts=facts, name=series, kind="register"), key.key_id, key.public_bytes
        )


def send_all(office: HeadOfficeUnderTest, home: RegisterHome, origin: str) -> None:
    """All that the till has written, epoch after epoch; what was there already has no second effect."""
    key = SigningKey.load(home.signing_key)
    with closing(read_till(home, DatabaseKey.load(home.database_key), OriginId(origin))) as connection:
        journal = TillJournal(connection, key, NoReceipts())
        for head in journal.heads():
            piece = journal.piece(head.epoch, 1, ENTRIES_MAX, 1 << 23)
            assert piece is not None
            assert piece.head.seq == head.seq, "a test's journal is short"
            batch = encode_batch(OriginId(origin), head.epoch, piece.previous_hash, piece.entries, piece.head)
            answer = office.ingest.receive_batch(OriginId(origin), batch)
            assert isinstance(answer, Ack)
            assert answer.send_from is None or answer.held is not None, answer
