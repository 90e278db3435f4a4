"""Suspended baskets, as the till's database keeps them (PO4)."""

import apsw
import msgspec

from holdfast.core.basket.suspended import Suspended
from holdfast.core.ids import TransactionId
from holdfast.infra.queries import Engine, load_queries

_QUERIES = load_queries(__name__.rpartition(".")[0], "suspended.sql", Engine.SQLITE)
_decoder = msgspec.json.Decoder(Suspended)


def all_suspended(connection: apsw.Connection) -> tuple[Suspended, ...]:
    """The longest waiting first."""
    return tuple(_decoder.decode(row[0]) for row in _QUERIES.all_suspended(connection))


def count_suspended(connection: apsw.Connection) -> int:
    return _QUERIES.count_suspended(connection)


def find_suspended(connection: apsw.Connection, transaction: TransactionId) -> Suspended | None:
    data = _QUERIES.suspended(connection, transaction_id=transaction)
    return None if data is None else _decoder.decode(data)


def put_suspended(connection: apsw.Connection, kept: Suspended) -> None:
    """Within the caller's transaction, as all that writes here."""
    _QUERIES.put_suspended(
        connection,
        transaction_id=kept.basket.transaction,
        at_ms=kept.at_ms,
        data=msgspec.json.encode(kept),
    )


def replace_suspended(connection: apsw.Connection, kept: Suspended) -> None:
    """What it holds changed while it waits."""
    _QUERIES.replace_suspended(
        connection, transaction_id=kept.basket.transaction, data=msgspec.json.encode(kept)
    )


def drop_suspended(connection: apsw.Connection, transaction: TransactionId) -> None:
    _QUERIES.drop_suspended(connection, transaction_id=transaction)
