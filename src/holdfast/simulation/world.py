"""The simulated world: one seed, one clock, one queue of events, one trace.

Everything that happens is an event at a simulated millisecond; the same seed gives the same
events in the same order, which the trace hash proves.
"""

import hashlib
import heapq
import random
from collections.abc import Callable

START_MS = 1_790_000_000_000
"""Simulated time begins here (2026-09-21)."""

PACE = 24
"""Clocks on the wall run so much faster than what is timed: a day's sales and faults fall into one hour of
network time. Time-outs, back-off and probes are the ones that ship, and retries in which nothing else
happens would be nearly all that a run does."""
DAY_MS = 86_400_000 // PACE
HOUR_MS = DAY_MS // 24
YEAR_ON_THE_WALL_MS = 365 * 86_400_000


class World:
    """Time, chance and the queue. `random` is the only source of chance in a run."""

    def __init__(self, seed: int, *, events_max: float) -> None:
        self.seed = seed
        self._events_max = events_max
        self.random = random.Random(seed)
        self.now_ms = START_MS
        self.events = 0
        self.healed = False
        """After healing no new faults begin; what is under way still arrives."""
        self._queue: list[tuple[int, int, str, Callable[[], None]]] = []
        self._order = 0
        self._trace = hashlib.sha256()

    def after(self, delay_ms: int, label: str, run: Callable[[], None]) -> None:
        """Runs `run` in `delay_ms`; events at one moment run in order of their making."""
        assert delay_ms >= 0, "nothing happens in the past"
        self._order += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._order, label, run))

    def run_until(self, end_ms: int) -> None:
        """Runs every event up to `end_ms`, then stands there."""
        while self._queue and self._queue[0][0] <= end_ms:
            at_ms, _, label, run = heapq.heappop(self._queue)
            self.now_ms = at_ms
            self.events += 1
            assert self.events <= self._events_max, "storm: requests bring forth requests without end"
            self.trace(label)
            run()
        self.now_ms = end_ms

    def trace(self, text: str) -> None:
        """Adds to the trace: what a second run of the seed must repeat word for word."""
        self._trace.update(f"{self.now_ms} {text}\n".encode())

    @property
    def trace_hash(self) -> str:
        return self._trace.hexdigest()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability


class NodeClock:
    """A node's own clock: the time on the wall, with a skew that may jump by years."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.skew_ms = 0

    def now_ms(self) -> int:
        return START_MS + (self._world.now_ms - START_MS) * PACE + self.skew_ms

    def monotonic_ms(self) -> int:
        return self._world.now_ms

    def offset_min(self, at_ms: int) -> int:
        return 0


class WorldRandomness:
    """Random bytes for ids and keys, drawn from the world's seed."""

    def __init__(self, world: World) -> None:
        self._world = world

    def bytes(self, count: int) -> bytes:
        return self._world.random.randbytes(count)


class TapedRandomness:
    """Draws from the world's seed, and remembers since the last `rewind` what it gave, so that a second
    head office is given the same."""

    def __init__(self, world: World) -> None:
        self._random = random.Random(world.random.randbytes(16))
        self.drawn: list[bytes] = []
        """What was given since."""

    def bytes(self, count: int) -> bytes:
        drawn = self._random.randbytes(count)
        self.drawn.append(drawn)
        return drawn

    def rewind(self) -> None:
        self.drawn.clear()
