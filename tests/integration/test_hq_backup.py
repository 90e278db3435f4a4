"""Backups that make entries safe, and a head office that wakes up in an older one of them."""

from pathlib import Path

import pytest

from holdfast.core.central.accounts import Account, AccountId, Act, HoldKey, Kind
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.faults import ConfigurationFault, DatabaseFault
from holdfast.core.ids import StoreId, TransactionId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.messages import Ack, OfferReply, encode, receipt_holds
from holdfast.hq.backup import backups
from holdfast.hq.service import HeadOffice, init_home, restore
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.verify import verify_head_office
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.keys import verify
from tests.hq_messages import heartbeat_of, offer_of
from tests.journal_samples import SampleJournal


@pytest.fixture
def home(tmp_path: Path) -> HeadOfficeHome:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in folder.name or "pytest" in folder.parent.name:
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    home = HeadOfficeHome(tmp_path / "hq")
    init_home(home, HeadOfficeConfig())
    for folder in (home.path, home.postgres, home.backups):
        folder.chmod(0o711)
    return home


def enrol(hq: HeadOffice, journal: SampleJournal) -> None:
    with hq.services_pool.connection() as conn:
        conn.execute("insert into store values ('S1', 'Main street', 'GBP', 'Europe/London')")
    facts = OriginFacts(origin=journal.origin, store=StoreId("S1"), series="R01", currency="GBP")
    with PostgresStore(hq.services_pool).transaction(None) as transaction:
        transaction.enrol(OriginRecord(facts=facts), journal.key.key_id, journal.key.public_bytes)


def send(hq: HeadOffice, journal: SampleJournal, first_seq: int, count: int) -> Ack:
    ack = hq.ingest.receive_batch(journal.origin, journal.batch(first_seq, count))
    assert isinstance(ack, Ack), ack
    return ack


def offer(hq: HeadOffice, journal: SampleJournal) -> OfferReply:
    reply = hq.ingest.receive_offer(journal.origin, encode(offer_of(journal)))
    assert isinstance(reply, OfferReply), reply
    return reply


def hold(hq: HeadOffice, journal: SampleJournal, key: str) -> Held | Declined:
    """A sale on account, whose money head office keeps for it."""
    return hq.central.desk.hold(
        journal.origin,
        HoldRequest(
            key=HoldKey(key.ljust(16, "x")), kind=Kind.ON_ACCOUNT, act=Act.CHARGE,
            transaction=TransactionId(key), currency="GBP", account=AccountId("C-1"), amount=100,
        ),
    )  # fmt: skip


def test_safe_is_what_a_verified_backup_holds_and_a_restore_is_sent_the_rest(home: HeadOfficeHome) -> None:
    journal = SampleJournal().open().sell(9)
    with HeadOffice.open(home) as hq:
        enrol(hq, journal)
        buyer = Account(kind=Kind.ON_ACCOUNT, account=AccountId("C-1"), currency="GBP", limit=500)
        with PostgresStore(hq.services_pool).transaction(None) as transaction:
            transaction.central.open([Numbered(account=buyer)], 0)
        assert isinstance(hold(hq, journal, "before"), Held)
        send(hq, journal, 1, 6)
        assert offer(hq, journal).cursors[0].safe is None
        made = hq.take_backup()
        assert [row.backup for row in backups(hq.services_pool)] == [made.backup]
        ack = send(hq, journal, 7, 10)
        assert ack.applied is not None
        journal.kept = [ack.applied]
        safe = offer(hq, journal).cursors[0].safe
        assert safe is not None
        assert (safe.level, safe.seq, safe.hash) == ("safe", 6, journal.hash_at(journal.epoch, 6))
        assert receipt_holds(safe, hq.signer.public_bytes, verify)
        beat = hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
        assert [receipt.seq for receipt in beat.safe] == [6]
        former = hq.ingest.incarnation()

    restore(home, Path(made.path))

    with HeadOffice.open(home) as hq:
        reply = offer(hq, journal)
        assert reply.incarnation != former
        cursor = reply.cursors[0]
        assert [tip.seq for tip in cursor.tips] == [6]
        assert offer(hq, journal).incarnation == reply.incarnation
        refused = hold(hq, journal, "after")
        assert isinstance(refused, Declined)
        assert "Head office was restored" in refused.sentence
        assert isinstance(hold(hq, journal, "before"), Held), "what was given before still stands"
        word = heartbeat_of(journal, hq.clock.now_ms(), nonce=reply.incarnation)
        hq.ingest.heartbeat(journal.origin, word)
        assert hq.after_loss.look(), "it has spoken, and owes what was lost"
        send(hq, journal, 7, 10)
        hq.fleet.forget()
        assert not hq.after_loss.look(), "nobody is missing any more"
        assert isinstance(hold(hq, journal, "after"), Held)
        verified = verify_head_office(hq.services_pool, verify)
        assert verified.differences == ()
        assert verified.documents == 9


def test_a_database_put_back_behind_our_back_begins_a_new_incarnation(home: HeadOfficeHome) -> None:
    """Somebody restored PostgreSQL by other means: a register's receipt shows it."""
    journal = SampleJournal().open().sell(3)
    with HeadOffice.open(home) as hq:
        enrol(hq, journal)
        ack = send(hq, journal, 1, 10)
        assert ack.applied is not None
        journal.kept = [ack.applied]
        with hq.services_pool.connection() as conn:
            for table in ("signed_head", "entry", "document", "document_line", "document_tender",
                          "document_tax", "stock_change", "register_day", "claim", "chain"):  # fmt: skip
                conn.execute(f"delete from {table}".encode())
        former = hq.ingest.incarnation()
        reply = offer(hq, journal)
        assert reply.incarnation != former
        assert reply.cursors[0].tips == ()
        assert offer(hq, journal).incarnation == reply.incarnation
        send(hq, journal, 1, 10)
        assert verify_head_office(hq.services_pool, verify).differences == ()


def test_a_backup_that_was_changed_is_not_restored(home: HeadOfficeHome) -> None:
    with HeadOffice.open(home) as hq:
        made = hq.take_backup()
        with pytest.raises(ConfigurationFault):  # it is running
            restore(home, Path(made.path))
    victim = next(path for path in sorted(Path(made.path).rglob("*")) if path.suffix == ".gz")
    victim.write_bytes(victim.read_bytes() + b"x")
    with pytest.raises(DatabaseFault):
        restore(home, Path(made.path))
    with HeadOffice.open(home) as hq:
        assert hq.ingest.incarnation()


def test_an_older_backup_is_refused_while_a_newer_one_lies_beside_it(home: HeadOfficeHome) -> None:
    """What the newer one made safe may be gone from the registers."""
    older, newer = home.backups / "000001-20260102T000000Z", home.backups / "000002-20260101T000000Z"
    older.mkdir()
    newer.mkdir()
    with pytest.raises(ConfigurationFault, match="number 2"):
        restore(home, older)
    newer.rename(home.path / "moved-away")
    with pytest.raises(DatabaseFault):  # it is empty, which is another matter
        restore(home, older)
