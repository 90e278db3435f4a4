"""Real-time calls of the till: a session and a deadline of their own, and no call in vain (P5, SW5)."""

import threading
from collections.abc import Iterator

import pytest

from holdfast.core import connection
from holdfast.core.central.accounts import Act, HoldKey, Kind
from holdfast.core.central.holds import Held, HoldRequest
from holdfast.core.central.numbers import new_number
from holdfast.core.central.services import ReleaseRequest
from holdfast.core.ids import TransactionId
from holdfast.core.sync.receiver import Refused
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import SigningKey
from holdfast.register.realtime import breaker
from holdfast.register.realtime.client import (
    BEHIND_MAX,
    CALLS_MAX,
    DEADLINE_S,
    Denied,
    Done,
    RealTime,
    Unanswered,
)
from holdfast.register.sync.rotation import next_key_path
from tests.integration.test_register_sync.conftest import GENEROUS_S, eventually
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.register_fixture import ORIGIN

CARD = new_number(Kind.GIFT_CARD, b"\x07" * 16)
HOLD = "/v1/services/hold"
SHORT_S = 0.2
"""A deadline that is to pass; nothing says that it passes no later."""


class Caller:
    """Real-time calls of a register whose mode and clock a test moves."""

    def __init__(self, home: RegisterHome) -> None:
        self.mode = connection.Mode.ONLINE
        self.clock = ManualClock()
        self.losses = 0
        config = load_config(home.config, RegisterConfig)
        self.calls = RealTime(home, config, self.clock, mode=lambda: self.mode, on_loss=self._lost)

    def _lost(self) -> None:
        self.losses += 1

    def hold(
        self, key: str = "k", deadline_s: float = GENEROUS_S, *, is_behind: bool = False
    ) -> Held | Denied | Unanswered:
        request = HoldRequest(
            key=HoldKey(key.ljust(16, "x")), kind=Kind.GIFT_CARD, act=Act.REDEEM, currency="EUR",
            transaction=TransactionId(f"t-{key}"), number=CARD,
        )  # fmt: skip
        return self.calls.ask(HOLD, request, Held, deadline_s=deadline_s, is_behind=is_behind)


@pytest.fixture
def caller(home: RegisterHome, office: HeadOffice, line: LineProxy) -> Iterator[Caller]:
    office.prepare(Kind.GIFT_CARD, "card1", CARD, balance=2_500)
    caller = Caller(home)
    yield caller
    caller.calls.close()


def test_answers_are_what_head_office_says(caller: Caller, office: HeadOffice) -> None:
    held = caller.hold()
    assert isinstance(held, Held)
    assert (held.balance, held.account) == (2_500, "card1")
    in_use = caller.hold("other")
    assert isinstance(in_use, Denied)
    assert (in_use.code, in_use.holder_name, in_use.since_ms) == ("hold.in-use", "reg01", held.since_ms)
    let_go = caller.calls.ask("/v1/services/release", ReleaseRequest(key=held.key, cause="removed"), Done)
    assert let_go == Done()
    assert office.held(Kind.GIFT_CARD, "card1") == []
    office.restart()
    assert isinstance(caller.hold("third"), Held), "a session that is gone is opened anew"
    assert caller.losses == 0


def test_a_line_that_never_answers_ends_with_the_deadline(caller: Caller, line: LineProxy) -> None:
    line.mode = Mode.DROP
    first = caller.hold(deadline_s=SHORT_S)
    assert isinstance(first, Unanswered), "opening the session counts"
    assert not first.is_sent, "and what was asked never left"
    assert caller.calls.is_there()
    assert isinstance(caller.hold(deadline_s=SHORT_S), Unanswered)
    assert (caller.losses, caller.calls.is_there()) == (2, False)
    reached = line.connections
    assert isinstance(caller.hold(), Unanswered)
    assert (line.connections, caller.losses) == (reached, 2), "an open breaker asks nobody"
    line.mode = Mode.OPEN
    caller.clock.advance(breaker.HALF_OPEN_MS)
    assert caller.calls.is_there()
    assert isinstance(caller.hold(), Held)


def test_an_answer_that_is_lost_is_given_again(caller: Caller, line: LineProxy, office: HeadOffice) -> None:
    assert isinstance(caller.hold("first"), Held)
    caller.calls.ask(
        "/v1/services/release", ReleaseRequest(key=HoldKey("first".ljust(16, "x")), cause="left"), Done
    )
    line.mode = Mode.LOSE_ANSWER
    lost = caller.hold("second")
    assert isinstance(lost, Unanswered)
    assert lost.is_sent
    line.mode = Mode.OPEN
    held = caller.hold("second")
    assert isinstance(held, Held)
    assert office.held(Kind.GIFT_CARD, "card1") == [held.key]


def test_a_return_that_the_register_saw_closes_the_breaker(caller: Caller, line: LineProxy) -> None:
    line.mode = Mode.CUT
    caller.hold()
    caller.hold()
    assert not caller.calls.is_there()
    caller.mode = connection.Mode.OFFLINE
    caller.calls.heard(caller.mode)
    line.mode = Mode.OPEN
    caller.mode = connection.Mode.ONLINE
    caller.calls.heard(caller.mode)
    assert caller.calls.is_there()
    assert isinstance(caller.hold(), Held)


