"""Stale locks: none is released without a person while its owner may have a sale with it (GC9)."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.central.stale import WORN_MS, Owner, Policy, Verdict, verdict, what_can_happen

times = st.integers(0, 6 * WORN_MS)
owners = st.builds(
    Owner,
    may_conclude_offline=st.booleans(),
    word_ms=st.none() | times,
    is_past_asking=st.booleans(),
    is_gone=st.booleans(),
    is_complete=st.booleans(),
)
policies = st.builds(Policy, after_ms=st.integers(0, 3 * WORN_MS), contact_within_ms=times)


@given(times, st.just(0) | times, owners, policies, times)
def test_only_what_cannot_be_owed_is_released(
    since_ms: int, told_ms: int, owner: Owner, policy: Policy, now_ms: int
) -> None:
    if verdict(since_ms, told_ms, owner, policy, now_ms) is not Verdict.RELEASE:
        return
    assert policy.after_ms
    assert now_ms - since_ms >= policy.after_ms
    assert owner.is_complete or not owner.may_conclude_offline, "it may conclude offline, and may owe"
    # What was concluded online without asking again was concluded before that word.
    last_ms = max(since_ms, told_ms)
    spoke = owner.word_ms is not None and last_ms + WORN_MS < owner.word_ms <= now_ms
    told = spoke and owner.is_past_asking and now_ms - (owner.word_ms or 0) <= policy.contact_within_ms
    assert owner.is_complete or owner.is_gone or told


@given(times, st.just(0) | times, owners, policies, times)
def test_less_knowledge_releases_nothing_more(
    since_ms: int, told_ms: int, owner: Owner, policy: Policy, now_ms: int
) -> None:
    """Whatever is doubtful for the worse, a lock that stood stands."""
    if verdict(since_ms, told_ms, owner, policy, now_ms) is Verdict.RELEASE:
        return
    for worse in (
        {"may_conclude_offline": True}, {"word_ms": None}, {"is_past_asking": False}, {"is_gone": False},
        {"is_complete": False},
    ):  # fmt: skip
        doubtful = msgspec.structs.replace(owner, **worse)
        assert verdict(since_ms, told_ms, doubtful, policy, now_ms) is not Verdict.RELEASE, worse
    assert verdict(since_ms, told_ms, owner, policy, since_ms) is not Verdict.RELEASE, "younger"


@given(owners)
def test_whoever_releases_by_hand_reads_what_can_happen(owner: Owner) -> None:
    said = what_can_happen(owner, "gift card …4567")
    assert "gift card …4567" in said
    assert ("report of differences" in said) is not owner.is_complete
