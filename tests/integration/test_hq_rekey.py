"""Codes that give a register another key, and what an enrolled one is told of itself and its predecessor."""

import pytest

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.refusals import Refusal
from holdfast.core.sync.enrolment import (
    CODE_TTL_MS,
    Certificate,
    EnrolReply,
    EnrolRequest,
    Identity,
    certificate_statement,
    read_identity,
)
from holdfast.core.sync.messages import Ack
from holdfast.core.sync.receiver import Refused
from holdfast.core.sync.session import answer_challenge
from holdfast.hq.enrolment import Enrolment
from holdfast.infra.clock import SeededRandomness
from holdfast.infra.keys import verify
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HEAD_OFFICE_KEY, HeadOfficeUnderTest
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}


@pytest.fixture
def hq(postgres_hq: HeadOfficeUnderTest) -> HeadOfficeUnderTest:
    return postgres_hq


@pytest.fixture
def enrolment(hq: HeadOfficeUnderTest, hq_pool: Pool) -> Enrolment:
    return Enrolment(
        hq_pool,
        hq.clock,
        SeededRandomness(7),
        keys=KEYS,
        recovery_public_key=bytes(32),
        signer=HEAD_OFFICE_KEY,
    )


def use(
    enrolment: Enrolment, code: object, n: int, origin: str | None = None, recovery: bytes = b""
) -> EnrolReply | str:
    """The answer to a register with that key; the code of a refusal."""
    assert isinstance(code, str)
    request = EnrolRequest(
        code=code,
        public_key=signing_key(n).public_bytes,
        software="test",
        recovery=recovery,
        origin=None if origin is None else OriginId(origin),
    )
    answer = enrolment.enrol(request)
    return answer.code if isinstance(answer, Refused) else answer


def enrolled(enrolment: Enrolment, n: int = 1, series: str = "R01") -> EnrolReply:
    reply = use(enrolment, enrolment.issue_code("S1", series), n)
    assert isinstance(reply, EnrolReply)
    return reply


def session_code(hq: HeadOfficeUnderTest, origin: str, n: int) -> str:
    """`open`, or why not."""
    request = answer_challenge(OriginId(origin), hq.ingest.challenge(), signing_key(n), software="test")
    answer = hq.ingest.open_session(request)
    return answer.code if isinstance(answer, Refused) else "open"


def certified(certificate: Certificate | None) -> Identity:
    assert certificate is not None
    statement = certificate_statement(certificate.identity)
    assert verify(HEAD_OFFICE_KEY.public_bytes, certificate.signature, statement)
    return read_identity(certificate)


def alerts(hq: HeadOfficeUnderTest) -> list[tuple[object, object]]:
    return [(row[0], row[1]) for row in hq.dump()["alert"]]


def test_a_register_is_told_who_it_is_under_head_office_s_signature(enrolment: Enrolment) -> None:
    reply = enrolled(enrolment)
    identity = certified(reply.certificate)
    assert (identity.origin, identity.series, identity.store) == (reply.origin, "R01", "S1")
    assert (identity.number, identity.public_key) == (1, signing_key(1).public_bytes)
    assert reply.replaces is None


def test_another_key_for_a_register_puts_the_others_out_of_force(
    hq: HeadOfficeUnderTest, enrolment: Enrolment
) -> None:
    first = enrolled(enrolment)
    code = enrolment.issue_rekey_code(first.origin)
    assert session_code(hq, first.origin, 1) == "open", "an unused code changes nothing"
    reply = use(enrolment, code, 2, first.origin)
    assert isinstance(reply, EnrolReply)
    assert (reply.origin, reply.series, reply.store) == (first.origin, "R01", "S1")
    assert certified(reply.certificate).number == 2
    assert (session_code(hq, first.origin, 1), session_code(hq, first.origin, 2)) == ("key.former", "open")
    again = use(enrolment, code, 2, first.origin, recovery=b"sealed")
    assert again == reply, "the answer was lost"
    assert enrolment.recovery_copy(first.origin) == b"sealed"
    assert use(enrolment, code, 3, first.origin) == "enrol.code", "used"
    assert alerts(hq) == [("rekeyed", first.origin)]


def test_a_code_for_one_register_is_good_for_nothing_else(
    hq: HeadOfficeUnderTest, enrolment: Enrolment
) -> None:
    first, second = enrolled(enrolment), enrolled(enrolment, 2, "R02")
    code = enrolment.issue_rekey_code(first.origin)
    assert use(enrolment, code, 3) == "enrol.other-use", "no new register"
    assert use(enrolment, code, 3, second.origin) == "enrol.other-use"
    assert use(enrolment, code, 2, first.origin) == "enrol.key", "nor a key of another one"
    assert use(enrolment, enrolment.issue_code("S1", "R03"), 3, first.origin) == "enrol.other-use"
    hq.clock.advance(CODE_TTL_MS + 1)
    assert use(enrolment, code, 3, first.origin) == "enrol.code", "too old"
    unknown = enrolment.issue_rekey_code(OriginId("reg99"))
    assert isinstance(unknown, Refusal)
    assert unknown.code == "origin.unknown"


def test_a_replaced_register_gets_no_other_key_and_its_successor_hears_how_far_it_came(
    hq: HeadOfficeUnderTest, enrolment: Enrolment
) -> None:
    former = enrolled(enrolment)
    journal = SampleJournal(origin=former.origin).open().sell(2)
    assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch()), Ack)
    reply = use(enrolment, enrolment.issue_code("S1", "R01", replaces=former.origin), 2)
    assert isinstance(reply, EnrolReply)
    assert reply.replaces is not None
    assert (reply.replaces.origin, reply.replaces.at) == (former.origin, journal.position)
    refusal = enrolment.issue_rekey_code(former.origin)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "origin.retired"
    assert session_code(hq, former.origin, 1) == "open", "it may still owe"


def test_what_a_successor_says_of_its_parent_is_no_claim_against_itself(
    hq: HeadOfficeUnderTest, enrolment: Enrolment
) -> None:
    """Its parent's epoch is another register's: nobody waits for it twice."""
    former = enrolled(enrolment)
    reply = use(enrolment, enrolment.issue_code("S1", "R01", replaces=former.origin), 2)
    assert isinstance(reply, EnrolReply)
    journal = SampleJournal(signing_key(2), reply.origin)
    journal.open(3).open(4, "replaced", 9)
    assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch(epoch=journal.epoch)), Ack)
    assert hq.dump()["claim"] == []
