"""Keys of registers at head office, over both stores: which opens a session, what each still vouches for,
and how a head office that was restored knows its registers again."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec
import pytest

from holdfast.core.faults import Fault
from holdfast.core.ids import OriginId
from holdfast.core.journal.bodies import KeyRotated
from holdfast.core.sync.enrolment import Certificate
from holdfast.core.sync.messages import Ack, SessionOpened, encode
from holdfast.core.sync.receiver import Refused
from holdfast.core.sync.session import answer_challenge
from holdfast.hq.entrance import REFUSED_MAX, STRANGERS_MAX
from holdfast.infra.keys import SigningKey
from tests.hq_fixtures import HeadOfficeUnderTest, memory_head_office, postgres_head_office
from tests.hq_messages import heartbeat_of, offer_of
from tests.journal_samples import SampleJournal, signing_key
from tests.postgres_fixture import MakeDatabase

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

OLD, NEW = signing_key(1), signing_key(9)


@dataclass
class Offices:
    """The same head office as it went on, and as a backup brings it back."""

    now: HeadOfficeUnderTest
    restored: HeadOfficeUnderTest


@pytest.fixture(params=["memory", "postgres"])
def offices(
    request: pytest.FixtureRequest, head_office_template: str, make_database: MakeDatabase
) -> Iterator[Offices]:
    with ExitStack() as stack:
        if request.param == "memory":
            pair = [stack.enter_context(memory_head_office()) for _ in range(2)]
        else:
            dsns = [make_database(template=head_office_template) for _ in range(2)]
            pair = [stack.enter_context(postgres_head_office(dsn)) for dsn in dsns]
        yield Offices(*pair)


@pytest.fixture
def hq(offices: Offices) -> HeadOfficeUnderTest:
    return offices.now


def session(
    hq: HeadOfficeUnderTest,
    origin: OriginId,
    key: SigningKey,
    certificate: Certificate | None = None,
    certified: str = "",
) -> SessionOpened | str:
    """A session, or the code of the refusal."""
    request = answer_challenge(origin, hq.ingest.challenge(), key, software="test")
    request = msgspec.structs.replace(request, certificate=certificate, certified=certified)
    answer = hq.ingest.open_session(request)
    return answer.code if isinstance(answer, Refused) else answer


def certificate_of(hq: HeadOfficeUnderTest, origin: OriginId, key: SigningKey) -> Certificate:
    opened = session(hq, origin, key)
    assert isinstance(opened, SessionOpened)
    assert opened.certificate is not None
    return opened.certificate


def send(hq: HeadOfficeUnderTest, journal: SampleJournal, first_seq: int = 1, count: int = 1_000) -> str:
    answer = hq.ingest.receive_batch(journal.origin, journal.batch(first_seq, count))
    return answer.code if isinstance(answer, Refused) else f"held {answer.held.seq if answer.held else 0}"


def rotate(journal: SampleJournal, new: SigningKey = NEW, *, named: bool = True) -> SampleJournal:
    """Announce the key; the journal still signs with its own."""
    replaces = journal.key.key_id if named else ""
    body = KeyRotated(key_id=new.key_id, public_key=new.public_bytes, replaces=replaces)
    return journal.append("key_rotated", 1, body)


def alerts(hq: HeadOfficeUnderTest) -> list[tuple[object, object]]:
    """(kind, origin) of every alert."""
    return [(row[0], row[1]) for row in hq.dump()["alert"]]


def blocked(hq: HeadOfficeUnderTest) -> dict[object, object]:
    """Origin → code."""
    return {row[0]: row[2] for row in hq.dump()["contact"] if row[2]}


# ---- rotated keys ------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False], ids=["named", "as older versions wrote it"])
def test_a_former_key_opens_no_session_and_signs_nothing_new(hq: HeadOfficeUnderTest, named: bool) -> None:
    journal = SampleJournal().open().sell(1)
    hq.enrol(journal)
    opened = session(hq, journal.origin, OLD)
    assert isinstance(opened, SessionOpened)
    rotate(journal, named=named).sell(1)
    assert send(hq, journal, 1, 4) == "held 4", "nobody knew of the new key when this was signed"
    assert hq.ingest.session(opened.token) is None, "what the former key opened is over"
    assert session(hq, journal.origin, OLD) == "key.former"
    journal.sell(1)
    assert send(hq, journal, 5) == "session.former-key"
    offered = hq.ingest.receive_offer(journal.origin, encode(offer_of(journal)))
    assert isinstance(offered, Refused)
    assert offered.code == "session.former-key"
    with pytest.raises(Fault):
        hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    forged = SampleJournal().open(7).sell(3)
    assert send(hq, forged) == "session.former-key", "nor a new epoch"
    journal.key = NEW
    assert isinstance(session(hq, journal.origin, NEW), SessionOpened)
    assert send(hq, journal, 5) == "held 5"
    assert not alerts(hq)


def test_what_a_former_key_signed_may_come_at_any_time(offices: Offices) -> None:
    """Also after a restore, also from a store server that keeps the register's own signatures (P2)."""
    journal = SampleJournal().open(1).sell(3)
    before = [journal.batch(1, 2), journal.batch(3, 2)]
    journal.open(2, "restored", 4).sell(2)
    rotate(journal)
    with_the_announcement = journal.batch()
    journal.key = NEW
    journal.sell(2)
    for hq in (offices.now, offices.restored):
        hq.enrol(SampleJournal())
        receive = hq.ingest.receive_batch
        assert isinstance(receive(journal.origin, before[0]), Ack)
        assert isinstance(receive(journal.origin, with_the_announcement), Ack)
        for batch in (*before, with_the_announcement, *before):
            assert isinstance(receive(journal.origin, batch), Ack)
        assert send(hq, journal) == "held 6"
        late = journal.batch(3, 2, journal.heads()[0].epoch)
        assert isinstance(receive(journal.origin, late), Ack), "the new key vouches for old epochs too"
    assert offices.now.dump()["entry"] == offices.restored.dump()["entry"]


