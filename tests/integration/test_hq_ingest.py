"""Ingest against a real PostgreSQL that refuses, races, fills up, and dies in the middle of a batch."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest
import zstandard

from holdfast.core.central.numbers import MAC_KEY_BYTES
from holdfast.core.faults import Fault, NewerVersionFault, StorageFullFault, UnavailableFault
from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.batch import MAGIC, StoredEntry
from holdfast.core.sync.limits import BATCH_RAW_BYTES_MAX, BODY_BYTES_MAX
from holdfast.core.sync.messages import Ack
from holdfast.core.sync.receiver import Refused
from holdfast.hq.ingest import Ingest
from holdfast.hq.service import HeadOffice, init_home
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.verify import verify_head_office
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome
from holdfast.infra.keys import verify
from tests.hq_fixtures import HEAD_OFFICE_KEY, HeadOfficeUnderTest, memory_head_office, postgres_head_office
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

NUMBER = 3
"""Place of the document's number in its row."""


def another(n: int) -> SampleJournal:
    return SampleJournal(key=signing_key(n), origin=OriginId(f"reg{n:02}")).open(n)


def taken(answer: Ack | Refused) -> Ack:
    assert isinstance(answer, Ack), answer
    return answer


def no_problem(hq: HeadOfficeUnderTest) -> None:
    assert hq.verify().differences == ()


# ---- data that nobody foresaw ------------------------------------------------------------------


@pytest.mark.parametrize("culprits", [("000007",), ("000001", "000002", "000031", "000064"), ("",)])
def test_what_only_the_database_refuses_waits_and_nothing_else(
    postgres_hq: HeadOfficeUnderTest, culprits: tuple[str, ...]
) -> None:
    journal = SampleJournal().open().sell(64)
    refused = " or ".join(f"number like '%{culprit}'" for culprit in culprits)
    postgres_hq.refuse("document", f"not ({refused})")

    def passes(row: tuple[object, ...]) -> bool:
        return not str(row[NUMBER]).endswith(culprits)

    with memory_head_office({"document": passes}) as memory_hq:
        for hq in (memory_hq, postgres_hq):
            hq.enrol(journal)
            ack = taken(hq.ingest.receive_batch(journal.origin, journal.batch()))
            assert ack.held == journal.position
        assert postgres_hq.dump() == memory_hq.dump()
    waiting = postgres_hq.dump()["quarantine"]
    assert len(waiting) == (64 if culprits == ("",) else len(culprits))
    assert all(row[2] == "database" for row in waiting)
    no_problem(postgres_hq)


def test_bytes_that_come_late_and_are_refused_by_the_database_are_kept(
    postgres_hq: HeadOfficeUnderTest,
) -> None:
    journal = SampleJournal().open().sell(9)
    damaged = journal.copy()
    entries = damaged.epochs[journal.epoch]
    for seq in (3, 4, 5):
        entries[seq - 1] = StoredEntry(seq, entries[seq - 1].hash, b"", False)
    postgres_hq.refuse("document", "seq <> 4")

    def passes(row: tuple[object, ...]) -> bool:
        return row[1] != 4

    with memory_head_office({"document": passes}) as memory_hq:
        for hq in (memory_hq, postgres_hq):
            hq.enrol(journal)
            for first_seq in (1, 3):
                taken(hq.ingest.receive_batch(journal.origin, damaged.batch(first_seq)))
            ack = taken(hq.ingest.receive_batch(journal.origin, journal.batch()))
            assert ack.held == journal.position
        assert postgres_hq.dump() == memory_hq.dump()
    assert {row[1]: row[2] for row in postgres_hq.dump()["quarantine"]} == {
        3: "unreadable", 4: "database", 5: "unreadable",
    }  # fmt: skip
    assert [row[1] for row in postgres_hq.dump()["resolved"]] == [3, 5]
    no_problem(postgres_hq)


