"""The uploader: carries what the core's sender says to head office, and keeps what it answers.

Any local event tries at once: a sale, the line's return, a button.
"""

import threading
from collections.abc import Callable, Sequence

from holdfast.core.faults import SignatureFault
from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import Position, SignedHead
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.sync import sender
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.sender import (
    Blocked,
    EpochNeeded,
    Held,
    Idle,
    IncarnationSeen,
    Policy,
    ReceiptGiven,
    Sender,
)
from holdfast.infra.http import Call, HttpRequest, LostFault
from holdfast.register.sync.caller import Caller, Shared
from holdfast.register.sync.requests import OpenEpochRequest
from holdfast.register.till.handed import Handed

OFFER_DEADLINE_S = 8.0
ENTRIES_DEADLINE_S = 20.0
LOOK_S = 2.0
"""How often an idle uploader looks by itself: a wake-up may have been lost with checkout's process."""
EPOCH_LOOK_S = 0.1
EPOCH_WAIT_S = 10.0
"""So long it waits for checkout to open the epoch that head office's word calls for. Then it sends on in the
old one: what was sold there is stored as a branch and counted, which beats not sending."""


class Uploader(Caller):
    """Drives one `Sender` in one thread."""

    def __init__(
        self,
        shared: Shared,
        *,
        policy: Policy | None = None,
        on_drained: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_drained` is called when all that was owed arrived."""
        super().__init__("upload", shared)
        self._policy = policy or Policy()
        self._on_drained = on_drained
        self._resending = threading.Lock()
        self._notified = threading.Event()
        self._unblock = threading.Event()
        self._relocate = threading.Event()
        self._resend_asked = threading.Event()
        self._resends: dict[EpochId, tuple[int, int]] = {}
        """Epoch → (seq to send once more from, up to which), until it was."""
        self._held_until_ms = 0
        self._epoch_wanted: tuple[EpochId, int] | None = None
        self._sent_some = False
        self._handed: Handed | None = None
        self._was_away = False

    # ---- from other threads ----------------------------------------------------------------------

    def notify(self) -> None:
        """A local event: try at once."""
        self._notified.set()
        self.wake()

    def sync_now(self) -> None:
        """A person or head office asks: try at once, also where head office refused before."""
        self._unblock.set()
        self.notify()

    def locate_again(self) -> None:
        """Offer the heads anew: head office asks what this register has."""
        self._relocate.set()
        self.sync_now()

    def resend(self, epoch: EpochId, first_seq: int, last_seq: int) -> None:
        """Send these entries once more, though head office holds them."""
        with self._resending:
            self._resends[epoch] = (first_seq, last_seq)
        self._resend_asked.set()
        self.sync_now()

    def resending_from(self, epoch: EpochId) -> int | None:
        """From where on that is still to be done; None: it is done."""
        with self._resending:
            asked = self._resends.get(epoch)
        return None if asked is None else asked[0]

    def line_returned(self, was_dead: bool) -> None:
        """Head office answers again: what is on its way went into the dead line, so begin afresh."""
        if was_dead:
            self.interrupt()
        self.notify()

    def hold(self, wait_ms: int) -> None:
        """Head office hands out start slots: many registers came back at once."""
        self._held_until_ms = self._clock.monotonic_ms() + wait_ms
        self.wake()

    # ---- in its own thread -----------------------------------------------------------------------

    def turn(self) -> float:
        if self._opened is None:
            self._start()
        now_ms = self._clock.monotonic_ms()
        held_ms = self._held_until_ms - now_ms
        if held_ms > 0:
            return held_ms / 1000
        if self._waits_for_epoch(now_ms):
            return EPOCH_LOOK_S
        self._take_in(now_ms)
        self._look_at_line()
        step = self._sender.poll(now_ms)
        self._tell_damage()
        if isinstance(step, Idle):
            return self._idle(step, now_ms)
        self._carry(step)
        return 0.0

    def _start(self) -> None:
        self._journal = self._books.journal
        self._sender = Sender(self._journal, policy=self._policy, jitter=self.jitter)
        self._handed = Handed(self._books.handed)
        self._handed.begin(self._journal.heads())
        self._resend_asked.set()  # what the former one had not finished

    def close(self) -> None:
        super().close()
        if self._handed is not None:
            self._handed.close()
            self._handed = None

    def _take_in(self, now_ms: int) -> None:
        """What other threads asked for."""
        if self._unblock.is_set():
            self._unblock.clear()
            if self._sender.state is sender.State.BLOCKED:
                self._sender.unblock(now_ms)
        if self._relocate.is_set():
            self._relocate.clear()
            self._sender.relocate()
        if self._resend_asked.is_set():
            self._resend_asked.clear()
            with self._resending:
                asked = dict(self._resends)
            for epoch, (first_seq, _) in asked.items():
                self._sender.resend(epoch, first_seq)
        if self._notified.is_set():
            self._notified.clear()
            self._sender.notify(now_ms)

    def _look_at_line(self) -> None:
        """Once the register knows that it is offline, no entry leaves before an offer was answered: a box in
        between may take the connection, and what it is handed counts as known elsewhere (GC6)."""
        is_away = self._board.is_down
        if is_away and not self._was_away:
            self._sender.relocate()
        self._was_away = is_away

    def _idle(self, idle: Idle, now_ms: int) -> float:
        is_drained = idle.until_ms is None
        self._board.owes(not is_drained)
        if is_drained and self._sent_some:
            self._sent_some = False
            self._on_drained()
        return LOOK_S if idle.until_ms is None else max(0.0, (idle.until_ms - now_ms) / 1000)

    def _carry(self, request: sender.Request) -> None:
        is_offer = request.kind == "offer"
        if not is_offer:
            self._board.owes(True)
        try:
            reply = self._line.call(
                HttpRequest(
                    method="POST",
                    path="/v1/sync/offer" if is_offer else "/v1/sync/entries",
                    body=request.body,
                    content_type="application/json" if is_offer else "application/vnd.holdfast.batch",
                    deadline_s=OFFER_DEADLINE_S if is_offer else ENTRIES_DEADLINE_S,
                    is_gated=not is_offer,
                ),
                self._began if is_offer else lambda call: self._began_entries(call, request),
            )
        except LostFault:
            self._sender.on_lost(self._clock.monotonic_ms())
            return
        now_ms = self._clock.monotonic_ms()
        if not reply.is_success:
            problem = reply.problem()
            self._refused(self._sender.on_problem(problem.status, problem.code, problem.detail, now_ms))
            return
        events = self._sender.on_reply(reply.body, now_ms)
        blocked = next((event for event in events if isinstance(event, Blocked)), None)
        if blocked is None:
            self._board.unblock()
        self._take(events, request.head, reply.latency_ms)
        self._sent_some = self._sent_some or not is_offer

    def _began_entries(self, call: Call, request: sender.Request) -> None:
        self._began(call)
        if call.wait_until_connected():
            assert request.head is not None, "a head closes the entries"
            assert self._handed is not None, "it is open while this part works"
            self._handed.raise_to(request.head, lambda: [head.epoch for head in self._journal.heads()])
            call.let_go()
        # Before, it would only keep the network's thread from sending.
        call.wait_until_sent()
        self._sender.read_ahead()

    def _refused(self, events: Sequence[sender.Event]) -> None:
        for event in events:
            if isinstance(event, Blocked):
                self._board.block(event.code, event.detail)

    def _take(self, events: Sequence[sender.Event], cut_at: SignedHead | None, latency_ms: int) -> None:
        """Keep what head office said. A fault here loses nothing: the next offer is told it again."""
        self._refused(events)
        reference = self._books.reference
        is_current = True
        given: list[Receipt] = []
        for event in events:
            match event:
                case IncarnationSeen():
                    self._board.contact(event.time_ms, latency_ms)
                    is_current = reference.see_incarnation(event.incarnation, self._clock.now_ms())
                case ReceiptGiven():
                    given.append(event.receipt)
                case EpochNeeded():
                    self._ask_for_epoch(event)
                case Held():
                    self._resent(event.position)
                case _:
                    pass
        good = [receipt for receipt in given if self._holds(receipt)]
        if good or cut_at is not None:
            taken = cut_at if good and is_current else None
            reference.keep(good if is_current else (), taken, self._clock.now_ms())

    def _resent(self, held: Position) -> None:
        """Head office has taken a part of what is sent once more."""
        with self._resending:
            asked = self._resends.get(held.epoch)
            if asked is not None and held.seq >= asked[1]:
                del self._resends[held.epoch]
            elif asked is not None and held.seq >= asked[0]:
                self._resends[held.epoch] = (held.seq + 1, asked[1])

    def _holds(self, receipt: Receipt) -> bool:
        """May this register rely on it (P1)."""
        if self._relies_on(receipt):
            self._board.well("receipts")
            return True
        self._board.fault(
            "receipts",
            SignatureFault(
                f"A receipt for entry {receipt.seq} is not head office's word over this register's journal. "
                "It was not kept; nothing is deleted on it."
            ),
        )
        return False

    # ---- what this disk does not give back ---------------------------------------------------------

    def _tell_damage(self) -> None:
        """Say which epoch cannot be sent on. Is it the open one, new sales flow in another (P10)."""
        damaged = self._journal.damaged
        if not damaged:
            self._board.well("journal")
            return
        epoch, seq = next(iter(damaged.items()))
        self._board.trouble(
            "journal",
            "journal.damaged",
            f"The disk does not give back entry {seq} of this register's journal (epoch {epoch}), so what "
            "follows it there cannot be sent; other sales are. Keep a copy of the till's data folder for "
            "support, and replace the disk.",
        )
        heads = self._journal.heads()
        open_one = heads[-1] if heads else None
        wanted = None if self._epoch_wanted is None else self._epoch_wanted[0]
        if open_one is not None and open_one.epoch in damaged and open_one.epoch != wanted:
            sentence = f"the disk does not give back entry {damaged[open_one.epoch]} of this epoch"
            self._ask_for_epoch(EpochNeeded(OpenEpoch("damaged", open_one.seq, sentence)))

    # ---- the epoch that head office's word calls for -----------------------------------------------

    def _ask_for_epoch(self, needed: EpochNeeded) -> None:
        epoch = self._journal.heads()[-1].epoch
        if self._epoch_wanted is None or self._epoch_wanted[0] != epoch:
            self._epoch_wanted = (epoch, self._clock.monotonic_ms())
        self._books.inbox.file(OpenEpochRequest(epoch=epoch, open=needed.open), self._clock.now_ms())

    def _waits_for_epoch(self, now_ms: int) -> bool:
        """Until checkout has opened it, nothing more is sent: the fork would only grow."""
        if self._epoch_wanted is None:
            return False
        epoch, since_ms = self._epoch_wanted
        heads = self._journal.heads()
        if heads and heads[-1].epoch != epoch:
            self._epoch_wanted = None
            self._board.well("epoch")
            self._sender.relocate()
            return False
        if now_ms - since_ms <= EPOCH_WAIT_S * 1000:
            return True
        self._board.trouble(
            "epoch",
            "epoch.waits",
            "This register's database and head office's do not agree on its last entries, and the till has "
            "not yet opened a new epoch. Restart the register if this stays.",
        )
        return False
