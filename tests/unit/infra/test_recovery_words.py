"""The two words by which a lost database key comes back: copied by people, read by one machine alone."""

import pytest

from holdfast.core.faults import KeyFault
from holdfast.core.ids import OriginId
from holdfast.infra.keys import (
    DatabaseKey,
    RecoveryKey,
    RecoveryRequest,
    answer_request,
    read_answer,
    read_request,
    seal_recovery,
    spell_request,
)

OFFICE, ONCE, KEY = RecoveryKey(b"O" * 32), RecoveryKey(b"1" * 32), DatabaseKey(b"K" * 32)
COPY = seal_recovery(OFFICE.public_bytes, KEY)
REQUEST = RecoveryRequest(OriginId("reg01"), ONCE.public_bytes, COPY)


def test_a_key_goes_there_and_back() -> None:
    said = spell_request(REQUEST)
    assert read_request(said) == REQUEST
    assert len(said) < 260, "a person copies it"
    answer = answer_request(OFFICE, read_request(said), COPY)
    assert read_answer(ONCE, answer) == KEY
    assert read_answer(ONCE, f"  {answer[:40]}\n  {answer[40:]} ") == KEY, "wrapped in a mail"
    assert KEY.reveal() not in answer.encode()


def test_a_word_that_is_not_whole_is_named() -> None:
    said, answer = spell_request(REQUEST), answer_request(OFFICE, REQUEST, COPY)
    for spoilt in ("", "recover-", said[:-1], said[:30] + "x" + said[31:], answer, said + "é", "x" * 5_000):
        with pytest.raises(KeyFault, match="Copy it whole"):
            read_request(spoilt)
    for spoilt in ("", "recovered-", answer[:-1], answer[:30] + "x" + answer[31:], said, "x" * 5_000):
        with pytest.raises(KeyFault, match="Copy it whole"):
            read_answer(ONCE, spoilt)


def test_only_the_machine_that_asked_reads_the_answer() -> None:
    answer = answer_request(OFFICE, REQUEST, COPY)
    with pytest.raises(KeyFault, match="another request"):
        read_answer(RecoveryKey(b"2" * 32), answer)
    with pytest.raises(KeyFault, match="sealed to the recovery key"):
        answer_request(RecoveryKey(b"X" * 32), REQUEST, COPY)
    no_key = RecoveryRequest(OriginId("reg01"), bytes(32), COPY)
    with pytest.raises(KeyFault, match="Ask anew"):
        answer_request(OFFICE, no_key, COPY)
    for odd in (
        RecoveryRequest(OriginId("no\x00id"), bytes(32), b""),
        RecoveryRequest(OriginId("r"), b"", b""),
    ):
        with pytest.raises(KeyFault):
            read_request(spell_request(odd))
