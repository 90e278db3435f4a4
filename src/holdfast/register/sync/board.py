"""The board: what every part of the sync process tells of the line, in memory, behind one lock.

No part waits for the disk to say something here. The process's main thread writes the board into
`link_state`, so that a full disk or a busy database delays what is shown and nothing else.
"""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from holdfast.core import connection as states
from holdfast.core.connection import START, Connection, Mode, Thresholds
from holdfast.core.faults import DamagedFault, Fault
from holdfast.core.journal.bodies import ConnectionChanged
from holdfast.core.reach import Reach
from holdfast.core.work_mode import WorkMode
from holdfast.infra.clock import Clock
from holdfast.register.sync.status import PastTrouble, Tried, Trouble

CHANGES_MAX = 1_000
"""Changes of mode that wait to be journalled; while the disk is full the oldest go."""
IN_USE_MS = 120_000
"""A till counts as in use for so long after somebody touched it."""
CONTACT_EVERY_MS = 5_000
"""How often a contact that changes nothing else is written down."""

PAST_MAX = 12
"""Troubles that are remembered after they passed."""

APART_MS = 400
"""Failures, or answers on a line held to be dead, count as one within this time: a break of a tenth of a
second resets every connection at once, and is one failure, not four."""
LINE = "line."
"""How codes of faults begin that say no more than an outage does."""

OnReturn = Callable[[bool], None]
"""Called when head office answers again after a failure; whether the line was held to be dead."""


