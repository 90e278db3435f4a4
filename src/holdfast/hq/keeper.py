"""Keeps the embedded database running: where it was killed or its disk was full, it is started again, and
recovers."""

import threading

import structlog

from holdfast.core.faults import Fault, StorageFullFault, UnavailableFault
from holdfast.infra.postgres.launcher import EmbeddedPostgres

LOOK_S = 0.25
RETRY_S = 5.0
"""After a start that failed: a full disk does not empty by itself at once."""
_log = structlog.get_logger(__name__)


class ServerKeeper:
    """A thread that looks after one server from `start` until `stop`, which ends the server too."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._stopped = threading.Event()
        self._why_down: Fault | None = None
        self._thread = threading.Thread(target=self._keep, name="keep-postgres", daemon=True)

    def start(self) -> None:
        """Look after the server from now on."""
        self._thread.start()

    def fault(self) -> Fault | None:
        """Why the database is down; None: it is up, as far as is known. Nobody then waits in vain for it."""
        why = self._why_down
        return None if why is None else type(why)(why.sentence)

    def _keep(self) -> None:
        pause_s = LOOK_S
        while not self._stopped.wait(pause_s):
            pause_s = LOOK_S
            if self._server.alive():
                continue
            if self._why_down is None:
                self._why_down = UnavailableFault("The database ended, and is being started again.")
            _log.warning("the database server ended; starting it again")
            try:
                self._server.start()
            except Fault as fault:
                pause_s = RETRY_S
                self._why_down = _told(fault)
                _log.error("the database server does not start", code=fault.code, fault=fault.sentence)
            else:
                self._why_down = None
                _log.info("the database server is up again")

    def stop(self) -> None:
        """Let go of the server and end it in order."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._server.stop()


def _told(fault: Fault) -> Fault:
    """For whoever asks the database meanwhile: each may ask again, whatever keeps it from starting."""
    if isinstance(fault, StorageFullFault):
        return StorageFullFault(
            "The disk of head office's database is full. Make room on it: all goes on by itself within "
            "seconds, and nothing is lost, because registers keep what they sold."
        )
    return UnavailableFault(f"Head office's database does not start. {fault.sentence}")
