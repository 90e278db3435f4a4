"""Stock levels: what batches added is folded into one row a store and code, now and then.

Ingest only appends to `stock_change`. The view `stock_level` is right whether or not anything is folded.
"""

import threading

import structlog

from holdfast.core.faults import Fault
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "stock.sql", Engine.POSTGRES)

FOLD_EVERY_S = 10.0
"""After a long drain the processor is others' again."""
FOLD_ROWS = 50_000
"""In one transaction, which takes some tenths of a second."""
_log = structlog.get_logger(__name__)


def fold(pool: Pool, at_most: int = FOLD_ROWS) -> int:
    """Fold so many changes at the most; how many there were. None where another process folds just now."""
    with pool.connection() as conn:
        return _sql.fold(conn, at_most=at_most) if _sql.may_fold(conn) else 0


class StockKeeper:
    """A thread that folds what there is, until `stop`."""

    def __init__(self, pool: Pool, every_s: float = FOLD_EVERY_S) -> None:
        self._pool = pool
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="fold-stock", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        pause_s = self._every_s
        while not self._stopped.wait(pause_s):
            pause_s = self._every_s
            try:
                if fold(self._pool) == FOLD_ROWS:
                    pause_s = 0.0
            except Fault as fault:  # the next time may go well; the level is right meanwhile
                _log.warning("stock is not folded", code=fault.code, fault=fault.sentence)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