def test_a_head_office_that_lost_the_new_key_takes_the_old_one(offices: Offices) -> None:
    journal = SampleJournal().open().sell(1)
    for hq in (offices.now, offices.restored):
        hq.enrol(journal)
    rotate(journal)
    assert send(offices.now, journal) == "held 3"
    journal.key = NEW
    journal.sell(1)
    assert send(offices.now, journal, 4) == "held 4"
    restored = offices.restored
    assert session(restored, journal.origin, NEW) == "key.unknown"
    assert isinstance(session(restored, journal.origin, OLD), SessionOpened)
    journal.key = OLD
    assert send(restored, journal) == "held 4", "what was signed with the new one before, signed anew"
    assert session(restored, journal.origin, OLD) == "key.former"
    assert isinstance(session(restored, journal.origin, NEW), SessionOpened)


# ---- certificates ------------------------------------------------------------------------------


def test_a_register_that_a_restore_forgot_is_taken_back(offices: Offices) -> None:
    journal = SampleJournal().open().sell(2)
    offices.now.enrol(journal)
    certificate = certificate_of(offices.now, journal.origin, OLD)
    again = session(offices.now, journal.origin, OLD, certified=OLD.key_id)
    assert isinstance(again, SessionOpened)
    assert again.certificate is None, "it has one"
    hq = offices.restored
    assert session(hq, journal.origin, OLD) == "key.unknown-origin"
    assert session(hq, journal.origin, NEW, certificate) == "key.unknown-origin", "the key must be its own"
    assert session(hq, OriginId("reg02"), OLD, certificate) == "key.unknown-origin"
    forged = msgspec.structs.replace(certificate, signature=bytes(64))
    assert session(hq, journal.origin, OLD, forged) == "key.unknown-origin"
    assert hq.dump()["origin"] == []
    assert isinstance(session(hq, journal.origin, OLD, certificate), SessionOpened)
    assert send(hq, journal) == "held 3"
    assert hq.dump()["origin"] == offices.now.dump()["origin"], "the same origin, store and series"
    assert alerts(hq).count(("readmitted", journal.origin)) == 1
    assert isinstance(session(hq, journal.origin, OLD, certificate), SessionOpened)
    assert alerts(hq).count(("readmitted", journal.origin)) == 1, "it is known now"


