"""When an epoch must open: at start against the high-water mark, at contact against head office."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import Position


class MarkLike(Protocol):
    """The high-water mark kept outside the database (`infra.mark.Mark`)."""

    @property
    def epoch(self) -> EpochId: ...
    @property
    def seq(self) -> int: ...
    @property
    def hash(self) -> bytes: ...


HashAt = Callable[[EpochId, int], bytes | None]
"""The hash that this origin's own database holds at (epoch, seq), or None."""


class OpenEpoch(msgspec.Struct, frozen=True):
    """A new epoch must open before anything else is written, for this cause."""

    cause: str
    """`enrolled`, `restored`, `forked`, `damaged`."""
    claimed_seq: int
    """Highest head remembered for the parent epoch; 0 where there is no parent."""
    sentence: str
    remembered: Position | None = None
    """Where the mark stands, if this database does not hold that entry. Its epoch may be one that
    nobody else ever heard of."""


def at_start(head: Position | None, mark: MarkLike | None, hash_at: HashAt) -> OpenEpoch | None:
    """What the database and the mark together say, offline too (P4).

    The mark is written after each commit and may lag behind after a power loss, so a database
    ahead of it is in order as long as it contains it. A database that does not contain the
    mark lost entries or is another one: what it would number next may be on paper already.
    A missing mark means that this database woke up on another machine.
    """
    if head is None:
        sentence = "this register has no journal yet"
        if mark is None:
            return OpenEpoch("enrolled", 0, sentence)
        return OpenEpoch("restored", mark.seq, sentence, _position(mark))
    if mark is None:
        return OpenEpoch("restored", head.seq, "the high-water mark beside the database is missing")
    if hash_at(mark.epoch, mark.seq) != mark.hash:
        claimed = max(head.seq, mark.seq) if mark.epoch == head.epoch else head.seq
        sentence = f"the database does not hold entry {mark.seq} that the mark remembers"
        return OpenEpoch("restored", claimed, sentence, _position(mark))
    # The mark may lag behind by an epoch too: it was opened, and the power went before the mark heard of it.
    assert mark.epoch != head.epoch or mark.seq <= head.seq, "what holds the marked entry is not behind it"
    return None


def on_replacement(former: OriginId, at: Position | None) -> OpenEpoch:
    """The first epoch of a register that goes on for another one; `at`: how far head office has that one."""
    return OpenEpoch("replaced", 0 if at is None else at.seq, f"this register goes on for {former}")


def _position(mark: MarkLike) -> Position:
    return Position(mark.epoch, mark.seq, mark.hash)


def at_contact(head: Position, tips: tuple[Position, ...], hash_at: HashAt) -> OpenEpoch | None:
    """What head office's head hashes say of the open epoch.

    A tip that is in this chain is where head office has come to. One that is not was written by
    another copy of this database: from here on this one numbers in a segment of its own.
    """
    foreign = [tip for tip in tips if tip.epoch == head.epoch and hash_at(tip.epoch, tip.seq) != tip.hash]
    if not foreign:
        return None
    claimed = max(head.seq, *(tip.seq for tip in foreign))
    return OpenEpoch(
        "forked",
        claimed,
        f"head office holds entry {foreign[0].seq} of this epoch, which this database does not",
    )
