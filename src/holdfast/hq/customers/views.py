"""Customers as pages show them."""

from typing import Any, NamedTuple

import msgspec

from holdfast.core.customers import Details
from holdfast.core.customers.search import terms_of
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, Queries, load_queries

LISTED_MAX = 100
SALES_MAX = 100
_PAST = "\U0010ffff"
_sql = load_queries("holdfast.hq.customers", "customers.sql", Engine.POSTGRES)


class Listed(NamedTuple):
    """One row of the list."""

    number: str
    name: str | None
    email: str
    phone: str
    address: str
    note: str
    origin: str
    register: str | None
    changed_at_ms: int
    into: str | None
    forgotten_at_ms: int | None


class Counts(NamedTuple):
    """How many there are, how many names are to come, and how many were forgotten."""

    customers: int
    nameless: int
    forgotten: int


class SaleOf(NamedTuple):
    """A document that a customer stands on."""

    number: str
    chain: int
    seq: int
    type: str
    business_date: str
    at_ms: int
    currency: str
    total_minor: int
    origin: str
    register: str | None
    customer: str


class CustomerPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one customer."""

    number: str
    revision: int
    details: Details | None
    origin: str
    register: str | None
    made_at_ms: int
    changed_at_ms: int
    changed_by: str
    into: str | None
    merged_at_ms: int | None
    merged_by: str
    forgotten_at_ms: int | None
    forgotten_by: str
    forgotten_reason: str
    merged: tuple[str, ...]
    """Numbers that lead here."""
    sales: tuple[SaleOf, ...]
    """The newest, under all of these numbers."""
    registers: tuple[str, ...]
    """Which hold a key of theirs."""

    @property
    def is_gone(self) -> bool:
        """Forgotten, or merged into another one."""
        return self.into is not None or self.forgotten_at_ms is not None

    @classmethod
    def read(cls, sql: Queries, conn: Any, number: str) -> "CustomerPage | None":
        row = sql.one(conn, number=number)
        if row is None:
            return None
        merged = tuple(found for (found,) in sql.merged_into(conn, number=number))
        numbers = [number, *merged]
        name, email, phone, address, note = row[2:7]
        details = None
        if name is not None:
            details = Details(name=name, email=email, phone=phone, address=address, note=note)
        return cls(
            number=row[0],
            revision=row[1],
            details=details,
            origin=row[7],
            register=row[8],
            made_at_ms=row[9],
            changed_at_ms=row[10],
            changed_by=row[11],
            into=row[12],
            merged_at_ms=row[13],
            merged_by=row[14],
            forgotten_at_ms=row[15],
            forgotten_by=row[16],
            forgotten_reason=row[17],
            merged=merged,
            sales=tuple(SaleOf(*found) for found in sql.sales_of(conn, numbers=numbers, limit=SALES_MAX)),
            registers=tuple(found for (found,) in sql.keys_of(conn, numbers=numbers)),
        )


class Merge(NamedTuple):
    """What merging `one` into `other` would do."""

    one: CustomerPage
    other: CustomerPage
    details: Details | None
    """Of the one that remains."""


def merged_details(remains: Details | None, gives: Details | None) -> Details | None:
    """Those of the one that remains; what it lacks, the other gives."""
    if remains is None or gives is None:
        return remains or gives
    return Details(
        name=remains.name,
        email=remains.email or gives.email,
        phone=remains.phone or gives.phone,
        address=remains.address or gives.address,
        note=remains.note or gives.note,
    )


def find(pool: Pool, text: str) -> tuple[Counts, list[Listed]]:
    """Who is found by these words; without any the newest."""
    terms = terms_of(text)
    with pool.connection() as conn:
        counts = Counts(*_sql.count_them(conn))
        if terms:
            pasts = [term + _PAST for term in terms]
            found = _sql.find(conn, words=list(terms), pasts=pasts, limit=LISTED_MAX)
        elif text.strip():
            found = []
        else:
            found = _sql.newest(conn, limit=LISTED_MAX)
        return counts, [Listed(*row) for row in found]
