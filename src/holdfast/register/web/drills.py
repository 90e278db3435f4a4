"""The drill of this till while it is served: what is noticed in it, and how it ends (SW11).

Its beginning and its end are entries. What is noticed between them is kept at each look, for a restart, which
ends the drill, to tell of.
"""

import threading
from collections.abc import Callable

import msgspec

from holdfast.core import drill as states
from holdfast.core.basket import Act
from holdfast.core.drill import NOTHING_NOTICED, Cause, Drill, DrillEnded, Tally
from holdfast.core.faults import StorageFullFault
from holdfast.core.ids import StaffId
from holdfast.core.readiness import Readiness
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.register.checkout import Checkout

BY_ITSELF: frozenset[Cause] = frozenset({"time", "outage", "restart"})
"""Ends that nobody at the till brought about: they are told."""


class Over(msgspec.Struct, frozen=True):
    """A drill that ended since this till was started."""

    drill: Drill
    ended: DrillEnded
    at_ms: int


class Drills:
    """Thread-safe. `changed`: open pages show something else from now on."""

    def __init__(self, checkout: Checkout, clock: Clock, changed: Callable[[], None]) -> None:
        """Ends what an earlier process left: who was there then need not be there now."""
        self._checkout = checkout
        self._clock = clock
        self._changed = changed
        self._lock = threading.RLock()
        self._tally = self._kept = checkout.drill_tally()
        self._ending: Cause | None = None
        self.last: Over | None = None
        self.untold: Over | None = None
        """One that ended by itself, and of which nobody has read."""
        self._drill: Drill | None = checkout.drill()
        if self._drill is not None:
            self._end("restart")

    @property
    def on(self) -> Drill | None:
        """The drill that cuts real-time services now."""
        drill = self._drill
        return drill if drill and self._ending is None and drill.is_on(self._clock.now_ms()) else None

    def start(
        self, reason: str, minutes: int, act: Act, *, may: bool, readiness: Readiness
    ) -> Drill | Refusal:
        """In force on return."""
        with self._lock:
            begun = self._checkout.start_drill(reason, minutes, act, may=may, readiness=readiness)
            if isinstance(begun, Drill):
                self._drill, self._ending, self.untold = begun, None, None
                self._tally = self._kept = NOTHING_NOTICED
        self._changed()
        return begun

    def end(self, cause: Cause, by: StaffId | None = None) -> Over | None:
        """None: none went on. StorageFullFault where it cannot be written; it cuts nothing any more."""
        with self._lock:
            over = self._end(cause, by)
        self._changed()
        return over

    def _end(self, cause: Cause, by: StaffId | None = None) -> Over | None:
        drill = self._drill
        if drill is None:
            return None
        # What it was first: an outage, say, whose entry the full disk takes only later.
        self._ending = self._ending or cause
        ended = self._checkout.end_drill(self._ending, tally=self._tally, by=by)
        self._drill, self._ending = None, None
        self._tally = self._kept = NOTHING_NOTICED
        if isinstance(ended, Refusal):
            return None
        self.last = Over(drill, ended, self._clock.now_ms())
        self.untold = self.last if cause in BY_ITSELF else None
        return self.last

    def look(self, *, line_is_away: bool, by_hand: bool) -> bool:
        """End it where it is due; whether it was. StorageFullFault as `end`."""
        drill = self._drill
        if drill is None:
            return False
        cause = self._ending or states.due(
            drill, self._clock.now_ms(), line_is_away=line_is_away, by_hand=by_hand
        )
        if cause is None:
            self._keep()
        return cause is not None and self.end(cause) is not None

    def _keep(self) -> None:
        """What was noticed since the last look; nobody waits for it."""
        with self._lock:
            if self._tally == self._kept:
                return
            try:
                self._checkout.keep_drill_tally(self._tally)
            except StorageFullFault:
                return  # only a restart would need it
            self._kept = self._tally

    def signed_out(self, person: StaffId) -> None:
        """Whoever started it left the till."""
        drill = self._drill
        if drill is not None and drill.by == person:
            self.end("signed-out", person)

    def accept(self, at_ms: int) -> bool:
        """That it ended was read; whether that was it."""
        if self.untold is None or self.untold.at_ms != at_ms:
            return False
        self.untold = None
        return True

    # ---- what is noticed -----------------------------------------------------------------------

    def waited(self, wait_ms: int) -> None:
        """Somebody waited so long for an answer."""
        self._note(lambda tally: tally.waited(wait_ms))

    def said_no(self, operation: str, sentence: str) -> None:
        """Something could not be done."""
        self._note(lambda tally: tally.said_no(operation, sentence))

    def _note(self, noted: Callable[[Tally], Tally]) -> None:
        with self._lock:
            if self.on is not None:
                self._tally = noted(self._tally)
