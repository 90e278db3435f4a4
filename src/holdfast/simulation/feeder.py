"""Heartbeats as `register/sync/feeds.py` sends them: after the line's return, when all is drained, by time.

By time only once the world is healed: before, they come by the plan, more seldom than a real
register's, so that nothing rests on how often they come.
"""

from collections.abc import Callable

from holdfast.core.sync.messages import HeartbeatReply, SignedStatement, decode, encode
from holdfast.register.sync.board import Board
from holdfast.register.sync.feeds import HEARTBEAT_GAP_S, HEARTBEAT_S
from holdfast.register.sync.part import BACKOFF_FIRST_S, BACKOFF_MAX_S
from holdfast.simulation.network import Answer, Line
from holdfast.simulation.world import World

GAP_MS = int(HEARTBEAT_GAP_S * 1000)


class SimFeeder:
    """Of one register, for as long as it runs."""

    def __init__(
        self,
        world: World,
        name: str,
        line: Line,
        board: Board,
        statement: Callable[[], SignedStatement | None],
    ) -> None:
        self._world, self._name, self._line, self._board = world, name, line, board
        self._statement = statement
        self.on_reply: Callable[[HeartbeatReply], None] = lambda _: None
        self._running = True
        self._due_ms: int | None = None
        self._beat_ms = -GAP_MS
        self._underway = self._wanted = False
        self._failures = 0
        self.nonce = ""

    def stop(self) -> None:
        self._running = False

    def wake(self) -> None:
        """Soon, but not sooner than a little after the last one."""
        self.plan(max(0, self._beat_ms + GAP_MS - self._world.now_ms))

    def plan(self, wait_ms: int) -> None:
        """The next one after this time, unless it is due sooner."""
        due_ms = self._world.now_ms + wait_ms
        if not self._running or (self._due_ms is not None and self._due_ms <= due_ms):
            return
        self._due_ms = due_ms
        self._world.after(wait_ms, f"{self._name} heartbeat", lambda: self._turn(due_ms))

    def _turn(self, due_ms: int) -> None:
        if not self._running or self._due_ms != due_ms:
            return
        self._due_ms = None
        if self._underway:
            self._wanted = True
            return
        statement = self._statement()
        if statement is None:
            return
        self._beat_ms, self._underway = self._world.now_ms, True
        self._line.call("heartbeat", encode(statement), self._answered, self._lost)

    def _end_call(self) -> bool:
        """Goes on with what waited for the end of the one before; whether this process still runs."""
        wanted, self._underway, self._wanted = self._wanted, False, False
        if wanted:
            self.wake()
        return self._running

    def _answered(self, answer: Answer) -> None:
        if not self._end_call():
            return
        self._board.answered(None)
        if answer.status != 200:
            self._again()
            return
        self._failures = 0
        reply = decode(answer.body, HeartbeatReply)
        self.nonce = reply.nonce
        if reply.again:
            self.wake()
        self.on_reply(reply)
        if self._world.healed:
            wait_s = max(HEARTBEAT_S, reply.probe_idle_ms / 1000)
            self.plan(int(wait_s * 1000 * (0.9 + 0.1 * self._world.random.random())))

    def _lost(self) -> None:
        if self._end_call():
            self._board.lost("no answer in time")
            self._again()

    def _again(self) -> None:
        self._failures += 1
        if self._world.healed:
            ceiling_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self._failures - 1, 16))
            self.plan(int(1000 * ceiling_s * (0.5 + 0.5 * self._world.random.random())))
