"""Registers at head office: enrolled by a code, commanded, and known for what they owe (P6)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId
from holdfast.core.journal.bodies import RETIRED, EpochClosed
from holdfast.core.journal.chain import Position
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import CommandBatch, Outcome
from holdfast.core.sync.enrolment import CODE_TTL_MS, EnrolReply, EnrolRequest
from holdfast.core.sync.feed import unpack
from holdfast.core.sync.messages import Ack, encode
from holdfast.core.sync.receiver import Refused
from holdfast.hq.commands import CommandBook
from holdfast.hq.enrolment import Enrolment, Store
from holdfast.hq.fleet import SILENCE_LIMIT_MS, Fleet, Register
from holdfast.hq.lost import LostBook
from holdfast.hq.retirement import Retirements
from holdfast.infra.clock import ManualClock, SeededRandomness
from holdfast.infra.keys import verify
from holdfast.infra.migrations import load_migrations
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.postgres.migrations import migrate_postgres
from tests.hq_fixtures import HEAD_OFFICE_KEY, INCARNATION, HeadOfficeUnderTest
from tests.hq_messages import heartbeat_of, offer_of
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}
CLOCK = ManualClock


# ---- enrolment ---------------------------------------------------------------------------------


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def enrolment(hq_pool: Pool, clock: ManualClock) -> Enrolment:
    return Enrolment(
        hq_pool,
        clock,
        SeededRandomness(7),
        keys=KEYS,
        recovery_public_key=bytes(32),
        signer=HEAD_OFFICE_KEY,
    )


def request(code: str | Refusal, n: int = 1) -> EnrolRequest:
    assert isinstance(code, str), code
    return EnrolRequest(code=code, public_key=signing_key(n).public_bytes, software="test")


def enrolled(answer: EnrolReply | Refused) -> EnrolReply:
    assert isinstance(answer, EnrolReply), answer
    return answer


def refusal_code(answer: object) -> str:
    assert isinstance(answer, Refused | Refusal), answer
    return answer.code


def test_a_code_becomes_an_identity_once(enrolment: Enrolment) -> None:
    code = enrolment.issue_code("S1", "R01", name="Till 1")
    reply = enrolled(enrolment.enrol(request(code)))
    assert (reply.series, reply.store, reply.currency, reply.timezone) == (
        "R01",
        "S1",
        "GBP",
        "Europe/London",
    )
    assert (reply.incarnation, reply.head_office_keys) == (INCARNATION, KEYS)
    # The answer was lost: the same register asks again.
    assert enrolment.enrol(request(code)) == reply
    assert refusal_code(enrolment.enrol(request(code, n=2))) == "enrol.code"


def test_codes_that_do_not_do(enrolment: Enrolment, clock: ManualClock) -> None:
    code = enrolment.issue_code("S1", "R01")
    assert refusal_code(enrolment.enrol(request("0000000000000000"))) == "enrol.code"
    assert refusal_code(enrolment.enrol(request("\x00\ud800"))) == "enrol.code"
    clock.advance(CODE_TTL_MS + 1)
    assert refusal_code(enrolment.enrol(request(code))) == "enrol.code"
    assert isinstance(code, str)
    odd = EnrolRequest(code=code, public_key=b"short", software="test")
    assert refusal_code(enrolment.enrol(odd)) == "enrol.malformed"


def test_two_registers_never_share_a_series_or_a_key(enrolment: Enrolment) -> None:
    first, second = enrolment.issue_code("S1", "R01"), enrolment.issue_code("S2", "R01")
    third = enrolment.issue_code("S2", "R02")
    enrolled(enrolment.enrol(request(first)))
    assert refusal_code(enrolment.enrol(request(second, n=2))) == "enrol.series"
    assert refusal_code(enrolment.enrol(request(third, n=1))) == "enrol.key"
    assert refusal_code(enrolment.issue_code("S1", "R01")) == "enrol.series"
    assert refusal_code(enrolment.issue_code("S9", "R09")) == "store.unknown"
    assert refusal_code(enrolment.issue_code("S1", "R 01")) == "text.code"  # no register's settings take it
    enrolled(enrolment.enrol(request(third, n=3)))


def test_a_replaced_register_goes_on_in_its_series(enrolment: Enrolment, hq_pool: Pool) -> None:
    former = enrolled(enrolment.enrol(request(enrolment.issue_code("S1", "R01"))))
    code = enrolment.issue_code("S1", "R01", replaces=former.origin)
    fresh = enrolled(enrolment.enrol(request(code, n=2)))
    assert fresh.series == former.series
    assert fresh.origin != former.origin
    fleet = {register.origin: register for register in Fleet(hq_pool, ManualClock()).look()}
    assert fleet[former.origin].retired_at_ms is not None
    assert fleet[fresh.origin].replaces == former.origin
    assert refusal_code(enrolment.issue_code("S1", "R02", replaces=former.origin)) == "enrol.replaces"


def test_stores(enrolment: Enrolment) -> None:
    assert enrolment.put_store(Store("S3", "Airport", "CHF", "Europe/Zurich")) is None
    assert [store.store for store in enrolment.stores()] == ["S1", "S2", "S3"]
    assert refusal_code(enrolment.put_store(Store("S4", "x", "francs", "UTC"))) == "money.unknown-currency"
    assert refusal_code(enrolment.put_store(Store("", "x", "CHF", "UTC"))) == "text.empty"
    with pytest.raises(ConfigurationFault):
        enrolment.put_store(Store("S4", "x", "CHF", "Europe/Atlantis"))


# ---- commands ----------------------------------------------------------------------------------


def test_a_command_is_delivered_until_its_outcome_is_known(hq_pool: Pool, enrolment: Enrolment) -> None:
    origin = enrolled(enrolment.enrol(request(enrolment.issue_code("S1", "R01")))).origin
    other = enrolled(enrolment.enrol(request(enrolment.issue_code("S1", "R02"), n=2))).origin
    book = CommandBook(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    assert book.after(origin, INCARNATION, 0) is None
    first, second = (book.issue(origin, kind, by="ann") for kind in ("sync_now", "report"))
    book.issue(other, "purge", by="ann")
    assert not isinstance(first, Refusal)
    for _ in range(2):
        packed = book.after(origin, INCARNATION, 0)
        assert packed is not None
        batch = unpack(packed, "commands", CommandBatch, KEYS, verify)
        assert [(command.number, command.kind) for command in batch.commands] == [
            (1, "sync_now"),
            (2, "report"),
        ]
        assert {command.origin for command in batch.commands} == {origin}
    assert book.finish(origin, Outcome(incarnation=INCARNATION, number=1, outcome="done")) is None
    assert (
        book.finish(origin, Outcome(incarnation=INCARNATION, number=1, outcome="failed", detail="told again"))
        is None
    )
    packed = book.after(origin, INCARNATION, 0)
    assert packed is not None
    assert [c.number for c in unpack(packed, "commands", CommandBatch, KEYS, verify).commands] == [2]
    assert book.after(origin, INCARNATION, 2) is None
    assert [(row.number, row.outcome) for row in book.latest(origin)] == [(2, None), (1, "done")]
    assert second == msg_number(book, origin, 2)
    assert (
        refusal_code(book.finish(origin, Outcome(incarnation=INCARNATION, number=9, outcome="done")))
        == "command.unknown"
    )
    assert refusal_code(book.issue(origin, "format_disk", by="ann")) == "command.kind"
    assert refusal_code(book.issue(OriginId("nobody"), "report", by="ann")) == "origin.unknown"
    assert unpack(book.empty, "commands", CommandBatch, KEYS, verify).commands == ()
    assert (
        book.finish(
            origin, Outcome(incarnation=INCARNATION, number=2, outcome="done\x00", detail="x" * 100_000)
        )
        is None
    )


def test_a_new_incarnation_numbers_its_commands_anew_and_delivers_none_of_the_former(
    hq_pool: Pool, enrolment: Enrolment
) -> None:
    origin = enrolled(enrolment.enrol(request(enrolment.issue_code("S1", "R01")))).origin
    book = CommandBook(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    for kind in ("sync_now", "report", "purge"):
        book.issue(origin, kind, by="ann")
    assert book.after(origin, INCARNATION, 0) is not None
    assert book.finish(origin, Outcome(incarnation=INCARNATION, number=1, outcome="done")) is None
    with hq_pool.connection() as conn:
        conn.execute("insert into incarnation values (2, 'life2', 0, 'restored', '')")
    assert book.after(origin, INCARNATION, 5) is None
    given = book.issue(origin, "sync_now", by="ann")
    assert not isinstance(given, Refusal)
    assert (given.incarnation, given.number) == ("life2", 1)
    for known in ((INCARNATION, 5), ("", 0), ("life2", 0)):
        packed = book.after(origin, IncarnationId(known[0]), known[1])
        assert packed is not None
        assert unpack(packed, "commands", CommandBatch, KEYS, verify).commands == (given,)
    assert book.after(origin, IncarnationId("life2"), 1) is None
    former = book.finish(origin, Outcome(incarnation=INCARNATION, number=4, outcome="done"))
    assert refusal_code(former) == "command.unknown"
    assert [(row.kind, row.outcome) for row in book.latest(origin)] == [
        ("sync_now", None),
        ("purge", "unknown"),
        ("report", "unknown"),
        ("sync_now", "done"),
    ]


def test_an_outcome_of_a_command_that_never_left_is_of_one_that_a_restore_lost(
    hq_pool: Pool, enrolment: Enrolment
) -> None:
    """Somebody else's tool put the database back, and the number was given again."""
    origin = enrolled(enrolment.enrol(request(enrolment.issue_code("S1", "R01")))).origin
    book = CommandBook(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    book.issue(origin, "rotate_key", by="ann")
    of_another = Outcome(incarnation=INCARNATION, number=1, outcome="done")
    assert refusal_code(book.finish(origin, of_another)) == "command.unknown"
    assert [row.outcome for row in book.latest(origin)] == [None]
    assert book.after(origin, INCARNATION, 0) is not None
    assert book.finish(origin, of_another) is None


def msg_number(book: CommandBook, origin: OriginId, number: int) -> object:
    packed = book.after(origin, INCARNATION, number - 1)
    assert packed is not None
    return unpack(packed, "commands", CommandBatch, KEYS, verify).commands[0]


# ---- the fleet ---------------------------------------------------------------------------------


def standing(hq: HeadOfficeUnderTest, pool: Pool, journal: SampleJournal) -> Register:
    found = Fleet(pool, hq.clock).register(journal.origin)
    assert found is not None
    return found


def send(hq: HeadOfficeUnderTest, journal: SampleJournal, first_seq: int = 1, count: int = 1_000) -> None:
    assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch(first_seq, count)), Ack)


