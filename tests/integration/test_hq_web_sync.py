"""The protocol over HTTP: real requests to a real server over a real PostgreSQL."""

import contextlib
import socket
import threading
import time

import httpx
import msgspec
import pytest
import zstandard

from holdfast.core.ids import OriginId
from holdfast.core.sync import feed
from holdfast.core.sync.batch import MAGIC
from holdfast.core.sync.commands import CommandBatch, Outcome
from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest
from holdfast.core.sync.feed import FeedPage, Snapshot
from holdfast.core.sync.limits import BODY_BYTES_MAX, PROTOCOL
from holdfast.core.sync.messages import (
    Ack,
    Challenge,
    HeartbeatReply,
    Problem,
    SessionRequest,
    decode,
    encode,
)
from holdfast.core.sync.sender import Idle, Policy, Sender
from holdfast.core.sync.session import answer_challenge
from holdfast.infra.keys import SigningKey, verify
from holdfast.infra.web import Lane
from tests.hq_web_fixtures import TIMEOUT_S, ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

POLLS = 1_100
"""granian's own bound is 1,024, waiting polls included."""
_PATHS = {"offer": "/v1/sync/offer", "entries": "/v1/sync/entries"}


def problem_of(answer: httpx.Response, status: int, code: str) -> Problem:
    """The answer as the problem that it must be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = decode(answer.content, Problem)
    assert (problem.status, problem.code) == (status, code)
    assert problem.type == f"urn:holdfast:problem:{code}"
    assert problem.title
    assert problem.detail
    return problem


def drain(journal: SampleJournal, client: httpx.Client) -> None:
    """Let the shipped sender send all, over HTTP."""
    sender = Sender(journal, policy=Policy(batch_entries=50), jitter=lambda: 0.5)
    for now_ms in range(100):
        request = sender.poll(now_ms * 60_000)
        if isinstance(request, Idle):
            return
        answer = client.post(_PATHS[request.kind], content=request.body)
        if answer.is_success:
            sender.on_reply(answer.content, now_ms)
        else:
            problem = decode(answer.content, Problem)
            sender.on_problem(problem.status, problem.code, problem.detail, now_ms)
    raise AssertionError("the sender is not done")


def wait_for_polls(office: ServedHeadOffice, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while office.services.wakeups.waiting < count:
        assert time.monotonic() < deadline, f"{office.services.wakeups.waiting} of {count} polls wait"
        time.sleep(0.01)


def documents(office: ServedHeadOffice) -> int:
    return office.services.head_office.totals().documents


# ---- sessions and sending


def test_what_the_sender_sends_arrives_once(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(120))
    client = office.session(journal)
    drain(journal, client)
    assert documents(office) == 120
    again = client.post("/v1/sync/entries", content=journal.batch())
    assert decode(again.content, Ack).held == journal.position
    assert documents(office) == 120


def test_health_needs_neither_session_nor_database(own_office: ServedHeadOffice) -> None:
    client = own_office.client()
    known = client.get("/v1/health").json()
    assert known["incarnation"] == own_office.services.head_office.ingest.incarnation()
    own_office.services.head_office.ingest_pool.close()
    own_office.services.head_office.services_pool.close()
    assert client.get("/v1/health").json()["incarnation"] == known["incarnation"]


def test_health_answers_while_the_ingest_lane_is_full(own_office: ServedHeadOffice) -> None:
    journal = own_office.enrol(SampleJournal().open().sell(1))
    client = own_office.session(journal)
    held = threading.Event()
    lane = own_office.services.ingest_lane = Lane("ingest", threads=1, waiting_max=0)
    first = threading.Thread(target=lambda: lane._executor.submit(held.wait, 30).result(30))
    first.start()
    lane._taken += 1
    try:
        problem_of(client.post("/v1/sync/entries", content=journal.batch()), 503, "busy")
        assert client.get("/v1/health").status_code == 200
    finally:
        held.set()
        first.join()
        lane.close()


def test_a_request_outside_a_session_is_told_to_open_one(office: ServedHeadOffice) -> None:
    client = office.client()
    problem_of(client.post("/v1/sync/offer", content=b"{}"), 401, "session.missing")
    problem_of(client.get("/v1/sync/commands"), 401, "session.missing")
    problem_of(client.get("/v1/sync/snapshot", headers={"Authorization": "Bearer x"}), 401, "session.unknown")


def test_a_challenge_is_good_once(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    client = office.client()
    challenge = decode(
        client.post("/v1/session/challenge", json={"origin": journal.origin}).content, Challenge
    )
    request = encode(answer_challenge(journal.origin, challenge, journal.key, software="test"))
    assert client.post("/v1/session", content=request).status_code == 200
    problem_of(client.post("/v1/session", content=request), 401, "session.challenge")


@pytest.mark.parametrize(
    ("key", "origin", "protocol", "status", "code"),
    [
        (2, "reg01", PROTOCOL, 403, "key.unknown"),
        (1, "reg99", PROTOCOL, 403, "key.unknown-origin"),
        (1, "reg01", PROTOCOL + 1, 426, "protocol.version"),
    ],
)
def test_a_session_is_refused(
    office: ServedHeadOffice, key: int, origin: str, protocol: int, status: int, code: str
) -> None:
    office.enrol(SampleJournal().open())
    client = office.client()
    challenge = decode(client.post("/v1/session/challenge", json={"origin": origin}).content, Challenge)
    answered = answer_challenge(OriginId(origin), challenge, signing_key(key), software="test")
    request: SessionRequest = msgspec.structs.replace(answered, protocol=protocol)
    problem_of(client.post("/v1/session", content=encode(request)), status, code)


# ---- bad input


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (lambda batch: b"", 400, "batch.malformed"),
        (lambda batch: batch[: len(batch) // 2], 400, "batch.malformed"),
        (lambda batch: b"HFB2" + batch[4:], 400, "batch.malformed"),
        (lambda batch: bytes(BODY_BYTES_MAX + 1), 413, "request.too-large"),
        (lambda batch: MAGIC + zstandard.compress(bytes(256 << 20)), 413, "batch.too-large"),
    ],
    ids=["empty", "truncated", "foreign", "oversized", "bomb"],
)
def test_bytes_that_are_no_batch(office: ServedHeadOffice, spoil, status: int, code: str) -> None:  # type: ignore[no-untyped-def]
    journal = office.enrol(SampleJournal().open().sell(3))
    client = office.session(journal)
    problem_of(client.post("/v1/sync/entries", content=spoil(journal.batch())), status, code)
    assert documents(office) == 0
    drain(journal, client)
    assert documents(office) == 3


def test_a_batch_of_another_register_or_key(office: ServedHeadOffice) -> None:
    mine = office.enrol(SampleJournal().open().sell(1))
    other = office.enrol(SampleJournal(signing_key(2), OriginId("reg02")).open(2).sell(1), "R02")
    client = office.session(mine)
    problem_of(client.post("/v1/sync/entries", content=other.batch()), 403, "batch.foreign-origin")
    forged = SampleJournal(signing_key(3)).open().sell(1)
    problem_of(client.post("/v1/sync/entries", content=forged.batch()), 403, "key.unknown")
    known = office.services.head_office.fleet.register(mine.origin)
    assert known is not None
    assert known.blocked_code == "key.unknown"
    assert documents(office) == 0


def test_an_offer_that_is_none(office: ServedHeadOffice) -> None:
    client = office.session(office.enrol(SampleJournal().open()))
    problem_of(client.post("/v1/sync/offer", content=b"\xff"), 400, "offer.malformed")
    problem_of(client.post("/v1/sync/offer", content=b"[" * 200_000), 400, "offer.malformed")


def test_a_heartbeat_is_taken_only_as_it_was_signed(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(2))
    client = office.session(journal)
    beat = office.beat(journal, owed_count=2, owed_minor=500)
    reply = client.post("/v1/sync/heartbeat", content=encode(beat))
    assert decode(reply.content, HeartbeatReply).incarnation == office.services.incarnation
    changed = msgspec.structs.replace(
        beat, statement=beat.statement.replace(b'"owed_count":2', b'"owed_count":0')
    )
    problem_of(client.post("/v1/sync/heartbeat", content=encode(changed)), 403, "signature.invalid")
    problem_of(client.post("/v1/sync/heartbeat", content=b"{}"), 400, "request.malformed")
    known = office.services.head_office.fleet.register(journal.origin)
    assert known is not None
    assert (known.owing, known.owed_count) == ("owes", 2)


def test_unknown_places_and_methods_are_problems(office: ServedHeadOffice) -> None:
    client = office.client()
    problem_of(client.get("/v1/nothing"), 404, "not-found")
    problem_of(client.delete("/v1/health"), 405, "method-not-allowed")
    problem_of(client.post("/v1/session", content=b"not json"), 400, "request.malformed")
    inside = office.session(office.enrol(SampleJournal().open()))
    for who, path in ((client, "session/challenge"), (client, "session"), (inside, "services/availability")):
        for deep in (b"[" * 1_000, b"[" * 5_000 + b"]" * 5_000, b'{"sku":"A","x":' + b"[" * 5_000):
            problem_of(who.post(f"/v1/{path}", content=deep), 400, "request.malformed")
    problem_of(inside.get("/v1/sync/feeds/secrets"), 404, "feed.unknown")
    problem_of(inside.get("/v1/sync/feeds/prices?since=-1"), 400, "request.malformed")


def test_a_database_that_is_gone_is_said_with_a_time_to_retry(own_office: ServedHeadOffice) -> None:
    journal = own_office.enrol(SampleJournal().open().sell(1))
    client = own_office.session(journal)
    own_office.services.head_office.ingest_pool.close()
    answer = client.post("/v1/sync/entries", content=journal.batch())
    problem_of(answer, 503, "unavailable")
    assert "Retry-After" in answer.headers


# ---- enrolment


def test_a_code_makes_a_register_once(office: ServedHeadOffice) -> None:
    code = office.services.head_office.enrolment.issue_code("S1", "R07")
    assert isinstance(code, str)
    key = SigningKey.generate()
    request = encode(EnrolRequest(code=code, public_key=key.public_bytes, software="test"))
    client = office.client()
    reply = decode(client.post("/v1/enrol", content=request).content, EnrolReply)
    assert (reply.series, reply.store, reply.currency) == ("R07", "S1", "GBP")
    assert decode(client.post("/v1/enrol", content=request).content, EnrolReply).origin == reply.origin
    other = EnrolRequest(code=code, public_key=signing_key(9).public_bytes, software="test")
    problem_of(client.post("/v1/enrol", content=encode(other)), 403, "enrol.code")
    journal = SampleJournal(key, reply.origin).open().sell(2)
    drain(journal, office.session(journal))
    assert documents(office) == 2


def test_guessing_codes_is_slowed_down(office: ServedHeadOffice) -> None:
    client = office.client()
    request = encode(EnrolRequest(code="0" * 16, public_key=bytes(32), software="test"))
    answers = [client.post("/v1/enrol", content=request) for _ in range(8)]
    assert {answer.status_code for answer in answers[:5]} == {403}
    assert "Retry-After" in answers[-1].headers
    problem_of(answers[-1], 429, "enrol.throttled")


# ---- down


def test_feeds_and_snapshot_are_signed(office: ServedHeadOffice) -> None:
    client = office.session(office.enrol(SampleJournal().open()))
    signer = office.services.head_office.signer
    keys = {signer.key_id: signer.public_bytes}
    loaded = office.services.head_office.catalogue.load("prices", b"sku,price,currency\nA1,1.50,GBP\n")
    assert getattr(loaded, "taken", False)
    page = feed.unpack(client.get("/v1/sync/feeds/prices").content, "feed", FeedPage, keys, verify)
    assert [row.key for row in page.rows] == ["A1|0001-01-01|GBP"]
    newer = client.get(f"/v1/sync/feeds/prices?incarnation={page.incarnation}&since={page.to_n}")
    assert not feed.unpack(newer.content, "feed", FeedPage, keys, verify).rows
    snapshot = feed.unpack(client.get("/v1/sync/snapshot").content, "snapshot", Snapshot, keys, verify)
    assert {page.feed for page in snapshot.pages} >= {"prices", "products"}


def test_a_poll_is_woken_by_a_command_and_its_outcome_is_kept(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    client, admin = office.session(journal), office.signed_in()
    signer = office.services.head_office.signer
    keys = {signer.key_id: signer.public_bytes}
    found: list[httpx.Response] = []
    poll = threading.Thread(target=lambda: found.append(client.get("/v1/sync/commands?after=0&wait_s=25")))
    poll.start()
    wait_for_polls(office, 1)
    page = admin.get(f"/registers/{journal.origin}").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    given = admin.post(f"/registers/{journal.origin}/commands", data={"csrf": csrf, "kind": "sync_now"})
    assert given.status_code == 303
    poll.join(TIMEOUT_S)
    batch = feed.unpack(found[0].content, "commands", CommandBatch, keys, verify)
    assert [(command.number, command.kind) for command in batch.commands] == [(1, "sync_now")]
    incarnation = office.services.head_office.ingest.incarnation()
    outcome = encode(Outcome(incarnation=incarnation, number=1, outcome="done", detail="sent 4"))
    for _ in range(2):
        assert client.post("/v1/sync/commands/outcome", content=outcome).status_code == 204
    unknown = encode(Outcome(incarnation=incarnation, number=9, outcome="done"))
    problem_of(client.post("/v1/sync/commands/outcome", content=unknown), 404, "command.unknown")
    assert "sent 4" in admin.get(f"/registers/{journal.origin}").text


def test_a_poll_without_commands_ends_with_an_empty_signed_batch(office: ServedHeadOffice) -> None:
    client = office.session(office.enrol(SampleJournal().open()))
    signer = office.services.head_office.signer
    answer = client.get("/v1/sync/commands?after=0&wait_s=0.05")
    keys = {signer.key_id: signer.public_bytes}
    assert not feed.unpack(answer.content, "commands", CommandBatch, keys, verify).commands


def test_open_polls_do_not_hold_up_the_end(own_office: ServedHeadOffice) -> None:
    client = own_office.session(own_office.enrol(SampleJournal().open()))
    answers: list[httpx.Response] = []
    polls = [
        threading.Thread(target=lambda: answers.append(client.get("/v1/sync/commands?wait_s=50")))
        for _ in range(5)
    ]
    for poll in polls:
        poll.start()
    wait_for_polls(own_office, 5)
    own_office.services.wakeups.stop()
    for poll in polls:
        poll.join(TIMEOUT_S)
    assert [answer.status_code for answer in answers] == [200] * 5


def test_more_polls_wait_than_a_server_takes_by_default(
    own_office: ServedHeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakeups = own_office.services.wakeups
    wait = wakeups.wait  # none ends by itself before the last one has come
    monkeypatch.setattr(wakeups, "wait", lambda key, _, seen: wait(key, 3_600.0, seen))
    client = own_office.session(own_office.enrol(SampleJournal().open()))
    port = int(own_office.url.rsplit(":", 1)[1])
    asked = (
        f"GET /v1/sync/commands?wait_s=50 HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        polls = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT_S))
            for _ in range(POLLS)
        ]
        for poll in polls:
            poll.sendall(asked)
        wait_for_polls(own_office, POLLS)
        assert client.get("/v1/health").status_code == 200
        wakeups.stop()
        assert {poll.recv(12) for poll in polls} == {b"HTTP/1.1 200"}


# ---- the document


def test_the_api_is_described_with_its_problems(office: ServedHeadOffice) -> None:
    document = office.client().get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/v1/sync/entries" in document["paths"]
    assert not [path for path in document["paths"] if not path.startswith("/v1/")]
    responses = document["paths"]["/v1/sync/entries"]["post"]["responses"]
    assert "application/problem+json" in responses["413"]["content"]
