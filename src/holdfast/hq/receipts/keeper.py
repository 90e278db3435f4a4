"""A thread of the service that publishes registers' keys and looks for receipts used twice."""

import threading

import structlog

from holdfast.core.faults import Fault
from holdfast.hq.receipts.doubles import AT_ONCE, check_returns
from holdfast.hq.receipts.keys import RegisterKeys
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool

LOOK_EVERY_S = 2.0
_log = structlog.get_logger(__name__)


class ReceiptKeeper:
    """Works from its making until `stop`."""

    def __init__(self, pool: Pool, keys: RegisterKeys, clock: Clock, every_s: float = LOOK_EVERY_S) -> None:
        self._pool = pool
        self._keys = keys
        self._clock = clock
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keep-receipts", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        pause_s = 0.0
        while not self._stopped.wait(pause_s):
            pause_s = self._every_s
            try:
                self._keys.publish()
                if check_returns(self._pool, self._clock) == AT_ONCE:
                    pause_s = 0.0
            except Fault as fault:  # the next time may go well
                _log.warning("receipts are not looked at", code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
