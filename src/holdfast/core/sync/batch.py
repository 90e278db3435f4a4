"""A batch on the wire: contiguous entries of one epoch, ending at a signed head.

    "HFB1"  one zstd frame of:
        u32 length, header (JSON: BatchHeader)
        count × ( u32 length, bytes )          an entry, verbatim
              | ( u32 length | 1<<31, bytes )  an entry unreadable at its origin: hash ‖ remains

An unreadable entry's hash is stated, not computed: what stands before it is not proved by the head
behind it. So nothing readable stands before an unreadable one; there a batch ends, at a head of its own.

Everything is bounded before it is allocated, so that any bytes parse or raise one fault.
"""

import struct
from collections.abc import Sequence

import msgspec
import zstandard

from holdfast.core.faults import MalformedFault, TooLargeFault
from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import HASH_BYTES, SignedHead, link
from holdfast.core.journal.entry import MAX_ENTRY_BYTES
from holdfast.core.sync.limits import BATCH_ENTRIES_MAX, BATCH_RAW_BYTES_MAX, BODY_BYTES_MAX

MAGIC = b"HFB1"
ZSTD_LEVEL = 3
_UNREADABLE = 1 << 31
_U32 = struct.Struct("<I")


class StoredEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry as a journal stores it: bytes, and the chain's hash after it."""

    seq: int
    hash: bytes
    data: bytes
    readable: bool = True
    """False: `data` is only what remains of it; the chain goes on over `hash`."""


class BatchHeader(msgspec.Struct, frozen=True, kw_only=True):
    origin: OriginId
    epoch: EpochId
    first_seq: int
    previous_hash: bytes
    count: int
    head: SignedHead
    """Of the batch's last entry."""


class Batch(msgspec.Struct, frozen=True):
    header: BatchHeader
    entries: tuple[StoredEntry, ...]


class UnprovedFault(MalformedFault):
    """Readable entries stand before an unreadable one: no signature covers them."""

    code = "batch.unproved"


def proved_count(entries: Sequence[StoredEntry]) -> int:
    """How many of these entries, from the first on, one signed head proves; see above."""
    readable = False
    for count, entry in enumerate(entries):
        if readable and not entry.readable:
            return count
        readable = entry.readable
    return len(entries)


_header_decoder = msgspec.json.Decoder(BatchHeader)


def encode_batch(
    origin: OriginId, epoch: EpochId, previous_hash: bytes, entries: Sequence[StoredEntry], head: SignedHead
) -> bytes:
    """The batch's bytes. `entries` are contiguous and end where `head` was signed."""
    assert entries, "a batch has entries"
    assert entries[-1].seq == entries[0].seq + len(entries) - 1, "a batch is contiguous"
    assert (head.seq, head.hash) == (entries[-1].seq, entries[-1].hash), "a batch ends at a signed head"
    header = msgspec.json.encode(
        BatchHeader(
            origin=origin,
            epoch=epoch,
            first_seq=entries[0].seq,
            previous_hash=previous_hash,
            count=len(entries),
            head=head,
        )
    )
    parts = [_U32.pack(len(header)), header]
    for entry in entries:
        if entry.readable:
            parts += (_U32.pack(len(entry.data)), entry.data)
        else:
            parts += (_U32.pack((HASH_BYTES + len(entry.data)) | _UNREADABLE), entry.hash, entry.data)
    raw = b"".join(parts)
    assert len(raw) <= BATCH_RAW_BYTES_MAX, "a sender's batch is below every receiver's limit"
    return MAGIC + zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)


def decode_batch(data: bytes) -> Batch:
    """The batch in `data` with its chain hashes walked; not yet authenticated.

    Raises TooLargeFault past a bound, UnprovedFault where no head would prove all of it, MalformedFault
    for any other wrong form.
    """
    raw = _decompress(data)
    header, offset = _header(raw)
    entries: list[StoredEntry] = []
    previous = header.previous_hash
    for seq in range(header.first_seq, header.first_seq + header.count):
        length, offset = _length(raw, offset)
        unreadable = bool(length & _UNREADABLE)
        length &= ~_UNREADABLE
        end = offset + length
        if end > len(raw) or length > MAX_ENTRY_BYTES + HASH_BYTES:
            raise MalformedFault("a batch's entry is longer than the batch or the limit")
        body = raw[offset:end]
        offset = end
        if unreadable:
            if length < HASH_BYTES:
                raise MalformedFault("an unreadable entry must state its hash")
            if entries and entries[-1].readable:
                raise UnprovedFault(f"entry {seq} is unreadable, and nothing proves those before it")
            entry = StoredEntry(seq, body[:HASH_BYTES], body[HASH_BYTES:], False)
        else:
            entry = StoredEntry(seq, link(previous, body), body)
        previous = entry.hash
        entries.append(entry)
    if offset != len(raw):
        raise MalformedFault("bytes are left over after the batch's last entry")
    return Batch(header, tuple(entries))


def _decompress(data: bytes) -> bytes:
    if len(data) > BODY_BYTES_MAX:
        raise TooLargeFault(f"a batch of {len(data)} bytes exceeds the limit of {BODY_BYTES_MAX}")
    if data[:4] != MAGIC:
        raise MalformedFault("not a batch: its first bytes are not HFB1")
    frame = data[4:]
    try:
        # -1: the frame does not state its size, and without it nothing may be allocated.
        size = zstandard.frame_content_size(frame)
        if size < 0:
            raise MalformedFault("a batch's frame does not state its size")
        if size > BATCH_RAW_BYTES_MAX:
            raise TooLargeFault(
                f"a batch of {size} bytes unpacked exceeds the limit of {BATCH_RAW_BYTES_MAX}"
            )
        return zstandard.ZstdDecompressor().decompress(
            frame, max_output_size=BATCH_RAW_BYTES_MAX, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise MalformedFault(f"a batch does not unpack: {error}") from None


def _length(raw: bytes, offset: int) -> tuple[int, int]:
    if offset + 4 > len(raw):
        raise MalformedFault("a batch ends in the middle")
    return _U32.unpack_from(raw, offset)[0], offset + 4


def _header(raw: bytes) -> tuple[BatchHeader, int]:
    length, offset = _length(raw, 0)
    if length > 1 << 16 or offset + length > len(raw):
        raise MalformedFault("a batch's header is longer than the batch or the limit")
    try:
        header = _header_decoder.decode(raw[offset : offset + length])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"a batch's header is not readable: {error}") from None
    if not 1 <= header.count <= BATCH_ENTRIES_MAX:
        raise TooLargeFault(f"a batch of {header.count} entries; the limit is {BATCH_ENTRIES_MAX}")
    if header.first_seq < 1 or len(header.previous_hash) != HASH_BYTES:
        raise MalformedFault("a batch's first seq or previous hash has not the form it must have")
    return header, offset + length
