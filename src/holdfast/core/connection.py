"""The connection state of a register: online, degraded, offline. From real calls and probes.

`online → degraded → offline` with hysteresis, so that nothing flickers when a line flaps: going
down takes failures in a row or one long silence, coming up takes successes in a row. A slow
network counts (SW5). A person may force offline and back (SW3).
"""

import enum

import msgspec


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


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The state and how it came about. Changed only by the functions of this module."""

    mode: Mode = Mode.OFFLINE
    since_ms: int = 0
    cause: str = "start"
    forced: bool = False
    failures: int = 0
    successes: int = 0
    slow: int = 0
    fast: int = 0


def on_success(state: Connection, latency_ms: int, now_ms: int, limits: Thresholds) -> Connection:
    """A real call or a probe was answered within its deadline."""
    slow = latency_ms > limits.slow_ms
    state = msgspec.structs.replace(
        state,
        failures=0,
        successes=state.successes + 1,
        slow=state.slow + 1 if slow else 0,
        fast=0 if slow else state.fast + 1,
    )
    if state.forced:
        return state
    if state.mode is Mode.OFFLINE and (
        state.successes >= limits.successes_to_online or state.cause == "start"
    ):
        return _enter(state, Mode.DEGRADED if slow else Mode.ONLINE, now_ms, "head office answers")
    if state.mode is Mode.ONLINE and state.slow >= limits.slow_to_degraded:
        return _enter(state, Mode.DEGRADED, now_ms, f"answers take longer than {limits.slow_ms} ms")
    if state.mode is Mode.DEGRADED and state.fast >= limits.fast_to_online:
        return _enter(state, Mode.ONLINE, now_ms, "answers are fast again")
    return state


def on_failure(state: Connection, cause: str, now_ms: int, limits: Thresholds) -> Connection:
    """A call or a probe was refused, cut, or not answered within its deadline."""
    state = msgspec.structs.replace(state, failures=state.failures + 1, successes=0, fast=0)
    if state.forced or state.mode is Mode.OFFLINE:
        return state
    if state.failures >= limits.failures_to_offline:
        return _enter(state, Mode.OFFLINE, now_ms, cause)
    return state


def force_offline(state: Connection, now_ms: int, reason: str) -> Connection:
    """*Work offline*: no real-time calls; sync goes on (SW3)."""
    return msgspec.structs.replace(_enter(state, Mode.OFFLINE, now_ms, reason), forced=True)


def release(state: Connection, now_ms: int) -> Connection:
    """*Enable Online POS*: from here on real calls decide again."""
    return msgspec.structs.replace(state, forced=False, cause="start", successes=0, failures=0)


def _enter(state: Connection, mode: Mode, now_ms: int, cause: str) -> Connection:
    return msgspec.structs.replace(state, mode=mode, since_ms=now_ms, cause=cause, slow=0, fast=0)