def test_offline_nothing_is_called(caller: Caller, line: LineProxy) -> None:
    caller.mode = connection.Mode.OFFLINE
    assert not caller.calls.is_there()
    assert isinstance(caller.hold(), Unanswered)
    assert (line.connections, caller.losses) == (0, 0)


def test_on_a_slow_line_the_first_loss_is_enough(caller: Caller, line: LineProxy) -> None:
    caller.mode = connection.Mode.DEGRADED
    assert caller.calls.is_slow()
    assert isinstance(caller.hold(), Held), "it is tried all the same"
    line.mode = Mode.CUT
    assert isinstance(caller.hold("other"), Unanswered)
    assert not caller.calls.is_there()


def test_no_more_than_a_few_call_at_once(caller: Caller, line: LineProxy) -> None:
    line.mode = Mode.DROP
    waiting = [threading.Thread(target=caller.hold, args=(f"k{n}",)) for n in range(4)]
    for thread in waiting:
        thread.start()
    eventually(lambda: caller.calls._slots._value == 0)
    busy = caller.hold("k9", deadline_s=SHORT_S)
    assert busy == Unanswered("Other calls were on their way all the while.", is_sent=False)
    assert caller.losses == 0, "which says nothing of the line"
    line.mode = Mode.CUT
    for thread in waiting:
        thread.join(GENEROUS_S)
    assert caller.losses == len(waiting)


def test_a_newer_key_is_read_anew_and_none_is_ever_written(
    caller: Caller, home: RegisterHome, office: HeadOffice
) -> None:
    assert isinstance(caller.hold(), Held)
    SigningKey.generate().save(next_key_path(home.signing_key))
    kept = {path: path.read_bytes() for path in sorted(home.path.rglob("*")) if path.is_file()}
    office.refuse["/v1/session"] = Refused(403, "key.former", "gave way to another")
    office.restart()
    assert isinstance(caller.hold(), Unanswered)
    now = {path: path.read_bytes() for path in sorted(home.path.rglob("*")) if path.is_file()}
    assert now == kept, "changing keys is the sync process's work"
    newer = SigningKey.generate()
    newer.save(home.signing_key, replace=True)
    del office.refuse["/v1/session"]
    office.store.tables.origin_keys.clear()
    office.store.tables.origin_keys[ORIGIN, newer.key_id] = newer.public_bytes
    office.store.tables.key_numbers[ORIGIN, newer.key_id] = 2
    caller.clock.advance(breaker.HALF_OPEN_MS)
    assert isinstance(caller.hold(), Held)


def test_a_service_that_fails_is_no_answer(caller: Caller, office: HeadOffice) -> None:
    office.refuse[HOLD] = Refused(503, "busy", "later")
    assert isinstance(caller.hold(), Unanswered)
    office.refuse[HOLD] = Refused(429, "number.throttled", "Too many wrong numbers came from there.")
    told = caller.hold()
    assert isinstance(told, Denied)
    assert (told.code, told.is_busy) == ("number.throttled", True)


def test_what_asks_behind_the_scene_leaves_room_for_a_cashier(caller: Caller, line: LineProxy) -> None:
    line.mode = Mode.DROP
    behind = [
        threading.Thread(target=caller.hold, args=(f"k{n}",), kwargs={"is_behind": True}) for n in "123"
    ]
    for thread in behind:
        thread.start()
    eventually(lambda: caller.calls._behind._value == 0)
    eventually(lambda: caller.calls._slots._value == CALLS_MAX - BEHIND_MAX)
    line.mode = Mode.CUT
    for thread in behind:
        thread.join(GENEROUS_S)
    assert caller.calls._behind._value == BEHIND_MAX


def test_a_bug_under_a_call_leaves_the_breaker_free(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.calls._breaker = breaker.Breaker(losses=2, opened_ms=caller.clock.monotonic_ms())
    caller.clock.advance(breaker.HALF_OPEN_MS)
    monkeypatch.setattr(caller.calls, "_in_session", lambda *_: {}["a bug"])
    with pytest.raises(KeyError):
        caller.hold()
    monkeypatch.undo()
    assert isinstance(caller.hold(), Held)


def test_the_breaker_is_slow_after_slow_answers_in_a_row() -> None:
    state = breaker.CLOSED
    for _ in range(breaker.SLOW_IN_A_ROW):
        state = breaker.answered(state, breaker.SLOW_MS + 1)
    assert state.is_slow
    assert breaker.lets(state, 0), "slow is tried still"
    opened = breaker.lost(state, 0, is_slow=False)
    assert not breaker.lets(opened, breaker.HALF_OPEN_MS - 1)
    trying = breaker.begin(opened)
    assert not breaker.lets(trying, breaker.HALF_OPEN_MS), "one call tries"
    assert not breaker.lets(breaker.lost(trying, breaker.HALF_OPEN_MS, is_slow=False), breaker.HALF_OPEN_MS)
    assert breaker.answered(trying, 1) == breaker.CLOSED
    assert DEADLINE_S == 2.0, "as the cashier's guide says"
