"""Which entries of a register's chains a Z report covers: from the one before it up to itself (PO5).

A day may go on in another epoch, and a copied register has branches. Head office follows each chain back to
where it began.
"""

from collections.abc import Mapping

import msgspec

from holdfast.core.cash.z_report import ChainPlace
from holdfast.core.ids import EpochId

CHAINS_MAX = 10_000
"""A register opens an epoch when its disk is replaced; what goes on for longer goes in a circle."""


class ChainEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A chain as head office has it, and what it began on."""

    chain: int
    epoch: EpochId
    first_seq: int
    """Of its own entries; a branch has those after the fork."""
    before: int | None
    """The chain that holds the entry before its first; None: there is none, or it is not here."""
    before_seq: int
    """The seq of that entry; 0: the register's journal begins here."""


class Span(msgspec.Struct, frozen=True):
    """Entries of one chain."""

    chain: int
    first_seq: int
    last_seq: int


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What a report covers, newest first; `lacks` where an earlier epoch is not all here."""

    spans: tuple[Span, ...]
    lacks: bool = False


def covered(chain: int, seq: int, since: ChainPlace | None, chains: Mapping[int, ChainEnd]) -> Covered:
    """What the Z report at that place covers. `since`: the one before it."""
    spans: list[Span] = []
    last_seq = seq - 1
    for _ in range(CHAINS_MAX):
        here = chains[chain]
        if since is not None and since.epoch == here.epoch and since.seq >= here.first_seq:
            spans.append(Span(chain, since.seq + 1, last_seq))
            return Covered(spans=tuple(spans))
        spans.append(Span(chain, here.first_seq, last_seq))
        if here.before is None:
            return Covered(spans=tuple(spans), lacks=here.before_seq > 0)
        chain, last_seq = here.before, here.before_seq
    return Covered(spans=tuple(spans), lacks=True)


def goes_on_from(chain: int, origin: int, seq: int, chains: Mapping[int, ChainEnd]) -> bool:
    """Whether a chain goes on from an entry of another one, so that its own come after that."""
    for _ in range(CHAINS_MAX):
        here = chains[chain]
        if here.before is None:
            return False
        if here.before == origin and here.before_seq >= seq:
            return True
        chain = here.before
    return False
