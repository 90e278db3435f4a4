"""The line that is always on screen: which mode, since when, and what is owed (SW6).

Mode and cursors come from the sync process's database, what is owed from the till's own. A sync process
that does not run is offline whatever it last wrote.
"""

from typing import Literal

import msgspec

from holdfast.core.connection import Mode
from holdfast.core.drill import Drill
from holdfast.core.work_mode import WorkMode
from holdfast.register.checkout import Owed
from holdfast.register.sync.status import LinkStatus
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say

ModeName = Literal["online", "degraded", "offline"]
LoyaltyState = Literal["", "on", "off"]
"""Of its real-time part; empty: this register has no loyalty."""
REASON_CHARS_MAX = 40
"""Of a person's reason in the bar; all of it stands on the page *Status*."""
ONLINE = WorkMode()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the status line says, as text."""

    mode: ModeName
    mode_text: str
    owed_text: str
    owes: bool
    by_hand: bool = False
    """A person works offline."""
    drill: bool = False
    """An outage is practised."""
    problem: str = ""
    printer: str = ""
    """What somebody must know of the receipt printer."""
    loyalty: LoyaltyState = ""


def status_of(
    link: LinkStatus,
    owed: Owed,
    fmt: Formats,
    now_ms: int,
    *,
    sync_lost_ms: int | None,
    work: WorkMode = ONLINE,
    drill: Drill | None = None,
    printer: str = "",
) -> Status:
    """`sync_lost_ms`: since when the sync process does not run; None: it runs. `work`: as somebody chose.

    `drill`: the one that goes on; then `owed` is what would be.
    """
    if drill is not None:
        return Status(
            mode=Mode.OFFLINE.value,
            mode_text=_drill_text(drill, fmt, now_ms),
            owed_text=_would_be_owed(owed, fmt),
            owes=owed.count > 0,
            drill=True,
            problem=_problem(link),
            printer=printer,
        )
    mode = Mode.OFFLINE if sync_lost_ms is not None or work.is_offline else link.mode
    since_ms = link.since_ms if sync_lost_ms is None else sync_lost_ms
    return Status(
        mode=mode.value,
        mode_text=by_hand_text(work, fmt, now_ms)
        if work.is_offline
        else _mode_text(mode, since_ms, link, fmt, now_ms),
        owed_text=owed_text(owed, fmt, now_ms),
        owes=owed.count > 0,
        by_hand=work.is_offline,
        problem=_problem(link),
        printer=printer,
    )


def _mode_text(mode: Mode, since_ms: int, link: LinkStatus, fmt: Formats, now_ms: int) -> str:
    if mode is Mode.ONLINE:
        return say("link.online")
    if link.forced and mode is Mode.OFFLINE:
        return say("link.resuming")
    if not since_ms:
        return say("link.offline.never")
    return say(f"link.{mode.value}", since=fmt.moment(since_ms, now_ms))


def _drill_text(drill: Drill, fmt: Formats, now_ms: int) -> str:
    since, until = fmt.moment(drill.started_ms, now_ms), fmt.moment(drill.ends_ms, now_ms)
    return say("drill.mode", since=since, until=until)


def _would_be_owed(owed: Owed, fmt: Formats) -> str:
    if not owed.count:
        return say("drill.owed.nothing")
    return say("drill.owed", count=_sales(owed, fmt), value=fmt.money(owed.value_minor))


def by_hand_text(work: WorkMode, fmt: Formats, now_ms: int) -> str:
    """`Offline by hand since 14:02: printer works`."""
    reason = work.reason
    if len(reason) > REASON_CHARS_MAX:
        reason = reason[: REASON_CHARS_MAX - 1] + "…"
    return say("link.by-hand", since=fmt.moment(work.since_ms, now_ms), reason=reason)


def owed_text(owed: Owed, fmt: Formats, now_ms: int) -> str:
    """`12 sales, €431.20, oldest 3 h`, or that nothing is owed."""
    if not owed.count:
        return say("owed.nothing")
    age_ms = 0 if owed.oldest_at_ms is None else max(0, now_ms - owed.oldest_at_ms)
    return say(
        "owed.sales",
        count=_sales(owed, fmt),
        value=fmt.money(owed.value_minor),
        age=fmt.age(age_ms),
    )


def _sales(owed: Owed, fmt: Formats) -> str:
    return say("owed.sale" if owed.count == 1 else "owed.sales.count", count=fmt.count(owed.count))


def _problem(link: LinkStatus) -> str:
    if link.is_blocked:
        return say("blocked", detail=link.blocked_detail)
    trouble = next(iter(link.problems.values()), None)
    return trouble.sentence if trouble and link.mode is not Mode.OFFLINE else ""
