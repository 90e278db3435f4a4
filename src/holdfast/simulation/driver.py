"""Drives one sender over one line, as `register/sync/uploader.py` does: the same times and reasons."""

from collections.abc import Callable

from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import SignedHead
from holdfast.core.sync.messages import HeartbeatReply
from holdfast.core.sync.sender import Blocked, Event, Idle, Policy, Request, Sender, State
from holdfast.register.sync.board import Board
from holdfast.simulation.network import Answer, Call
from holdfast.simulation.session import Exchange, SessionLine
from holdfast.simulation.world import World

POLICY = Policy(batch_entries=50)
"""Small batches, so that a run cuts many. Every time is the one that ships."""


class Driver:
    """One sender's life in one process; `stop` ends it, and what is under way arrives nowhere."""

    def __init__(
        self,
        world: World,
        name: str,
        sender: Sender,
        line: SessionLine,
        board: Board,
        on_event: Callable[[Event], None],
        *,
        suffix: str = "",
        on_offer_reply: Callable[[bytes], None] = lambda _: None,
        on_drained: Callable[[], None] = lambda: None,
        on_refusal: Callable[[Answer], None] = lambda _: None,
        on_entries: Callable[[SignedHead], None] = lambda _: None,
    ) -> None:
        """`on_entries`: entries up to that head are about to leave."""
        self.sender = sender
        self._world, self._name, self._line, self._board = world, name, line, board
        self._on_event, self._on_offer_reply, self._on_drained = on_event, on_offer_reply, on_drained
        self._on_refusal, self._on_entries = on_refusal, on_entries
        self._suffix = suffix
        self._running = True
        self._call: Call | Exchange | None = None
        self._resends: dict[EpochId, tuple[int, int]] = {}
        """Epoch → (seq to send once more from, up to which), until it was."""
        self._wake_at_ms: int | None = None
        self._held_until_ms = 0
        self._sent_some = self._was_away = False

    def stop(self) -> None:
        self._running = False

    # From elsewhere in the process

    def notify(self) -> None:
        """A local event: try at once."""
        self.sender.notify(self._world.now_ms)
        self.pump()

    def sync_now(self) -> None:
        """Somebody asks: try at once, also where head office refused before."""
        if self.sender.state is State.BLOCKED:
            self.sender.unblock(self._world.now_ms)
        self.notify()

    def locate_again(self) -> None:
        """Offer the heads anew."""
        self.sender.relocate()
        self.sync_now()

    def resend(self, epoch: EpochId, first_seq: int, last_seq: int) -> None:
        """Send these entries once more, though head office holds them."""
        self._resends[epoch] = (first_seq, last_seq)
        self.sender.resend(epoch, first_seq)
        self.sync_now()

    def resending_from(self, epoch: EpochId) -> int | None:
        """From where on that is still to be done; None: it is done."""
        asked = self._resends.get(epoch)
        return None if asked is None else asked[0]

    def resent(self, epoch: EpochId, seq: int) -> bool:
        """Head office has taken a part of what is sent once more; whether that was the last."""
        asked = self._resends.get(epoch)
        if asked is None or seq < asked[0]:
            return False
        if seq >= asked[1]:
            del self._resends[epoch]
            return True
        self._resends[epoch] = (seq + 1, asked[1])
        return False

    def line_returned(self, was_dead: bool) -> None:
        """Head office answers again: what is on its way went into the dead line, so begin afresh."""
        call, self._call = self._call, None
        if was_dead and call is not None:
            call.cancel()
            self._given_up()
        self.notify()

    def heard(self, reply: HeartbeatReply) -> None:
        """What the answer to a heartbeat asks of the uploader."""
        if reply.start_after_ms > 0:
            self._held_until_ms = self._world.now_ms + reply.start_after_ms
        if reply.offer:
            self.locate_again()

    # Its own turns

    def pump(self) -> None:
        """Carries what the sender wants carried, and comes back when it says so."""
        if not self._running or self.sender.in_flight:
            return
        if self._world.now_ms < self._held_until_ms:
            self._sleep(self._held_until_ms)
            return
        self._look_at_line()
        action = self.sender.poll(self._world.now_ms)
        if isinstance(action, Idle):
            self._idle(action.until_ms)
            return
        if action.kind == "entries":
            self._board.owes(True)
        kind = action.kind + self._suffix
        self._call = self._line.call(
            kind,
            action.body,
            lambda answer: self._answered(action.kind, answer),
            self._lost,
            on_send=lambda: self._leaves(action),
        )

    def _look_at_line(self) -> None:
        """Once it is known to be away, no entry leaves before an offer was answered."""
        is_away = self._board.is_down
        if is_away and not self._was_away:
            self.sender.relocate()
        self._was_away = is_away

    def _leaves(self, request: Request) -> None:
        if request.kind == "entries":
            assert request.head is not None, "a head closes the entries"
            self._on_entries(request.head)

    def _idle(self, until_ms: int | None) -> None:
        self._board.owes(until_ms is not None)
        if until_ms is not None:
            self._sleep(until_ms)
        elif self._sent_some:
            self._sent_some = False
            self._on_drained()

    def _sleep(self, until_ms: int) -> None:
        if self._wake_at_ms is not None and self._wake_at_ms <= until_ms:
            return
        self._wake_at_ms = until_ms
        wait_ms = max(0, until_ms - self._world.now_ms)
        self._world.after(wait_ms, f"{self._name} wakes", lambda: self._wake(until_ms))

    def _wake(self, until_ms: int) -> None:
        if self._running and self._wake_at_ms == until_ms:
            self._wake_at_ms = None
            self.pump()

    def _answered(self, kind: str, answer: Answer) -> None:
        self._call = None
        if not self._running:
            return
        self._board.answered(None)
        if answer.status == 200:
            if kind == "offer":
                self._on_offer_reply(answer.body)
            self._board.unblock()
            for event in self.sender.on_reply(answer.body, self._world.now_ms):
                self._on_event(event)
            self._sent_some = self._sent_some or kind == "entries"
        else:
            self._refused(answer)
        self.pump()

    def _refused(self, answer: Answer) -> None:
        self._on_refusal(answer)
        for event in self.sender.on_problem(answer.status, answer.code, answer.detail, self._world.now_ms):
            if isinstance(event, Blocked):
                self._board.block(event.code, event.detail)

    def _lost(self) -> None:
        self._call = None
        if self._running:
            self.sender.on_lost(self._world.now_ms)
            self._board.lost("no answer in time")
            self.pump()

    def _given_up(self) -> None:
        """No failure of the line: it was given up because the line is better now."""
        if self._running and self.sender.in_flight:
            self.sender.on_lost(self._world.now_ms)
