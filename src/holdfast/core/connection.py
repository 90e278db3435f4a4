"""The connection state of a register: online, degraded, offline. From real calls and probes.

`online → degraded → offline` with hysteresis, so that nothing flickers when a line flaps: going
down takes failures in a row or one long silence, coming up takes successes in a row and some quiet. A slow
network counts (SW5). A person may force offline and back (SW3).

    | from | to | when |
    |---|---|---|
    | online, degraded | offline | failures in a row |
    | offline | online, degraded | successes in a row, and no failure for the quiet time |
    | online | degraded | slow answers in a row |
    | degraded | online | fast answers in a row, and no slow one for the quiet time |
    | any | offline by hand | a person works offline |
    | offline by hand | online, offline | Enable Online POS, once what is owed is sent or nothing answers |

The quiet time doubles, up to a bound, where the line goes down again soon after it came up.
"""

import enum

import msgspec

START = "start"
"""The cause before any call was made: the first answer then says that the line is up."""


class Mode(enum.Enum):
    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    failures_to_offline: int = 2
    """Failed probes in a row; with a probe each 0.5 s and its deadline of 0.5 s an outage shows
    within 2 s, also when packets are dropped rather than refused."""
    successes_to_online: int = 2
    slow_ms: int = 800
    """A call slower than this counts as slow."""
    slow_to_degraded: int = 3
    fast_to_online: int = 3
    quiet_ms: int = 2_000
    """So long nothing may have failed (or been slow) before a line is shown as better: one that comes and
    goes several times a second is down, and says so once."""
    quiet_ms_max: int = 8_000
    flap_ms: int = 5_000
    """Down again so soon after its return: the next one waits twice as long."""
    resume_ms_max: int = 30_000
    """*Enable Online POS* waits so long for what is owed, and then for nothing more."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The state and how it came about. Changed only by the functions of this module."""

    mode: Mode = Mode.OFFLINE
    since_ms: int = 0
    cause: str = START
    forced: bool = False
    """Offline because a person wants it so, whatever the line does."""
    resuming: bool = False
    """That person wants it no longer; what is owed is sent first."""
    resumed_ms: int = 0
    failures: int = 0
    successes: int = 0
    slow: int = 0
    fast: int = 0
    failed_ms: int | None = None
    slowed_ms: int | None = None
    """When a call last failed, or was slow."""
    returned_ms: int | None = None
    """When the line last came up."""
    flaps: int = 0
    """How often it went down again soon after it came up, in a row."""


def on_success(state: Connection, latency_ms: int, now_ms: int, limits: Thresholds) -> Connection:
    """A real call or a probe was answered within its deadline."""
    slow = latency_ms > limits.slow_ms
    state = msgspec.structs.replace(
        state,
        failures=0,
        successes=state.successes + 1,
        slow=state.slow + 1 if slow else 0,
        fast=0 if slow else state.fast + 1,
        slowed_ms=now_ms if slow else state.slowed_ms,
    )
    if state.resuming and not _is_within(state.resumed_ms, now_ms, limits.resume_ms_max):
        state = release(state)
    if state.forced:
        return state
    if state.mode is Mode.OFFLINE and (state.cause == START or _is_back(state, now_ms, limits)):
        state = msgspec.structs.replace(state, returned_ms=now_ms)
        return _enter(state, Mode.DEGRADED if slow else Mode.ONLINE, now_ms, "head office answers")
    if state.mode is Mode.ONLINE and state.slow >= limits.slow_to_degraded:
        return _enter(state, Mode.DEGRADED, now_ms, f"answers take longer than {limits.slow_ms} ms")
    is_fast = state.fast >= limits.fast_to_online and not _is_within(state.slowed_ms, now_ms, limits.quiet_ms)
    if state.mode is Mode.DEGRADED and is_fast:
        return _enter(state, Mode.ONLINE, now_ms, "answers are fast again")
    return state


def _is_back(state: Connection, now_ms: int, limits: Thresholds) -> bool:
    quiet_ms = min(limits.quiet_ms << min(state.flaps, 16), limits.quiet_ms_max)
    return state.successes >= limits.successes_to_online and not _is_within(state.failed_ms, now_ms, quiet_ms)


def _is_within(since_ms: int | None, now_ms: int, span_ms: int) -> bool:
    """A clock that was set back in between holds nothing up."""
    return since_ms is not None and 0 <= now_ms - since_ms < span_ms


def on_failure(state: Connection, cause: str, now_ms: int, limits: Thresholds) -> Connection:
    """A call or a probe was refused, cut, or not answered within its deadline."""
    state = msgspec.structs.replace(state, failures=state.failures + 1, successes=0, fast=0, failed_ms=now_ms)
    is_down = state.failures >= limits.failures_to_offline
    if state.resuming and is_down:
        return _enter(release(state), Mode.OFFLINE, now_ms, cause)
    if state.mode is Mode.OFFLINE and state.cause == START and is_down:
        return _enter(state, Mode.OFFLINE, now_ms, cause)
    if state.forced or state.mode is Mode.OFFLINE or not is_down:
        return state
    flaps = state.flaps + 1 if _is_within(state.returned_ms, now_ms, limits.flap_ms) else 0
    return _enter(msgspec.structs.replace(state, flaps=flaps), Mode.OFFLINE, now_ms, cause)


def force_offline(state: Connection, since_ms: int, reason: str) -> Connection:
    """*Work offline*: no real-time calls; sync goes on (SW3)."""
    return msgspec.structs.replace(_enter(release(state), Mode.OFFLINE, since_ms, reason), forced=True)


def resume(state: Connection, now_ms: int) -> Connection:
    """*Enable Online POS*: what is owed is sent, then real calls decide again (SW3)."""
    return msgspec.structs.replace(state, resuming=True, resumed_ms=now_ms) if state.forced else state


def on_drained(state: Connection, now_ms: int) -> Connection:
    """Nothing is owed."""
    if not state.resuming:
        return state
    if not state.successes:
        return release(state)
    state = msgspec.structs.replace(release(state), returned_ms=now_ms)
    return _enter(state, Mode.ONLINE, now_ms, "head office answers")


def release(state: Connection) -> Connection:
    """From here on real calls decide; the first answer does."""
    if not state.forced:
        return state
    return msgspec.structs.replace(state, forced=False, resuming=False, cause=START, successes=0, failures=0)


def _enter(state: Connection, mode: Mode, now_ms: int, cause: str) -> Connection:
    return msgspec.structs.replace(state, mode=mode, since_ms=now_ms, cause=cause, slow=0, fast=0)