def test_after_the_cause_is_gone_what_waited_takes_effect_once(
    postgres_hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    journal = SampleJournal().open().sell(20)
    for hq in (postgres_hq, memory_hq):
        hq.enrol(journal)
    postgres_hq.refuse("document_line", "seq % 5 <> 0")
    for hq in (postgres_hq, memory_hq):
        taken(hq.ingest.receive_batch(journal.origin, journal.batch()))
    assert postgres_hq.ingest.retry_quarantine() == (0, 4)
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute("alter table document_line drop constraint planted")
    assert postgres_hq.ingest.retry_quarantine() == (4, 0)
    assert postgres_hq.ingest.retry_quarantine() == (0, 0)
    found, wanted = postgres_hq.dump(), memory_hq.dump()
    for table in ("entry", "document", "document_line", "stock_level", "register_day", "chain"):
        assert found[table] == wanted[table], table
    no_problem(postgres_hq)


# ---- races -------------------------------------------------------------------------------------


def test_registers_that_enter_the_same_documents_at_once(postgres_hq: HeadOfficeUnderTest) -> None:
    """Each of forty references stands once, whoever was quicker, in whatever order they come."""
    journals = [another(n) for n in range(1, 7)]
    for n, journal in enumerate(journals):
        postgres_hq.enrol(journal, f"R{n:02}")
        numbers = range(40) if n % 2 else range(39, -1, -1)
        for number in numbers:
            journal.sell(1, reference=f"5363{number:02}")
    answers: list[Ack | Refused | Fault] = []

    def send(journal: SampleJournal) -> None:
        for first in range(1, 42, 8):
            body = journal.batch(first, 8)
            for _ in range(10):
                try:
                    answers.append(postgres_hq.ingest.receive_batch(journal.origin, body))
                    break
                except UnavailableFault as fault:  # raced too often: a sender tries again
                    answers.append(fault)

    threads = [threading.Thread(target=send, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([answer for answer in answers if isinstance(answer, Ack)]) == 6 * 6
    dump = postgres_hq.dump()
    assert len(dump["reference"]) == 40
    assert len(dump["document"]) == 40
    no_problem(postgres_hq)


def test_one_origin_sending_twice_at_once(postgres_hq: HeadOfficeUnderTest) -> None:
    journal = SampleJournal().open().sell(30)
    postgres_hq.enrol(journal)
    bodies = [journal.batch(1, 31), journal.batch(1, 12), journal.batch(1, 31), journal.batch(1, 20)]
    threads = [
        threading.Thread(target=postgres_hq.ingest.receive_batch, args=(journal.origin, body))
        for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dump = postgres_hq.dump()
    assert len(dump["entry"]) == 31
    assert len(dump["chain"]) == 1
    no_problem(postgres_hq)


# ---- a server that is full, gone, or newer -----------------------------------------------------


def test_a_full_disk_takes_nothing_and_loses_nothing(postgres_hq: HeadOfficeUnderTest) -> None:
    journal = SampleJournal().open().sell(5)
    postgres_hq.enrol(journal)
    before = postgres_hq.dump()
    assert postgres_hq.dsn is not None
    with psycopg.connect(postgres_hq.dsn, autocommit=True) as conn:
        conn.execute(
            "create function disk_full() returns trigger language plpgsql as "
            "$$ begin raise exception 'could not extend file' using errcode = '53100'; end $$"
        )
        conn.execute(
            "create trigger disk_full before insert on document_line for each row "
            "when (new.seq = 4) execute function disk_full()"
        )
        with pytest.raises(StorageFullFault):
            postgres_hq.ingest.receive_batch(journal.origin, journal.batch())
        assert postgres_hq.dump() == before
        conn.execute("drop trigger disk_full on document_line")
    taken(postgres_hq.ingest.receive_batch(journal.origin, journal.batch()))
    no_problem(postgres_hq)


def test_a_connection_that_is_cut_takes_nothing(head_office_dsn: str) -> None:
    with postgres_head_office(head_office_dsn) as hq:
        journal = SampleJournal().open().sell(5)
        hq.enrol(journal)
        with psycopg.connect(head_office_dsn, autocommit=True) as conn:
            conn.execute(
                "create function cut() returns trigger language plpgsql as "
                "$$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$"
            )
            conn.execute(
                "create trigger cut before insert on document for each row "
                "when (new.seq = 3) execute function cut()"
            )
            with pytest.raises(UnavailableFault):
                hq.ingest.receive_batch(journal.origin, journal.batch())
            conn.execute("drop trigger cut on document")
        ack = taken(hq.ingest.receive_batch(journal.origin, journal.batch()))
        assert ack.held == journal.position
        no_problem(hq)


@pytest.fixture
def home(tmp_path: Path) -> HeadOfficeHome:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == tmp_path.owner() and "pytest" in str(folder):
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    home = HeadOfficeHome(tmp_path / "hq")
    init_home(home, HeadOfficeConfig())
    home.path.chmod(0o711)
    home.postgres.chmod(0o711)
    home.backups.chmod(0o711)
    return home


def test_postgres_killed_in_the_middle_of_batches(home: HeadOfficeHome) -> None:
    """`kill -9` of the server, three times, while a register sends: every sale stands once."""
    journal = SampleJournal().open().sell(3_000)
    with HeadOffice.open(home, beside_service=False) as hq:
        _enrol(hq, journal)
        sent, kills, failures, deadline = 0, 0, 0, time.monotonic() + 120
        while sent < journal.position.seq:
            assert time.monotonic() < deadline, "head office did not come back"
            if kills < 3 and sent >= 400 * kills:
                kills += 1
                threading.Timer(0.03 * kills, kill, (hq,)).start()
            try:
                ack = taken(hq.ingest.receive_batch(journal.origin, journal.batch(sent + 1, 100)))
            except UnavailableFault:
                failures += 1
                time.sleep(0.1)
                continue
            assert ack.held is not None
            sent = ack.held.seq
        assert kills == 3
        assert failures
        verified = verify_head_office(hq.services_pool, verify)
        assert verified.differences == ()
        assert (verified.entries, verified.documents) == (3_001, 3_000)


def kill(hq: HeadOffice) -> None:
    """The embedded server's main process, if it runs at this moment."""
    assert hq.server is not None
    with contextlib.suppress(ProcessLookupError, UnavailableFault):
        os.kill(hq.server.pid, signal.SIGKILL)


def test_a_database_of_a_newer_version_is_left_alone(home: HeadOfficeHome) -> None:
    with HeadOffice.open(home) as hq, hq.services_pool.connection() as conn:
        conn.execute(
            "insert into migration (number, name, sha256) select max(number) + 1, 'x', 'y' from migration"
        )
    with pytest.raises(NewerVersionFault):
        HeadOffice.open(home)


def _enrol(hq: HeadOffice, journal: SampleJournal) -> None:
    with hq.services_pool.connection() as conn:
        conn.execute("insert into store values ('S1', 'Main street', 'GBP', 'Europe/London')")
    facts = OriginFacts(origin=journal.origin, store=StoreId("S1"), series="R01", currency="GBP")
    with PostgresStore(hq.services_pool).transaction(None) as transaction:
        transaction.enrol(OriginRecord(facts=facts), journal.key.key_id, journal.key.public_bytes)


# ---- bytes -------------------------------------------------------------------------------------


def test_bombs_and_giants_are_refused_before_they_are_unpacked(memory_hq: HeadOfficeUnderTest) -> None:
    journal = SampleJournal().open()
    memory_hq.enrol(journal)
    bomb = MAGIC + zstandard.ZstdCompressor(level=3).compress(bytes(BATCH_RAW_BYTES_MAX + 1))
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 20))
    lying = bytearray(MAGIC + zstandard.ZstdCompressor(level=3).compress(bytes(1 << 22)))
    for body, status in (
        (bomb, 413),
        (bytes(BODY_BYTES_MAX + 1), 413),
        (MAGIC + silent, 400),
        (bytes(lying), 400),
    ):
        answer = memory_hq.ingest.receive_batch(journal.origin, body)
        assert isinstance(answer, Refused)
        assert answer.status == status


def test_a_year_of_batches_in_parts_is_one_transaction_each(postgres_hq: HeadOfficeUnderTest) -> None:
    """A batch larger than the parts it is stored in is seen whole or not at all (P3)."""
    journal = SampleJournal().open().sell(1_000)
    postgres_hq.enrol(journal)
    counts: set[int] = set()
    stop = threading.Event()
    assert postgres_hq.dsn is not None

    def watch(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not stop.is_set():
                row = conn.execute(
                    "select (select count(*) from entry), (select count(*) from document), "
                    "(select coalesce(max(head_seq), 0) from chain)"
                ).fetchone()
                assert row is not None
                counts.update(row)

    watcher = threading.Thread(target=watch, args=(postgres_hq.dsn,))
    watcher.start()
    taken(postgres_hq.ingest.receive_batch(journal.origin, journal.batch(1, 1_001)))
    stop.set()
    watcher.join()
    assert counts <= {0, 1_000, 1_001}


def test_ingest_without_a_database_says_so(head_office_dsn: str) -> None:
    with postgres_head_office(head_office_dsn) as hq:
        pass
    ingest = Ingest(hq.store, HEAD_OFFICE_KEY, verify, SystemClock("UTC"), number_key=bytes(MAC_KEY_BYTES))
    with pytest.raises(UnavailableFault):
        ingest.challenge()
