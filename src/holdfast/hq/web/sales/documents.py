"""Documents as the pages read them."""

import datetime
from collections.abc import Sequence

import msgspec

from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

PAGE_ROWS = 100
DAYS = 30
TYPES = {
    "sale": "Sale",
    "return": "Return",
    "stock_adjusted": "Stock adjustment",
    "account_adjusted": "Account adjustment",
}
"""Document types, and what people call them."""
TENDERS = {"cash": "Cash", "change": "Change", "foreign_cash": "Foreign cash", "imported": "Imported"}
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


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; None or empty: anything."""

    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    origin: str | None = None
    number: str | None = None
    type: str | None = None
    offset: int = 0


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


class Day(msgspec.Struct, frozen=True):
    business_date: str
    currency: str
    documents: int
    total_minor: int


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


class Documents:
    """Reads documents; one transaction a call."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def find(self, wanted: Filter) -> Sequence[Row]:
        """Up to a page of them and one more, which tells that there is another page."""
        parameters = msgspec.to_builtins(wanted, builtin_types=(datetime.date,))
        number = parameters.pop("number")
        with self._pool.connection() as conn:
            if number is None:
                rows = _queries.found(conn, **parameters, limit=PAGE_ROWS + 1)
            else:
                rows = _queries.numbered(
                    conn, **parameters, number=number, types=list(TYPES), limit=PAGE_ROWS + 1
                )
            return [Row(*row) for row in rows]

    def sums(self, wanted: Filter) -> Sequence[Sum]:
        """What the filtered days and register came to, whole days only."""
        with self._pool.connection() as conn:
            rows = _queries.by_date(
                conn, date_from=wanted.date_from, date_to=wanted.date_to, origin=wanted.origin
            )
            return [Sum(*row) for row in rows]

    def foreign_cash(self, wanted: Filter) -> Sequence[ForeignCash]:
        """Of the same days and register."""
        with self._pool.connection() as conn:
            rows = _queries.foreign_cash(
                conn, date_from=wanted.date_from, date_to=wanted.date_to, origin=wanted.origin
            )
            return [ForeignCash(*row) for row in rows]

    def days(self) -> Sequence[Day]:
        """The last business dates, oldest first."""
        with self._pool.connection() as conn:
            return [Day(*row) for row in _queries.per_day(conn, days=DAYS)]

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
        """Registers to filter by."""
        with self._pool.connection() as conn:
            return [Choice(*row) for row in _queries.registers(conn)]
