"""When a movement happened, as counts and zeroings see it."""

import datetime
from collections.abc import Sequence

_DAY_MS = 86_400_000
AHEAD_MS = 1_000
"""So far a till's clock may be ahead of head office's before its times are not believed any more."""


def moment_ms(at_ms: int, own_date: str | None, zone: datetime.tzinfo = datetime.UTC) -> int:
    """The time of the entry; of a document that was entered later under its own date, that day's end there.

    `own_date`: of an external document, ISO; nothing better is known of it than the day.
    """
    if own_date is None:
        return at_ms
    day = datetime.date.fromisoformat(own_date)
    days = day.toordinal() - datetime.date(1970, 1, 1).toordinal()
    evening = datetime.datetime.combine(day, datetime.time(23, 59, 59), zone)
    ahead_ms = (evening.utcoffset() or datetime.timedelta()) // datetime.timedelta(milliseconds=1)
    return min(at_ms, (days + 1) * _DAY_MS - 1 - ahead_ms)


def is_ahead(moments_ms: Sequence[int], now_ms: int) -> bool:
    """Whether the till's clock is not to be believed: nothing happens after it arrived."""
    return max(moments_ms, default=0) > now_ms + AHEAD_MS


def believed(moments_ms: Sequence[int], now_ms: int, before_ms: int) -> list[int]:
    """The moments of the documents of a till whose clock is ahead: as they arrive, a millisecond apart, so
    that they stay in their order. A figure from the future would net all that moves until then.

    `before_ms`: the last such moment of its journal; what follows it comes after it.
    """
    first_ms = max(now_ms - len(moments_ms) + 1, before_ms + 1)
    return [min(moment, first_ms + place) for place, moment in enumerate(moments_ms)]
