"""Wrong numbers by register, store and address: kept in memory, bounded, gone with the process (GC11)."""

import threading
from collections import OrderedDict

from holdfast.core.central.attempts import (
    BY_ADDRESS,
    BY_REGISTER,
    BY_STORE,
    Limit,
    Tried,
    after_wrong,
    wait_ms,
    weighs,
)
from holdfast.core.ids import OriginId, StoreId
from holdfast.infra.clock import Clock

KEYS_MAX = 50_000
WRONG = frozenset({"account.unknown", "account.pin", "number.wrong", "number.other-kind"})
"""Codes of answers that tell a guesser to guess on."""


class Attempts:
    """Who guessed wrong how often. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: OrderedDict[str, Tried] = OrderedDict()

    def wait_ms(self, origin: OriginId, store: StoreId, address: str) -> int:
        """How long this register asks in vain; 0: go on."""
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            waits = {
                limit: wait_ms(self._tried.get(key, Tried()), now_ms, limit)
                for key, limit in _keys(origin, store, address)
            }
            own, _ = _keys(origin, store, address)[0]
            if not weighs(self._tried.get(own, Tried()), now_ms, BY_REGISTER):
                del waits[BY_ADDRESS]
            return max(waits.values())

    def wrong(self, origin: OriginId, store: StoreId, address: str) -> None:
        """Count one. The oldest makes room where there are too many."""
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            for key, limit in _keys(origin, store, address):
                self._tried[key] = after_wrong(self._tried.pop(key, Tried()), now_ms, limit)
            while len(self._tried) > KEYS_MAX:
                self._tried.popitem(last=False)


def _keys(origin: OriginId, store: StoreId, address: str) -> tuple[tuple[str, Limit], ...]:
    return (
        (f"register:{origin}", BY_REGISTER),
        (f"store:{store}", BY_STORE),
        (f"address:{address}", BY_ADDRESS),
    )
