"""What `holdfast verify` finds at head office: every kind of tampering, each by its name."""

import psycopg
import pytest

from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Ack
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
