"""What head office knows of each epoch of a register, and of what of it is not here (P6)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from holdfast.core.ids import EpochId
from holdfast.core.monitoring.owed import EpochKnowledge

Chain = dict[str, Any]
"""A branch's row, by its columns' names."""


def is_open(chain: Chain, chains: Sequence[Chain], current: EpochId | None) -> bool:
    """An epoch is open until its closing entry, until the register speaks of another, until another names it
    as its parent, or until a later one begins without a parent: a new disk that knows of none before it."""
    if chain["closed_at_seq"] is not None or chain["epoch"] != (current or chain["epoch"]):
        return False
    return len(chains) == 1 or not any(
        other["parent_epoch"] == chain["epoch"]
        or (other["chain"] > chain["chain"] and other["cause"] is not None and other["parent_epoch"] is None
            and other["epoch"] != chain["epoch"])
        for other in chains
    )  # fmt: skip


def knowledge_of(
    chains: Sequence[Chain],
    claims: Mapping[str, int],
    given_up: Collection[str] = (),
    current: EpochId | None = None,
) -> list[EpochKnowledge]:
    """What is known of each branch in the order of `chains`, then of what was only ever claimed: branches
    and whole epochs of which nothing came yet.

    `claims`: epoch → highest claimed seq that is not here. `given_up`: epochs of which two people said that
    nobody waits for the rest. `current`: the epoch of its last signed word.
    """
    held = [_knowledge(chain, chains, claims, given_up, current) for chain in chains]
    if not claims:
        return held
    return [
        *held,
        *_claimed_branches(chains, held, claims),
        *_only_claimed(chains, claims, given_up, current),
    ]


def _knowledge(
    chain: Chain,
    chains: Sequence[Chain],
    claims: Mapping[str, int],
    given_up: Collection[str],
    current: EpochId | None,
) -> EpochKnowledge:
    # A claim that no branch holds yet counts to the main one: which branch it will be, nobody knows.
    claimed = claims.get(chain["epoch"], 0) if chain["branch"] == 0 else 0
    return EpochKnowledge(
        epoch=EpochId(chain["epoch"]),
        applied_seq=chain["head_seq"],
        claimed_seq=max(chain["head_seq"], claimed),
        is_open=is_open(chain, chains, current),
        closed_at_seq=chain["closed_at_seq"],
        declared_lost=chain["epoch"] in given_up,
    )


def _claimed_branches(
    chains: Sequence[Chain], held: Sequence[EpochKnowledge], claims: Mapping[str, int]
) -> list[EpochKnowledge]:
    """A claim that is not here, and not beyond the branch that is: another copy of the register sold it."""
    return [
        EpochKnowledge(
            epoch=item.epoch,
            applied_seq=0,
            claimed_seq=claims[item.epoch],
            is_open=item.is_open,
            closed_at_seq=None,
            declared_lost=item.declared_lost,
        )
        for chain, item in zip(chains, held, strict=True)
        if chain["branch"] == 0 and 0 < claims.get(item.epoch, 0) <= item.applied_seq
    ]


def _only_claimed(
    chains: Sequence[Chain], claims: Mapping[str, int], given_up: Collection[str], current: str | None
) -> list[EpochKnowledge]:
    """Epochs of which nothing came yet. Unless the register speaks of another, it may be in such a one."""
    held = {chain["epoch"] for chain in chains}
    ended = {chain["parent_epoch"] for chain in chains}
    return [
        EpochKnowledge(
            epoch=EpochId(epoch),
            applied_seq=0,
            claimed_seq=seq,
            is_open=current in (None, epoch) and epoch not in ended,
            closed_at_seq=None,
            declared_lost=epoch in given_up,
        )
        for epoch, seq in claims.items()
        if epoch not in held
    ]
