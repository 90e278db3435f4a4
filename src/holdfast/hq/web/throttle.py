"""Slowing down whoever guesses passwords, by name and by address, without locking anybody out for long."""

from collections import OrderedDict

from holdfast.infra.clock import Clock

FREE_TRIES = 5
WAIT_MS_FIRST = 2_000
WAIT_MS_MAX = 300_000
KEYS_MAX = 10_000


class Throttle:
    """Failures in a row by key; each beyond the free ones doubles the wait. Monotonic time only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wait_ms(self, *keys: str) -> int:
        """How long none of these may try; 0: go on."""
        now_ms = self._clock.monotonic_ms()
        return max(0, *(self._failures.get(key, (0, 0))[1] - now_ms for key in keys))

    def failed(self, *keys: str) -> None:
        """Count a wrong password. The oldest key makes room where there are too many."""
        now_ms = self._clock.monotonic_ms()
        for key in keys:
            count = self._failures.pop(key, (0, 0))[0] + 1
            beyond = count - FREE_TRIES
            wait_ms = min(WAIT_MS_MAX, WAIT_MS_FIRST << min(beyond, 16)) if beyond >= 0 else 0
            self._failures[key] = (count, now_ms + wait_ms)
        while len(self._failures) > KEYS_MAX:
            self._failures.popitem(last=False)

    def passed(self, *keys: str) -> None:
        """Signed in: begin to count anew."""
        for key in keys:
            self._failures.pop(key, None)
