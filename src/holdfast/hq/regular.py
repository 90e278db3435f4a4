"""A thread of the service that does one thing again and again, and at once where more is waiting."""

import threading
from abc import ABC, abstractmethod

import structlog

from holdfast.core.faults import Fault

_log = structlog.get_logger(__name__)


class RegularWork(ABC):
    """Works from its making until `stop`. Its own parts are to be there before it is made."""

    def __init__(self, name: str, trouble: str, every_s: float, *, first_s: float = 0.0) -> None:
        """`trouble`: what a fault means, for the log; `first_s`: before the first turn."""
        self._trouble, self._every_s, self._first_s = trouble, every_s, first_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)
        self._thread.start()

    @abstractmethod
    def _turn(self) -> bool:
        """Do what is there, up to a bound; whether more may be waiting."""

    def _keep(self) -> None:
        pause_s = self._first_s
        while not self._stopped.wait(pause_s):
            pause_s = self._every_s
            try:
                if self._turn():
                    pause_s = 0.0
            except Fault as fault:  # the next time may go well
                _log.warning(self._trouble, code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        """After the turn that goes on now."""
        self._stopped.set()
        self._thread.join()
