"""A look that takes long over a large chain, shared by all who ask for it at once."""

import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import structlog

from holdfast.core.faults import Fault
from holdfast.infra.clock import Clock

_log = structlog.get_logger(__name__)

FRESH_MS = 1_000
"""Pages that ask at once share one look."""
QUICK_MS = 100
"""A look that takes no longer is worth waiting for."""

T = TypeVar("T")


class _Seen(NamedTuple, Generic[T]):
    at_ms: int
    took_ms: int
    what: T


class Kept(Generic[T]):
    """What was seen last. Thread-safe.

    A quick look is at most a second old. One that takes long is shown as it was, and looked at again
    meanwhile, so that nobody waits for it; only one that is older than `stale_max_ms` is waited for.
    """

    def __init__(self, name: str, look: Callable[[], T], clock: Clock, stale_max_ms: int) -> None:
        self._name = name
        self._look = look
        self._clock = clock
        self._stale_max_ms = stale_max_ms
        self._lock = threading.Lock()
        self._seen: _Seen[T] | None = None

    def get(self) -> T:
        now_ms, seen = self._clock.monotonic_ms(), self._seen
        is_quick = seen is not None and seen.took_ms <= QUICK_MS
        fresh_ms = FRESH_MS if is_quick else self._stale_max_ms
        if seen is None or now_ms - seen.at_ms > fresh_ms:
            with self._lock:
                return self._look_again(now_ms)
        if now_ms - seen.at_ms > FRESH_MS and self._lock.acquire(blocking=False):
            threading.Thread(target=self._look_beside, name=self._name, daemon=True).start()
        return seen.what

    def keep_warm(self) -> None:
        """Look again where that takes long; what is quick is looked at when somebody asks."""
        seen = self._seen
        if seen is None or seen.took_ms > QUICK_MS:
            with self._lock:
                self._look_again(self._clock.monotonic_ms())

    def forget(self) -> None:
        """The next who asks looks again."""
        self._seen = None

    def _look_beside(self) -> None:
        try:
            self._look_again(self._clock.monotonic_ms())
        except Fault as fault:
            _log.warning("could not be looked at", what=self._name, code=fault.code, fault=fault.sentence)
        finally:
            self._lock.release()

    def _look_again(self, asked_ms: int) -> T:
        """One look for all who wait for it. Called under the lock."""
        seen = self._seen
        if seen is None or seen.at_ms < asked_ms - FRESH_MS:
            began_ms = self._clock.monotonic_ms()
            what = self._look()
            seen = self._seen = _Seen(began_ms, self._clock.monotonic_ms() - began_ms, what)
        return seen.what