class Blocked(msgspec.Struct, frozen=True):
    """Why head office refuses this register."""

    code: str
    detail: str
    since_ms: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the board that is kept."""

    connection: Connection = Connection()
    last_contact_ms: int | None = None
    head_office_ms: int | None = None
    skew_ms: int | None = None
    blocked: Blocked | None = None
    problems: dict[str, Trouble] = {}
    past: tuple[PastTrouble, ...] = ()
    """The newest first."""
    reach: Reach | None = None
    """Where the line is broken; None: it is not, or nobody looked yet."""
    tried: Tried | None = None


class Changes(msgspec.Struct, frozen=True):
    """What is to be written: the state, and the changes of mode since the last time, with their times."""

    state: State
    modes: tuple[ConnectionChanged, ...]


class Board:
    """Shared by all threads of the sync process."""

    def __init__(self, clock: Clock, state: State, thresholds: Thresholds | None = None) -> None:
        self._clock = clock
        self._thresholds = thresholds or Thresholds()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._state = state
        self._written = state
        self._modes: deque[ConnectionChanged] = deque(maxlen=CHANGES_MAX)
        self._on_return: list[OnReturn] = []
        self._used_ms: int | None = clock.monotonic_ms()
        self._failed_ms: int | None = None
        self._succeeded_ms: int | None = None
        self._owing = True
        self._asked = False
        self._woken = False
        self.damaged: DamagedFault | None = None
        """The last one that a part met."""

    # ---- the line --------------------------------------------------------------------------------

    def on_return(self, tell: OnReturn) -> None:
        """`tell` must not wait: it is called in the thread that heard head office."""
        self._on_return.append(tell)

    def answered(self, latency_ms: int | None) -> None:
        """Head office answered a call or a probe; None: the time that it took says nothing of the line."""
        with self._lock:
            before = self._state.connection
            if before.successes and before.mode is Mode.OFFLINE and self._is_soon(self._succeeded_ms):
                return
            self._succeeded_ms = self._clock.monotonic_ms()
            after = states.on_success(before, latency_ms or 0, self._clock.now_ms(), self._thresholds)
            if latency_ms is None and after.mode is before.mode:
                after = msgspec.structs.replace(after, slow=before.slow, fast=before.fast)
            self._connect(after)
        if before.failures:
            was_dead = before.failures >= self._thresholds.failures_to_offline
            for tell in self._on_return:
                tell(was_dead)

    def lost(self, cause: str) -> None:
        """A call or a probe was refused, cut, or not answered in time."""
        with self._lock:
            before = self._state.connection
            if before.failures and self._is_soon(self._failed_ms):
                return
            self._failed_ms = self._clock.monotonic_ms()
            self._connect(states.on_failure(before, cause, self._clock.now_ms(), self._thresholds))

    def _is_soon(self, after_ms: int | None) -> bool:
        return after_ms is not None and self._clock.monotonic_ms() - after_ms < APART_MS

    def follow(self, chosen: WorkMode) -> bool:
        """Work as somebody chose; whether Online POS was just enabled, so that what is owed is sent now."""
        with self._lock:
            line = self._state.connection
            if chosen.is_offline:
                if not line.forced or line.resuming or line.since_ms != chosen.since_ms:
                    self._connect(states.force_offline(line, chosen.since_ms, f"by hand: {chosen.reason}"))
                return False
            is_new = line.forced and not line.resuming
            if is_new:
                self._connect(states.resume(line, self._clock.now_ms()))
            return is_new

    def _connect(self, after: Connection) -> None:
        before = self._state.connection
        if after.mode is Mode.OFFLINE and not after.forced and after.since_ms != before.since_ms:
            self._remember("line", "line.lost", after.cause)
            # A part that failed for the same cause is told of by the mode; once the line is back, and until
            # that part has its next turn, it would stand beside *Online*.
            told = {part: t for part, t in self._state.problems.items() if not t.code.startswith(LINE)}
            self._put(problems=told)
        if after.mode is not before.mode:
            self._modes.append(
                ConnectionChanged(before=before.mode.value, after=after.mode.value, cause=after.cause)
            )
        self._put(connection=after)

    @property
    def connection(self) -> Connection:
        with self._lock:
            return self._state.connection

    @property
    def is_offline(self) -> bool:
        """By the line, not by a person's choice."""
        connection = self.connection
        return connection.mode is Mode.OFFLINE and not connection.forced

    @property
    def is_down(self) -> bool:
        """Whether head office does not answer, as far as was tried, whatever a person chose."""
        connection = self.connection
        if connection.failures >= self._thresholds.failures_to_offline:
            return True
        return connection.mode is Mode.OFFLINE and not connection.forced and connection.cause != START

    def found(self, reach: Reach | None) -> None:
        """Where the line is broken."""
        with self._lock:
            if reach != self._state.reach:
                self._put(reach=reach)

    # ---- what is said over it --------------------------------------------------------------------

    def contact(self, head_office_ms: int, latency_ms: int) -> None:
        """Head office told its time."""
        now_ms = self._clock.now_ms()
        with self._lock:
            self._put(
                last_contact_ms=now_ms,
                head_office_ms=head_office_ms,
                skew_ms=head_office_ms - (now_ms - latency_ms // 2),
            )

    @property
    def head_office_ms(self) -> int | None:
        with self._lock:
            return self._state.head_office_ms

    def block(self, code: str, detail: str) -> None:
        """Head office refuses this register for a reason that sending again does not cure."""
        with self._lock:
            known = self._state.blocked
            since_ms = known.since_ms if known and known.code == code else self._clock.now_ms()
            self._put(blocked=Blocked(code, detail, since_ms))

    def unblock(self) -> None:
        with self._lock:
            self._put(blocked=None)

    # ---- what does not work ----------------------------------------------------------------------

    def trouble(self, part: str, code: str, sentence: str) -> None:
        """One part cannot do its work now."""
        with self._lock:
            known = self._state.problems.get(part)
            since_ms = known.since_ms if known and known.code == code else self._clock.now_ms()
            trouble = Trouble(code=code, sentence=sentence, since_ms=since_ms)
            if known is None or known.code != code:
                self._remember(part, code, sentence)
            self._put(problems={**self._state.problems, part: trouble})

    def fault(self, part: str, fault: Fault) -> None:
        """`trouble` as a fault says it."""
        if isinstance(fault, DamagedFault):
            self.damaged = fault
        self.trouble(part, fault.code, fault.sentence)

    def well(self, part: str) -> None:
        """It can again."""
        with self._lock:
            if part in self._state.problems:
                self._put(problems={name: t for name, t in self._state.problems.items() if name != part})

    def _remember(self, part: str, code: str, sentence: str) -> None:
        trouble = PastTrouble(part=part, code=code, sentence=sentence, at_ms=self._clock.now_ms())
        self._put(past=(trouble, *self._state.past)[:PAST_MAX])

    def ask(self) -> None:
        """A person wants to know how the next try goes."""
        self._asked = True

    def tried(self, fault: Fault | None) -> None:
        """How a try to reach head office went; told only to a person who asked."""
        if self._asked:
            self._asked = False
            with self._lock:
                sentence = "" if fault is None else fault.sentence
                self._put(tried=Tried(at_ms=self._clock.now_ms(), sentence=sentence))

    @property
    def problems(self) -> dict[str, Trouble]:
        with self._lock:
            return self._state.problems

    # ---- who is at the till ----------------------------------------------------------------------

    def used(self) -> None:
        """Somebody is at the till."""
        with self._lock:
            self._used_ms = self._clock.monotonic_ms()

    def owes(self, owing: bool) -> None:
        """Whether entries wait to be sent."""
        with self._lock:
            self._owing = owing
            if not owing:
                self._connect(states.on_drained(self._state.connection, self._clock.now_ms()))

    @property
    def is_active(self) -> bool:
        """In use or owing: probed often."""
        with self._lock:
            used_ms = self._used_ms
            return self._owing or (used_ms is not None and self._clock.monotonic_ms() - used_ms < IN_USE_MS)

    # ---- writing it down -------------------------------------------------------------------------

    def changes(self, timeout_s: float) -> Changes | None:
        """What is worth writing; waits for it, None after `timeout_s` without."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._is_worth_writing(), timeout_s)
            self._woken = False
            if not self._is_worth_writing():
                return None
            modes = tuple(self._modes)
            self._modes.clear()
            self._written = self._state
            return Changes(self._state, modes)

    def not_written(self, changes: Changes) -> None:
        """Writing failed: `changes` come again, merged with what changed since."""
        with self._lock:
            self._written = msgspec.structs.replace(
                self._written, connection=Connection(cause="not written"), last_contact_ms=None
            )
            self._modes.extendleft(reversed(changes.modes))

    def wake(self) -> None:
        """Let `changes` return now."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _is_worth_writing(self) -> bool:
        new, old = self._state, self._written
        if self._modes or _shown(new) != _shown(old):
            return True
        if new.last_contact_ms is None or new.last_contact_ms == old.last_contact_ms:
            return False
        since_ms = new.last_contact_ms - (old.last_contact_ms or 0)
        return not 0 <= since_ms < CONTACT_EVERY_MS

    def _put(self, **fields: object) -> None:
        self._state = msgspec.structs.replace(self._state, **fields)
        if self._is_worth_writing():
            self._changed.notify_all()


def _shown(state: State) -> tuple[object, ...]:
    """What people see of it."""
    line = state.connection
    return (
        line.mode,
        line.since_ms,
        line.cause,
        line.forced,
        state.blocked,
        state.problems,
        state.past,
        state.reach,
        state.tried,
    )
