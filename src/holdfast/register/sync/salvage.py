"""What can still be read of a damaged `reference.db`, so that a till without a line sells on.

Its catalogue, staff and prices are kept under no incarnation, so that head office sends all anew at the next
contact; receipts, requests and commands as they are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import structlog

from holdfast.core.faults import Fault
from holdfast.core.ids import IncarnationId
from holdfast.core.sync.feed import FEEDS
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import UNREADABLE, open_database
from holdfast.register.sync.database import QUERIES, write
from holdfast.register.sync.feed_rows import put_row
from holdfast.register.sync.feed_store import CHUNK_ROWS

SALVAGED = IncarnationId("")
"""The incarnation of salvaged feeds: no head office is in it."""

_TABLES = ("incarnation", "receipt", "signed_head", "request", "command", "link_state", "customer_gone")
_GENERATION = 1
_NEWEST = "select generation, made_ms, checked_ms from feed_version where feed = ? and is_current = 1"
_FEED = "select key, body from feed_row where feed = ? and generation = ? order by feed, generation, key"
_GONE = (*UNREADABLE, apsw.SQLError, apsw.ConstraintError, apsw.MismatchError)
"""What reading a damaged file may meet: pages, also those of its schema, and rows that are no rows."""

_log = structlog.get_logger(__name__)


def salvage(damaged: Path, key: DatabaseKey, into: apsw.Connection) -> None:
    """Copy what can be read. Nothing of it is needed, so nothing here fails."""
    try:
        source = open_database(damaged, key, read_only=True)
    except Fault as fault:
        _log.warning("reference.nothing-salvaged", path=str(damaged), cause=fault.sentence)
        return
    try:
        for table in _TABLES:
            _copy_table(source, into, table)
        for feed in FEEDS:
            _copy_feed(source, into, feed)
    finally:
        source.close()


def _copy_table(source: apsw.Connection, into: apsw.Connection, table: str) -> None:
    old, new = _columns(source, table), _columns(into, table)
    shared = [name for name in new if name in old]
    if not shared:
        return
    names = ", ".join(shared)
    statement = f"insert or replace into {table} ({names}) values ({', '.join('?' * len(shared))})"
    keys = [name for name in new if new[name]] or ["rowid"]

    def store() -> None:
        for row in _rows(source, f"select {names} from {table} not indexed order by {', '.join(keys)}", ()):
            try:
                into.execute(statement, row)
            except apsw.ConstraintError:
                continue

    write(into, store)


def _columns(connection: apsw.Connection, table: str) -> dict[str, int]:
    """Name → its place in the primary key, or 0."""
    try:
        rows: list[Any] = connection.execute(f"pragma table_info({table})").fetchall()
    except _GONE:
        return {}
    return {name: key for _, name, _, _, _, key in rows}


def _copy_feed(source: apsw.Connection, into: apsw.Connection, feed: str) -> None:
    found = list(_rows(source, _NEWEST, (feed,)))
    if not found:
        return
    [(generation, made_ms, checked_ms)] = found

    def begin() -> None:
        QUERIES.add_staged(into, feed=feed, generation=_GENERATION, incarnation=SALVAGED)
        QUERIES.advance_version(
            into, feed=feed, generation=_GENERATION, n=0, made_ms=made_ms, checked_ms=checked_ms
        )
        QUERIES.make_current(into, feed=feed, generation=_GENERATION)

    def put(rows: list[Any]) -> None:
        for key, body in rows:
            put_row(into, feed, _GENERATION, key, body)

    write(into, begin)
    chunk: list[Any] = []
    for row in _rows(source, _FEED, (feed, generation)):
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            write(into, lambda rows=chunk: put(rows))
            chunk = []
    write(into, lambda: put(chunk))


def _rows(source: apsw.Connection, statement: str, values: tuple[Any, ...]) -> Iterator[Any]:
    """Rows up to a page that cannot be read, then from the end back to one. Of an ordered statement."""
    try:
        yield from source.execute(statement, values)
        return
    except _GONE as error:
        _log.warning("reference.page-lost", statement=statement, cause=str(error))
    head, found, order = statement.rpartition(" order by ")
    if not found:
        return
    back = ", ".join(f"{name} desc" for name in order.split(", "))
    try:
        yield from source.execute(f"{head} order by {back}", values)
    except _GONE:
        return
