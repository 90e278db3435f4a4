"""The feeds as the page lists them."""

from typing import NamedTuple

from holdfast.core.sync.feed import FEEDS
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_queries = load_queries("holdfast.hq.web.data", "feeds.sql", Engine.POSTGRES)


class FeedState(NamedTuple):
    """A feed: its version, when that came about, and how many rows count."""

    name: str
    n: int
    changed_at_ms: int | None
    rows: int


def feed_states(pool: Pool) -> list[FeedState]:
    """In the order in which a register takes them."""
    with pool.connection() as conn:
        found = [FeedState(*row) for row in _queries.feeds(conn)]
    return sorted(found, key=lambda state: FEEDS.index(state.name) if state.name in FEEDS else len(FEEDS))
