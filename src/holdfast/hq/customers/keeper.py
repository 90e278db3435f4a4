"""A thread of the service that makes customers of what registers sent, and publishes what changed."""

import threading

import structlog

from holdfast.core.faults import Fault
from holdfast.hq.customers.book import PUBLISHED_AT_ONCE, SETTLED_AT_ONCE, CustomerBook

LOOK_EVERY_S = 2.0
_log = structlog.get_logger(__name__)


class CustomerKeeper:
    """Works from its making until `stop`."""

    def __init__(self, book: CustomerBook, every_s: float = LOOK_EVERY_S) -> None:
        self._book = book
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keep-customers", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        pause_s = 0.0
        while not self._stopped.wait(pause_s):
            pause_s = self._every_s
            try:
                settled, published = self._book.settle(), self._book.publish()
                if settled == SETTLED_AT_ONCE or published == PUBLISHED_AT_ONCE:
                    pause_s = 0.0
            except Fault as fault:  # the next time may go well
                _log.warning("customers are not looked at", code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
