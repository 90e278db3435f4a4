"""Stock levels: what batches added is folded into one row a store and code, now and then.

Ingest only appends to `stock_change`. The view `stock_level` is right whether or not anything is folded.
"""

from holdfast.hq.regular import RegularWork
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.stock", "keeper.sql", Engine.POSTGRES)

FOLD_EVERY_S = 10.0
"""After a long drain the processor is others' again."""
FOLD_ROWS = 50_000
"""In one transaction, which takes some tenths of a second."""


def fold(pool: Pool, at_most: int = FOLD_ROWS) -> int:
    """Fold so many changes at the most; how many there were. None where another process folds just now."""
    with pool.connection() as conn:
        return _sql.fold(conn, at_most=at_most) if _sql.may_fold(conn) else 0


class StockKeeper(RegularWork):
    """Folds what there is, until `stop`. The level is right meanwhile."""

    def __init__(self, pool: Pool, every_s: float = FOLD_EVERY_S) -> None:
        self._pool = pool
        super().__init__("fold-stock", "stock is not folded", every_s, first_s=every_s)

    def _turn(self) -> bool:
        return fold(self._pool) == FOLD_ROWS
