"""When a movement happened, as counts and zeroings see it."""

import datetime

_DAY_MS = 86_400_000


def moment_ms(at_ms: int, own_date: str | None) -> int:
    """The time of the entry; of a document that was entered later under its own date, that day's end.

    `own_date`: of an external document, ISO; nothing better is known of it than the day.
    """
    if own_date is None:
        return at_ms
    days = datetime.date.fromisoformat(own_date).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return min(at_ms, (days + 1) * _DAY_MS - 1)
