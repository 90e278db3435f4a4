"""A thread of the service that publishes registers' keys and looks for receipts used twice."""

from holdfast.hq.receipts.doubles import AT_ONCE, check_returns
from holdfast.hq.receipts.keys import RegisterKeys
from holdfast.hq.regular import RegularWork
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool

LOOK_EVERY_S = 2.0


class ReceiptKeeper(RegularWork):
    """Works from its making until `stop`."""

    def __init__(self, pool: Pool, keys: RegisterKeys, clock: Clock, every_s: float = LOOK_EVERY_S) -> None:
        self._pool, self._keys, self._clock = pool, keys, clock
        super().__init__("keep-receipts", "receipts are not looked at", every_s)

    def _turn(self) -> bool:
        self._keys.publish()
        return check_returns(self._pool, self._clock) == AT_ONCE
