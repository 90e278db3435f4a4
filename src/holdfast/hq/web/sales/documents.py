"""Documents as the pages read them."""

import datetime
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

PAGE_ROWS = 100
CALLED_MAX = 200
"""Registers in one selection, of a store say."""
CHOICES_MAX = 200
"""More registers are typed, not chosen from a list."""
TYPES = {
    "sale": "Sale",
    "return": "Return",
    "stock_adjusted": "Stock adjustment",
    "stock_counted": "Stock count",
    "stock_transferred": "Stock transfer",
    "account_adjusted": "Account adjustment",
}
"""Document types, and what people call them."""
TENDERS = {
    "cash": "Cash",
    "change": "Change",
    "foreign_cash": "Foreign cash",
    "card_standalone": "Card, standalone terminal",
    "imported": "Imported",
}
"""Kinds of tender, and what people call them."""
_queries = load_queries("holdfast.hq.web.sales", "sales.sql", Engine.POSTGRES)


class Row(msgspec.Struct, frozen=True):
    """A document in a list."""

    chain: int
    seq: int
    type: str
    number: str
    origin: str
    register: str
    store: str
    business_date: str
    at_ms: int
    currency: str
    total_minor: int
    line_count: int
    customer: str | None
    reference: str | None

    @property
    def type_name(self) -> str:
        return TYPES.get(self.type, self.type)

    @property
    def place(self) -> "Place":
        return Place(self.business_date, self.at_ms, self.chain, self.seq)


class Document(Row, frozen=True):
    """A document with what stands on it."""

    began_at_ms: int
    tax_minor: int
    rounding_minor: int
    posting_period: str
    country: str
    staff: str
    hash: bytes
    received_at: str
    epoch: str
    branch: int


class Line(msgspec.Struct, frozen=True):
    line: int
    sku: str
    description: str
    quantity_milli: int
    unit_price_e4: int
    amount_minor: int
    tax_code: str
    department: str


class Tender(msgspec.Struct, frozen=True):
    kind: str
    amount_minor: int
    reference: str
    foreign_currency: str | None
    """None unless it is foreign cash, as the two that follow."""
    foreign_minor: int | None
    rate_e8: int | None

    @property
    def name(self) -> str:
        return TENDERS.get(self.kind, self.kind.capitalize())


class Tax(msgspec.Struct, frozen=True):
    tax_code: str
    rate_e6: int
    inclusive: bool
    net_minor: int
    tax_minor: int


class Whole(msgspec.Struct, frozen=True):
    """All of one document."""

    document: Document
    lines: Sequence[Line]
    tenders: Sequence[Tender]
    taxes: Sequence[Tax]


class Place(NamedTuple):
    """Where a document stands in the list, the newest first."""

    business_date: str
    at_ms: int
    chain: int
    seq: int

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """What `str` wrote; None for anything else."""
        found = _PLACE.fullmatch(text)
        if found is None:
            return None
        try:
            datetime.date.fromisoformat(found[1])
        except ValueError:
            return None
        return cls(found[1], int(found[2]), int(found[3]), int(found[4]))

    def __str__(self) -> str:
        return f"{self.business_date}.{self.at_ms}.{self.chain}.{self.seq}"


_PLACE = re.compile(r"(\d{4}-\d\d-\d\d)\.(-?\d{1,18})\.(\d{1,9})\.(\d{1,16})", re.ASCII)
_FIRST = Place("infinity", (1 << 63) - 1, (1 << 31) - 1, (1 << 63) - 1)
"""Before the newest document."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; None or empty: anything."""

    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    origins: tuple[str, ...] | None = None
    number: str | None = None
    type: str | None = None
    older: Place | None = None
    """Only what stands after this place."""
    newer: Place | None = None
    """Only the page that ends at this place."""

    @property
    def dates(self) -> dict[str, str]:
        return {
            "date_from": "-infinity" if self.date_from is None else self.date_from.isoformat(),
            "date_to": "infinity" if self.date_to is None else self.date_to.isoformat(),
        }


class Found(NamedTuple):
    """A page of documents."""

    rows: Sequence[Row]
    is_newest: bool
    """Nothing stands before them."""
    has_older: bool


class Sum(msgspec.Struct, frozen=True):
    """What some days came to in one currency."""

    currency: str
    documents: int
    total_minor: int
    tax_minor: int
    cash_minor: int


class ForeignCash(msgspec.Struct, frozen=True):
    """What some days took of one foreign currency, and what it counted as."""

    currency: str
    foreign_currency: str
    foreign_minor: int
    amount_minor: int


