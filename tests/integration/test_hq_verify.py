"""What `holdfast verify` finds at head office: every kind of tampering, each by its name."""

import psycopg
import pytest

from holdfast.core.central.accounts import Act, Kind
from holdfast.core.central.numbers import MAC_KEY_BYTES, new_number
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Ack
from holdfast.hq.central.desk import CentralDesk
from tests.central_till import CentralTill
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

TAMPERINGS = {
    "entry changed": ("update entry set data = data || ' '::bytea where seq = 4", "chain"),
    "entry's hash changed": ("update entry set hash = sha256('x') where seq = 4", "chain"),
    "entry removed": ("delete from entry where seq = 4", "chain"),
    "last entry removed": ("delete from entry where seq = 9", "chain"),
    "head moved back": ("update chain set head_seq = 5", "chain"),
    "signature changed": (
        "update signed_head set signature = set_byte(signature, 3, (get_byte(signature, 3) + 1) % 256)",
        "signature",
    ),
    "signature removed": ("delete from signed_head", "signature"),
    "key removed": ("delete from origin_key", "signature"),
    "filed as another type": ("update entry set type = 'return' where seq = 3", "entry"),
    "said to wait": ("update entry set status = 'quarantined' where seq = 3", "entry"),
    "said to repeat": ("update entry set status = 'repeated' where seq = 3", "entry"),
    "said to wait as well": (
        "insert into quarantine (chain, seq, cause, detail) values (1, 3, 'x', 'y')",
        "entry",
    ),
    "document's total": ("update document set total_minor = total_minor + 1 where seq = 6", "document"),
    "document removed": ("delete from document where seq = 6", "document"),
    "document twice": (
        "insert into document_tender select * from document_tender where seq = 6",
        "document",
    ),
    "line's price": ("update document_line set unit_price_e4 = 1 where seq = 6 and line = 2", "document"),
    "tax removed": ("delete from document_tax where seq = 6", "document"),
    "reference removed": ("delete from reference", "document"),
    "stock": ("update stock_change set quantity_milli = quantity_milli + 1000 where sku = 'A1'", "stock"),
    "stock of nothing": ("insert into stock_sum values ('S1', 'ghost', 1)", "stock"),
    "day": ("update register_day set documents = documents + 1", "day"),
    "day removed": ("delete from register_day", "day"),
}


@pytest.fixture
def sold(postgres_hq: HeadOfficeUnderTest) -> HeadOfficeUnderTest:
    journal = SampleJournal().open().sell(7).sell(1, reference="536365")
    postgres_hq.enrol(journal)
    assert isinstance(postgres_hq.ingest.receive_batch(journal.origin, journal.batch()), Ack)
    return postgres_hq


def test_entries_before_an_unreadable_one_need_a_signed_head(postgres_hq: HeadOfficeUnderTest) -> None:
    """Its hash is only stated: without a head before it, a store server could have written what is there."""
    hq, journal = postgres_hq, SampleJournal().open().sell(6)
    hq.enrol(journal)
    damaged = journal.copy()
    entries = damaged.epochs[journal.epoch]
    entries[3] = StoredEntry(4, entries[3].hash, b"", False)
    for first_seq in (1, 4):
        assert isinstance(hq.ingest.receive_batch(journal.origin, damaged.batch(first_seq)), Ack)
    assert hq.verify().differences == ()
    assert hq.dsn is not None
    with psycopg.connect(hq.dsn, autocommit=True) as conn:
        conn.execute("delete from signed_head where seq = 3")
    (found,) = hq.verify().differences
    assert found.code == "signature"
    assert "entry 4 is unreadable" in found.sentence
    assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch(2)), Ack)
    assert hq.verify().differences == (), "its bytes came: the head behind it proves all"


def test_a_head_office_in_order(sold: HeadOfficeUnderTest) -> None:
    verified = sold.verify()
    assert verified.differences == ()
    assert (verified.chains, verified.entries, verified.documents, verified.signatures) == (1, 9, 8, 1)


