"""Wrong PINs cost time: a few tries are free, then each one doubles the wait (PO6).

Nobody is locked out for good, for a queue waits; and nobody tries many. Times are monotonic milliseconds.
"""

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How many wrong tries are free, and how the waits grow after them."""

    free: int
    first_ms: int
    longest_ms: int


BY_STAFF = Patience(free=3, first_ms=5_000, longest_ms=300_000)
"""For one staff number, at whatever time of the day: ended by its right PIN alone."""
BY_TILL = Patience(free=5, first_ms=1_000, longest_ms=60_000)
"""Across numbers, for whoever tries one after the other: ended by any right PIN."""


class Tries(msgspec.Struct, frozen=True):
    """Wrong tries in a row."""

    wrong: int = 0
    free_at_ms: int = 0
    """The next try is looked at from then on."""


NONE = Tries()


def wait_ms(tries: Tries, now_ms: int) -> int:
    """Until the next try is looked at; 0: now."""
    return max(0, tries.free_at_ms - now_ms)


def after_wrong(tries: Tries, now_ms: int, patience: Patience) -> Tries:
    """One more wrong try."""
    wrong = tries.wrong + 1
    if wrong < patience.free:
        return Tries(wrong, tries.free_at_ms)
    doublings = min(wrong - patience.free, 40)
    return Tries(wrong, now_ms + min(patience.longest_ms, patience.first_ms << doublings))
