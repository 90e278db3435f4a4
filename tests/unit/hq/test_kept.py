"""A look that takes long is shared, shown as it was, and looked at again beside whoever asks."""

import threading
from dataclasses import dataclass, field

import pytest

from holdfast.core.faults import UnavailableFault
from holdfast.hq.kept import FRESH_MS, QUICK_MS, Kept
from holdfast.infra.clock import ManualClock

STALE_MS = 10_000
WAIT_S = 60


@dataclass
class Looks:
    """Counts them; each takes as long as it is told to."""

    clock: ManualClock = field(default_factory=ManualClock)
    takes_ms: int = 0
    count: int = 0
    fault: UnavailableFault | None = None
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self) -> int:
        self.clock.advance(self.takes_ms)
        self.count += 1
        self.ended.release()
        if self.fault is not None:
            raise self.fault
        return self.count

    def kept(self) -> Kept[int]:
        return Kept("looks", self, self.clock, STALE_MS)


def until(kept: Kept[int], wanted: int) -> None:
    """A look beside is over at some moment; nothing else is waited for."""
    deadline = threading.Event()
    for _ in range(WAIT_S * 100):
        if kept.get() == wanted:
            return
        deadline.wait(0.01)
    raise AssertionError(f"{wanted} is seen")


def test_a_quick_look_is_shared_for_a_second() -> None:
    looks = Looks()
    kept = looks.kept()
    assert [kept.get(), kept.get()] == [1, 1]
    looks.clock.advance(FRESH_MS + 1)
    assert [kept.get(), kept.get()] == [2, 2]
    kept.forget()
    assert kept.get() == 3


def test_what_takes_long_is_shown_as_it_was_and_looked_at_beside() -> None:
    looks = Looks(takes_ms=QUICK_MS + 100)
    kept = looks.kept()
    assert kept.get() == 1
    looks.clock.advance(FRESH_MS + 1)
    assert kept.get() == 1, "nobody waits for the next look"
    assert looks.ended.acquire(timeout=WAIT_S)
    until(kept, 2)
    looks.clock.advance(STALE_MS + 1)
    assert kept.get() == 3, "what is too old is waited for"


def test_only_what_takes_long_is_kept_warm() -> None:
    quick = Looks()
    kept = quick.kept()
    kept.keep_warm()
    quick.clock.advance(FRESH_MS + 1)
    kept.keep_warm()
    assert quick.count == 1
    slow = Looks(takes_ms=QUICK_MS + 100)
    kept = slow.kept()
    kept.keep_warm()
    slow.clock.advance(FRESH_MS + 1)
    kept.keep_warm()
    assert slow.count == 2


def test_a_look_that_fails_beside_leaves_what_was_seen() -> None:
    looks = Looks(takes_ms=QUICK_MS + 100)
    kept = looks.kept()
    assert kept.get() == 1
    looks.fault = UnavailableFault("the database is away")
    looks.clock.advance(FRESH_MS + 1)
    assert kept.get() == 1
    for _ in range(2):
        assert looks.ended.acquire(timeout=WAIT_S)
    assert kept.get() == 1
    looks.clock.advance(STALE_MS + 1)
    with pytest.raises(UnavailableFault):
        kept.get()
    looks.fault = None
    assert kept.get() > 1
