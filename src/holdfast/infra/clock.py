"""Time and randomness as values that are handed in, so that no rule reads a clock of its own.

Wall time is what a receipt shows and may jump by years; monotonic time is what deadlines are
measured with and never goes back. Nothing orders entries by either: order is by seq.
"""

import os
import random
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.core.faults import ConfigurationFault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_MS = 15 * 60_000


class Clock(Protocol):
    """What every role is given instead of `time` and `datetime.now`."""

    def now_ms(self) -> int:
        """Wall time, UTC, in milliseconds since 1970; may go back."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds from an unknown start, never back; for deadlines and waits."""
        ...

    def offset_min(self, at_ms: int) -> int:
        """Minutes that local time is east of UTC at that wall time (negative in the west)."""
        ...


class Randomness(Protocol):
    """Where ids and keys get their random bytes from."""

    def bytes(self, count: int) -> bytes:
        """Exactly `count` random bytes."""
        ...


def time_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. ConfigurationFault if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationFault(
            f"The time zone {name!r} is not known on this machine. Write an IANA name such as "
            '"Europe/Zurich"; if it is one, install the package tzdata.'
        ) from error


class SystemClock:
    """The machine's clock, seen in the store's own time zone rather than the machine's.

    A till whose system zone was left at UTC must still print the store's local time.
    """

    def __init__(self, timezone: str) -> None:
        self._zone: tzinfo = time_zone(timezone)
        self._known: tuple[int, int] | None = None
        """A quarter of an hour since 1970, and its offset in minutes."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def offset_min(self, at_ms: int) -> int:
        # Each entry asks, and zones change at quarters of an hour. One tuple, so that no thread sees half.
        quarter, known = at_ms // _QUARTER_MS, self._known
        if known is None or known[0] != quarter:
            known = self._known = (quarter, self._offset_at(at_ms))
        return known[1]

    def _offset_at(self, at_ms: int) -> int:
        # Arithmetic on the epoch, not fromtimestamp: that one raises far from today, and a
        # wrong clock must not stop a sale.
        try:
            local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self._zone)
        except OverflowError:
            return 0
        offset = local.utcoffset()
        assert offset is not None, "a zone's time has an offset"
        return int(offset.total_seconds() // 60)


class ManualClock:
    """A clock that stands still until it is moved: the adapter for tests and simulation."""

    def __init__(self, now_ms: int = 1_790_000_000_000, offset_min: int = 0) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 0
        self._offset_min = offset_min

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def offset_min(self, at_ms: int) -> int:
        return self._offset_min

    def advance(self, by_ms: int) -> None:
        """Let time pass on both clocks."""
        assert by_ms >= 0, "time passes forwards; use jump_to for a wrong clock"
        self._now_ms += by_ms
        self._monotonic_ms += by_ms

    def jump_to(self, now_ms: int) -> None:
        """Set the wall clock alone, as a person or a bad time server does."""
        self._now_ms = now_ms


class SystemRandomness:
    """The operating system's generator; fit for keys and ids."""

    def bytes(self, count: int) -> bytes:
        assert count > 0, "ask for at least one byte"
        return os.urandom(count)


class SeededRandomness:
    """The same bytes for the same seed, so that a failing run can be replayed. Never for keys."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        assert count > 0, "ask for at least one byte"
        return self._random.randbytes(count)
