"""Wrong numbers and PINs are limited, so that nobody finds a card by trying (GC11).

By register, by store and by address, each with an allowance of wrong tries that fills up slowly. A right one
gives nothing back: whoever owns one card could else try others without end between two uses of it.
"""

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """So many wrong tries at once, and another one each `refill_ms`."""

    tries: int
    refill_ms: int


BY_REGISTER = Limit(tries=10, refill_ms=30_000)
BY_STORE = Limit(tries=30, refill_ms=10_000)
BY_ADDRESS = Limit(tries=60, refill_ms=5_000)
"""A store's registers often share one address; so does a whole chain behind a gateway. Only a register that
tried wrong itself waits for its address: others that share it go on."""


class Tried(msgspec.Struct, frozen=True):
    """How many wrong tries weigh still, in thousandths, as of a monotonic time."""

    wrong_e3: int = 0
    at_ms: int = 0


def _now(tried: Tried, now_ms: int, limit: Limit) -> int:
    return max(0, tried.wrong_e3 - max(0, now_ms - tried.at_ms) * 1_000 // limit.refill_ms)


def wait_ms(tried: Tried, now_ms: int, limit: Limit) -> int:
    """Until the next try is looked at; 0: now."""
    over_e3 = _now(tried, now_ms, limit) - (limit.tries - 1) * 1_000
    return max(0, over_e3 * limit.refill_ms // 1_000)


def weighs(tried: Tried, now_ms: int, limit: Limit) -> bool:
    """Was there a wrong try that is not worn off yet."""
    return _now(tried, now_ms, limit) > 0


def after_wrong(tried: Tried, now_ms: int, limit: Limit) -> Tried:
    """One more wrong try; never more than the limit, so that the longest wait is one refill."""
    return Tried(min(_now(tried, now_ms, limit) + 1_000, limit.tries * 1_000), now_ms)
