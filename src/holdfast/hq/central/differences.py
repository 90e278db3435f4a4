"""The report of differences: movements that came to less than was taken, or under a key that had ended."""

import csv
import datetime
import io
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from holdfast.core.bounds import text_refusal
from holdfast.core.central.grants import (
    GRANT_EXCEEDED,
    GRANT_EXPIRED,
    GRANT_OF_ANOTHER,
    GRANT_RETURNED,
    GRANT_UNKNOWN,
)
from holdfast.core.central.settle import (
    BLOCKED,
    KEY_ENDED,
    NO_ACCOUNT,
    NOT_HELD,
    OTHER_CURRENCY,
    OVERSPENT,
    TAKEN_BACK_THEN_USED,
    TOO_MUCH,
    Place,
)
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "differences.sql", Engine.POSTGRES)

LISTED_MAX = 200
FILE_ROWS_MAX = 100_000
NOTE_CHARS_MAX = 500

REMARKS = {
    OVERSPENT: "There was less than the till took",
    KEY_ENDED: "Its lock had ended: a copy of the register, or a sale after its void",
    TAKEN_BACK_THEN_USED: "Its lock was released, and the register concluded all the same",
    NOT_HELD: "No lock of that register stood: head office lost it, or it was another's",
    NO_ACCOUNT: "There was no such account",
    TOO_MUCH: "It would have carried the balance beyond all bounds",
    OTHER_CURRENCY: "The account is in another currency; nothing was booked",
    BLOCKED: "It was blocked when the till took of it",
    GRANT_UNKNOWN: "The allowance that it names is not known",
    GRANT_OF_ANOTHER: "The allowance was given to another epoch: a restored or copied register",
    GRANT_EXCEEDED: "More was taken than the allowance had",
    GRANT_EXPIRED: "It was taken after the allowance had expired, by its register's clock",
    GRANT_RETURNED: "It was taken of an allowance that the register had given back",
}
"""What a remark means, for people."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them; empty: all."""

    kind: str = ""
    store: str = ""
    register: str = ""
    """Its series or its name."""
    remark: str = ""
    first: str = ""
    """Business dates."""
    last: str = ""
    open: bool = False
    """Those alone at which nobody looked."""


class Difference(NamedTuple):
    """One movement with a remark."""

    chain: int
    seq: int
    ordinal: int
    kind: str
    account: str
    number_end: str
    number: int
    act: str
    booked: int
    counter: int
    difference: int
    balance: int
    remark: str
    currency: str
    origin: str
    store: str
    register: str | None
    business_date: str
    at_ms: int
    key: str
    document: str | None
    released_by: str | None
    released_reason: str | None
    looked_by: str | None
    looked_at_ms: int | None
    note: str | None


class Sum(NamedTuple):
    kind: str
    currency: str
    movements: int
    difference: int


class DifferenceBook:
    """Lists, and keeps who looked. Thread-safe."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def listed(self, asked: Asked, limit: int = LISTED_MAX) -> list[Difference]:
        """The newest first."""
        with self._pool.connection() as conn:
            rows = _sql.differences(conn, limit=limit, **msgspec.structs.asdict(asked))
            return [Difference(*row) for row in rows]

    def sums(self, asked: Asked) -> list[Sum]:
        """How many of each kind, and how much the chain lost by them."""
        with self._pool.connection() as conn:
            return [Sum(*row) for row in _sql.sums(conn, **msgspec.structs.asdict(asked))]

    def look(self, place: Place, *, by: str, note: str) -> Refusal | None:
        """Somebody looked at it, and says what came of that. Kept beside what others said before."""
        note = " ".join(note.split())
        if not note:
            return Refusal("difference.note", "Say what you found: the note is for whoever looks next.")
        if refusal := text_refusal("The note", note, NOTE_CHARS_MAX):
            return refusal
        chain, seq, ordinal = place
        with self._pool.connection() as conn:
            if not _sql.has_difference(conn, chain=chain, seq=seq, ordinal=ordinal):
                return Refusal("difference.unknown", "There is no such difference.")
            _sql.look(
                conn, chain=chain, seq=seq, ordinal=ordinal, by=by, at_ms=self._clock.now_ms(), note=note
            )
        return None


def asked_refusal(asked: Asked) -> Refusal | None:
    """Why the report cannot be made."""
    for date in (asked.first, asked.last):
        if date:
            try:
                datetime.date.fromisoformat(date)
            except ValueError:
                return Refusal("difference.date", "A date is written as 2026-11-22.")
    return None


_COLUMNS = (
    *("business_date", "at_ms", "store", "register", "document", "kind", "account", "number_end", "act"),
    *("currency", "counter", "booked", "difference", "balance", "remark", "released_by", "released_reason"),
    *("looked_by", "looked_at_ms", "note"),
)


def csv_of(rows: Iterable[Difference]) -> str:
    """The report for a spreadsheet. A cell that a program might take for a formula is kept a text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return "" if value is None else value
