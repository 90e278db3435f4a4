"""The customers that head office's feed brought: looked up, found by words, and forgotten for good."""

from typing import Final

import apsw
import msgspec

from holdfast.core.customers import CustomerRow, Found, words_of
from holdfast.core.ids import CustomerNumber
from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.register.sync.database import QUERIES, read

CUSTOMERS: Final[Queries] = load_queries("holdfast.register.sync", "customers.sql", Engine.SQLITE)
_MATCHES_MAX = 2_000
"""Customers that the rarest word of a search may lead to; beyond them another word is needed."""
_MERGES_MAX = 8
_PAST = "\U0010ffff"
_row = msgspec.json.Decoder(CustomerRow)


def put_customer(connection: apsw.Connection, generation: int, row: CustomerRow) -> None:
    """What a row of the feed means beside being kept."""
    if row.forgotten:
        CUSTOMERS.add_gone(connection, number=row.number)
    if row.details is not None:
        for word in words_of(row.number, row.details):
            CUSTOMERS.put_word(connection, generation=generation, word=word, number=row.number)


def drop_customer(connection: apsw.Connection, generation: int, number: str) -> None:
    CUSTOMERS.drop_words(connection, generation=generation, number=number)


def fed_customer(connection: apsw.Connection, number: str) -> CustomerRow | None:
    """What the feed says of a number: a customer, that it was merged, or that it was forgotten."""
    body = read(connection, lambda: QUERIES.good_row(connection, feed="customers", key=number))
    return None if body is None else _row.decode(body)


def surviving(connection: apsw.Connection, number: str) -> CustomerRow | None:
    """The same, of the number that it was merged into."""
    row = fed_customer(connection, number)
    for _ in range(_MERGES_MAX):
        if row is None or row.into is None:
            return row
        row = fed_customer(connection, row.into)
    return None


def find_fed(connection: apsw.Connection, terms: tuple[str, ...], limit: int) -> list[Found]:
    """Customers of the feed that have a word for each term."""
    if not terms:
        return []
    first, *others = sorted(terms, key=len, reverse=True)

    def look() -> list[str]:
        found = CUSTOMERS.find(connection, word=first, past=first + _PAST, limit=_MATCHES_MAX)
        numbers = [number for (number,) in found]
        fitting = (number for number in numbers if all(_has(connection, number, term) for term in others))
        return [number for number, _ in zip(fitting, range(limit), strict=False)]

    rows = (fed_customer(connection, number) for number in read(connection, look))
    return [
        Found(number=CustomerNumber(row.number), details=row.details)
        for row in rows
        if row is not None and row.details is not None
    ]


def _has(connection: apsw.Connection, number: str, term: str) -> bool:
    return CUSTOMERS.has(connection, number=number, word=term, past=term + _PAST) is not None
