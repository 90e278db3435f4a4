"""An entry: one record of a journal, encoded once; its bytes travel and are hashed verbatim.

The bytes are one JSON object with the fields of `Entry` in that order. JSON, because an
auditor must be able to read a stored entry with any tool, years later; compression over
batches makes the field names nearly free on the wire.
"""

import re
from typing import Any

import msgspec

from holdfast.core.faults import MalformedFault, TooLargeFault
from holdfast.core.ids import EpochId, OriginId

MAX_ENTRY_BYTES = 1 << 20
"""Bound at the till. Every receiver's limit is above it, so no entry can get stuck (P10)."""

SEQ_END = 1 << 53
"""Seqs stay below it, so that any language reads them exactly."""

_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_ID = re.compile(r"[0-9a-z_\-]{1,64}\Z")


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry's fields; `body` stays raw until someone knows its type and version."""

    origin: OriginId
    epoch: EpochId
    seq: int
    """From 1, gapless within the epoch."""
    type: str
    version: int
    at_ms: int
    """Wall clock, UTC. Never used for order: order is by seq."""
    offset_min: int
    """Minutes east of UTC at the origin."""
    date: str
    """Business date, ISO. For entries without trade: the origin's business date then."""
    body: msgspec.Raw


_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


def encode_entry(
    *,
    origin: OriginId,
    epoch: EpochId,
    seq: int,
    type: str,
    version: int,
    at_ms: int,
    offset_min: int,
    date: str,
    body: msgspec.Struct,
) -> bytes:
    """The entry's bytes. This is the only time that they are made.

    Raises TooLargeFault when they exceed MAX_ENTRY_BYTES.
    """
    entry = Entry(
        origin=origin,
        epoch=epoch,
        seq=seq,
        type=type,
        version=version,
        at_ms=at_ms,
        offset_min=offset_min,
        date=date,
        body=msgspec.Raw(_encoder.encode(body)),
    )
    _require_form(entry)
    encoded = _encoder.encode(entry)
    if len(encoded) > MAX_ENTRY_BYTES:
        raise TooLargeFault(f"an entry of {len(encoded)} bytes exceeds the limit of {MAX_ENTRY_BYTES}")
    return encoded


def decode_entry(data: bytes | memoryview) -> Entry:
    """The entry in `data`, its body still raw. Raises MalformedFault; never anything else."""
    try:
        entry = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"not an entry: {error}") from None
    _require_form(entry)
    return entry


def is_id(text: str) -> bool:
    """Whether `text` has the form of an origin's or an epoch's id."""
    return _ID.match(text) is not None


def _require_form(entry: Entry) -> None:
    if not (1 <= entry.seq < SEQ_END and 1 <= entry.version < 1 << 15):
        raise MalformedFault("an entry's seq or version is out of range")
    if not (_TYPE.match(entry.type) and _DATE.match(entry.date)):
        raise MalformedFault("an entry's type or date has not the form it must have")
    if not (_ID.match(entry.origin) and _ID.match(entry.epoch)):
        raise MalformedFault("an entry's origin or epoch has not the form it must have")
    if not (-(1 << 53) < entry.at_ms < 1 << 53 and -24 * 60 < entry.offset_min < 24 * 60):
        raise MalformedFault("an entry's time is out of range")


class Unprojectable(msgspec.Struct, frozen=True):
    """Why an entry's body cannot take effect here: the cause that quarantine shows (P10)."""

    cause: str
    """`unknown-type`, `newer-version`, `invalid-body`, `malformed`, `unreadable`, …"""
    detail: str


class BodyRegistry:
    """Which struct reads the body of which (type, version)."""

    def __init__(self, types: dict[tuple[str, int], type[msgspec.Struct]]) -> None:
        self._decoders: dict[tuple[str, int], msgspec.json.Decoder[Any]] = {
            key: msgspec.json.Decoder(struct) for key, struct in types.items()
        }
        self._versions = {name: max(v for n, v in types if n == name) for name, _ in types}
        self._keys = {struct: key for key, struct in types.items()}

    def decode(self, entry: Entry) -> msgspec.Struct | Unprojectable:
        decoder = self._decoders.get((entry.type, entry.version))
        if decoder is None:
            known = self._versions.get(entry.type)
            if known is None:
                return Unprojectable("unknown-type", f"entry type {entry.type!r} is not known here")
            return Unprojectable(
                "newer-version", f"{entry.type} version {entry.version}; known up to {known}"
            )
        try:
            return decoder.decode(entry.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Unprojectable("invalid-body", str(error)[:500])
