"""The points of whoever was chosen: asked behind the scene, until there is an answer (LY2, P5)."""

import queue
import threading
from typing import Any

import msgspec
import pytest

from holdfast.register import loyalty
from holdfast.register.loyalty import PointsTold, PointsWatch, Seen
from holdfast.register.realtime.client import Denied, Unanswered

WAIT_S = 60.0
"""For a busy machine; nothing here is a measurement."""
LOST = Unanswered("The line dropped.")


class Line:
    """Head office as a test has it: each call waits for its answer, and says whom it was for."""

    def __init__(self) -> None:
        self.asked: queue.Queue[str] = queue.Queue()
        self.answers: queue.Queue[object] = queue.Queue()

    def is_there(self) -> bool:
        return True

    def ask(self, path: str, body: msgspec.Struct, answer: type[Any], *, is_behind: bool) -> Any:
        assert is_behind, "no cashier waits for it"
        assert path == "/v1/services/balance"
        self.asked.put(getattr(body, "account", ""))
        return self.answers.get(timeout=WAIT_S)


class Counter:
    """A till whose changes are heard one by one."""

    def __init__(self) -> None:
        self.line = Line()
        self.changes = threading.Semaphore(0)
        self.points = PointsWatch(self.line, self.changes.release)

    def told(self, answer: object) -> Seen:
        """Once the answer has come and was taken in."""
        self.line.answers.put(answer)
        assert self.changes.acquire(timeout=WAIT_S)
        return self.points.seen

    def asked(self) -> str:
        return self.line.asked.get(timeout=WAIT_S)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    monkeypatch.setattr(loyalty, "RETRY_S", 0.001)
    return Counter()


def test_the_choice_waits_for_nobody_and_retries_run_behind(counter: Counter) -> None:
    points = counter.points
    assert points.follow("ada") == Seen(customer="ada"), "nothing is known yet, and nobody waits"
    assert counter.asked() == "ada"
    assert counter.told(LOST).is_missing
    assert counter.asked() == "ada", "again, and nobody pressed anything"
    assert counter.told(PointsTold(balance=12)) == Seen(customer="ada", told=PointsTold(balance=12))
    points.follow("ben")
    assert counter.asked() == "ben"
    assert counter.told(Denied("account.unknown", "?")).told == PointsTold(balance=0), "nothing earned yet"
    points.stop()


def test_an_answer_that_comes_too_late_is_nobody_elses(counter: Counter) -> None:
    points = counter.points
    points.follow("ada")
    assert counter.asked() == "ada"
    points.follow("ben")
    counter.line.answers.put(PointsTold(balance=999))
    assert counter.asked() == "ben"
    assert points.seen.told is None
    points.stop()
    counter.line.answers.put(LOST)
    assert points.seen == Seen()
