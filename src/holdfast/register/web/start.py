"""What whoever begins to work is told of the line: its cause, and that everything is kept (SW12, SW7).

One page, whatever is wrong, and never in the way of selling: *Continue*, or *Close* where it has been long.
"""

from typing import Literal

import msgspec

from holdfast.core.connection import Mode
from holdfast.core.reach import Reach, Where
from holdfast.core.work_mode import WorkMode
from holdfast.register.checkout import Owed
from holdfast.register.sync.status import LinkStatus
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.status import by_hand_text

_HOUR_MS = 3_600_000

State = Literal["works", "broken", "unknown"]

CAUSES = {
    "no-carrier": "cause.no-carrier",
    "no-route": "cause.no-route",
    "router-silent": "cause.router-silent",
    "no-name": "cause.no-name",
    "no-way": "cause.no-way",
    "landmark-silent": "cause.landmark-silent",
    "refused": "cause.refused",
    "mute": "cause.mute",
    "only-there": "cause.only-there",
    "near-silent": "cause.near-silent",
    "silent": "cause.silent",
}
"""What `core.reach` found → the sentence."""

_LAYERS = ("layer.register", "layer.store-network", "layer.internet", "layer.head-office")
_BROKEN = {Where.STORE_NETWORK: 1, Where.INTERNET: 2, Where.HEAD_OFFICE: 3}
_WORKS = {Where.BEYOND: 2, Where.UNKNOWN: 1}
"""So many layers, from the register on, are known to work where none is known to be broken."""
_STATES: dict[State, str] = {
    "works": "layer.works",
    "broken": "layer.broken",
    "unknown": "layer.unknown",
}


class Layer(msgspec.Struct, frozen=True):
    """One step of the way to head office."""

    name: str
    state: State
    said: str


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What is told at a start."""

    name: str
    """Which state of the line this is: told once to whoever signed in."""
    title: str
    cause: str
    layers: tuple[Layer, ...] = ()
    late: str = ""
    """SW7's sentence; empty: it has not been long."""
    advice: tuple[str, ...] = ()
    loyalty: bool = False
    """What is to become of loyalty is asked: *Proceed*, or *Disable* (LY1)."""


def start_of(
    link: LinkStatus,
    owed: Owed,
    fmt: Formats,
    now_ms: int,
    *,
    sync_lost_ms: int | None,
    work: WorkMode,
    warn_after_h: int,
    asks_loyalty: bool = False,
) -> Start | None:
    """What is to be told now; None: nothing. `sync_lost_ms`: since when sync does not run."""
    late = _late_text(link, owed, fmt, now_ms, warn_after_h)
    is_away = link.mode is Mode.OFFLINE or work.is_offline or sync_lost_ms is not None
    if not is_away and not late:
        return None
    reach = None if sync_lost_ms is not None else link.reach
    since_ms = work.since_ms if work.is_offline else link.since_ms if is_away else 0
    return Start(
        name=f"{since_ms} {'late' if late else ''}",
        title=say("start.title" if is_away else "start.title.late"),
        cause=_cause(link, reach, fmt, now_ms, work, is_away=is_away, sync_is_lost=sync_lost_ms is not None),
        layers=_layers(reach) if is_away else (),
        late=late,
        advice=_advice(link, reach) if late else (),
        loyalty=asks_loyalty and is_away,
    )


def reach_text(reach: Reach, link: LinkStatus) -> str:
    """Where the line is broken. A connection that came about and was not trusted says so itself."""
    if reach.detail == "mute" and "certificate" in link.cause:
        return link.cause
    return say(CAUSES.get(reach.detail, "cause.unknown"))


def last_exchange_ms(link: LinkStatus) -> int | None:
    """When head office last took this register's word and said what is new; None: never."""
    return max((age.checked_ms for age in link.feeds.values()), default=None)


def _late_text(link: LinkStatus, owed: Owed, fmt: Formats, now_ms: int, warn_after_h: int) -> str:
    """SW7: no successful sync for long, down or up; empty: it has not been long."""
    last_ms = last_exchange_ms(link)
    if last_ms is None:
        return say("start.late.never")
    for since_ms, key in ((last_ms, "start.late"), (owed.oldest_at_ms, "start.late.owed")):
        if since_ms is not None and now_ms - since_ms > warn_after_h * _HOUR_MS:
            return say(key, since=fmt.moment(since_ms, now_ms), age=fmt.age(now_ms - since_ms))
    return ""


def _cause(
    link: LinkStatus,
    reach: Reach | None,
    fmt: Formats,
    now_ms: int,
    work: WorkMode,
    *,
    is_away: bool,
    sync_is_lost: bool,
) -> str:
    if sync_is_lost:
        return say("cause.sync")
    if link.is_blocked:
        return say("blocked", detail=link.blocked_detail)
    if reach is not None:
        return reach_text(reach, link)
    if work.is_offline:
        return by_hand_text(work, fmt, now_ms)
    if not is_away:
        trouble = next(iter(link.problems.values()), None)
        return trouble.sentence if trouble else say("cause.late")
    return say("cause.looking")


def _advice(link: LinkStatus, reach: Reach | None) -> tuple[str, ...]:
    if reach is not None and reach.where is Where.HEAD_OFFICE:
        return (say("start.down"),)
    if link.is_blocked:
        return ()
    return say("start.restart"), say("start.check"), say("start.support")


def _layers(reach: Reach | None) -> tuple[Layer, ...]:
    """The way to head office, step by step; no internet where there is none in between."""
    if reach is None:
        return ()
    broken = _BROKEN.get(reach.where)
    works = _WORKS[reach.where] if broken is None else broken
    layers: list[Layer] = []
    for place, name in enumerate(_LAYERS):
        state: State = "works" if place < works else "broken" if place == broken else "unknown"
        if not (reach.is_near and name == "layer.internet"):
            layers.append(Layer(say(name), state, say(_STATES[state])))
    return tuple(layers)
