"""Mutants of what stands between HTTP and the stores: a signature or an origin that nobody checks."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import pytest

from holdfast.core.sync.messages import Challenge, decode, encode
from holdfast.core.sync.session import answer_challenge
from holdfast.hq import ingest, sessions
from holdfast.hq.ingest import Ingest
from tests.hq_web_fixtures import ServedHeadOffice
from tests.integration import test_hq_web_sync as suite
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

Check = Callable[[ServedHeadOffice], None]


class Mutant(NamedTuple):
    """A check left out, the test that must find it, and what that must say."""

    patch: Callable[[pytest.MonkeyPatch], None]
    caught_by: Check
    says: str


def a_session_needs_the_signature_of_its_key(office: ServedHeadOffice) -> None:
    """The id of a key that is known, over a signature of another."""
    journal = office.enrol(SampleJournal().open())
    client = office.client()
    challenge = decode(
        client.post("/v1/session/challenge", json={"origin": journal.origin}).content, Challenge
    )
    forged = answer_challenge(journal.origin, challenge, signing_key(2), software="test")
    request = msgspec.structs.replace(forged, key_id=journal.key.key_id)
    suite.problem_of(client.post("/v1/session", content=encode(request)), 403, "key.signature")


def session_signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    original = sessions.check_session

    def check_session(*arguments: Any, **named: Any) -> Any:
        return original(*arguments, **(named | {"verify": lambda *_: True}))

    patch.setattr(sessions, "check_session", check_session)


def heartbeat_signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ingest, "_holds", lambda *_: True)


def body_of_another_register_accepted(patch: pytest.MonkeyPatch) -> None:
    """Whoever has a session may bring what any register wrote."""
    original = Ingest._speaks_for

    def speaks_for(self: Ingest, session: Any) -> Any:
        every = ("reg01", "reg02")
        return {origin: keys for other in every for origin, keys in original(self, other).items()}  # type: ignore[arg-type]

    patch.setattr(Ingest, "_speaks_for", speaks_for)


def batch_signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    """Any head is taken, whoever signed it."""
    original = ingest.receive_batch

    def receive_batch(body: bytes, *, origins: Any, verify: Any, **named: Any) -> Any:
        return original(body, origins=origins, verify=lambda *_: True, **named)

    patch.setattr(ingest, "receive_batch", receive_batch)


def a_batch_needs_the_signature_of_its_key(office: ServedHeadOffice) -> None:
    """A head that names the register's key and was signed by another."""
    journal = office.enrol(SampleJournal().open().sell(1))
    client = office.session(journal)
    forged = SampleJournal(_Impostor()).open().sell(1)  # type: ignore[arg-type]
    suite.problem_of(client.post("/v1/sync/entries", content=forged.batch()), 403, "key.signature")


class _Impostor:
    """Signs with its own key, under the id of the register's."""

    key_id = signing_key(1).key_id

    def sign(self, statement: bytes) -> bytes:
        return signing_key(2).sign(statement)


MUTANTS: Mapping[str, Mutant] = {
    mutant.patch.__name__: mutant
    for mutant in (
        Mutant(session_signature_unchecked, a_session_needs_the_signature_of_its_key, "token"),
        Mutant(batch_signature_unchecked, a_batch_needs_the_signature_of_its_key, "held"),
        Mutant(
            heartbeat_signature_unchecked,
            suite.test_a_heartbeat_is_taken_only_as_it_was_signed,
            "incarnation",
        ),
        Mutant(body_of_another_register_accepted, suite.test_a_batch_of_another_register_or_key, "held"),
    )
}


@pytest.mark.parametrize("check", [mutant.caught_by for mutant in MUTANTS.values()], ids=MUTANTS)
def test_head_office_as_it_ships_passes(check: Check, office: ServedHeadOffice) -> None:
    check(office)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_an_unchecked_word_is_found(
    mutant: Mutant, office: ServedHeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.patch(monkeypatch)
    with pytest.raises(AssertionError, match=mutant.says):
        mutant.caught_by(office)
