"""Writing a journal: what the next entry, the next number and the next epoch are. Pure.

The adapter reads `Head` inside the transaction that stores the result, never from memory: two
processes on one database then cannot take the same number (P4).
"""

import msgspec

from holdfast.core.ids import DocumentNumber, EpochId, OriginId, document_number, segment_of
from holdfast.core.journal.bodies import DOCUMENT_TYPES, EpochClosed, EpochOpened, Parent
from holdfast.core.journal.chain import ZERO_HASH, Position, link
from holdfast.core.journal.entry import encode_entry
from holdfast.core.journal.epochs import OpenEpoch


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When and for which business date an entry is written."""

    at_ms: int
    offset_min: int
    date: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journal stands: all that writing the next entry needs."""

    epoch: EpochId
    seq: int
    hash: bytes
    documents: int
    """Documents numbered in this epoch's segment so far."""

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq, self.hash)

    def next_document(self, series: str) -> DocumentNumber:
        return document_number(series, self.epoch, self.documents + 1)


class Written(msgspec.Struct, frozen=True):
    """An entry to store, and where the journal stands after it."""

    seq: int
    hash: bytes
    type: str
    data: bytes
    head: Head


def write(
    origin: OriginId, head: Head, type: str, version: int, body: msgspec.Struct, stamp: Stamp
) -> Written:
    """The next entry. Raises TooLargeFault past the bound of an entry."""
    seq = head.seq + 1
    data = encode_entry(
        origin=origin,
        epoch=head.epoch,
        seq=seq,
        type=type,
        version=version,
        at_ms=stamp.at_ms,
        offset_min=stamp.offset_min,
        date=stamp.date,
        body=body,
    )
    hash = link(head.hash, data)
    documents = head.documents + (1 if type in DOCUMENT_TYPES else 0)
    return Written(seq, hash, type, data, Head(epoch=head.epoch, seq=seq, hash=hash, documents=documents))


def open_epoch(
    origin: OriginId,
    series: str,
    epoch: EpochId,
    parent: Position | None,
    why: OpenEpoch,
    stamp: Stamp,
    *,
    software: str,
    key_id: str,
) -> Written:
    """The first entry of a new epoch, naming its parent's seq and hash."""
    assert parent is None or parent.epoch != epoch, "an epoch is opened once"
    body = EpochOpened(
        cause=why.cause,
        series=series,
        segment=segment_of(epoch),
        software=software,
        key_id=key_id,
        parent=None
        if parent is None
        else Parent(
            epoch=parent.epoch,
            seq=parent.seq,
            hash=parent.hash,
            claimed_seq=max(why.claimed_seq, parent.seq),
        ),
        remembered=why.remembered,
    )
    start = Head(epoch=epoch, seq=0, hash=ZERO_HASH, documents=0)
    return write(origin, start, "epoch_opened", 1, body, stamp)


def close_epoch(origin: OriginId, head: Head, cause: str, stamp: Stamp) -> Written:
    """The last entry of an epoch that ends in order."""
    return write(origin, head, "epoch_closed", 1, EpochClosed(cause=cause), stamp)
