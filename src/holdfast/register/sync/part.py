"""A part of the sync process: a thread that takes turns until it is told to stop.

Whatever goes wrong in a turn is said on the board, the part waits a little longer each time, and
goes on. Only a bug ends it, and then the whole process, which its parent starts again.
"""

import threading
from abc import ABC, abstractmethod

import structlog

from holdfast.core.faults import Fault
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.http import LostFault
from holdfast.register.sync.board import Board

BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
LOST_IN_A_ROW = 3
"""A lost call or two is the line's matter, which the connection shows; from here on it is this part's."""

_log = structlog.get_logger(__name__)


class Part(threading.Thread, ABC):
    """Subclasses take `turn`s and may `reset` what a fault could have left in disorder."""

    def __init__(self, name: str, board: Board, clock: Clock, randomness: Randomness) -> None:
        super().__init__(name=f"holdfast-{name}", daemon=True)
        self.part = name
        self._board = board
        self._clock = clock
        self._randomness = randomness
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0

    @abstractmethod
    def turn(self) -> float:
        """Do what is to be done; seconds until the next turn, unless woken before."""

    def reset(self) -> None:
        """After a fault: let go of connections that may be in disorder."""

    def close(self) -> None:
        """At the end, in the part's own thread."""

    def interrupt(self) -> None:
        """From another thread: give up the call that is on its way."""

    def wake(self) -> None:
        """Take a turn at once."""
        self._wake.set()

    def stop(self) -> None:
        """End soon; `join` afterwards."""
        self._stopping.set()
        self._wake.set()
        self.interrupt()

    def pause(self, wait_s: float) -> None:
        """Within a turn: wait, unless this part is to stop."""
        if wait_s > 0:
            self._stopping.wait(wait_s)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self) -> None:
        try:
            while not self.is_stopping:
                wait_s = self._try_turn()
                self._wake.wait(wait_s)
                self._wake.clear()
        finally:
            self.close()

    def _try_turn(self) -> float:
        try:
            wait_s = self.turn()
        except Fault as fault:
            self._failures += 1
            if not self.is_stopping:
                self._tell(fault)
            self.reset()
            return self._backoff_s()
        self._failures = 0
        self._board.well(self.part)
        return wait_s

    def _tell(self, fault: Fault) -> None:
        if isinstance(fault, LostFault) and (self._board.is_offline or self._failures < LOST_IN_A_ROW):
            return
        _log.warning("sync.part-failed", part=self.part, code=fault.code, fault=fault.sentence)
        self._board.fault(self.part, fault)

    def _backoff_s(self) -> float:
        ceiling = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self._failures - 1, 16))
        return ceiling * (0.5 + 0.5 * self.jitter())

    def jitter(self) -> float:
        """0 up to 1, so that many registers do not come back in step."""
        return int.from_bytes(self._randomness.bytes(4), "big") / (1 << 32)
