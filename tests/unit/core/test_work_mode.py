"""Working offline by hand: by whom, why, until when (SW3); and limits that depend on the data's age (SW9)."""

import pytest

from holdfast.core import work_mode
from holdfast.core.basket import UNLIMITED, Act, Limits
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal
from holdfast.core.staleness import are_old, limits_at
from holdfast.core.work_mode import Work, WorkMode, WorkModeChanged

ONLINE = WorkMode()
OFFLINE = WorkMode(work="offline", since_ms=7, reason="printer works", by=StaffId("9"))
CASHIER = Limits(
    line_discount_e2_max=1_000,
    total_discount_e2_max=1_000,
    override_e2_max=1_000,
    return_without_receipt_minor_max=5_000,
)
HOUR_MS = 3_600_000


def act(approved_by: str = "") -> Act:
    return Act(by=StaffId("1"), at_ms=0, limits=CASHIER, approved_by=StaffId(approved_by))


def test_a_choice_says_who_and_why_and_holds_until_the_next() -> None:
    chosen = work_mode.choose(ONLINE, act("9"), "offline", " printer works ", line="online", may=False)
    assert chosen == WorkModeChanged(
        work="offline", reason="printer works", line="online", by=StaffId("1"), approved_by=StaffId("9")
    )
    now = work_mode.after(ONLINE, chosen, 7)
    assert now == WorkMode(work="offline", since_ms=7, reason="printer works", by=StaffId("1"))
    back = work_mode.choose(now, act(), "online", "done", line="offline", may=True)
    assert isinstance(back, WorkModeChanged)
    assert not work_mode.after(now, back, 8).is_offline


@pytest.mark.parametrize(
    ("before", "work", "reason", "may", "code"),
    [
        (ONLINE, "offline", "works", False, "work-mode.needs-manager"),
        (OFFLINE, "online", "done", False, "work-mode.needs-manager"),
        (OFFLINE, "offline", "works", True, "work-mode.already"),
        (ONLINE, "online", "works", True, "work-mode.already"),
        (ONLINE, "offline", "  ", True, "text.reason-needed"),
        (ONLINE, "offline", "x" * 201, True, "text.too-long"),
    ],
)
def test_what_is_refused(before: WorkMode, work: Work, reason: str, may: bool, code: str) -> None:
    refused = work_mode.choose(before, act(), work, reason, line="online", may=may)
    assert isinstance(refused, Refusal)
    assert refused.code == code


def test_old_prices_halve_the_limit_for_changing_one() -> None:
    assert limits_at(CASHIER, 25 * HOUR_MS, 24).override_e2_max == 500
    assert limits_at(CASHIER, 25 * HOUR_MS, 24).line_discount_e2_max == 1_000
    assert limits_at(CASHIER, 24 * HOUR_MS, 24) == CASHIER
    assert limits_at(CASHIER, 10**12, 0) == CASHIER, "switched off"
    assert limits_at(UNLIMITED, 10**12, 1) == UNLIMITED, "a manager answers for it himself"
    assert not are_old(None, 1)
