"""Named queries from `.sql` files beside the code that uses them, so that a DBA can read all SQL.

A file holds queries such as

    -- name: cursor_of(origin, epoch)^
    -- How far this epoch is stored.
    select seq from cursor where origin = :origin and epoch = :epoch;

The sign after the parameters says what comes back: nothing: a list of rows; `^`: one row or None; `$`: one
value or None; `!`: how many rows changed; `*!`: the same for a sequence of parameters; `<!`: the row of
`returning` (or its only column); `#`: a script without parameters. The parameter list is mandatory, also
when it is empty.
"""

import enum
import importlib.resources
from collections.abc import Callable
from typing import Any, Protocol, cast

import aiosql
import apsw
from aiosql.adapters.generic import GenericAdapter
from aiosql.adapters.pyformat import PyFormatAdapter


class Queries(Protocol):
    """Every query of the file is a function: `queries.cursor_of(conn, origin=…, epoch=…)`."""

    def __getattr__(self, name: str, /) -> Callable[..., Any]: ...


class _EagerRows(GenericAdapter):
    """Rows as a list: aiosql's generator would run the statement only when somebody looks at the rows."""

    def select(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> list[Any]:
        return list(super().select(conn, query_name, sql, parameters, record_class))


class _Psycopg(_EagerRows, PyFormatAdapter):  # pyright: ignore[reportIncompatibleMethodOverride]
    """psycopg 3, where a literal `%` may be written as such."""

    def process_sql(self, query_name: str, op_type: Any, sql: str) -> str:
        return super().process_sql(query_name, op_type, sql.replace("%", "%%"))


class _DroppedCursor(apsw.Cursor):
    """A cursor that ends when nobody holds it.

    apsw 3.54 never frees one that was closed explicitly, as aiosql does: 0.2 KB a query, which is hundreds of
    megabytes a day in a register that looks at its databases a few times a second.
    """

    __slots__ = ()

    def close(self, force: bool = False) -> None:
        """Left to the end of its last reference, a moment later."""


class _Apsw(_EagerRows):
    """apsw, whose cursors do not count the rows they change."""

    def _cursor(self, conn: Any) -> apsw.Cursor:
        return _DroppedCursor(conn)

    def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> int:
        before = conn.total_changes()
        conn.execute(sql, parameters)
        return conn.total_changes() - before

    def insert_update_delete_many(self, conn: Any, query_name: str, sql: str, parameters: Any) -> int:
        before = conn.total_changes()
        conn.executemany(sql, parameters)
        return conn.total_changes() - before


class Engine(enum.Enum):
    """The database whose SQL a file holds."""

    POSTGRES = _Psycopg
    SQLITE = _Apsw


def load_queries(package: str, file: str, engine: Engine) -> Queries:
    """The queries of `file` in `package`: such as `close.sql` in `holdfast.hq.close`."""
    text = importlib.resources.files(package).joinpath(file).read_text(encoding="utf-8")
    return cast("Queries", aiosql.from_str(text, engine.value, mandatory_parameters=True))