def test_what_a_register_owes_follows_from_its_own_words(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(5)
    hq.enrol(journal)
    assert standing(hq, hq_pool, journal).owing == "may-owe"

    owed = heartbeat_of(
        journal,
        hq.clock.now_ms(),
        owed_count=5,
        owed_minor=1_250,
        owed_oldest_ms=1,
        owed_dates=("2026-09-21",),
    )
    hq.ingest.heartbeat(journal.origin, owed)
    found = standing(hq, hq_pool, journal)
    assert (found.owing, found.owed_count, found.owed_minor, found.owed_dates) == (
        "owes", 5, 1_250, ("2026-09-21",)
    )  # fmt: skip

    send(hq, journal, 1, 3)
    assert standing(hq, hq_pool, journal).owing == "owes"
    send(hq, journal, 4)
    found = standing(hq, hq_pool, journal)
    assert (found.owing, found.owed_count, found.applied_seq) == ("nothing", 0, 6)

    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    assert standing(hq, hq_pool, journal).owing == "may-owe"


def test_an_epoch_without_an_end_may_owe_until_two_people_give_it_up(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    lost = journal.epoch
    journal.open(2, "restored", claimed_seq=9).sell(1)
    send(hq, journal)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    found = standing(hq, hq_pool, journal)
    assert found.owing == "may-owe"
    assert [(epoch.applied_seq, epoch.claimed_seq, epoch.owing) for epoch in found.epochs] == [
        (4, 9, "may-owe"),
        (2, 2, "nothing"),
    ]
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    assert refusal_code(book.propose(journal.origin, lost, by="ann", reason=" ")) == "lost.reason"
    number = book.propose(journal.origin, lost, by="ann", reason="stolen on the way to repair")
    assert isinstance(number, int)
    assert refusal_code(book.propose(journal.origin, lost, by="bob", reason="x")) == "lost.proposed"
    assert refusal_code(book.confirm(journal.origin, lost, by="ann")) == "lost.two-people"
    assert standing(hq, hq_pool, journal).owing == "may-owe"
    assert book.withdraw(journal.origin, lost, by="ann") is None
    assert refusal_code(book.confirm(journal.origin, lost, by="bob")) == "lost.nothing-proposed"
    assert isinstance(book.propose(journal.origin, lost, by="bob", reason="stolen"), int)
    assert book.confirm(journal.origin, lost, by="ann") is None
    assert refusal_code(book.withdraw(journal.origin, lost, by="ann")) == "lost.nothing-proposed"
    found = standing(hq, hq_pool, journal)
    assert (found.owing, found.epochs[0].owing, found.epochs[0].claimed_seq) == ("nothing", "complete", 9)
    declared = found.epochs[0].lost
    assert declared is not None
    assert (declared.state, declared.proposed_by, declared.confirmed_by) == ("lost", "bob", "ann")
    said = [
        (item.proposed_by, item.withdrawn_by, item.confirmed_by)
        for item in book.history(journal.origin, lost)
    ]
    assert said == [("bob", None, "ann"), ("ann", "ann", None)]
    assert refusal_code(book.propose(journal.origin, lost, by="cy", reason="x")) == "lost.not-missing"
    open_epoch = journal.epoch
    assert refusal_code(book.propose(journal.origin, open_epoch, by="cy", reason="x")) == "lost.not-missing"
    assert refusal_code(book.propose(OriginId("no"), lost, by="cy", reason="x")) == "origin.unknown"
    assert refusal_code(book.propose(journal.origin, EpochId("no"), by="cy", reason="x")) == "epoch.unknown"


def test_what_was_declared_lost_is_taken_in_when_it_comes_back(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    old_disk, lost = journal.copy().sell(5), journal.epoch
    journal.open(2, "restored", claimed_seq=9).sell(1)
    send(hq, journal)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    assert isinstance(book.propose(journal.origin, lost, by="ann", reason="fire"), int)
    assert book.confirm(journal.origin, lost, by="bob") is None
    assert standing(hq, hq_pool, journal).owing == "nothing"

    send(hq, old_disk, 5, 2)
    epoch = standing(hq, hq_pool, journal).epochs[0]
    assert epoch.lost is not None
    assert (epoch.owing, epoch.lost.state, epoch.lost.arrived) == ("may-owe", "returning", 2)
    send(hq, old_disk, 7)
    found = standing(hq, hq_pool, journal)
    epoch = found.epochs[0]
    assert epoch.lost is not None
    assert (found.owing, epoch.owing, epoch.lost.state, epoch.lost.arrived) == (
        "nothing", "complete", "recovered", 5
    )  # fmt: skip
    assert hq.verify().documents == 9
    assert hq.verify().differences == ()


def test_a_silent_register_declared_lost_that_speaks_again_is_one_like_any_other(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(2)
    hq.enrol(journal)
    send(hq, journal)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    assert isinstance(book.propose(journal.origin, journal.epoch, by="ann", reason="flood"), int)
    assert book.confirm(journal.origin, journal.epoch, by="bob") is None
    assert standing(hq, hq_pool, journal).owing == "complete"
    hq.clock.advance(1_000)
    journal.sell(1)
    hq.ingest.heartbeat(
        journal.origin, heartbeat_of(journal, hq.clock.now_ms(), owed_count=1, owed_minor=250)
    )
    assert standing(hq, hq_pool, journal).owing == "owes"
    send(hq, journal, 4)
    found = standing(hq, hq_pool, journal)
    assert found.epochs[0].lost is not None
    assert (found.owing, found.epochs[0].lost.state) == ("nothing", "recovered")
    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    assert standing(hq, hq_pool, journal).owing == "may-owe"


def test_a_look_at_what_did_not_change_is_the_same_and_a_change_is_seen(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    """Registers are built anew where anything of theirs changed, the clock included."""
    hq = postgres_hq
    journals = [SampleJournal(signing_key(n), OriginId(f"reg{n:02}")).open(n).sell(2) for n in range(1, 6)]
    for n, journal in enumerate(journals, start=1):
        hq.enrol(journal, f"R{n:02}")
        send(hq, journal)
        hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    fleet = Fleet(hq_pool, hq.clock)

    def changed_by(act: Callable[[], None]) -> list[str]:
        before = {register.origin: register for register in fleet.look()}
        assert all(register is before[register.origin] for register in fleet.look())
        act()
        after = fleet.look()
        assert after == Fleet(hq_pool, hq.clock).look()
        return [register.origin for register in after if register is not before[register.origin]]

    def sell() -> None:
        journals[2].sell(1)
        send(hq, journals[2], 4)

    assert changed_by(sell) == ["reg03"]

    def copy() -> None:
        twin = journals[3].copy().sell(1, total_minor=900)
        journals[3].sell(1)
        send(hq, journals[3])
        hq.ingest.receive_offer(twin.origin, encode(offer_of(twin)))

    assert changed_by(copy) == ["reg04"]

    def fall_silent() -> None:
        hq.clock.advance(SILENCE_LIMIT_MS + 1)
        hq.ingest.heartbeat(journals[0].origin, heartbeat_of(journals[0], hq.clock.now_ms()))

    assert len(changed_by(fall_silent)) == 5
    assert [register.owing for register in fleet.look()].count("nothing") == 1


def test_two_people_who_confirm_at_once_confirm_once(postgres_hq: HeadOfficeUnderTest, hq_pool: Pool) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(2)
    hq.enrol(journal)
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    send(hq, journal)
    assert isinstance(book.propose(journal.origin, journal.epoch, by="ann", reason="flood"), int)
    with ThreadPoolExecutor(4) as several:
        done = list(several.map(lambda by: book.confirm(journal.origin, journal.epoch, by=by), "bcde"))
    assert sum(answer is None for answer in done) == 1


def test_a_copy_that_was_only_heard_of_is_owed_until_it_comes(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    twin = journal.copy().sell(2, total_minor=900)
    journal.sell(1)
    send(hq, journal)
    hq.ingest.receive_offer(twin.origin, encode(offer_of(twin)))
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    assert standing(hq, hq_pool, journal).owing == "owes"
    send(hq, twin)
    found = standing(hq, hq_pool, journal)
    assert found.owing == "nothing"
    assert [(epoch.branch, epoch.applied_seq) for epoch in found.epochs] == [(0, 5), (1, 6)]


def test_a_copy_heard_of_below_the_head_that_is_here_is_owed_and_can_be_given_up(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    twin = journal.copy().sell(2, total_minor=900)
    other = journal.copy().sell(1, total_minor=800)
    journal.sell(5)
    send(hq, journal)
    hq.ingest.receive_offer(twin.origin, encode(offer_of(twin)))
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    found = standing(hq, hq_pool, journal)
    assert (journal.position.seq, twin.position.seq) == (9, 6)
    assert found.owing in ("owes", "may-owe")
    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    assert isinstance(book.propose(journal.origin, journal.epoch, by="ann", reason="fire"), int)
    assert book.confirm(journal.origin, journal.epoch, by="bob") is None
    assert standing(hq, hq_pool, journal).owing == "complete"
    hq.clock.advance(1_000)
    hq.ingest.receive_offer(other.origin, encode(offer_of(other)))
    found = standing(hq, hq_pool, journal)
    assert found.owing in ("owes", "may-owe"), "another copy, of a head lower than the one given up"


@pytest.mark.parametrize("sold_by_the_other", [2, 5], ids=["of the same seq", "behind its head"])
def test_what_a_copy_says_it_owes_is_shown_though_another_copy_s_entries_have_those_seqs(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, sold_by_the_other: int
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    twin = journal.copy().sell(2, total_minor=900)
    journal.sell(sold_by_the_other)
    send(hq, journal)
    word = heartbeat_of(twin, hq.clock.now_ms(), owed_count=2, owed_minor=1_800)
    hq.ingest.heartbeat(twin.origin, word)
    found = standing(hq, hq_pool, twin)
    assert found.owing == "owes"
    assert (found.owed_count, found.owed_minor) == (2, 1_800)
    send(hq, twin)
    found = standing(hq, hq_pool, twin)
    assert (found.owing, found.owed_count) == ("nothing", 0)


def test_an_epoch_that_was_only_claimed_can_be_declared_lost_and_a_new_claim_shows(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    unknown = SampleJournal().open(9, "restored").sell(5)
    remembered = Position(unknown.epoch, 4, unknown.hash_at(unknown.epoch, 4) or b"")
    why = OpenEpoch("restored", journal.position.seq, "an old backup", remembered)
    journal.open_for(why, 2)
    send(hq, journal)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    found = {epoch.epoch: epoch for epoch in standing(hq, hq_pool, journal).epochs}
    assert found[unknown.epoch].owing == "may-owe", "the register speaks of another one"
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    for epoch in (unknown.epoch, next(iter(journal.epochs))):
        assert isinstance(book.propose(journal.origin, epoch, by="ann", reason="scrapped"), int)
        assert book.confirm(journal.origin, epoch, by="bob") is None
    assert standing(hq, hq_pool, journal).owing == "nothing"
    hq.clock.advance(1_000)
    hq.ingest.receive_offer(journal.origin, encode(offer_of(unknown)))
    found = {epoch.epoch: epoch for epoch in standing(hq, hq_pool, journal).epochs}
    assert found[unknown.epoch].claimed_seq == 6
    assert standing(hq, hq_pool, journal).owing in ("owes", "may-owe")


def test_what_a_silent_register_owes_can_be_declared_lost(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal, 1, 2)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms(), owed_count=2))
    book = LostBook(hq_pool, Fleet(hq_pool, hq.clock), hq.clock)
    refused = book.propose(journal.origin, journal.epoch, by="ann", reason="burnt")
    assert refusal_code(refused) == "lost.not-missing", "it is in touch"
    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    assert standing(hq, hq_pool, journal).owing == "owes"
    assert isinstance(book.propose(journal.origin, journal.epoch, by="ann", reason="burnt"), int)
    assert book.confirm(journal.origin, journal.epoch, by="bob") is None
    assert standing(hq, hq_pool, journal).owing == "complete"


def test_with_its_clock_put_back_head_office_takes_silence_for_silence(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    fleet = Fleet(hq_pool, hq.clock)
    assert [register.owing for register in fleet.look()] == ["nothing"]
    hq.clock.jump_to(hq.clock.now_ms() - 365 * 86_400_000)
    assert [register.owing for register in fleet.look()] == ["may-owe"]
    hq.clock.advance(100 * 86_400_000)
    assert standing(hq, hq_pool, journal).owing == "may-owe"
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    assert [register.owing for register in fleet.look()] == ["nothing"]


def test_words_said_to_a_former_life_are_no_word_that_nothing_is_owed(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    """As after a restore: the backup's heartbeats are minutes old, and what came after them is lost."""
    hq, journal = postgres_hq, SampleJournal().open().sell(3)
    hq.enrol(journal)
    send(hq, journal)
    old = heartbeat_of(journal, hq.clock.now_ms())
    hq.ingest.heartbeat(journal.origin, old)
    fleet = Fleet(hq_pool, hq.clock)
    assert [register.owing for register in fleet.look()] == ["nothing"]
    with hq_pool.connection() as conn:
        conn.execute("insert into incarnation values (2, 'life2', 0, 'restored', '')")
    assert [register.owing for register in fleet.look()] == ["may-owe"]
    hq.ingest.heartbeat(journal.origin, old)
    assert [register.owing for register in fleet.look()] == ["may-owe"]
    hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    assert [register.owing for register in fleet.look()] == ["nothing"]
    hq.clock.advance(SILENCE_LIMIT_MS + 1)
    hq.ingest.heartbeat(journal.origin, old)
    assert [register.owing for register in fleet.look()] == ["may-owe"]


def test_a_closed_epoch_is_complete_and_a_blocked_register_needs_attention(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, journal = postgres_hq, SampleJournal().open().sell(1)
    hq.enrol(journal)
    journal.append("epoch_closed", 1, EpochClosed(cause="closed for good"))
    send(hq, journal)
    assert standing(hq, hq_pool, journal).owing == "complete"
    fleet = Fleet(hq_pool, hq.clock)
    assert fleet.attention() == []
    forged = journal.copy()
    forged.key = signing_key(9)
    assert isinstance(hq.ingest.receive_batch(journal.origin, forged.batch()), Refused)
    found = standing(hq, hq_pool, journal)
    assert found.blocked_code == "key.unknown"
    assert [register.origin for register in Fleet(hq_pool, hq.clock).attention()] == [journal.origin]
    assert Fleet(hq_pool, hq.clock).summary().blocked == 1
    send(hq, journal)
    assert standing(hq, hq_pool, journal).blocked_code is None


def test_the_most_urgent_stand_first_and_what_a_retired_one_owes_is_no_less_urgent(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool
) -> None:
    hq, now_ms = postgres_hq, postgres_hq.clock.now_ms()
    journals: dict[str, SampleJournal] = {}
    for n, what in enumerate(
        ("fine", "gone", "closed", "owes", "owed longer", "silent", "waits", "blocked"), 1
    ):
        journal = journals[what] = SampleJournal(signing_key(n), OriginId(f"reg{n}")).open(n).sell(1)
        hq.enrol(journal, f"R{n:02d}")
        send(hq, journal)
        if what == "closed":
            send(hq, journal.append("epoch_closed", 1, EpochClosed(cause=RETIRED)))
        if what == "silent":
            continue
        owed = {"owed_count": 1, "owed_oldest_ms": now_ms - n} if what.startswith("owe") else {}
        hq.ingest.heartbeat(journal.origin, heartbeat_of(journal.sell(len(owed) // 2), now_ms, **owed))
    assert isinstance(hq.ingest.receive_batch(OriginId("reg8"), _forged(journals["blocked"])), Refused)
    with hq_pool.connection() as conn:
        conn.execute(
            "insert into quarantine (chain, seq, cause, detail) "
            "select chain, 2, 'totals', '' from chain where origin = 'reg7'"
        )
    Retirements(hq_pool, hq.clock).declare(OriginId("reg2"), by="ann", reason="sold")
    Retirements(hq_pool, hq.clock).declare(OriginId("reg4"), by="ann", reason="stolen")
    fleet = Fleet(hq_pool, hq.clock)
    names = {journal.origin: what for what, journal in journals.items()}
    order = [names[register.origin] for register in fleet.by_urgency()]
    assert order == ["blocked", "waits", "gone", "owed longer", "owes", "silent", "fine", "closed"]
    assert [names[register.origin] for register in fleet.attention()] == order[:6]
    summary = fleet.summary()
    assert (summary.total, summary.retired, summary.attention, summary.up_to_date) == (7, 1, 6, 1)


def test_registers_that_closed_their_journal_before_this_version_are_retired_by_its_migration(
    fresh_database: str,
) -> None:
    migrations = load_migrations("holdfast.hq")
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        migrate_postgres(conn, migrations[:14])
        conn.execute("insert into store values ('S1', 'S1', 'GBP', 'UTC')")
        conn.execute(
            "insert into origin (origin, kind, store, series, currency, name, enrolled_at_ms) "
            "select 'reg' || g, 'register', 'S1', 'R' || g, 'GBP', 'Till', 0 from generate_series(1, 3) g"
        )
        conn.execute(
            "insert into chain (chain, origin, epoch, branch, fork_seq, head_seq, head_hash, closed_at_seq) "
            "values (1, 'reg1', 'e1', 0, 0, 4, '', 4), "  # closed for good
            "(2, 'reg2', 'e2', 0, 0, 4, '', 4), (3, 'reg2', 'e3', 0, 0, 4, '', null), "  # its disk went on
            "(4, 'reg3', 'e4', 0, 0, 4, '', null)"
        )
        conn.execute(
            "insert into entry (chain, seq, hash, type, version, status, data, received_at) "
            "select g, 4, '', 'epoch_closed', 1, 'applied', '', to_timestamp(1790000000) "
            "from generate_series(1, 2) g"
        )
        migrate_postgres(conn, migrations)
        found = conn.execute("select origin, retired_at_ms from origin order by origin").fetchall()
    assert found == [("reg1", 1_790_000_000_000), ("reg2", None), ("reg3", None)]


def _forged(journal: SampleJournal) -> bytes:
    copy = journal.copy()
    copy.key = signing_key(99)
    return copy.batch()


def test_clocks_and_data_ages(postgres_hq: HeadOfficeUnderTest, hq_pool: Pool) -> None:
    hq, journal = postgres_hq, SampleJournal().open()
    hq.enrol(journal)
    with hq_pool.connection() as conn:
        conn.execute("update feed set n = 3 where feed in ('prices', 'taxes')")
        conn.execute("insert into incarnation values (0, 'another life', 0, 'created', '')")
    feeds = {"prices": (INCARNATION, 3), "taxes": ("another life", 9)}
    for skew_ms in (200, 300, 60_000, -5_000):
        hq.clock.advance(15_000)
        hq.ingest.heartbeat(
            journal.origin,
            heartbeat_of(journal, hq.clock.now_ms() + skew_ms, feeds=feeds, business_date="2026-09-21"),
        )
    found = standing(hq, hq_pool, journal)
    assert (found.skew_ms, found.skewed, found.business_date) == (-5_000, True, "2026-09-21")
    assert found.stale_feeds == ("taxes",)
    skews = Fleet(hq_pool, hq.clock).skews(journal.origin)
    assert [skew_ms for _, skew_ms in skews] == [-5_000, 60_000, 200]
    assert len([row for row in hq.dump()["alert"] if row[0] == "clock"]) == 1
