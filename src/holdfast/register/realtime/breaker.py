"""Whether a real-time call is tried at all: two lost in a row, and none is until the line had some seconds.

    | from | to | when |
    |---|---|---|
    | closed | open | two calls lost in a row; on a slow line one |
    | open | half open | `HALF_OPEN_MS` later: one call tries |
    | half open | closed, open | it is answered; it is lost |
    | any | closed | the register saw the line return |

A slow line degrades (SW5): calls are still tried, since most are answered, but the first loss is enough, so
that nobody at the till waits for a second deadline.
"""

import msgspec

LOSSES_MAX = 2
LOSSES_MAX_SLOW = 1
HALF_OPEN_MS = 3_000
SLOW_MS = 800
"""An answer later than this is slow, as for probes (`core.connection`)."""
SLOW_IN_A_ROW = 3


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """The state, in monotonic time. Changed only by the functions of this module."""

    losses: int = 0
    opened_ms: int | None = None
    """None: closed."""
    is_trying: bool = False
    """Half open, and its one call is on its way."""
    slow: int = 0
    """Slow answers in a row."""

    @property
    def is_slow(self) -> bool:
        return self.slow >= SLOW_IN_A_ROW


CLOSED = Breaker()


def lets(state: Breaker, now_ms: int) -> bool:
    """Whether a call may begin now."""
    if state.opened_ms is None:
        return True
    return not state.is_trying and now_ms - state.opened_ms >= HALF_OPEN_MS


def begin(state: Breaker) -> Breaker:
    """A call begins, which `lets` allowed."""
    return state if state.opened_ms is None else msgspec.structs.replace(state, is_trying=True)


def answered(state: Breaker, latency_ms: int) -> Breaker:
    """An answer of any kind: the line is up."""
    return Breaker(slow=state.slow + 1 if latency_ms > SLOW_MS else 0)


def lost(state: Breaker, now_ms: int, *, is_slow: bool) -> Breaker:
    """No answer counts. `is_slow`: the register's connection is degraded."""
    losses = state.losses + 1
    allowed = LOSSES_MAX_SLOW if is_slow or state.is_slow else LOSSES_MAX
    is_open = state.opened_ms is not None or losses >= allowed
    return Breaker(losses=losses, opened_ms=now_ms if is_open else None, slow=state.slow)


def left(state: Breaker) -> Breaker:
    """A call ended, and nothing is known by it."""
    return msgspec.structs.replace(state, is_trying=False)
