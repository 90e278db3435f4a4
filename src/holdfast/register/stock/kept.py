"""`stock.db`: what is known of the store while offline, and what is being written. It can be told anew."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec
import structlog

from holdfast.core.faults import DatabaseFault
from holdfast.core.ids import EpochId, Sku
from holdfast.core.stock.services import Incoming, StockPage, StoreName
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, key_id_path
from holdfast.infra.migrations import load_migrations, migrate_sqlite
from holdfast.infra.sqlite import faults, immediate, open_database
from holdfast.register.stock.draft import Draft

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """As of when the store's figures are, and how far this register's own journal is in them."""

    incarnation: str
    version: int
    at_ms: int
    applied: Mapping[EpochId, int]
    incoming: tuple[Incoming, ...]
    stores: tuple[StoreName, ...]


class Kept:
    """One file, opened when it is first needed. Thread-safe."""

    def __init__(self, home: RegisterHome) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._connection: apsw.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # ---- what was told -----------------------------------------------------------------------

    def told(self) -> Told | None:
        """None: never yet."""
        row = self._one("select incarnation, version, at_ms, applied, incoming, stores from told")
        if row is None:
            return None
        incarnation, version, at_ms, applied, incoming, stores = row
        return Told(
            incarnation=incarnation, version=version, at_ms=at_ms,
            applied=msgspec.json.decode(applied, type=dict[EpochId, int]),
            incoming=msgspec.json.decode(incoming, type=tuple[Incoming, ...]),
            stores=msgspec.json.decode(stores, type=tuple[StoreName, ...]),
        )  # fmt: skip

    def level(self, sku: Sku) -> int:
        """What head office told of a product; nothing ever moved: 0."""
        row = self._one("select quantity_milli from level where sku = ?", (sku,))
        return 0 if row is None else row[0]

    def take(self, page: StockPage) -> None:
        """What changed, all as of its moment."""

        def work(connection: apsw.Connection) -> None:
            with immediate(connection):
                if page.is_whole:
                    connection.execute("delete from level")
                connection.executemany("insert or replace into level values (?, ?)", page.rows)
                texts = map(_text, (page.applied, page.incoming, page.stores))
                row = (page.incarnation, page.version, page.at_ms, *texts)
                connection.execute("insert or replace into told values (1, ?, ?, ?, ?, ?, ?)", row)

        self._ask(work)

    # ---- what is being written ---------------------------------------------------------------

    def draft(self, kind: str) -> Draft:
        """An empty one where nothing was begun."""
        row = self._one("select data from draft where kind = ?", (kind,))
        return Draft(kind=kind) if row is None else msgspec.json.decode(row[0], type=Draft)

    def put_draft(self, draft: Draft) -> None:
        row = (draft.kind, _text(draft))
        self._ask(
            lambda connection: connection.execute(
                "insert or replace into draft values (?, ?)", row
            ).fetchall()
        )

    def drop_draft(self, kind: str) -> None:
        self._ask(
            lambda connection: connection.execute("delete from draft where kind = ?", (kind,)).fetchall()
        )

    # ---- the file ----------------------------------------------------------------------------

    def _one(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        rows = self._ask(lambda connection: connection.execute(statement, values).fetchall())
        return rows[0] if rows else None

    def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        with self._lock:
            connection = self._connection
            if connection is None:
                connection = self._connection = _opened(self._home)
            with faults(connection):
                return work(connection)


def _opened(home: RegisterHome) -> apsw.Connection:
    """Made where there is none; one that cannot be read, or is of another version, is begun anew."""
    path, key = home.data / "stock.db", DatabaseKey.load(home.database_key)
    try:
        return _open(path, key)
    except DatabaseFault as fault:
        _log.warning("stock.db is begun anew", fault=fault.sentence)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        key_id_path(path).unlink(missing_ok=True)
        return _open(path, key)


def _open(path: Path, key: DatabaseKey) -> apsw.Connection:
    connection = open_database(path, key, create=True)
    opened = False
    try:
        migrate_sqlite(connection, load_migrations("holdfast.register.stock"))
        opened = True
    finally:
        if not opened:
            connection.close()
    return connection


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
