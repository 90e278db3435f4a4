"""A line that comes and goes: what a cashier sees of it does not flicker (SW2). All time is simulated."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.connection import Connection, Mode, Thresholds, on_failure, on_success
from holdfast.infra.clock import ManualClock
from holdfast.register.sync.board import Board, State
from holdfast.register.sync.prober import ACTIVE_MS, RETURNING_MS, SILENCE_S, is_in_doubt, pause_ms

LIMITS = Thresholds()
MINUTE_MS = 60_000
STEP_MS = 10
ANSWER_MS = 20
SILENCE_MS = int(SILENCE_S * 1_000)


class Shown(NamedTuple):
    at_ms: int
    mode: Mode


class Line:
    """Up for so long, then down for so long; a long poll and the probes that a till makes over it."""

    def __init__(self, up_ms: int, down_ms: int, first_ms: int, is_cut: bool) -> None:
        self.clock = ManualClock(1_000_000)
        self.board = Board(
            self.clock, State(connection=Connection(mode=Mode.ONLINE, cause="head office answers"))
        )
        self._up_ms, self._down_ms, self._first_ms = up_ms, down_ms, first_ms
        self._is_cut = is_cut
        self.ends_ms = MINUTE_MS

    def is_up(self, at_ms: int) -> bool:
        return at_ms >= self.ends_ms or (at_ms + self._first_ms) % (self._up_ms + self._down_ms) < self._up_ms

    def run(self, probe_every_ms: int, until_ms: int, returning_ms: int = RETURNING_MS) -> list[Shown]:
        """Each change of what is shown. One probe after the other, as `Prober` takes its turns."""
        heard_at_ms, heard = until_ms, ""
        poll_is_open, probe_at_ms, shown = False, 0, [Shown(0, Mode.ONLINE)]
        for now_ms in range(0, until_ms, STEP_MS):
            up = self.is_up(now_ms)
            if poll_is_open and not up and self._is_cut:
                self.board.lost("The connection was cut.")
            poll_is_open = up
            if now_ms >= heard_at_ms:
                self._hear(heard)
                line, heard_at_ms = self.board.connection, until_ms
                wait_ms = (
                    pause_ms(line, probe_every_ms, returning_ms) if is_in_doubt(line) else probe_every_ms
                )
                probe_at_ms = max(now_ms, probe_at_ms + wait_ms)
            elif now_ms >= probe_at_ms and heard_at_ms == until_ms:
                probe_at_ms, heard = now_ms, "answer" if up else "loss"
                heard_at_ms = now_ms + (ANSWER_MS if up else STEP_MS if self._is_cut else SILENCE_MS)
            mode = self.board.connection.mode
            if mode is not shown[-1].mode:
                shown.append(Shown(now_ms, mode))
            self.clock.advance(STEP_MS)
        return shown

    def _hear(self, what: str) -> None:
        if what == "answer":
            self.board.answered(ANSWER_MS)
        else:
            self.board.lost("no answer within 0.5 s")


TOGGLING = [
    (probe_every_ms, first_ms)
    for probe_every_ms in (ACTIVE_MS, ACTIVE_MS + 20, ACTIVE_MS + 70, 610)
    for first_ms in range(0, 600, 150)
]
"""How often a busy machine probes, and where in its rhythm the line is at first."""


@pytest.mark.parametrize("is_cut", [True, False], ids=["reset", "packets dropped"])
@pytest.mark.parametrize(("probe_every_ms", "first_ms"), TOGGLING)
def test_a_line_that_toggles_every_300_ms_for_a_minute_flickers_nothing(
    probe_every_ms: int, first_ms: int, is_cut: bool
) -> None:
    """SW2: down once, not up in between, and up once when it holds."""
    line = Line(300, 300, first_ms, is_cut)
    shown = line.run(probe_every_ms, MINUTE_MS + 15_000)
    assert [change.mode for change in shown] in ([Mode.ONLINE], [Mode.ONLINE, Mode.OFFLINE, Mode.ONLINE]), (
        shown
    )
    if len(shown) > 1:
        returned_ms = shown[-1].at_ms - line.ends_ms
        assert 0 <= returned_ms <= LIMITS.quiet_ms_max + 2 * probe_every_ms
    changes = line.board.changes(0)
    journalled = [] if changes is None else [change.after for change in changes.modes]
    assert journalled == [change.mode.value for change in shown[1:]], "the journal says what was shown"


@given(
    st.lists(st.tuples(st.integers(1, 3_000), st.sampled_from(["answer", "slow", "loss"])), max_size=200),
)
def test_whatever_a_line_does_it_is_never_shown_as_better_too_soon(events: list[tuple[int, str]]) -> None:
    """Between any two improvements lies the quiet time, and none follows a failure within it."""
    state, now_ms = Connection(mode=Mode.ONLINE, cause="head office answers"), 10**9
    failed_ms = improved_ms = -(10**9)
    for later_ms, event in events:
        now_ms += later_ms
        before = state.mode
        if event == "loss":
            state, failed_ms = on_failure(state, "cut", now_ms, LIMITS), now_ms
            assert state.mode in (before, Mode.OFFLINE)
        else:
            latency_ms = LIMITS.slow_ms + 1 if event == "slow" else ANSWER_MS
            state = on_success(state, latency_ms, now_ms, LIMITS)
        if before is Mode.OFFLINE and state.mode is not before:
            assert now_ms - failed_ms >= LIMITS.quiet_ms
            assert now_ms - improved_ms >= LIMITS.quiet_ms
            improved_ms = now_ms
        if state.mode is Mode.OFFLINE and before is not state.mode:
            assert state.failures >= LIMITS.failures_to_offline
