"""What is said between a sender and a receiver. The same on both hops.

Every message is a frozen struct, JSON on the wire; a batch of entries (`holdfast.core.sync.batch`)
is the only binary one.
"""

from typing import TypeVar

import msgspec

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId, IncarnationId, KeyId, OriginId
from holdfast.core.journal.chain import Position, SignedHead, Signer, Verify
from holdfast.core.readiness import Readiness
from holdfast.core.sync.enrolment import Certificate


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Head office's signed word about a chain up to `seq`.

    level `applied`: stored in its database. level `safe`: also in a verified backup or on a
    synchronous standby. Only `safe` allows a register to delete (P1).
    """

    level: str
    incarnation: IncarnationId
    origin: OriginId
    epoch: EpochId
    seq: int
    hash: bytes
    key_id: KeyId
    signature: bytes


def receipt_statement(
    level: str, incarnation: IncarnationId, origin: OriginId, epoch: EpochId, seq: int, hash: bytes
) -> bytes:
    """What a receipt signs."""
    assert level in ("applied", "safe"), "a receipt is of one of two levels"
    return f"holdfast receipt 1\n{level}\n{incarnation}\n{origin}\n{epoch}\n{seq}\n".encode() + hash


def sign_receipt(
    level: str, incarnation: IncarnationId, origin: OriginId, at: Position, signer: Signer
) -> Receipt:
    statement = receipt_statement(level, incarnation, origin, at.epoch, at.seq, at.hash)
    return Receipt(
        level=level,
        incarnation=incarnation,
        origin=origin,
        epoch=at.epoch,
        seq=at.seq,
        hash=at.hash,
        key_id=signer.key_id,
        signature=signer.sign(statement),
    )


def receipt_holds(receipt: Receipt, public_key: bytes, verify: Verify) -> bool:
    if receipt.level not in ("applied", "safe"):
        return False
    statement = receipt_statement(
        receipt.level, receipt.incarnation, receipt.origin, receipt.epoch, receipt.seq, receipt.hash
    )
    return verify(public_key, receipt.signature, statement)


class EpochOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender has of one epoch: its signed head, and hashes on the way there."""

    head: SignedHead
    samples: tuple[tuple[int, bytes], ...]
    """(seq, hash), thinning out exponentially below the head, so that one round finds the
    place from which two chains differ, however long they are."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Opens or re-opens the conversation about one origin's journal: `POST /v1/sync/offer`."""

    origin: OriginId
    epochs: tuple[EpochOffer, ...]
    """In order of opening; parents before children."""
    receipts: tuple[Receipt, ...] = ()
    """The furthest applied receipt of each epoch offered: shows a receiver that it lost state."""


class EpochCursor(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where the receiver stands in one epoch."""

    epoch: EpochId
    tips: tuple[Position, ...]
    """Head of the main branch first, then of each further branch. Empty: nothing held."""
    claimed: Position | None = None
    """Highest head that this origin ever claimed by a signed word, whether it arrived or not."""
    elsewhere: tuple[Position, ...] = ()
    """Heads that a relay learned of and does not hold. They tell copies apart; nothing is sent on
    from them."""
    known_sample: int = 0
    """Highest offered sample that the receiver holds; 0: none."""
    applied: Receipt | None = None
    """For the branch that the sender's chain is on, as far as it is known to be."""
    safe: Receipt | None = None


class OfferReply(msgspec.Struct, frozen=True, kw_only=True):
    incarnation: IncarnationId
    time_ms: int
    cursors: tuple[EpochCursor, ...]


class Ack(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a batch: `POST /v1/sync/entries`."""

    incarnation: IncarnationId
    time_ms: int
    held: Position | None = None
    """This hop has the sender's chain on disk up to here: to the batch's own head."""
    send_from: int = 0
    """Set on a gap: nothing was taken; send from this seq."""
    applied: Receipt | None = None
    """What was stored just now cannot be in a backup yet: *safe* comes with offers and heartbeats."""
    fork: bool = False
    """The batch went to a branch of its own: this origin has a twin."""


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/session/challenge`: sign this to open a session."""

    nonce: bytes
    incarnation: IncarnationId
    time_ms: int


class SessionRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`POST /v1/session`."""

    origin: OriginId
    nonce: bytes
    key_id: KeyId
    signature: bytes
    software: str
    protocol: int
    certified: str = ""
    """Id of the key that the register's certificate names; where it is another, it is given a new one."""
    certificate: Certificate | None = None
    """Presented to a head office that said that it does not know the origin, or the key."""


class SessionOpened(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    token: str
    expires_at_ms: int
    incarnation: IncarnationId
    time_ms: int
    certificate: Certificate | None = None
    """Of the key that opened it."""


def session_statement(origin: OriginId, nonce: bytes) -> bytes:
    return b"holdfast session 1\n" + f"{origin}\n".encode() + nonce


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a register says of itself; signed, so that head office may rely on it (P6)."""

    origin: OriginId
    clock_ms: int
    offset_min: int
    head: Position | None
    owed_count: int
    owed_minor: int
    currency: str
    owed_oldest_ms: int | None = None
    owed_dates: tuple[str, ...] = ()
    """Distinct business dates of what is owed, oldest first, at most 31."""
    business_date: str = ""
    day_open: bool = False
    disk_free_bytes: int = 0
    software: str = ""
    state: str = ""
    feeds: dict[str, tuple[str, int]] = {}
    """Feed name → (incarnation, n) that it runs on."""
    problems: tuple[str, ...] = ()
    readiness: Readiness | None = None
    """Whether it would survive an outage; None: it did not say, or could not tell."""
    nonce: str = ""
    """As the last answer said, or the incarnation where none did: shows that this is no old word."""


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/sync/heartbeat`: the heartbeat's bytes as they were signed."""

    statement: bytes
    key_id: KeyId
    signature: bytes


def heartbeat_statement(encoded: bytes) -> bytes:
    return b"holdfast heartbeat 1\n" + encoded


class HeartbeatReply(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    incarnation: IncarnationId
    time_ms: int
    probe_active_ms: int = 500
    probe_idle_ms: int = 15_000
    start_after_ms: int = 0
    """A start slot: do not send owed entries before this long has passed."""
    offer: bool = False
    """Head office does not hold the head that was stated, or knows of one beyond it: offer again.
    So a head office that lost state is sent what it lacks also by a register that sells nothing."""
    nonce: str = ""
    """What the next word is to name."""
    again: bool = False
    """The word named another, so it may be an old one and counts for nothing. Say it again."""
    safe: tuple[Receipt, ...] = ()
    feeds: dict[str, tuple[str, int]] = {}
    """Feed name → newest (incarnation, n): what is newer is worth pulling."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """RFC 9457 problem details, as every refusal of the protocol is answered."""

    type: str
    title: str
    status: int
    detail: str = ""
    code: str = ""
    """The stable code; `type` is `urn:holdfast:problem:` and this."""


M = TypeVar("M", bound=msgspec.Struct)


def encode(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message)


def decode(data: bytes, kind: type[M]) -> M:
    """A message of `kind`. Raises MalformedFault; never anything else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFault(f"not a {kind.__name__}: {error}") from None
