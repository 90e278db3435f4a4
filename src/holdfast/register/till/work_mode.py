"""How somebody chose that this register works, as its database keeps it (SW3)."""

import apsw

from holdfast.core.ids import StaffId
from holdfast.core.work_mode import WorkMode
from holdfast.infra.queries import Engine, load_queries

_QUERIES = load_queries(__name__.rpartition(".")[0], "work_mode.sql", Engine.SQLITE)


def read_work_mode(connection: apsw.Connection) -> WorkMode:
    """The choice in force."""
    work, since_ms, reason, by = _QUERIES.work_mode(connection)
    return WorkMode(work=work, since_ms=since_ms, reason=reason, by=StaffId(by))


def write_work_mode(connection: apsw.Connection, chosen: WorkMode) -> None:
    """Keep it, within the transaction of its entry."""
    _QUERIES.set_work_mode(
        connection, work=chosen.work, since_ms=chosen.since_ms, reason=chosen.reason, by=chosen.by
    )
