"""Head office knows what it does not have (P6): applied up to, owes, or may owe since.

Silence is never shown as "nothing owed". Nor is an old word said again: each names the number that head
office gave in answer to the one before (a nonce that nobody can guess, so that none can be signed ahead), or,
where this life of head office gave none yet, that life itself.
"""

import enum

import msgspec

from holdfast.core.ids import EpochId, IncarnationId


class Owing(enum.Enum):
    NOTHING = "nothing"
    """The register's signed word, not older than the limit, is that nothing is owed."""
    OWES = "owes"
    """Its last signed word names entries that head office does not have."""
    MAY_OWE = "may-owe"
    """Silent for longer than the limit, or an epoch that ended without a closing entry."""
    COMPLETE = "complete"
    """An epoch closed in order, and all of it applied."""


CLOCK_STEP_MS = 2_000
"""Head office's clock may go back by so much, set by the network, without a doubt of what it noted."""


def silent_ms(heard_ms: int | None, now_ms: int) -> int | None:
    """How long ago a register's last word was; None: never heard, or nobody knows, for the word was noted at
    a time that is still to come, so that head office's clock was put back since."""
    if heard_ms is None or heard_ms > now_ms + CLOCK_STEP_MS:
        return None
    return max(0, now_ms - heard_ms)


def next_nonce(incarnation: IncarnationId, random: bytes) -> str:
    """What the next word is to name."""
    return f"{incarnation}.{random.hex()}"


def is_of_life(nonce: str, incarnation: IncarnationId) -> bool:
    """Is a word that names this one of this life of head office: what a backup brought back is not."""
    return nonce == incarnation or nonce.startswith(f"{incarnation}.")


def is_fresh(named: str, given: str, incarnation: IncarnationId) -> bool:
    """Was the word that names `named` said after the last answer, with which `given` went out."""
    return named == (given if is_of_life(given, incarnation) else incarnation)


class EpochKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one epoch (branch) of one register."""

    epoch: EpochId
    applied_seq: int
    claimed_seq: int
    """Highest head ever claimed for it, by whomever; kept for ever."""
    is_open: bool
    """It is the newest epoch of its origin."""
    closed_at_seq: int | None
    declared_lost: bool = False


def owing_of_epoch(known: EpochKnowledge, silent_ms: int | None, silence_limit_ms: int) -> Owing:
    """`silent_ms`: since the register's last signed word; None: never heard."""
    if known.declared_lost:
        return Owing.COMPLETE
    if known.claimed_seq > known.applied_seq:
        return Owing.OWES if known.is_open else Owing.MAY_OWE
    if known.closed_at_seq is not None and known.closed_at_seq <= known.applied_seq:
        return Owing.COMPLETE
    if not known.is_open:
        return Owing.MAY_OWE
    if silent_ms is None or silent_ms > silence_limit_ms:
        return Owing.MAY_OWE
    return Owing.NOTHING


def owing_of_register(
    epochs: tuple[EpochKnowledge, ...], silent_ms: int | None, silence_limit_ms: int
) -> Owing:
    """The worst of its epochs; a register without any epoch may owe."""
    order = (Owing.OWES, Owing.MAY_OWE, Owing.NOTHING, Owing.COMPLETE)
    found = {owing_of_epoch(epoch, silent_ms, silence_limit_ms) for epoch in epochs} or {Owing.MAY_OWE}
    return next(owing for owing in order if owing in found)
