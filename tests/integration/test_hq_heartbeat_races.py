"""A register's word, its offer and its batch at the same moment: none waits for the other in a circle."""

import threading
import time
from collections.abc import Callable

import psycopg

from holdfast.core.sync.messages import Ack, OfferReply, encode
from holdfast.hq.store.port import Claim
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.hq_messages import heartbeat_of, offer_of
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

WAIT_S = 300.0
_BLOCKED = """
select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
"""


def test_a_heartbeat_takes_what_an_offer_takes_in_the_same_order(postgres_hq: HeadOfficeUnderTest) -> None:
    """The offer has claimed the very head, and is about to note the contact: it must never meet a heartbeat
    that noted the contact first and now waits for the claim."""
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    head = journal.position
    said: list[object] = []
    beat = heartbeat_of(journal, hq.clock.now_ms(), owed_count=3)
    heard = threading.Thread(target=lambda: said.append(hq.ingest.heartbeat(journal.origin, beat)))
    with hq.store.transaction(journal.origin) as transaction:
        transaction.claim(journal.origin, Claim(epoch=head.epoch, seq=head.seq, hash=head.hash), 1)
        heard.start()
        wait_until_blocked(hq)
        transaction.touch(journal.origin, 1)
    heard.join(WAIT_S)
    assert len(said) == 1


def test_heartbeats_offers_and_batches_of_one_register_never_race(postgres_hq: HeadOfficeUnderTest) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(120)
    hq.enrol(journal)
    faults: list[BaseException] = []

    def keep(act: Callable[[], None]) -> None:
        try:
            for _ in range(40):
                act()
        except BaseException as fault:  # noqa: BLE001 - told to the test's own thread
            faults.append(fault)

    def offer() -> None:
        assert isinstance(hq.ingest.receive_offer(journal.origin, encode(offer_of(journal))), OfferReply)

    def beat() -> None:
        hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms(), owed_count=1))

    sent = iter(range(1, 1_000))

    def send() -> None:
        seq = next(sent) * 3 - 2
        assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch(seq, 3)), Ack)

    threads = [threading.Thread(target=keep, args=(act,)) for act in (offer, beat, beat, send)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    assert not faults
    assert deadlocks(hq) == 0
    assert hq.verify().differences == ()


def wait_until_blocked(hq: HeadOfficeUnderTest) -> None:
    assert hq.dsn is not None
    deadline = time.monotonic() + WAIT_S
    with psycopg.connect(hq.dsn, autocommit=True) as conn:
        while conn.execute(_BLOCKED).fetchone() == (0,):
            assert time.monotonic() < deadline, "the heartbeat waits for the claim"
            time.sleep(0.01)


def deadlocks(hq: HeadOfficeUnderTest) -> int:
    assert hq.dsn is not None
    with psycopg.connect(hq.dsn, autocommit=True) as conn:
        row = conn.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert row is not None
    return row[0]