class RegisterDay(msgspec.Struct, frozen=True):
    origin: str
    name: str
    store: str
    currency: str
    documents: int
    total_minor: int
    cash_minor: int


class Choice(msgspec.Struct, frozen=True):
    """A register to filter by."""

    origin: str
    name: str
    store: str
    series: str


class Documents:
    """Reads documents; one transaction a call."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def find(self, wanted: Filter) -> Found:
        """One page, the newest first."""
        with self._pool.connection() as conn:
            chains = None
            if wanted.origins is not None:
                chains = [row[0] for row in _queries.chains_of(conn, origins=list(wanted.origins))]
            if wanted.number is not None:
                rows = _queries.numbered(
                    conn, **wanted.dates, chains=chains, number=wanted.number, type=wanted.type,
                    types=list(TYPES), limit=PAGE_ROWS,
                )  # fmt: skip
                return Found([Row(*row) for row in rows], is_newest=True, has_older=False)
            if wanted.newer is not None:
                rows = _page(conn, "newer", wanted, chains, wanted.newer)
                if len(rows) > PAGE_ROWS:
                    return Found(rows[PAGE_ROWS - 1 :: -1], is_newest=False, has_older=True)
            place = None if wanted.newer else wanted.older  # hardly anything is newer: the newest page
            rows = _page(conn, "older", wanted, chains, place or _FIRST)
        return Found(rows[:PAGE_ROWS], is_newest=place is None, has_older=len(rows) > PAGE_ROWS)

    def called(self, text: str) -> Sequence[Choice]:
        """Registers of that id, series, name or store, one more than are taken at most."""
        with self._pool.connection() as conn:
            return [Choice(*row) for row in _queries.called(conn, text=text, limit=CALLED_MAX + 1)]

    def latest_date(self) -> str | None:
        """The last business date that has any document."""
        with self._pool.connection() as conn:
            return _queries.latest_date(conn)

    def sums(self, wanted: Filter) -> Sequence[Sum]:
        """What the filtered days and registers came to, whole days only."""
        with self._pool.connection() as conn:
            if wanted.origins is None:
                rows = _queries.by_date(conn, **wanted.dates)
            else:
                rows = _queries.by_date_of(conn, **wanted.dates, origins=list(wanted.origins))
            return [Sum(*row) for row in rows]

    def foreign_cash(self, wanted: Filter) -> Sequence[ForeignCash]:
        """Of the same days and registers."""
        origins = None if wanted.origins is None else list(wanted.origins)
        with self._pool.connection() as conn:
            rows = _queries.foreign_cash(conn, **wanted.dates, origins=origins)
            return [ForeignCash(*row) for row in rows]

    def registers_on(self, business_date: str) -> Sequence[RegisterDay]:
        """Who sold most on a date."""
        with self._pool.connection() as conn:
            return [RegisterDay(*row) for row in _queries.per_register(conn, business_date=business_date)]

    def whole(self, chain: int, seq: int) -> Whole | None:
        """One document with its lines, tenders and taxes."""
        with self._pool.connection() as conn:
            row = _queries.document(conn, chain=chain, seq=seq)
            if row is None:
                return None
            return Whole(
                Document(*row),
                [Line(*line) for line in _queries.lines(conn, chain=chain, seq=seq)],
                [Tender(*tender) for tender in _queries.tenders(conn, chain=chain, seq=seq)],
                [Tax(*tax) for tax in _queries.taxes(conn, chain=chain, seq=seq)],
            )

    def choices(self) -> Sequence[Choice]:
        """Registers to choose from; none where there are too many for that."""
        with self._pool.connection() as conn:
            found = [Choice(*row) for row in _queries.registers(conn, limit=CHOICES_MAX + 1)]
        return found if len(found) <= CHOICES_MAX else ()


def _page(
    conn: psycopg.Connection[Any], way: str, wanted: Filter, chains: list[int] | None, place: Place
) -> list[Row]:
    """A page and one more, which tells that there is another one."""
    given: dict[str, Any] = {
        **wanted.dates, "date": place.business_date, "at_ms": place.at_ms, "chain": place.chain,
        "seq": place.seq, "type": wanted.type, "limit": PAGE_ROWS + 1,
    }  # fmt: skip
    if chains is None:
        rows = _queries.older(conn, **given) if way == "older" else _queries.newer(conn, **given)
    elif way == "older":
        rows = _queries.older_of(conn, **given, chains=chains)
    else:
        rows = _queries.newer_of(conn, **given, chains=chains)
    return [Row(*row) for row in rows]
