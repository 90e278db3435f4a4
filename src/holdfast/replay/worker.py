"""One register of a replay as a process of its own: checkout here, sync in its child, as when it serves.

    python -m holdfast.replay.worker HOME DOCUMENTS WAIT_S

`DOCUMENTS` holds one JSON document a line. It may be killed at any moment and started again: what
the register's database holds is passed over.
"""

import signal
import sys
import time
from pathlib import Path

import msgspec

from holdfast.core.faults import Fault
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, load_config
from holdfast.infra.logs import configure_logs
from holdfast.register.checkout import AlreadyRecorded, Checkout
from holdfast.replay.cashier import Cashier
from holdfast.replay.history import HistoryDocument
from holdfast.replay.link import Link
from holdfast.replay.progress import NOT_DRAINED_RC, REFUSED_SHOWN, Progress, Stage, encoder
from holdfast.replay.spool import read_documents

TEND_S = 0.2
"""Between two looks at what sync asks for, and two lines of progress."""


class Worker:
    """Enters one file of documents, then waits until head office has them."""

    def __init__(self, checkout: Checkout, link: Link) -> None:
        self._checkout = checkout
        self._link = link
        self._cashier = Cashier(checkout)
        self._progress = Progress()
        self._tended_s = 0.0

    def run(self, documents: Path, wait_s: float) -> bool:
        """False where head office lacks something after `wait_s`. 0: do not wait."""
        for document in read_documents(documents):
            self._enter(document)
            if time.monotonic() - self._tended_s >= TEND_S:
                self._link.wake()
                self._tend()
        self._cashier.finish()
        self._link.wake()
        drained = self._drain(wait_s)
        self._change(stage=Stage.DONE)
        self._tend()
        return drained or not wait_s

    def _enter(self, document: HistoryDocument) -> None:
        answer = self._cashier.enter(document)
        progress = self._progress
        if isinstance(answer, AlreadyRecorded):
            self._change(known=progress.known + 1)
        elif isinstance(answer, Refusal):
            reason = f"{document.reference}: {answer.sentence}"
            refused = (*progress.refused, reason)[:REFUSED_SHOWN]
            self._change(refusals=progress.refusals + 1, refused=refused)
        else:
            self._change(recorded=progress.recorded + 1)

    def _drain(self, wait_s: float) -> bool:
        self._change(stage=Stage.DRAINING)
        deadline_s = time.monotonic() + wait_s
        while time.monotonic() < deadline_s:
            self._tend()
            if self._link.is_drained():
                return True
            time.sleep(TEND_S / 2)
        return False

    def _tend(self) -> None:
        self._link.tend(self._checkout)
        self._checkout.tidy()
        self._change(owed=self._link.owed())
        sys.stdout.buffer.write(encoder.encode(self._progress) + b"\n")
        sys.stdout.buffer.flush()
        self._tended_s = time.monotonic()

    def _change(self, **changes: object) -> None:
        self._progress = msgspec.structs.replace(self._progress, **changes)


def main(home_dir: Path, documents: Path, wait_s: float) -> int:
    """The process's exit code."""
    home = RegisterHome(home_dir)
    config = load_config(home.config, RegisterConfig)
    clock = SystemClock(config.timezone)
    with exclusive(home.lock):
        checkout = Checkout.open(home, clock=clock, randomness=SystemRandomness())
        try:
            with Link(home, clock) as link:
                return 0 if Worker(checkout, link).run(documents, wait_s) else NOT_DRAINED_RC
        finally:
            checkout.close()


if __name__ == "__main__":
    configure_logs()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
    except Fault as fault:
        sys.stderr.write(f"{fault.sentence}\n")
        sys.exit(1)
