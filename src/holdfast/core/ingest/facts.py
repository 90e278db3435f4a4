"""What head office must know to decide about a batch. Stores load it; `decide` reads it."""

from collections.abc import Mapping, Set

import msgspec

from holdfast.core.ids import EpochId, IncarnationId, OriginId, StoreId
from holdfast.core.journal.chain import Position


class OriginFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The origin as it is enrolled."""

    origin: OriginId
    store: StoreId
    series: str
    currency: str


class ChainFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One branch of one epoch, as stored. Branch 0 is the main one.

    A branch of its own begins after `fork_seq` of `parent_chain`; the main one after seq 0.
    """

    chain: int
    """Number of the chain within head office: given by the store, dense, from 1."""
    origin: OriginId
    epoch: EpochId
    branch: int
    head: Position
    fork_seq: int = 0
    parent_chain: int | None = None


class ReferenceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An external reference that a projected document already carries."""

    chain: int
    seq: int
    content: bytes
    """`content_of` that document: tells the same document again from another one."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that `decide` reads for one batch, loaded in the transaction that stores its rows."""

    incarnation: IncarnationId
    origin: OriginFacts
    chains: tuple[ChainFacts, ...]
    """Every branch of the batch's epoch; main first."""
    hashes: Mapping[tuple[int, int], bytes]
    """(chain, seq) → hash for the batch's seqs and the one before, on each of those chains."""
    lost: Set[tuple[int, int]] = frozenset()
    """Of those places, the ones whose entry was unreadable at its origin and never came since."""
    open_period: str
    """First posting period that is not closed, `YYYY-MM`; nothing is posted before it (P7)."""
    next_chain: int
    """Number that the next new chain takes."""
