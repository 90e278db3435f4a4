"""Connections to any PostgreSQL: only durable ones, and failures in our own words.

A pool serves threads. `with pool.connection() as conn:` is one transaction: committed at its end, rolled
back by an exception. The DSN must lead to PostgreSQL itself or to a pooler in session mode, because settings
of the session are relied upon.
"""

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from holdfast.core.faults import ConfigurationFault, DamagedFault, Fault, StorageFullFault, UnavailableFault

_OLDEST_VERSION = 140000
_DISK_FULL = "53100"
_DAMAGED = ("XX001", "XX002")
_DATA_CLASSES = ("22", "23")
_CONFLICT_CLASS = "40"
_RECONNECT_TIMEOUT_S = 2.0

Down = Callable[[], Fault | None]
"""Why a server is down, a new fault each time; None: it is not known to be."""

_STATE_SQL = """
select current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding'),
       current_setting('synchronous_commit'), pg_is_in_recovery()
"""


class Pool:
    """Connections for one purpose (ingest, services, probes): one busy purpose never starves another."""

    def __init__(self, pool: ConnectionPool[Connection[Any]], down: Down | None = None) -> None:
        self._pool = pool
        self._down = down

    @contextlib.contextmanager
    def connection(self, timeout_s: float | None = None) -> Iterator[Connection[Any]]:
        """One transaction on a durable connection, waited for at most `timeout_s` (default: the pool's).

        psycopg's connection errors become Faults; its data errors (`is_data_error`) and programming errors
        pass. Where the server is known to be down, its fault comes at once.
        """
        fault = None if self._down is None else self._down()
        if fault is not None:
            raise fault
        with translated_faults(), self._pool.connection(timeout_s) as conn:
            yield conn

    def stats(self) -> dict[str, int]:
        """psycopg_pool's counters, such as `pool_size`, `requests_waiting`, `requests_errors`."""
        return self._pool.get_stats()

    def close(self, timeout_s: float = 5.0) -> None:
        """Close all connections; those in use are closed when they come back."""
        self._pool.close(timeout_s)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_pool(
    dsn: str | Callable[[], str],
    *,
    name: str,
    max_size: int = 8,
    min_size: int = 1,
    timeout_s: float = 5.0,
    max_waiting: int = 1000,
    statement_timeout_s: float | None = None,
    down: Down | None = None,
) -> Pool:
    """A pool of durable connections to a database that answered just now.

    `dsn` may be asked for anew for each connection: an embedded server that was started again has another.
    `down` says why the server is down where somebody knows. `name` appears as `application_name` in
    PostgreSQL. `timeout_s` bounds the wait for a connection, `max_waiting` the queue for one. Raises
    UnavailableFault or ConfigurationFault at once, rather than at the first use.
    """
    options = connection_options(name, statement_timeout_s)
    connect(dsn() if callable(dsn) else dsn, name=name).close()
    pool = ConnectionPool(
        dsn,
        connection_class=Connection[Any],
        kwargs=options,
        configure=check_durable,
        # After a restart of the server no caller meets a dead connection.
        check=ConnectionPool.check_connection,
        min_size=min_size,
        max_size=max_size,
        timeout=timeout_s,
        max_waiting=max_waiting,
        # Then the next request tries anew: a server that was down for hours is found again at once.
        reconnect_timeout=_RECONNECT_TIMEOUT_S,
        name=f"holdfast-{name}",
        open=True,
    )
    return Pool(pool, down)


def connect(dsn: str, *, name: str, autocommit: bool = False) -> Connection[Any]:
    """One durable connection outside any pool. Faults as for `open_pool`."""
    with translated_faults():
        conn = psycopg.connect(dsn, autocommit=autocommit, **connection_options(name))
        with _closed_on_failure(conn):
            check_durable(conn)
        return conn


def connection_options(name: str, statement_timeout_s: float | None = None) -> dict[str, Any]:
    """What every connection of ours asks for; a dead network is noticed within about 15 s."""
    options: dict[str, Any] = {
        "application_name": f"holdfast {name}",
        "client_encoding": "UTF8",
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
    }
    if statement_timeout_s is not None:
        options["options"] = f"-c statement_timeout={int(statement_timeout_s * 1000)}"
    return options


