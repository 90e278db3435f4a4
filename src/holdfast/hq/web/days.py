"""Totals by business date, as the overview's chart shows them."""

from collections.abc import Sequence

import msgspec

from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

DAYS = 30
_queries = load_queries("holdfast.hq.web", "days.sql", Engine.POSTGRES)


class Day(msgspec.Struct, frozen=True):
    """What a business date came to in one currency."""

    business_date: str
    currency: str
    documents: int
    total_minor: int


def last_days(pool: Pool) -> Sequence[Day]:
    """The last business dates that have any document, oldest first."""
    with pool.connection() as conn:
        return [Day(*row) for row in _queries.per_day(conn, days=DAYS)]
