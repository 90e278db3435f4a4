"""Drives one sender over one line: carries its requests, wakes it when it asked to be woken."""

from collections.abc import Callable

from holdfast.core.sync.sender import Event, Idle, Policy, Sender
from holdfast.simulation.network import Answer, Line
from holdfast.simulation.world import World

POLICY = Policy(batch_entries=50, backoff_max_ms=900_000, ask_applied_max_ms=900_000)
"""Small batches, so that a run cuts many; long waits, so that an outage of a day is few events."""


class Driver:
    """One sender's life in one process; `stop` ends it, and what is under way arrives nowhere."""

    def __init__(
        self,
        world: World,
        name: str,
        sender: Sender,
        line: Line,
        on_event: Callable[[Event], None],
        suffix: str = "",
    ) -> None:
        self.sender = sender
        self._world, self._name, self._line = world, name, line
        self._on_event = on_event
        self._suffix = suffix
        self._running = True
        self._wake_at_ms: int | None = None

    def stop(self) -> None:
        self._running = False

    def notify(self) -> None:
        """A local event: try at once."""
        self.sender.notify(self._world.now_ms)
        self.pump()

    def relocate(self) -> None:
        self.sender.relocate()
        self.pump()

    def pump(self) -> None:
        """Carries what the sender wants carried, and comes back when it says so."""
        if not self._running or self.sender.in_flight:
            return
        action = self.sender.poll(self._world.now_ms)
        if isinstance(action, Idle):
            self._sleep(action.until_ms)
        else:
            self._line.call(action.kind + self._suffix, action.body, self._answered, self._lost)

    def _sleep(self, until_ms: int | None) -> None:
        if until_ms is None or (self._wake_at_ms is not None and self._wake_at_ms <= until_ms):
            return
        self._wake_at_ms = until_ms
        self._world.after(max(0, until_ms - self._world.now_ms), f"{self._name} wakes", self._wake)

    def _wake(self) -> None:
        if self._running:
            self._wake_at_ms = None
            self.pump()

    def _answered(self, answer: Answer) -> None:
        if not self._running:
            return
        if answer.status == 200:
            for event in self.sender.on_reply(answer.body, self._world.now_ms):
                self._on_event(event)
        else:
            self.sender.on_problem(answer.status, answer.code, answer.detail, self._world.now_ms)
        self.pump()

    def _lost(self) -> None:
        if self._running:
            self.sender.on_lost(self._world.now_ms)
            self.pump()
