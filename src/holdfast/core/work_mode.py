"""How a register works by a person's choice: as its line is, or offline by hand (SW3).

Working offline means no real-time calls; sync goes on. The choice is an entry of the journal, with who made
it and why, and it lasts through a restart until somebody enables Online POS again.
"""

from typing import Literal

import msgspec

from holdfast.core.basket.limits import Act, act_refusal
from holdfast.core.bounds import reason_refusal
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal

Work = Literal["offline", "online"]
"""`online`: whatever the line allows."""


class WorkMode(msgspec.Struct, frozen=True, kw_only=True):
    """The choice in force; a fold over its entries."""

    work: Work = "online"
    since_ms: int = 0
    """UTC milliseconds; 0: nobody ever chose."""
    reason: str = ""
    by: StaffId = StaffId("")

    @property
    def is_offline(self) -> bool:
        return self.work == "offline"


class WorkModeChanged(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `work_mode_changed`, version 1."""

    work: Work
    reason: str
    line: str
    """The connection's state then, as core.connection.Mode names it."""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")


def choose(
    before: WorkMode, act: Act, work: Work, reason: str, *, line: str, may: bool
) -> WorkModeChanged | Refusal:
    """What to journal. `may`: whether this person's role allows it without a manager."""
    if work == before.work:
        return _ALREADY[work]
    if refusal := reason_refusal(reason) or act_refusal(act):
        return refusal
    if not may and not act.approved_by:
        return Refusal("work-mode.needs-manager", f"{_ACTS[work]} needs a manager. Ask one to approve it.")
    return WorkModeChanged(
        work=work, reason=reason.strip(), line=line, by=act.by, approved_by=act.approved_by
    )


def after(before: WorkMode, body: msgspec.Struct, at_ms: int) -> WorkMode:
    """The choice in force after an entry's body; other bodies change nothing."""
    if isinstance(body, WorkModeChanged):
        return WorkMode(work=body.work, since_ms=at_ms, reason=body.reason, by=body.by)
    return before


_ACTS: dict[Work, str] = {"offline": "Working offline by hand", "online": "Enabling Online POS"}
_ALREADY: dict[Work, Refusal] = {
    "offline": Refusal("work-mode.already", "This register works offline by hand already."),
    "online": Refusal("work-mode.already", "Online POS is enabled already: the line alone decides."),
}