def test_every_tampering_is_found_and_nothing_once_it_is_undone(sold: HeadOfficeUnderTest) -> None:
    assert sold.dsn is not None
    missed: list[str] = []
    for name, (statement, code) in TAMPERINGS.items():
        with psycopg.connect(sold.dsn) as conn:
            tables = ("entry", "chain", "signed_head", "origin_key", "quarantine", "document",
                      "document_line", "document_tender", "document_tax", "reference", "stock_sum",
                      "stock_change", "register_day")  # fmt: skip
            for table in tables:
                conn.execute(f"create table kept_{table} as table {table}".encode())
            conn.execute(statement.encode())
            conn.commit()
            if code not in {difference.code for difference in sold.verify().differences}:
                missed.append(name)
            for table in tables:
                # In place, because other tables refer to some of these.
                conn.execute(
                    f"delete from {table} where ctid is not null".encode()
                    if table != "chain"
                    else b"select 1"
                )
            conn.execute("update chain c set head_seq = k.head_seq from kept_chain k where k.chain = c.chain")
            for table in tables:
                if table != "chain":
                    conn.execute(f"insert into {table} select * from kept_{table}".encode())
                conn.execute(f"drop table kept_{table}".encode())
    assert missed == []
    assert sold.verify().differences == ()


VALUE_TAMPERINGS = {
    "less than was taken": "update value_movement set counter = counter + 1, difference = difference - 1",
    "a movement without an entry": "update value_movement set seq = seq + 100 where key <> ''",
    "a movement removed": "delete from value_movement where number = 2",
    "a balance changed": "update value_movement set balance = balance + 1 where number = 2",
    "another account": "update value_movement set transaction = 'another' where number = 2",
    "booked over from nowhere": (
        "insert into value_movement select kind, account, 3, 0, 1, 1, 'move', 5, -5, 0, balance + 5, '', '', "
        "'', '', '', business_date, posting_period, at_ms, '', currency from value_movement where number = 2"
    ),
    "a hold that was settled holds again": "update value_hold set ended = '' where ended = 'settled'",
    "an allowance used by nobody": (
        "insert into value_allowance (allowance, origin, epoch, kind, amount, used, granted_at_ms, "
        "expires_at_ms) values ('a1', 'reg01', 'e1', 'gift_card', 500, 100, 0, 0)"
    ),
}


def test_tampering_with_central_value_is_found(postgres_hq: HeadOfficeUnderTest) -> None:
    """P8: the ledger says what the entries say, and adds up."""
    desk = CentralDesk(postgres_hq.store, postgres_hq.clock, bytes(MAC_KEY_BYTES))
    till = CentralTill(postgres_hq, desk)
    memo = new_number(Kind.CREDIT_MEMO, b"\x05" * 16)
    till.refund_to_memo("memo1", memo, 500)
    till.ask(Kind.CREDIT_MEMO, Act.REDEEM, number=memo)
    assert till.conclude(200) is None
    assert postgres_hq.verify().differences == ()
    assert postgres_hq.dsn is not None
    missed: list[str] = []
    for name, statement in VALUE_TAMPERINGS.items():
        with psycopg.connect(postgres_hq.dsn) as conn:
            for table in ("value_movement", "value_hold", "value_allowance"):
                conn.execute(f"create table kept_{table} as table {table}".encode())
            conn.execute(statement.encode())
            conn.commit()
            if {difference.code for difference in postgres_hq.verify().differences} != {"value"}:
                missed.append(name)
            for table in ("value_movement", "value_hold", "value_allowance"):
                conn.execute(f"delete from {table}".encode())
                conn.execute(f"insert into {table} select * from kept_{table}".encode())
                conn.execute(f"drop table kept_{table}".encode())
    assert missed == []
    assert postgres_hq.verify().differences == ()
