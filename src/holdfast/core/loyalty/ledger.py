"""What an account of points says besides its balance: its tier, and what of it expires when.

Points are used oldest first. So what is left of each day's is found from two sums, whatever came in which
order: all that was taken, taken from the oldest.
"""

import calendar
import datetime
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TIER = re.compile(r"\s*(\S.*?)\s+([0-9]{1,12})\s*\Z")
TIERS_MAX = 12


class Booked(NamedTuple):
    """One movement of an account of points."""

    date: str
    points: int
    """Positive was added."""


class Tier(NamedTuple):
    """One is in it from so many points on."""

    name: str
    points: int


class Expiry(NamedTuple):
    """So many points are gone from a date on."""

    date: str
    points: int


def tiers_of(lines: Iterable[object]) -> tuple[Tier, ...]:
    """`Silver 500`, `Gold 2000`: rising. What is no such line counts for nothing."""
    found = [match for line in lines if isinstance(line, str) and (match := _TIER.match(line))]
    tiers = [Tier(match[1][:40], int(match[2])) for match in found[:TIERS_MAX]]
    return tuple(sorted(tiers, key=lambda tier: tier.points))


def tier_for(points: int, tiers: Sequence[Tier]) -> str:
    """The highest that these points reach; empty: none."""
    return next((tier.name for tier in reversed(tiers) if points >= tier.points), "")


def months_later(date: str, months: int) -> str:
    """The same day so many months on, or back; the last of the month where it has no such day."""
    day = datetime.date.fromisoformat(date)
    month = day.year * 12 + day.month - 1 + months
    year, month = divmod(month, 12)
    year = min(max(year, datetime.MINYEAR), datetime.MAXYEAR)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last)).isoformat()


def expiries(movements: Iterable[Booked], months: int) -> list[Expiry]:
    """What is left of each day's points, with the day from which it is gone, the next one first."""
    assert months > 0, "points that are kept for good expire on no date"
    added: dict[str, int] = {}
    taken = 0
    for date, points in movements:
        if points > 0:
            added[date] = added.get(date, 0) + points
        else:
            taken -= points
    found: list[Expiry] = []
    for date in sorted(added):
        used = min(taken, added[date])
        taken -= used
        if added[date] > used:
            found.append(Expiry(months_later(date, months), added[date] - used))
    return found


def expired_by(movements: Iterable[Booked], months: int, today: str) -> int:
    """Points whose time is over and that nobody took; 0 once that was booked."""
    return sum(points for date, points in expiries(movements, months) if date <= today)
