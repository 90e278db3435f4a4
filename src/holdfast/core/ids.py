"""Distinct identifier types, so that a checker refuses to pass one for another.

All are text on the wire, in SQL and in URLs. Random parts are made by the caller and
come in as bytes: core draws no randomness.
"""

from typing import NewType

OriginId = NewType("OriginId", str)
"""A register, a store server or head office: whoever writes one journal. Never reused."""

EpochId = NewType("EpochId", str)
"""One unbroken run of an origin's journal; 128 random bits as 26 characters."""

IncarnationId = NewType("IncarnationId", str)
"""One unbroken life of head office's state; a new one means that state was lost."""

KeyId = NewType("KeyId", str)
"""Fingerprint of an Ed25519 public key: first 16 hex digits of its SHA-256."""

StoreId = NewType("StoreId", str)
StaffId = NewType("StaffId", str)
Sku = NewType("Sku", str)
"""Stock code of a product, compared exactly: "M" and "m" are two products."""

CustomerNumber = NewType("CustomerNumber", str)
DocumentNumber = NewType("DocumentNumber", str)
TransactionId = NewType("TransactionId", str)
"""One basket from first line to conclude or void; made when the basket is opened."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
EPOCH_RANDOM_BYTES = 16
ID_RANDOM_BYTES = 10


def encode_id(random: bytes) -> str:
    """Crockford base32, lower case: no letter that a person reads as a digit.

    16 bytes give 26 characters, 10 bytes give 16.
    """
    assert random, "an id needs random bytes"
    length = (len(random) * 8 + 4) // 5
    number = int.from_bytes(random, "big") << (length * 5 - len(random) * 8)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range((length - 1) * 5, -1, -5))


def decode_id(text: str) -> bytes | None:
    """What `encode_id` made this of; None where it made no such text."""
    number = 0
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            return None
        number = number << 5 | digit
    size, spare = divmod(len(text) * 5, 8)
    if not size or spare >= 5 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(size, "big")


def epoch_id(random: bytes) -> EpochId:
    """An epoch id from exactly 16 random bytes."""
    assert len(random) == EPOCH_RANDOM_BYTES, "an epoch id is 128 random bits"
    return EpochId(encode_id(random))


def segment_of(epoch: EpochId) -> str:
    """The epoch's segment of a document series: its first five characters, upper case.

    It needs no contact to be unique in practice (25 random bits within one register), which
    is what lets a restored register number documents while it is offline (P4).
    """
    assert len(epoch) == 26, "an epoch id has 26 characters"
    return epoch[:5].upper()


def document_number(series: str, epoch: EpochId, number: int) -> DocumentNumber:
    """`SERIES-SEGMENT-NUMBER`; gapless and unique within its segment (P4)."""
    assert number >= 1, "documents are numbered from 1"
    return DocumentNumber(f"{series}-{segment_of(epoch)}-{number:06d}")


def customer_number(series: str, epoch: EpochId, number: int) -> CustomerNumber:
    """`SERIES-C-SEGMENT-NUMBER`: customers made at a register, gapless in an epoch as its documents are."""
    assert number >= 1, "customers are numbered from 1"
    return CustomerNumber(f"{series}-C-{segment_of(epoch)}-{number:06d}")
