"""Whose codes registers believe: each register's keys as a feed, and head office's own look at a code.

The feed is computed from the keys that are enrolled, so that however one came or went (enrolment, a change
of key, a restore) the feed follows. A former key stays in it for the length of the return window.
"""

import datetime
from typing import Any

import msgspec

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.parameters import ParameterRow
from holdfast.core.receipt.code import (
    RETURN_WINDOW_DAYS,
    RETURN_WINDOW_DAYS_DEFAULT,
    ReceiptCode,
    RegisterKey,
    code_refusal,
    kept_keys,
    read_code,
)
from holdfast.core.refusals import Refusal
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import Clock
from holdfast.infra.keys import verify
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.receipts", "receipts.sql", Engine.POSTGRES)

FEED = "register_keys"
LATE_DAYS = 7
"""A register may sign on with its former key until it hears that head office knows the new one: so much
later may a code under the former key be dated."""
_DAY_MS = 24 * 3_600_000


_parameter = msgspec.json.Decoder(ParameterRow)


class RegisterKeys:
    """Publishes the feed, and says what a code is worth. Thread-safe."""

    def __init__(self, pool: Pool, feeds: Feeds, clock: Clock) -> None:
        self._pool = pool
        self._feeds = feeds
        self._clock = clock
        self._published: object = None

    def window_days(self) -> int:
        """The longest return window that any register has now or will have, by head office's parameters."""
        with self._pool.connection() as conn:
            found = self._feeds.rows_in(conn, "parameters", RETURN_WINDOW_DAYS)
        rows = {key: _parameter.decode(body) for key, body in found}
        values = [
            value for row in rows.values() for value in (row.value, *(step.value for step in row.steps))
        ]
        days = [value for value in values if isinstance(value, int) and value >= 0]
        chain = rows.get(RETURN_WINDOW_DAYS)
        if chain is None or chain.value is None:
            days.append(RETURN_WINDOW_DAYS_DEFAULT)
        return max(days, default=RETURN_WINDOW_DAYS_DEFAULT)

    def publish(self) -> int:
        """Bring the feed up to date; how many of its rows changed. Cheap where nothing did."""
        today, window_days = self.today(), self.window_days()
        with self._pool.connection() as conn:
            mark = (_sql.keys_mark(conn), today, window_days)
            if mark == self._published:
                return 0
            rows = [_row(*found) for found in _sql.keys(conn)]
        wanted = kept_keys(rows, today, window_days)
        gone: dict[str, RegisterKey | None] = {
            key: None for key in self._feeds.rows(FEED) if key not in wanted
        }
        changed, _ = self._feeds.put(FEED, {**gone, **wanted})
        self._published = mark
        return changed

    def look(self, text: str) -> ReceiptCode | Refusal:
        """What a receipt's code says, if its register did sign it."""
        code = read_code(text.strip())
        if isinstance(code, Refusal):
            return code
        with self._pool.connection() as conn:
            found = _sql.key(conn, key_id=code.key_id)
        key = None if found is None else _row(*found)[1]
        return code_refusal(code, key, verify, self.today(), self.window_days()) or code

    def today(self) -> str:
        """Head office's date."""
        return _date_of(self._clock.now_ms())


def _row(
    key_id: str, origin: str, name: str, series: str, store: str, public_key: Any, until_ms: int | None
) -> tuple[KeyId, RegisterKey]:
    return KeyId(key_id), RegisterKey(
        origin=OriginId(origin),
        register=name,
        series=series,
        store=store,
        public_key=bytes(public_key),
        until="" if until_ms is None else _date_of(until_ms + LATE_DAYS * _DAY_MS),
    )


def _date_of(at_ms: int) -> str:
    day = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=at_ms)
    return day.date().isoformat()
