"""Threads of the service: stale locks are released, and central value is proved, again and again."""

import structlog

from holdfast.hq.central.after_loss import AfterLoss
from holdfast.hq.central.locks import LockBook
from holdfast.hq.central.proof import ProofBook
from holdfast.hq.regular import RegularWork
from holdfast.infra.clock import Clock

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 60.0
ANSWERED_EVERY_S = 5.0
PROVE_EVERY_S = 5.0
"""Between two pieces of a run."""
RUN_EVERY_MS = 3_600_000
"""Between the end of one run and the beginning of the next."""


class LockKeeper(RegularWork):
    """Releases what the policy calls stale, until `stop`."""

    def __init__(self, locks: LockBook, every_s: float = LOOK_EVERY_S) -> None:
        self._locks = locks
        super().__init__("keep-locks", "stale locks are not looked at", every_s, first_s=every_s)

    def _turn(self) -> bool:
        released, more = self._locks.release_stale()
        if released:
            _log.info("stale locks are released", count=released)
        return self._locks.forget_asks() or more


class AfterLossKeeper(RegularWork):
    """After a loss of state: notes which registers have answered, until `stop`."""

    def __init__(self, after_loss: AfterLoss, every_s: float = ANSWERED_EVERY_S) -> None:
        self._after_loss = after_loss
        super().__init__("after-loss", "it is not known who has answered", every_s)

    def _turn(self) -> bool:
        self._after_loss.look()
        return False


class ProofKeeper(RegularWork):
    """Proves piece by piece, until `stop`."""

    def __init__(self, proof: ProofBook, clock: Clock, every_s: float = PROVE_EVERY_S) -> None:
        self._proof = proof
        self._clock = clock
        super().__init__("prove-value", "central value is not proved", every_s, first_s=every_s)

    def _turn(self) -> bool:
        last = self._proof.runs(1)
        ended_ms = last[0].ended_at_ms if last else None
        if ended_ms is None or self._clock.now_ms() - ended_ms >= RUN_EVERY_MS:
            self._proof.step()
        return False
