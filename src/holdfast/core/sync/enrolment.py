"""Enrolment: a register turns a one-time code into an identity of its own (SW1).

The private key is made on the register and never leaves it. The code is read from a screen or a
sheet of paper: groups of four characters, and, where head office uses a certificate that it made
itself, one more group: the certificate's fingerprint, which the register pins before it says a word.

    7k2m-93xp-c4vd-wz0h                 a code
    7k2m-93xp-c4vd-wz0h.0a1b…           a code and the SHA-256 of head office's certificate

Head office signs who the register is: its own word, which it believes again when a restore took away
what it knew. So a register that was enrolled, or changed its key, after the backup is let in again.
"""

from typing import NamedTuple

import msgspec

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import ID_RANDOM_BYTES, IncarnationId, KeyId, OriginId, StoreId, encode_id
from holdfast.core.journal.chain import Position, Signer

CODE_CHARS = 16
CODE_TTL_MS = 7 * 24 * 3_600_000
"""A code that nobody used is worthless after a week."""
_SHA256_HEX_CHARS = 64
_ALPHABET = frozenset("0123456789abcdefghjkmnpqrstvwxyz")
_MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1"})


class EnrolRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`POST /v1/enrol`: the only request outside a session that changes anything."""

    code: str
    """The code alone: canonical, without groups and without a certificate's fingerprint."""
    public_key: bytes
    """Ed25519, 32 bytes."""
    software: str
    recovery: bytes = b""
    """The register's database key sealed to head office's recovery key, where it has one already."""
    origin: OriginId | None = None
    """Who it is already: a register that asks for a new key. Such a code makes no other register."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a register is, and by which key: all that head office needs to know it again."""

    origin: OriginId
    kind: str
    name: str
    store: StoreId
    store_name: str
    series: str
    currency: str
    timezone: str
    number: int
    """Of the key among this origin's, from 1: a later one counts against an earlier one."""
    public_key: bytes


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """An `Identity` under head office's signature; its bytes as they were signed."""

    identity: bytes
    key_id: KeyId
    signature: bytes


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What head office knows where a certificate is presented."""

    number: int = 0
    """Of this origin's newest key; 0: the origin is not known."""
    retired: bool = False
    series_of: OriginId | None = None
    """Who numbers in the certificate's series."""


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """The register that a new one goes on for, and how far head office has come with it."""

    origin: OriginId
    at: Position | None
    """The head of its newest epoch; None: nothing of it ever arrived."""


class EnrolReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who the register is from now on, and whom it may believe."""

    origin: OriginId
    series: str
    store: StoreId
    currency: str
    timezone: str
    incarnation: IncarnationId
    head_office_keys: dict[KeyId, bytes]
    """Key id → Ed25519 public key, former ones too."""
    recovery_public_key: bytes
    """X25519, 32 bytes."""
    certificate: Certificate | None = None
    replaces: Replaced | None = None


def certificate_statement(identity: bytes) -> bytes:
    """What a certificate signs."""
    return b"holdfast register 1\n" + identity


def sign_certificate(identity: Identity, signer: Signer) -> Certificate:
    encoded = msgspec.json.encode(identity)
    return Certificate(
        identity=encoded, key_id=signer.key_id, signature=signer.sign(certificate_statement(encoded))
    )


def read_identity(certificate: Certificate) -> Identity:
    """Who it names; the signature is the caller's to check. Raises MalformedFault."""
    try:
        return msgspec.json.decode(certificate.identity, type=Identity)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"not a register's certificate: {error}") from None


def readmission_refusal(identity: Identity, known: Known) -> str | None:
    """Why a register is not let in on a certificate that head office did sign; None: it is.

    What head office still knows counts more than its former word: a register that was retired or replaced
    stays out, and so does a key in whose place it gave the origin another.
    """
    if known.retired:
        return f"{identity.origin} was retired or replaced"
    if known.series_of not in (None, identity.origin):
        return f"the series {identity.series} belongs to {known.series_of} now"
    if identity.number <= known.number:
        return f"{identity.origin} was given another key since"
    return None


class CodeText(NamedTuple):
    """What a person copies from head office to a register."""

    code: str
    certificate_sha256: bytes | None
    """SHA-256 of the certificate (DER) that head office made itself; None: trust the system's list."""


def new_code(random: bytes) -> str:
    """A canonical code from exactly 10 random bytes."""
    assert len(random) == ID_RANDOM_BYTES, "a code has 80 random bits"
    return encode_id(random)


def spell_code(text: CodeText) -> str:
    """As it is shown: in groups, with the fingerprint behind a point."""
    groups = "-".join(text.code[at : at + 4] for at in range(0, len(text.code), 4))
    return f"{groups}.{text.certificate_sha256.hex()}" if text.certificate_sha256 else groups


def read_code(typed: str) -> CodeText:
    """What a person typed or pasted; case, blanks and hyphens do not matter, nor O for 0 or I for 1.

    Raises MalformedFault with a sentence for that person.
    """
    first, _, second = typed.partition(".")
    code = _bare(first).translate(_MISREAD)
    if len(code) != CODE_CHARS or not _ALPHABET.issuperset(code):
        raise MalformedFault(
            "That is not an enrolment code: it has 16 letters and digits in groups of four. Copy it whole."
        )
    digest = _bare(second)
    if not digest:
        return CodeText(code, None)
    try:
        certificate = bytes.fromhex(digest)
    except ValueError:
        certificate = b""
    if len(digest) != _SHA256_HEX_CHARS or not certificate:
        raise MalformedFault("The part behind the point of the enrolment code is not whole. Copy it again.")
    return CodeText(code, certificate)


def _bare(text: str) -> str:
    return "".join(text.split()).replace("-", "").lower()