def test_a_certificate_brings_back_a_later_key_and_no_earlier_one(offices: Offices) -> None:
    journal = SampleJournal().open().sell(1)
    hq, restored = offices.now, offices.restored
    for office in (hq, restored):
        office.enrol(journal)
    first = certificate_of(hq, journal.origin, OLD)
    with hq.store.transaction(journal.origin) as transaction:
        transaction.give_key(journal.origin, NEW.key_id, NEW.public_bytes, 0)
    second = certificate_of(hq, journal.origin, NEW)
    assert session(hq, journal.origin, OLD, first) == "key.former"
    by_old = session(restored, journal.origin, OLD)
    assert isinstance(by_old, SessionOpened), "the backup knows of no later one"
    assert isinstance(session(restored, journal.origin, NEW, second), SessionOpened)
    assert restored.ingest.session(by_old.token) is None, "what the former key opened is over"
    assert session(restored, journal.origin, OLD, first) == "key.former"
    stranger = signing_key(5)
    with restored.store.transaction(journal.origin) as transaction:
        transaction.give_key(journal.origin, stranger.key_id, stranger.public_bytes, 0)
    third = certificate_of(restored, journal.origin, stranger)
    assert isinstance(session(hq, journal.origin, stranger, third), SessionOpened)


def test_a_key_that_another_one_took_the_place_of_is_not_taken_back(offices: Offices) -> None:
    """Both are second keys of the same origin, given in two lives of head office."""
    journal = SampleJournal().open()
    for office in (offices.now, offices.restored):
        office.enrol(journal)
    for office, key in ((offices.now, NEW), (offices.restored, signing_key(5))):
        with office.store.transaction(journal.origin) as transaction:
            transaction.give_key(journal.origin, key.key_id, key.public_bytes, 0)
    certificate = certificate_of(offices.now, journal.origin, NEW)
    assert session(offices.restored, journal.origin, NEW, certificate) == "key.certificate"
    assert blocked(offices.restored) == {journal.origin: "key.certificate"}, "its own word, and refused"


def test_a_replaced_register_stays_out_where_that_is_known(offices: Offices) -> None:
    journal = SampleJournal().open()
    offices.now.enrol(journal)
    certificate = certificate_of(offices.now, journal.origin, OLD)
    successor = SampleJournal(key=signing_key(4), origin=OriginId("reg02"))
    offices.restored.enrol(successor)  # in its series
    assert session(offices.restored, journal.origin, OLD, certificate) == "key.certificate"
    assert [row[0] for row in offices.restored.dump()["origin"]] == [successor.origin]


# ---- strangers ---------------------------------------------------------------------------------


def test_a_stranger_has_no_register_shown_as_blocked(hq: HeadOfficeUnderTest) -> None:
    journal = SampleJournal().open()
    hq.enrol(journal)
    for _ in range(3):
        request = answer_challenge(journal.origin, hq.ingest.challenge(), OLD, software="test")
        wrong = msgspec.structs.replace(request, signature=bytes(64))
        assert isinstance(hq.ingest.open_session(wrong), Refused)
        assert session(hq, journal.origin, signing_key(3)) == "key.unknown"
    assert not blocked(hq)
    assert alerts(hq) == [("session-refused", journal.origin)], "one, until somebody has looked"


def test_a_register_that_has_a_certificate_to_show_alarms_nobody(hq: HeadOfficeUnderTest) -> None:
    """After a restore each one tries its newest key first."""
    assert session(hq, OriginId("reg01"), OLD, certified=OLD.key_id) == "key.unknown-origin"
    hq.enrol(SampleJournal())
    assert session(hq, OriginId("reg01"), NEW, certified=NEW.key_id) == "key.unknown"
    assert not alerts(hq)


def test_a_register_whose_own_key_gave_way_is_shown_as_blocked(hq: HeadOfficeUnderTest) -> None:
    """A copy of the whole machine from before the change: only a person can help."""
    journal = SampleJournal().open()
    hq.enrol(journal)
    rotate(journal)
    send(hq, journal)
    assert session(hq, journal.origin, OLD) == "key.former"
    assert blocked(hq) == {journal.origin: "key.former"}
    assert isinstance(session(hq, journal.origin, NEW), SessionOpened)


def test_strangers_raise_so_many_alerts_and_no_more(hq: HeadOfficeUnderTest) -> None:
    for n in range(STRANGERS_MAX + 10):
        assert session(hq, OriginId(f"reg{n:04}"), OLD) == "key.unknown-origin"
        assert session(hq, OriginId("reg0000"), OLD) == "key.unknown-origin"
    assert session(hq, OriginId("no\x00id"), OLD) == "key.unknown-origin"
    kinds = [kind for kind, _ in alerts(hq)]
    assert kinds == ["unknown-register"] * STRANGERS_MAX
    assert REFUSED_MAX > STRANGERS_MAX
