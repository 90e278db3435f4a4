"""Keeps the embedded database running: where it was killed, it is started again, and recovers."""

import threading

import structlog

from holdfast.core.faults import Fault
from holdfast.infra.postgres.launcher import EmbeddedPostgres

LOOK_S = 0.25
RETRY_S = 5.0
"""After a start that failed: a full disk does not empty by itself at once."""
_log = structlog.get_logger(__name__)


class ServerKeeper:
    """A thread that looks after one server until `stop`, which ends the server too."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keep-postgres", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        pause_s = LOOK_S
        while not self._stopped.wait(pause_s):
            pause_s = LOOK_S
            if self._server.alive():
                continue
            _log.warning("the database server ended; starting it again")
            try:
                self._server.start()
            except Fault as fault:
                pause_s = RETRY_S
                _log.error("the database server does not start", code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        """Let go of the server and end it in order."""
        self._stopped.set()
        self._thread.join()
        self._server.stop()
