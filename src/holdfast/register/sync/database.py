"""The queries of `reference.db`, and how they are run: as reads, or as one transaction."""

from collections.abc import Callable
from typing import Final, TypeVar

import apsw
import structlog

from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.infra.sqlite import faults, immediate

T = TypeVar("T")

QUERIES: Final[Queries] = load_queries("holdfast.register.sync", "reference.sql", Engine.SQLITE)
"""The named queries of `reference.sql`."""

_log = structlog.get_logger(__name__)


def sql_of(name: str) -> str:
    """A named query's text, for loops in which aiosql's call around it would cost as much as SQLite."""
    return getattr(QUERIES, name).sql


def read(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of reads, with the connection's errors as faults."""
    with faults(connection):
        return work()


def read_at_once(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of several reads that all see the same commit."""
    with faults(connection):
        connection.execute("begin")
        try:
            return work()
        finally:
            connection.execute("commit")


def write(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """The result of one transaction, all of it or nothing."""
    with immediate(connection):
        return work()
