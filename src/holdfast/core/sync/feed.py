"""Feeds: the data sets that head office publishes and a register sells from.

A feed is a set of rows by key. A version is (incarnation, n); a page brings all rows changed
after `since_n` up to `to_n`, in order of change. A snapshot is the same from 0, for all feeds, in
one file. Head office signs; older ones are refused, so that nobody replays last year's prices.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import zstandard

from holdfast.core.faults import MalformedFault, SignatureFault, TooLargeFault
from holdfast.core.ids import IncarnationId, KeyId
from holdfast.core.journal.chain import Signer, Verify

FEEDS = (
    "products",
    "prices",
    "taxes",
    "currencies",
    "staff",
    "customers",
    "parameters",
    "register_keys",
    "roles",
    "quick_keys",
)
"""Names of the feeds, in the order in which a register takes them."""

PAYLOAD_BYTES_MAX = 256 << 20
"""Uncompressed bytes of a signed payload: what bounds a bomb."""


M = TypeVar("M", bound=msgspec.Struct)


class FeedRow(msgspec.Struct, frozen=True, array_like=True):
    key: str
    body: msgspec.Raw
    """JSON; `null` where the row was deleted."""

    @property
    def deleted(self) -> bool:
        return bytes(self.body) == b"null"


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    feed: str
    incarnation: IncarnationId
    since_n: int
    to_n: int
    more: bool
    """There are newer rows than `to_n`: ask again from there."""
    rows: tuple[FeedRow, ...]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All feeds as one file, also the one on a USB stick."""

    incarnation: IncarnationId
    made_at_ms: int
    pages: tuple[FeedPage, ...]


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A payload under head office's signature; the bytes are signed compressed, as they travel."""

    kind: str
    key_id: KeyId
    signature: bytes
    payload: bytes


def _statement(kind: str, payload: bytes) -> bytes:
    return b"holdfast " + kind.encode() + b" 1\n" + payload


def pack(kind: str, message: msgspec.Struct, signer: Signer) -> bytes:
    """`message` compressed and signed: the bytes of a page, a snapshot or a command."""
    payload = zstandard.ZstdCompressor(level=3).compress(msgspec.json.encode(message))
    signature = signer.sign(_statement(kind, payload))
    return msgspec.msgpack.encode(
        Signed(kind=kind, key_id=signer.key_id, signature=signature, payload=payload)
    )


def unpack(data: bytes, kind: str, message: type[M], keys: Mapping[KeyId, bytes], verify: Verify) -> M:
    """The message in `data` once head office's signature holds.

    Raises MalformedFault or TooLargeFault on wrong form, SignatureFault where it does not verify.
    """
    try:
        signed = msgspec.msgpack.decode(data, type=Signed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"not a signed {kind}: {error}") from None
    public_key = keys.get(signed.key_id)
    if signed.kind != kind or public_key is None:
        raise SignatureFault(f"this {kind} is not signed by a key of this chain's head office")
    if not verify(public_key, signed.signature, _statement(kind, signed.payload)):
        raise SignatureFault(f"head office's signature of this {kind} does not verify")
    return _decode(signed.payload, kind, message)


def _decode(payload: bytes, kind: str, message: type[M]) -> M:
    try:
        size = zstandard.frame_content_size(payload)
        if not 0 <= size <= PAYLOAD_BYTES_MAX:
            raise TooLargeFault(f"a {kind} states {size} bytes unpacked; the limit is {PAYLOAD_BYTES_MAX}")
        raw = zstandard.ZstdDecompressor().decompress(payload, allow_extra_data=False)
        return msgspec.json.decode(raw, type=message)
    except zstandard.ZstdError as error:
        raise MalformedFault(f"a {kind} does not unpack: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"not a {kind}: {error}") from None


def is_newer(have: tuple[IncarnationId, int] | None, page: FeedPage) -> bool:
    """May `page` be taken on top of `have`: the same incarnation, joining without a gap, forward.

    Another incarnation starts from a snapshot (`since_n` 0): its numbers count anew.
    """
    if have is None or have[0] != page.incarnation:
        return page.since_n == 0
    return page.since_n <= have[1] < page.to_n