def check_durable(conn: Connection[Any]) -> None:
    """Refuse a server that may lose an acknowledged sale (P1), and make this session's commits durable.

    ConfigurationFault for a setting, UnavailableFault for a standby (a failover may be under way). The
    connection is idle afterwards.
    """
    version = conn.info.server_version
    if version < _OLDEST_VERSION:
        raise ConfigurationFault(
            f"The PostgreSQL server at {where(conn)} has version {version // 10000}; Holdfast needs 14 or "
            "newer."
        )
    row = conn.cursor(row_factory=tuple_row).execute(_STATE_SQL).fetchone()
    assert row is not None, "a select without from has one row"
    fsync, full_page_writes, encoding, synchronous_commit, is_standby = row
    for setting, value in (("fsync", fsync), ("full_page_writes", full_page_writes)):
        if value != "on":
            raise ConfigurationFault(
                f"The PostgreSQL server at {where(conn)} runs with {setting} = {value}, so a power cut "
                "could lose "
                f"sales that registers have already deleted. Set {setting} = on in postgresql.conf and "
                "reload it."
            )
    if encoding != "UTF8":
        raise ConfigurationFault(
            f"The database at {where(conn)} is encoded as {encoding}. Create it with: encoding 'UTF8' "
            "template template0."
        )
    if is_standby:
        raise UnavailableFault(f"The PostgreSQL server at {where(conn)} is a standby and takes no sales now.")
    if synchronous_commit != "remote_apply":  # stronger than `on`: leave it
        conn.execute("set synchronous_commit = on")
    conn.execute("set timezone = 'UTC'")
    conn.commit()


def where(conn: Connection[Any]) -> str:
    """The server and database in words for an operator, without the password."""
    return f"{conn.info.host or 'this machine'}, database {conn.info.dbname}"


# ---- psycopg's errors in our words -------------------------------------------------------------


def is_data_error(error: BaseException) -> bool:
    """Whether one record's data is at fault (SQLSTATE classes 22 and 23), so that it alone is quarantined.

    Also what psycopg finds wrong before it sends anything: a NUL in a text, a lone surrogate, a number too
    large. But beware: in a binary COPY psycopg 3.3 cuts a number that is too large for int2 or int4 without
    a word, so binary COPY takes int8 columns, or numbers checked before.
    """
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return error.sqlstate.startswith(_DATA_CLASSES)
    return isinstance(error, psycopg.DataError | UnicodeEncodeError | OverflowError)


def fault_of(error: psycopg.Error) -> Fault | None:
    """The Fault for an error of the connection or the server; None for errors of data or of our SQL."""
    said = str(error).partition("\n")[0]
    if error.sqlstate == _DISK_FULL:
        return StorageFullFault(
            "The PostgreSQL server's disk is full. Make room; sales wait at the registers."
        )
    if error.sqlstate in _DAMAGED:
        return DamagedFault(
            f"PostgreSQL cannot read part of its data: {said}. Keep a copy of its folder, look at the disk, "
            "and bring the newest backup back: holdfast hq restore. What that lacks the registers send again."
        )
    if error.sqlstate is not None and error.sqlstate.startswith(_CONFLICT_CLASS):
        return UnavailableFault(f"PostgreSQL gave up this transaction for the sake of another: {said}")
    if isinstance(error, psycopg.OperationalError):
        return UnavailableFault(f"PostgreSQL does not answer: {said}")
    return None


@contextlib.contextmanager
def translated_faults() -> Iterator[None]:
    """Raise the Fault for psycopg's errors of connection and server; let all others pass."""
    try:
        yield
    except psycopg.Error as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from error


@contextlib.contextmanager
def _closed_on_failure(conn: Connection[Any]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.callback(conn.close)
        yield
        stack.pop_all()


def same_database(dsn: str, dbname: str) -> str:
    """The same server's other database, as a DSN."""
    return make_conninfo(dsn, dbname=dbname)
