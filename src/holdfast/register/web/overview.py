"""The page *Status*: what is owed, what does not work, the data's ages, how the last try went (SW6, SW9)."""

from typing import Any

import msgspec

from holdfast.core.sync.feed import FEEDS
from holdfast.register.checkout import Owed
from holdfast.register.sync.status import LinkStatus
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.start import last_exchange_ms, reach_text

_FEEDS = {
    "products": "feed.products",
    "prices": "feed.prices",
    "taxes": "feed.taxes",
    "currencies": "feed.currencies",
    "staff": "feed.staff",
    "customers": "feed.customers",
    "parameters": "feed.parameters",
    "quick_keys": "feed.quick-keys",
}
"""Those with a name of their own; others are shown by theirs."""
_SHOWN_WITH_VERSION = "parameters"


class Age(msgspec.Struct, frozen=True):
    """How old one data set may be."""

    name: str
    age: str
    since: str
    version: str = ""
    """Where head office shows who runs which."""


class Said(msgspec.Struct, frozen=True):
    """A sentence, and since when it is true."""

    at: str
    sentence: str


class Outcome(msgspec.Struct, frozen=True):
    """How *Sync now* went, or goes."""

    state: str
    """`trying`, `done` or `failed`."""
    sentence: str


def overview(link: LinkStatus, owed: Owed, fmt: Formats, now_ms: int, *, asked_ms: int) -> dict[str, Any]:
    """What the page shows. `asked_ms`: when *Sync now* was pressed; 0: it was not."""
    last_ms = last_exchange_ms(link)
    return {
        "reach": "" if link.reach is None else reach_text(link.reach, link),
        "last": "" if last_ms is None else fmt.moment(last_ms, now_ms),
        "last_age": "" if last_ms is None else fmt.age(max(0, now_ms - last_ms)),
        "queue": _queue(owed, fmt, now_ms),
        "ages": tuple(_age(link, feed, fmt, now_ms) for feed in FEEDS),
        "problems": _problems(link, fmt, now_ms),
        "past": tuple(Said(fmt.moment(one.at_ms, now_ms), one.sentence) for one in link.past),
        "outcome": _outcome(link, owed, fmt, now_ms, asked_ms),
    }


def prices_age_ms(link: LinkStatus, now_ms: int) -> int | None:
    """How old the prices may be; None: none ever came."""
    prices = link.feeds.get("prices")
    return None if prices is None else max(0, now_ms - prices.checked_ms)


def _queue(owed: Owed, fmt: Formats, now_ms: int) -> dict[str, str]:
    oldest_ms = owed.oldest_at_ms
    return {
        "count": fmt.count(owed.count),
        "value": fmt.money(owed.value_minor),
        "oldest": "" if oldest_ms is None else fmt.moment(oldest_ms, now_ms),
        "age": "" if oldest_ms is None else fmt.age(max(0, now_ms - oldest_ms)),
        "dates": ", ".join(fmt.date(date) for date in owed.dates),
    }


def _age(link: LinkStatus, feed: str, fmt: Formats, now_ms: int) -> Age:
    name = say(_FEEDS[feed]) if feed in _FEEDS else feed.replace("_", " ").capitalize()
    found = link.feeds.get(feed)
    if found is None:
        return Age(name, say("status.never"), "")
    version = str(found.n) if feed == _SHOWN_WITH_VERSION else ""
    return Age(
        name, fmt.age(max(0, now_ms - found.checked_ms)), fmt.moment(found.checked_ms, now_ms), version
    )


def _problems(link: LinkStatus, fmt: Formats, now_ms: int) -> tuple[Said, ...]:
    problems = [Said(fmt.moment(one.since_ms, now_ms), one.sentence) for one in link.problems.values()]
    if link.is_blocked:
        since = fmt.moment(link.blocked_since_ms or now_ms, now_ms)
        problems.insert(0, Said(since, say("blocked", detail=link.blocked_detail)))
    return tuple(problems)


def _outcome(link: LinkStatus, owed: Owed, fmt: Formats, now_ms: int, asked_ms: int) -> Outcome | None:
    if not asked_ms:
        return None
    tried = link.tried
    if tried is None or tried.at_ms < asked_ms:
        return Outcome("trying", say("status.sync.trying"))
    at = fmt.clock(tried.at_ms)
    if tried.sentence:
        return Outcome("failed", say("status.sync.failed", at=at, why=tried.sentence))
    if owed.count:
        return Outcome("done", say("status.sync.sending", at=at))
    return Outcome("done", say("status.sync.done", at=at))
