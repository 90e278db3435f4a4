"""What people did with central value: one row each, in the transaction of what was done, never changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "audit.sql", Engine.POSTGRES)

LISTED_MAX = 200


class Act(NamedTuple):
    """One row."""

    at_ms: int
    by: str
    act: str
    kind: str
    account: str
    key: str
    store: str
    detail: str
    reason: str


def note(
    conn: psycopg.Connection[Any],
    at_ms: int,
    by: str,
    act: str,
    *,
    kind: str = "",
    account: str = "",
    key: str = "",
    store: str = "",
    detail: str = "",
    reason: str = "",
) -> None:
    """Keep what was done, by whom and why."""
    _sql.note(
        conn, at_ms=at_ms, by=by, act=act, kind=kind, account=account, key=key, store=store, detail=detail,
        reason=reason,
    )  # fmt: skip


def acts(
    pool: Pool, *, kind: str = "", account: str = "", act: str = "", store: str = "", limit: int = LISTED_MAX
) -> Sequence[Act]:
    """The newest first; of one account, one act or one store where these are named."""
    with pool.connection() as conn:
        rows = _sql.acts(conn, kind=kind, account=account, act=act, store=store, limit=limit)
        return [Act(*row) for row in rows]
