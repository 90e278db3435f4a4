"""Parts of the sync process that ask head office and wait, in a world where nobody waits.

The part that ships takes its turn. Where it would wait for an answer, the turn is given up and the request
goes out; with the answer the same turn is taken anew, and goes on from there, as it would after a crash:
what it did before is on the disk. What is not (the answer to a heartbeat) is kept for the turn.
"""

from collections.abc import Callable
from typing import Protocol, cast

import msgspec

from holdfast.core.sync.messages import Problem
from holdfast.infra.http import Call as HttpCall
from holdfast.infra.http import HttpRequest, LostFault, Reply
from holdfast.register.sync.feeds import HEARTBEAT_GAP_S
from holdfast.register.sync.line import Line as SyncLine
from holdfast.register.sync.line import RefusedFault
from holdfast.simulation.network import Answer
from holdfast.simulation.session import SessionLine
from holdfast.simulation.world import World

ASKED_MAX = 200
"""Answers of one turn; a feed of a run has a page."""
GAP_MS = int(HEARTBEAT_GAP_S * 1000)
HEARTBEAT = "/v1/sync/heartbeat"
KINDS = {
    HEARTBEAT: "heartbeat",
    "/v1/sync/commands": "commands",
    "/v1/sync/commands/outcome": "outcome",
}


class Ask(msgspec.Struct, frozen=True):
    """A request without a body: what it asks for."""

    path: str
    query: dict[str, str | int]


class Asked(BaseException):
    """The turn waits for the answer to this request. No fault: nothing that ships may catch it."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.path)
        self.request = request


Named = tuple[str, str, bytes]
"""A request: path, query and body."""


class AskingLine:
    """The line of one part (`register.sync.line.Line`): gives again, within a turn, what it gave before."""

    def __init__(self) -> None:
        self._arrived: dict[Named, Answer | None] = {}

    def begin(self) -> None:
        """Another turn than the last one."""
        self._arrived.clear()

    def arrive(self, request: HttpRequest, answer: Answer | None) -> None:
        """To that request; None: it was lost."""
        self._arrived[_named(request)] = answer

    def ask(self, request: HttpRequest, on_start: Callable[[HttpCall], None] | None = None) -> Reply:
        if _named(request) not in self._arrived:
            raise Asked(request)
        named = _named(request)
        # A word is composed anew, and said once; whoever asks keeps the answer.
        answer = self._arrived.pop(named) if request.path == HEARTBEAT else self._arrived[named]
        if answer is None:
            raise LostFault("no answer in time")
        if not 200 <= answer.status < 300:
            raise RefusedFault(_problem(answer))
        return Reply(status=answer.status, body=answer.body, content_type="", latency_ms=0)

    def as_line(self) -> SyncLine:
        """The same under the name that the parts know it by."""
        return cast(SyncLine, self)


def _named(request: HttpRequest) -> Named:
    body = b"" if request.path == HEARTBEAT else request.body or b""
    return request.path, str(sorted(request.query.items())), body


def _problem(answer: Answer) -> Problem:
    return Problem(type="", title="", status=answer.status, detail=answer.detail, code=answer.code)


class Turns(Protocol):
    """A part that ships, stepped."""

    def begin(self) -> None:
        """Another turn than the last one."""
        ...

    def try_turn(self) -> float:
        """One turn; seconds until the next. Asked where it waits for an answer."""
        ...


class Errands:
    """When one part takes its turns, and what it asks for."""

    def __init__(
        self,
        world: World,
        name: str,
        part: Turns,
        asking: AskingLine,
        session: SessionLine,
        *,
        gap_ms: int,
        least_ms: int,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        """`gap_ms`: between two turns before the world is healed; `least_ms`: after, where none wakes it."""
        self._world, self._name = world, name
        self._part, self._asking, self._session = part, asking, session
        self._gap_ms, self._least_ms, self._on_turn = gap_ms, least_ms, on_turn
        self._running = True
        self._due_ms: int | None = None
        self._begun_ms = -gap_ms
        self._underway = self._wanted = False
        self._asked = 0

    def stop(self) -> None:
        self._running = False

    def wake(self) -> None:
        """Soon, but not sooner than a little after the last turn."""
        gap_ms = GAP_MS if self._world.healed else self._gap_ms
        self.plan(max(0, self._begun_ms + gap_ms - self._world.now_ms))

    def plan(self, wait_ms: int) -> None:
        """The next turn after this time, unless it is due sooner."""
        due_ms = self._world.now_ms + wait_ms
        if not self._running or (self._due_ms is not None and self._due_ms <= due_ms):
            return
        self._due_ms = due_ms
        self._world.after(wait_ms, self._name, lambda: self._begin(due_ms))

    def _begin(self, due_ms: int) -> None:
        if not self._running or self._due_ms != due_ms:
            return
        self._due_ms = None
        if self._underway:
            self._wanted = True
            return
        self._begun_ms, self._underway, self._asked = self._world.now_ms, True, 0
        self._asking.begin()
        self._part.begin()
        self._turn()

    def _turn(self) -> None:
        try:
            wait_s = self._part.try_turn()
        except Asked as asked:
            self._send(asked.request)
            return
        self._underway = False
        self._on_turn()
        if self._wanted:
            self._wanted = False
            self.wake()
        elif self._world.healed:
            # By time only then: before, turns come by the plan, more seldom than real ones.
            self.plan(max(self._least_ms, int(wait_s * 1000)))

    def _send(self, request: HttpRequest) -> None:
        self._asked += 1
        assert self._asked <= ASKED_MAX, f"storm: {self._name} asks {request.path} without end"
        kind, body = _wire(request)

        def arrive(answer: Answer) -> None:
            if self._running:
                self._session.answered()
                self._asking.arrive(request, answer)
                self._turn()

        def lost() -> None:
            if self._running:
                self._session.lost()
                self._asking.arrive(request, None)
                self._turn()

        self._session.call(kind, body, arrive, lost)


def _wire(request: HttpRequest) -> tuple[str, bytes]:
    """A request as the simulated line carries it."""
    kind = KINDS.get(request.path, "feed")
    body = request.body or msgspec.json.encode(Ask(request.path, dict(request.query)))
    return kind, body
