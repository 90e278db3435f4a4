"""What the protocol needs of its surroundings: a journal to send from."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import SignedHead
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Receipt


class Piece(msgspec.Struct, frozen=True):
    """Contiguous entries and the signed head that closes them."""

    previous_hash: bytes
    entries: tuple[StoredEntry, ...]
    head: SignedHead


class JournalView(Protocol):
    """One origin's journal as its sender sees it: a register's own, or a relay's copy.

    Every call reads committed state at the time of the call.
    """

    @property
    def origin(self) -> OriginId: ...

    def heads(self) -> Sequence[SignedHead]:
        """The signed head of each epoch held, in order of opening. The last is the open one."""
        ...

    def hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        """The chain's hash there; None where this journal has no such entry."""
        ...

    def first_seq(self, epoch: EpochId) -> int:
        """Of the first entry that it can send: 1, unless what comes before is another journal's to bring."""
        ...

    def piece(self, epoch: EpochId, first_seq: int, entries_max: int, bytes_max: int) -> Piece | None:
        """Entries from `first_seq` on, cut at a signed head; None when there are none.

        A register signs a head wherever it wants to cut; a relay can cut only where one was
        signed, and then may return more entries than asked, up to the receiver's bound.
        """
        ...

    def receipts(self) -> Sequence[Receipt]:
        """The furthest applied receipt that head office gave for each epoch."""
        ...
