"""What head office stores for a batch: rows in the order of their tables' columns.

Plain tuples, because a store copies them as they are, ten thousand sales a second.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from holdfast.core.central.settle import Event
from holdfast.core.ids import OriginId, Sku, StoreId
from holdfast.core.ingest.facts import ChainFacts
from holdfast.core.journal.chain import Position
from holdfast.core.journal.entry import Unprojectable

Row = tuple[Any, ...]

COLUMNS: dict[str, tuple[str, ...]] = {
    "entry": ("chain", "seq", "hash", "type", "version", "business_date", "at_ms", "status", "data"),
    "document": (
        "chain",
        "seq",
        "type",
        "number",
        "origin",
        "store",
        "business_date",
        "posting_period",
        "at_ms",
        "began_at_ms",
        "currency",
        "total_minor",
        "tax_minor",
        "rounding_minor",
        "line_count",
        "customer",
        "external_reference",
        "country",
        "staff",
    ),
    "document_line": (
        "chain",
        "seq",
        "line",
        "store",
        "business_date",
        "sku",
        "description",
        "quantity_milli",
        "unit_price_e4",
        "amount_minor",
        "tax_code",
        "department",
        "stock_milli",
        "scanned_s",
    ),
    "document_tender": ("chain", "seq", "tender", "kind", "amount_minor", "reference"),
    "document_foreign_cash": ("chain", "seq", "tender", "currency", "foreign_minor", "rate_e8"),
    "document_return": (
        "chain",
        "seq",
        "line",
        "document",
        "document_line",
        "quantity_milli",
        "amount_minor",
    ),
    "document_tax": ("chain", "seq", "tax_code", "rate_e6", "inclusive", "net_minor", "tax_minor"),
    "shift_opened": (
        *("chain", "seq", "origin", "store", "business_date", "at_ms"),
        *("shift", "currency", "float_minor", "left_minor", "staff"),
    ),
    "shift_declared": (
        *("chain", "seq", "origin", "store", "business_date", "at_ms"),
        *("shift", "currency", "expected_minor", "counted_minor", "over_short_minor", "staff", "closed_by"),
    ),
    "cash_movement": (
        *("chain", "seq", "origin", "store", "business_date", "at_ms"),
        *("shift", "kind", "currency", "amount_minor", "reason", "reference", "staff", "approved_by"),
    ),
    "z_report": (
        *("chain", "seq", "origin", "store", "business_date", "at_ms"),
        *("number", "currency", "sales", "returns", "total_minor", "tax_minor", "returned_minor"),
        *("grand_total_minor", "over_short_minor", "report"),
    ),
    "customer_entry": (
        *("chain", "seq", "origin", "at_ms"),
        *("kind", "customer", "person", "revision", "staff"),
    ),
    "stock_transfer": (*("chain", "seq", "transfer", "way", "store", "other", "number", "at_ms", "staff"),),
    "reference": ("type", "reference", "chain", "seq", "content"),
    "quarantine": ("chain", "seq", "cause", "detail"),
    "alert": ("kind", "origin", "chain", "seq", "detail"),
}
"""Tables that are only appended to, with the columns of their rows."""

APPLIED, QUARANTINED, REPEATED = "applied", "quarantined", "repeated"
"""Status of an entry. `repeated`: a document that the chain already has under its external
reference; stored, and of no second effect (P2)."""


class KeyAnnounced(NamedTuple):
    """A key that an origin announced, which one it `replaces` (empty: each in force), and where."""

    origin: str
    key_id: str
    public_key: bytes
    replaces: str
    chain: int
    epoch: str
    seq: int


class DayKey(NamedTuple):
    """One register's business date, as head office totals it."""

    origin: str
    business_date: str


class Completed(NamedTuple):
    """An entry that was stored as unreadable, and whose bytes of the same hash came after all."""

    entry: Row
    """As it is stored now; it replaces the row that stands there."""
    waits: Unprojectable | None
    """Why it takes no effect all the same."""


@dataclass(slots=True)
class DayCount:
    """Added to a register's day."""

    documents: int = 0
    total_minor: int = 0
    tax_minor: int = 0
    cash_minor: int = 0


@dataclass(slots=True)
class Rows:
    """Rows to append, and sums to add. Built once by `decide`, then only read."""

    appended: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    new_chains: list[ChainFacts] = field(default_factory=list[ChainFacts])
    completed: list[Completed] = field(default_factory=list[Completed])
    heads: dict[int, Position] = field(default_factory=dict[int, Position])
    """Chain → its head after this batch."""
    opened: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    """Chain → what its `epoch_opened` entry said (cause, segment, parent…)."""
    closed: dict[int, int] = field(default_factory=dict[int, int])
    """Chain → seq of the entry that closed its epoch in order."""
    retired: list[OriginId] = field(default_factory=list[OriginId])
    """Registers that closed theirs for good."""
    keys: list[KeyAnnounced] = field(default_factory=list[KeyAnnounced])
    """Keys announced by the chain itself."""
    stock: Counter[tuple[StoreId, Sku]] = field(default_factory=Counter[tuple[StoreId, Sku]])
    values: list[Event] = field(default_factory=list[Event])
    """What happens to central value, in order: settled once the rest of the batch stands."""
    days: dict[DayKey, DayCount] = field(default_factory=dict[DayKey, DayCount])
