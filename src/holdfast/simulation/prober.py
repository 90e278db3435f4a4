"""Probes as the sync process makes them: what they find goes to the board that ships.

A probe that can only find what the last one found is not made: so an outage of a day is two probes
here, and the first after a change comes when the real one would.
"""

from collections.abc import Callable

from holdfast.infra.clock import Clock
from holdfast.register.sync.board import Blocked, Board, State
from holdfast.register.sync.prober import ACTIVE_MS, IDLE_MS, LATE_S
from holdfast.simulation.network import Line
from holdfast.simulation.world import World

FAILURES_SHOWN = 20
THINNED_MS = 60_000
"""On a line that answers nothing in time for long, only some of the probes are made here."""
LATE_MS = int(LATE_S * 1000)


class SimBoard(Board):
    """The board that ships; a lost call is a reason to probe."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, State())
        self.on_loss: Callable[[], None] = lambda: None

    def lost(self, cause: str) -> None:
        super().lost(cause)
        self.on_loss()

    @property
    def blocked(self) -> Blocked | None:
        """Why head office refuses this register, as its page says."""
        return self._state.blocked


class SimProber:
    """Of one line, for as long as its machine runs."""

    def __init__(self, world: World, name: str, line: Line, board: SimBoard) -> None:
        self._world, self._name, self._line, self._board = world, name, line, board
        self._due_ms: int | None = None
        self._running = True
        line.on_change = board.on_loss = self.poke

    def stop(self) -> None:
        self._running = False

    def poke(self) -> None:
        """The line, its receiver or what is known of it changed: the next probe will tell."""
        self._plan(self._world.random.randrange(1, self._pause_ms() + 1))

    def _pause_ms(self) -> int:
        connection = self._board.connection
        if connection.failures or (self._board.is_offline and connection.successes) or self._board.is_active:
            return ACTIVE_MS
        return IDLE_MS

    def _plan(self, wait_ms: int) -> None:
        due_ms = self._world.now_ms + wait_ms
        if not self._running or (self._due_ms is not None and self._due_ms <= due_ms):
            return
        self._due_ms = due_ms
        self._world.after(wait_ms, f"{self._name} probes", lambda: self._probe(due_ms))

    def _probe(self, due_ms: int) -> None:
        if not self._running or self._due_ms != due_ms:
            return
        weather = self._line.weather
        is_dead = weather.is_dead or not self._line.is_up()
        latency_ms = self._world.random.randrange(weather.delay_ms_max) * 2
        lost = self._world.chance(weather.request_loss) or self._world.chance(weather.reply_loss)
        if is_dead or lost or latency_ms > LATE_MS:
            self._board.lost("no answer")
        else:
            self._board.answered(latency_ms)
        self._due_ms = None
        connection = self._board.connection
        is_known = self._board.is_offline if is_dead else not (connection.failures or self._board.is_offline)
        if not is_known:
            self._plan(ACTIVE_MS if connection.failures < FAILURES_SHOWN else THINNED_MS)
