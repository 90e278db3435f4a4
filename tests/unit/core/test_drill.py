"""A drill is bounded, always ends, says what came of it; readiness is a score of what would fail (SW11)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core import drill as drills
from holdfast.core import readiness
from holdfast.core.basket import UNLIMITED, Act
from holdfast.core.drill import MINUTE_MS, REFUSED_MAX, Drill, DrillEnded, DrillStarted, Made, Tally
from holdfast.core.ids import EpochId, StaffId
from holdfast.core.journal.bodies import ConnectionChanged
from holdfast.core.readiness import CHECKS, SURVIVES_FROM, Facts, Readiness, assess, band_of, findings_of
from holdfast.core.refusals import Refusal

EPOCH = EpochId("E1")
READY = Facts(
    feed_ages_ms={"products": 0, "prices": 0, "taxes": 0, "staff": 0},
    sellers=3,
    approvers=1,
    currency_is_known=True,
    disk_free_bytes=1 << 34,
    has_reserve=True,
    printer_trouble=None,
    has_signing_key=True,
    has_recovery_copy=True,
    has_mark=True,
    skew_ms=10,
    owed_age_ms=None,
    is_blocked=False,
)
OLD_MS = readiness.FEED_OLD_AFTER_MS + 1
FAILING: dict[str, dict[str, object]] = {
    "products.missing": {"feed_ages_ms": {"prices": 0, "taxes": 0, "staff": 0}},
    "prices.missing": {"feed_ages_ms": {"products": 0, "taxes": 0, "staff": 0}},
    "staff.nobody": {"sellers": 0, "approvers": 0},
    "currency.unknown": {"currency_is_known": False},
    "disk.full": {"has_reserve": False},
    "key.missing": {"has_signing_key": False},
    "blocked": {"is_blocked": True},
    "staff.no-approver": {"approvers": 0},
    "recovery.missing": {"has_recovery_copy": False},
    "mark.missing": {"has_mark": False},
    "printer.trouble": {"printer_trouble": "out of paper"},
    "prices.old": {"feed_ages_ms": {**READY.feed_ages_ms, "prices": OLD_MS}},
    "staff.old": {"feed_ages_ms": {**READY.feed_ages_ms, "staff": OLD_MS}},
    "products.old": {"feed_ages_ms": {**READY.feed_ages_ms, "products": OLD_MS}},
    "taxes.old": {"feed_ages_ms": {**READY.feed_ages_ms, "taxes": OLD_MS}},
    "owed.old": {"owed_age_ms": readiness.OWED_OLD_AFTER_MS + 1},
    "clock.off": {"skew_ms": -readiness.SKEW_MS_MAX - 1},
    "disk.low": {"disk_free_bytes": 1 << 20},
}
"""By code, the facts that make it a finding, and no other."""


def act(approved_by: str = "") -> Act:
    return Act(by=StaffId("1"), at_ms=0, limits=UNLIMITED, approved_by=StaffId(approved_by))


def running(started_ms: int = 1_000, minutes: int = 15) -> Drill:
    return Drill(
        epoch=EPOCH, seq=7, started_ms=started_ms, length_ms=minutes * MINUTE_MS, reason="r", by=StaffId("1")
    )


# ---- the drill ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "reason", "minutes", "may", "code"),
    [
        (running(), "r", 15, True, "drill.already"),
        (None, " ", 15, True, "text.reason-needed"),
        (None, "r", 0, True, "drill.minutes"),
        (None, "r", 61, True, "drill.minutes"),
        (None, "r", 15, False, "drill.needs-manager"),
    ],
)
def test_what_is_refused(before: Drill | None, reason: str, minutes: int, may: bool, code: str) -> None:
    refused = drills.start(before, act(), reason, minutes, may=may)
    assert isinstance(refused, Refusal)
    assert refused.code == code


@given(
    minutes=st.integers(1, drills.MINUTES_MAX),
    started_ms=st.integers(0, 1 << 45),
    now_ms=st.integers(0, 1 << 46),
)
def test_a_drill_always_ends(minutes: int, started_ms: int, now_ms: int) -> None:
    """Whatever the clock does, it cuts nothing outside of its own time, and is then due to end."""
    started = drills.start(None, act("9"), " practice ", minutes, may=False)
    assert isinstance(started, DrillStarted)
    drill = drills.after(None, started, EPOCH, 7, started_ms)
    assert drill is not None
    assert (drill.reason, drill.seq) == ("practice", 7)
    cause = drills.due(drill, now_ms, line_is_away=False, by_hand=False)
    assert drill.is_on(now_ms) == (cause is None) == (0 <= now_ms - started_ms < minutes * MINUTE_MS)
    assert not drill.is_on(drill.ends_ms)
    assert drills.due(drill, now_ms, line_is_away=True, by_hand=False) == "outage"
    assert drills.due(drill, now_ms, line_is_away=True, by_hand=True) == "by-hand"
    ended = drills.end(drill, "time", now_ms, Made(documents=2, value_minor=3))
    assert drills.after(drill, ended, EPOCH, 8, now_ms) is None
    same = drills.after(drill, ConnectionChanged(before="a", after="b", cause="c"), EPOCH, 8, now_ms)
    assert same == drill


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 10_000)), max_size=200))
def test_what_is_noticed_is_bounded_and_counted(noticed: list[tuple[int, int]]) -> None:
    tally = Tally()
    for operation, wait_ms in noticed:
        tally = tally.waited(wait_ms).said_no(f"o{operation}", "No.")
    assert tally.longest_wait_ms == max((wait_ms for _, wait_ms in noticed), default=0)
    assert len(tally.refused) <= REFUSED_MAX
    if len({operation for operation, _ in noticed}) <= REFUSED_MAX:
        assert sum(one.times for one in tally.refused) == len(noticed)
    ended = drills.end(running(), "ended", 0, Made(documents=0, value_minor=0), tally, "1")
    assert msgspec.json.decode(msgspec.json.encode(ended), type=DrillEnded) == ended
    assert ended.lasted_ms == 0, "a clock that was set back"


def test_what_would_be_owed_is_all_since_its_beginning() -> None:
    other = EpochId("E0")
    assert running().without({EPOCH: 9, other: 3}) == {EPOCH: 7, other: 3}
    assert running().without({EPOCH: 5}) == {EPOCH: 5}
    assert running().without({}) == {EPOCH: 0}


# ---- readiness ---------------------------------------------------------------------------------


def test_a_register_that_lacks_nothing_is_ready() -> None:
    assert assess(READY) == Readiness(score=100)
    assert assess(msgspec.structs.replace(READY, printer_trouble="")) == Readiness(score=100)
    assert set(FAILING) == {check.finding.code for check in CHECKS}


@pytest.mark.parametrize("code", FAILING)
def test_each_finding_is_found_alone_and_said_with_its_cure(code: str) -> None:
    found = assess(msgspec.structs.replace(READY, **FAILING[code]))
    assert found.findings == (code,)
    [finding] = findings_of(found)
    assert found.score < 100
    assert (band_of(found) == "fails") == finding.stops
    for text in (finding.why, finding.cure):
        assert text[0].isupper()
        assert text.endswith(".")


@given(st.sets(st.sampled_from(sorted(FAILING))), st.sampled_from(sorted(FAILING)))
def test_a_score_never_rises_with_another_finding(codes: set[str], more: str) -> None:
    """And it is below the mark exactly where something stops."""
    by_code = {check.finding.code: check.finding for check in CHECKS}
    before = [by_code[code] for code in codes]
    after = [by_code[code] for code in codes | {more}]
    assert 0 <= readiness.score_of(after) <= readiness.score_of(before) <= 100
    assert (readiness.score_of(after) < SURVIVES_FROM) == any(finding.stops for finding in after)


def test_a_word_of_another_version_is_understood_as_far_as_it_goes() -> None:
    later = Readiness(score=90, findings=("terminal.away", "prices.old"))
    [unknown, known] = findings_of(later)
    assert "terminal.away" in unknown.why
    assert known.code == "prices.old"
    assert band_of(None) == "unknown"
    assert band_of(later) == "ready"
