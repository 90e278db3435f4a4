"""All that head office holds, in one canonical form: two stores that took the same are equal.

Chains are named by origin, epoch and branch, because their numbers depend on who came first.
"""

from collections.abc import Iterable
from typing import Any

from psycopg.rows import tuple_row

from holdfast.core.ingest.rows import COLUMNS
from holdfast.hq.store.central_memory import CentralTables
from holdfast.hq.store.central_rows import MOVEMENT_COLUMNS, movement_row
from holdfast.hq.store.memory import MemoryStore
from holdfast.infra.postgres.connect import connect, translated_faults

Dump = dict[str, list[tuple[object, ...]]]

_OPENED = ("segment", "cause", "parent_epoch", "parent_seq", "parent_hash")
_SELECTS = {
    "incarnation": "select incarnation, cause from incarnation",
    "origin": "select origin, kind, store, series, currency, replaces, retired_at_ms is not null from origin",
    "origin_key": "select origin, key_id, public_key, number, until_epoch, until_seq from origin_key",
    "chain": (
        "select chain, parent_chain, fork_seq, head_seq, head_hash, closed_at_seq, "
        + ", ".join(_OPENED)
        + " from chain"
    ),
    **{table: f"select {', '.join(columns)} from {table}" for table, columns in COLUMNS.items()},
    "resolved": "select chain, seq from quarantine where resolved_at_ms is not null",
    "signed_head": "select chain, seq, key_id, signature from signed_head",
    "claim": "select origin, epoch, seq, hash from claim",
    "stock_level": "select store, sku, quantity_milli from stock_level where quantity_milli <> 0",
    "stock_mark": "select store, sku, mark, kind, at_ms, figure_milli, staff from stock_mark",
    "register_day": (
        "select origin, business_date, documents, total_minor, tax_minor, cash_minor from register_day"
    ),
    "heartbeat": "select origin, statement, skew_ms from heartbeat",
    "clock_skew": "select origin, at_ms, skew_ms from clock_skew",
    "contact": "select origin, at_ms, blocked_code, blocked_detail, coalesce(nonce, '') from contact",
    "feed": "select feed, n from feed",
    "value_account": (
        "select kind, account, currency, state, credit_limit, number_mac, pin_mac, number_end"
        " from value_account"
    ),
    "value_movement": f"select {', '.join(MOVEMENT_COLUMNS)} from value_movement",
    "value_hold": (
        "select key, kind, account, origin, transaction, act, amount, since_ms, ended from value_hold"
    ),
    "value_allowance": "select allowance, origin, epoch, kind, amount, used from value_allowance",
}
_CHAIN_PLACES = {
    "chain": (0, 1),
    "resolved": (0,),
    "signed_head": (0,),
    "value_movement": (MOVEMENT_COLUMNS.index("chain"),),
    **{table: (columns.index("chain"),) for table, columns in COLUMNS.items() if "chain" in columns},
}
"""Where a row names chains by number."""


def dump_postgres(dsn: str) -> Dump:
    """Every table of a database."""
    conn = connect(dsn, name="dump")
    try:
        with translated_faults(), conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute("select chain, origin, epoch, branch from chain").fetchall()
            names = {chain: f"{origin}/{epoch}/{branch}" for chain, origin, epoch, branch in rows}
            tables = {table: cursor.execute(select.encode()).fetchall() for table, select in _SELECTS.items()}
    finally:
        conn.close()
    return {table: _canonical(table, found, names) for table, found in tables.items()}


def dump_memory(store: MemoryStore) -> Dump:
    """Every table of a store in memory."""
    tables = store.tables
    names = {
        number: f"{record.facts.origin}/{record.facts.epoch}/{record.facts.branch}"
        for number, record in tables.chains.items()
    }
    found: dict[str, Iterable[tuple[Any, ...]]] = {
        "incarnation": [(incarnation, cause) for incarnation, _, cause in tables.incarnations],
        "origin": [
            (record.facts.origin, record.kind, record.facts.store, record.facts.series,
             record.facts.currency, record.replaces, origin in tables.retired)
            for origin, record in tables.origins.items()
        ],
        "origin_key": [
            (*key, public_key, tables.key_numbers[key], *tables.key_ends.get(key, (None, None, None))[1:])
            for key, public_key in tables.origin_keys.items()
        ],
        "chain": [
            (number, record.facts.parent_chain, record.facts.fork_seq, record.facts.head.seq,
             record.facts.head.hash, record.closed_at_seq, *_opened(tables.opened.get(number)))
            for number, record in tables.chains.items()
        ],
        "entry": tables.entries.values(),
        **tables.appended,
        "resolved": tables.resolved,
        "signed_head": [
            (chain, seq, head.key_id, head.signature) for (chain, seq), head in tables.signed_heads.items()
        ],
        "claim": tables.claims,
        "stock_level": [(*key, quantity) for key, quantity in tables.stock.items() if quantity],
        "register_day": [(*key, *sums) for key, sums in tables.days.items()],
        "heartbeat": [
            (origin, beat.statement, skew_ms) for origin, (_, beat, skew_ms) in tables.heartbeats.items()
        ],
        "clock_skew": [
            (origin, *recorded) for origin, history in tables.skews.items() for recorded in history
        ],
        "contact": [
            (origin, *contact, tables.nonces.get(origin, "")) for origin, contact in tables.contacts.items()
        ],
        "feed": tables.feeds.items(),
        "stock_mark": [
            (mark.store, mark.sku, mark.mark, mark.kind, mark.at_ms, mark.figure_milli, mark.by)
            for mark in tables.marks.marks.values()
        ],
        **_central(tables.central),
    }  # fmt: skip
    return {table: _canonical(table, rows, names) for table, rows in found.items()}


def _central(tables: CentralTables) -> dict[str, Iterable[tuple[Any, ...]]]:
    return {
        "value_account": [
            (kind.value, account, numbered.account.currency, numbered.account.state.value,
             numbered.account.limit, numbered.number_mac, numbered.pin_mac, numbered.account.number_end)
            for (kind, account), numbered in tables.accounts.items()
        ],
        "value_movement": map(movement_row, tables.movements.values()),
        "value_hold": [
            (hold.key, hold.kind.value, hold.account, hold.origin, hold.transaction, hold.act.value,
             hold.amount, hold.since_ms, hold.ended)
            for hold in tables.holds.values()
        ],
        "value_allowance": [
            (grant.grant, grant.origin, grant.epoch, grant.kind.value, grant.amount_minor, grant.used)
            for grant in tables.grants.values()
        ],
    }  # fmt: skip


def _opened(opened: dict[str, Any] | None) -> tuple[object, ...]:
    if opened is None:
        return (None,) * len(_OPENED)
    parent = opened.get("parent") or {}
    return (opened["segment"], opened["cause"], parent.get("epoch"), parent.get("seq"), parent.get("hash"))


def _canonical(
    table: str, rows: Iterable[tuple[Any, ...]], names: dict[int, str]
) -> list[tuple[object, ...]]:
    places = _CHAIN_PLACES.get(table, ())
    renamed = [
        tuple(names.get(value) if place in places else _plain(value) for place, value in enumerate(row))
        for row in rows
    ]
    return sorted(renamed, key=repr)


def _plain(value: object) -> object:
    """Dates as the journal writes them."""
    return value.isoformat() if hasattr(value, "isoformat") else value  # type: ignore[attr-defined]
