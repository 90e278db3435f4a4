"""A drill: an outage that is practised on a live register, for a bounded time (SW11).

Real-time services are cut, as an outage cuts them; sync goes on, for what is sold meanwhile is sold. A drill
is in force from its entry `drill_started` on, and always ends:

    | from | to | when | cause |
    |---|---|---|---|
    | none | on | somebody with the permission, or who has it approved, starts it while online | |
    | on | none | anybody ends it | `ended` |
    | on | none | its time is up, or the clock was set back before its beginning | `time` |
    | on | none | whoever started it signs out | `signed-out` |
    | on | none | a real outage begins | `outage` |
    | on | none | somebody works offline by hand | `by-hand` |
    | on | none | the till is started again, or retired | `restart` |

Documents between its two entries were made in it; nothing of a document says so.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.bounds import reason_refusal
from holdfast.core.ids import EpochId, StaffId
from holdfast.core.refusals import Refusal

Cause = Literal["ended", "time", "signed-out", "outage", "by-hand", "restart"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

MINUTE_MS = 60_000
MINUTES = 15
"""How long a drill lasts where nobody says otherwise."""
MINUTES_MAX = 60
REFUSED_MAX = 20
"""Operations of which the outcome says that they were refused; a bound for the entry."""


class DrillStarted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `drill_started`, version 1."""

    reason: str
    length_ms: int
    by: StaffId
    approved_by: StaffId = StaffId("")
    readiness: int = 0
    """The score at its beginning (core.readiness)."""
    findings: tuple[str, ...] = ()
    """What would have failed, as core.readiness names it."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be done in a drill, and how often it was tried."""

    operation: str
    """Its row's id in the operations table."""
    sentence: str
    """What was read at the till."""
    times: int = 1


class DrillEnded(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `drill_ended`, version 1: what came of it."""

    epoch: EpochId
    seq: int
    """Of its `drill_started`."""
    cause: str
    """One of CAUSES."""
    lasted_ms: int
    documents: int = 0
    """Made in it."""
    value_minor: int = 0
    longest_wait_ms: int = 0
    """The longest that somebody waited for the till's answer to an act; 0: nothing was done, or not known."""
    refused: tuple[Refused, ...] = ()
    by: StaffId = StaffId("")
    """Who ended it; empty: it ended by itself."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """The drill in force; a fold over its entries."""

    epoch: EpochId
    seq: int
    """Of its `drill_started`."""
    started_ms: int
    length_ms: int
    reason: str
    by: StaffId

    @property
    def ends_ms(self) -> int:
        """When its time is up."""
        return self.started_ms + self.length_ms

    def is_on(self, now_ms: int) -> bool:
        """Whether it cuts anything: never for longer than it was meant to, also where its end cannot be
        written, or where the clock was set back."""
        return self.started_ms <= now_ms < self.ends_ms

    def without(self, applied: Mapping[EpochId, int]) -> dict[EpochId, int]:
        """What head office would have, had this been an outage: nothing of what was made since."""
        return {**applied, self.epoch: min(applied.get(self.epoch, 0), self.seq)}


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What is noticed in a drill and stands in no entry before it ends."""

    longest_wait_ms: int = 0
    refused: tuple[Refused, ...] = ()

    def waited(self, wait_ms: int) -> "Tally":
        """Somebody waited so long for an answer."""
        return msgspec.structs.replace(self, longest_wait_ms=max(self.longest_wait_ms, wait_ms))

    def said_no(self, operation: str, sentence: str) -> "Tally":
        """Something could not be done; the same again counts."""
        for place, known in enumerate(self.refused):
            if known.operation == operation:
                again = msgspec.structs.replace(known, times=known.times + 1)
                return msgspec.structs.replace(
                    self, refused=(*self.refused[:place], again, *self.refused[place + 1 :])
                )
        if len(self.refused) >= REFUSED_MAX:
            return self
        new = Refused(operation=operation, sentence=sentence)
        return msgspec.structs.replace(self, refused=(*self.refused, new))


NOTHING_NOTICED = Tally()


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of a drill."""

    documents: int
    value_minor: int


def start(
    before: Drill | None,
    act: Act,
    reason: str,
    minutes: int,
    *,
    may: bool,
    readiness: int = 0,
    findings: tuple[str, ...] = (),
) -> DrillStarted | Refusal:
    """What to journal. `may`: whether this person's role allows it without somebody's approval."""
    if before is not None:
        return Refusal("drill.already", "A drill runs already. End it first.")
    if refusal := reason_refusal(reason) or act_refusal(act):
        return refusal
    if not 1 <= minutes <= MINUTES_MAX:
        return Refusal(
            "drill.minutes", f"A drill lasts from 1 to {MINUTES_MAX} minutes. Enter a whole number of them."
        )
    if not may and not act.approved_by:
        return Refusal("drill.needs-manager", "A drill needs a manager. Ask one to approve it.")
    return DrillStarted(
        reason=reason.strip(),
        length_ms=minutes * MINUTE_MS,
        by=act.by,
        approved_by=act.approved_by,
        readiness=readiness,
        findings=findings,
    )


def due(drill: Drill, now_ms: int, *, line_is_away: bool, by_hand: bool) -> Cause | None:
    """Why it ends by itself now; None: it goes on. A person's choice before the outage that it looks like."""
    if by_hand:
        return "by-hand"
    if line_is_away:
        return "outage"
    return None if drill.is_on(now_ms) else "time"


def end(
    drill: Drill, cause: Cause, at_ms: int, made: Made, tally: Tally = NOTHING_NOTICED, by: str = ""
) -> DrillEnded:
    """What to journal of its end."""
    return DrillEnded(
        epoch=drill.epoch,
        seq=drill.seq,
        cause=cause,
        lasted_ms=max(0, at_ms - drill.started_ms),
        documents=made.documents,
        value_minor=made.value_minor,
        longest_wait_ms=tally.longest_wait_ms,
        refused=tally.refused,
        by=StaffId(by),
    )


def after(before: Drill | None, body: msgspec.Struct, epoch: EpochId, seq: int, at_ms: int) -> Drill | None:
    """The drill in force after an entry; other bodies change nothing."""
    if isinstance(body, DrillStarted):
        return Drill(
            epoch=epoch,
            seq=seq,
            started_ms=at_ms,
            length_ms=body.length_ms,
            reason=body.reason,
            by=body.by,
        )
    return None if isinstance(body, DrillEnded) else before
