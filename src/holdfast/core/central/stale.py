"""Stale locks: which may be released without a person, and why not the others (GC9).

    older than the policy's age
      and its owner cannot have a sale with it that head office does not know:
        all of its journals are here and closed, or
        it cannot conclude offline, and
          it was in touch since it uses the lock no more without asking again, and all of its journal
          past its asking is here, or
          its epoch has ended, or the register is retired or replaced

Never while the owner may conclude offline and may owe: the customer may have left with the goods. A person
may release such a lock all the same, and reads what can happen. Pure: facts in, a verdict out.
"""

import enum

import msgspec

AFTER_MS_MIN = 3_600_000
"""No policy is younger: it counts in whole hours, and 0 is never."""
WORN_MS = 1_800_000
"""So long a till uses a lock online without asking again. What it concluded by then, a later word names."""
assert WORN_MS < AFTER_MS_MIN, "the till asks before any policy may release"
POLICY = "policy"
"""Who released a lock that nobody released by hand."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """From parameters, at the owner's place."""

    after_ms: int
    """So old a lock is stale; 0: none is."""
    contact_within_ms: int
    """So lately the owner must have spoken, where its silence would leave a doubt."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """What head office knows of the register that holds it."""

    may_conclude_offline: bool
    """By any setting that it may go by, or may have begun its transaction with."""
    word_ms: int | None
    """When its last signed word came."""
    is_past_asking: bool
    """All that it ever claimed is here, and its entry that asked for this lock is among that."""
    is_gone: bool
    """The epoch that asked has ended, or the register is retired or replaced."""
    is_complete: bool
    """All of its journals are closed, and all of them are here: it owes nothing and may owe nothing."""


class Verdict(enum.StrEnum):
    """What is to be done with a lock, and why; the sentence for a page."""

    RELEASE = "It is stale, and is released by itself now."
    NEVER = "No policy releases locks at this register: only a person does."
    YOUNG = "It is not old enough to be stale."
    MAY_OWE = (
        "Its register may conclude offline, and may owe a sale with it. It is never released by itself: "
        "only a person does that."
    )
    SILENT = (
        "Its register has not been in touch since, or not lately enough. It is released by itself once the "
        "register was, or is retired."
    )
    ASKED = (
        "Its register asked for it again lately, and may be concluding with it. It is looked at again within "
        "the hour."
    )
    BEHIND = "Not all of its register's journal is here yet. It is looked at again once it is."


def verdict(since_ms: int, told_ms: int, owner: Owner, policy: Policy, now_ms: int) -> Verdict:
    """Whether a lock that was taken at `since_ms` is released without a person. `told_ms`: when its till
    asked again and was told that it holds; 0: never."""
    if not policy.after_ms:
        return Verdict.NEVER
    if now_ms - since_ms < policy.after_ms:
        return Verdict.YOUNG
    if owner.is_complete:
        return Verdict.RELEASE
    if owner.may_conclude_offline:
        return Verdict.MAY_OWE
    if owner.is_gone:
        return Verdict.RELEASE
    if not _is_in_touch(max(since_ms, told_ms), owner, policy, now_ms):
        return Verdict.ASKED if _is_in_touch(since_ms, owner, policy, now_ms) else Verdict.SILENT
    return Verdict.RELEASE if owner.is_past_asking else Verdict.BEHIND


def _is_in_touch(told_ms: int, owner: Owner, policy: Policy, now_ms: int) -> bool:
    """Since the lock was used without asking, and lately; a word of the future nobody can date."""
    word_ms = owner.word_ms
    return (
        word_ms is not None
        and is_telling(told_ms, word_ms)
        and word_ms <= now_ms
        and now_ms - word_ms <= policy.contact_within_ms
    )


def is_telling(told_ms: int, word_ms: int) -> bool:
    """Whether a register's word tells what became of a lock that it was last told of then. One from the first
    half hour after does not: a sale may have followed it, online, and the line dropped before it left."""
    return word_ms > told_ms + WORN_MS


def what_can_happen(owner: Owner, words: str) -> str:
    """For whoever is about to release a lock by hand. `words` name it: "gift card …4567"."""
    if owner.is_complete:
        return (
            f"Its register's journals are closed and all of them are here: nothing can come of the {words}."
        )
    if owner.is_past_asking and not owner.may_conclude_offline:
        return (
            f"All that its register has done is here, and it cannot conclude with the {words} while offline. "
            "If its transaction is concluded all the same, what is left is taken, and the rest stands on the "
            "report of differences."
        )
    return (
        f"Its register may have concluded with the {words} already, or may still do so. Whoever spends it "
        "elsewhere meanwhile has it; when that sale arrives, what is left is taken, and what is missing is "
        "the chain's loss. It stands on the report of differences with your name and reason."
    )
