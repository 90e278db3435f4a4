"""P6: an epoch that was sold in, and lost before head office ever heard of it, is known to be missing."""

from pathlib import Path

from holdfast.core.ids import StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.batch import encode_batch
from holdfast.core.sync.messages import Ack
from holdfast.hq.store.port import OriginRecord
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from tests.hq_fixtures import HeadOfficeUnderTest, memory_head_office
from tests.register_fixture import ORIGIN, copy_data, make_register, restore_data, sell_one, selling


class NoReceipts:
    def receipts(self) -> tuple[()]:
        return ()


def send_all(hq: HeadOfficeUnderTest, home: RegisterHome) -> None:
    connection = read_till(home, DatabaseKey.load(home.database_key), ORIGIN)
    journal = TillJournal(connection, SigningKey.load(home.signing_key), NoReceipts())
    for head in journal.heads():
        piece = journal.piece(head.epoch, 1, 1_000, 1 << 20)
        assert piece is not None
        body = encode_batch(ORIGIN, head.epoch, piece.previous_hash, piece.entries, piece.head)
        assert isinstance(hq.ingest.receive_batch(ORIGIN, body), Ack)
    connection.close()


def test_a_register_that_was_restored_twice_tells_of_the_life_in_between(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        sell_one(checkout)
    copy_data(home, tmp_path / "backup")
    with selling(home, seed=2) as checkout:
        sell_one(checkout)
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=3) as checkout:
        for _ in range(5):
            sell_one(checkout)  # in an epoch that nobody else ever hears of
        between = checkout.head()
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=4) as checkout:
        sell_one(checkout)

    signing = SigningKey.load(home.signing_key)
    facts = OriginFacts(origin=ORIGIN, store=StoreId("S1"), series="R01", currency="EUR")
    with memory_head_office() as hq:
        with hq.store.transaction(None) as transaction:
            transaction.enrol(OriginRecord(facts=facts, name="R01"), signing.key_id, signing.public_bytes)
        send_all(hq, home)
        with hq.store.transaction(ORIGIN) as transaction:
            (claim,) = transaction.claims(ORIGIN, {between.epoch})
    assert (claim.seq, claim.hash) == (between.seq, between.hash)
