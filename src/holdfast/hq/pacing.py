"""How often registers knock, and who begins when many return at once.

Head office's answers lengthen the probes as the fleet grows, and hand out start slots after an
outage, so that ten thousand registers do not send ten thousand batches in the same second.
"""

import threading
from collections import deque

PROBE_ACTIVE_MS = 500
PROBE_IDLE_MS = 15_000
PROBES_PER_S_MAX = 2_000
"""Tiny answers that one process gives beside its work, while every till is in use."""
HEARTBEATS_PER_S_MAX = 200
"""Each is a transaction; a register sends one with each probe while it is idle."""
RETURN_WINDOW_MS = 10_000
RETURNS_AT_ONCE = 8
"""So many may begin at once: the ingest lane has room for them."""
SLOT_MS = 50
"""A small batch's time; each further one begins that much later."""
SLOT_MAX_MS = 60_000
HEARD_MAX = 50_000


class Pacing:
    """What one process knows of who is out there. Bounded; lost at a restart, and soon known again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, int] = {}
        self._returns: deque[int] = deque(maxlen=HEARD_MAX)

    def probes_ms(self) -> tuple[int, int]:
        """How often a till in use and an idle one should probe."""
        registers = len(self._heard)
        active_ms = registers * 1_000 // PROBES_PER_S_MAX
        idle_ms = registers * 1_000 // HEARTBEATS_PER_S_MAX
        return max(PROBE_ACTIVE_MS, min(active_ms, PROBE_IDLE_MS)), max(PROBE_IDLE_MS, idle_ms)

    def start_slot_ms(self, origin: str, owed: int, now_ms: int) -> int:
        """How long this register waits with what it owes; 0 but for a crowd that comes back."""
        with self._lock:
            known = self._heard.pop(origin, None)
            self._heard[origin] = now_ms
            if len(self._heard) > HEARD_MAX:
                self._heard.pop(next(iter(self._heard)))
            while self._returns and not now_ms - RETURN_WINDOW_MS <= self._returns[0] <= now_ms:
                self._returns.popleft()
            was_here = known is not None and 0 <= now_ms - known <= 2 * self.probes_ms()[1]
            if was_here or not owed:
                return 0
            self._returns.append(now_ms)
            return min(SLOT_MAX_MS, max(0, len(self._returns) - RETURNS_AT_ONCE) * SLOT_MS)
