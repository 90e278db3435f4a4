"""Opening a session: the origin signs the receiver's challenge with its own, current key.

Anybody can name an origin. Only what a known key signed says something of that origin; a refusal without
such proof is told apart (`is_proven`), so that a stranger cannot have a register shown as blocked.
"""

from collections.abc import Mapping

from holdfast.core.ids import OriginId
from holdfast.core.journal.chain import Signer, Verify, sign
from holdfast.core.sync.limits import PROTOCOL
from holdfast.core.sync.messages import Challenge, SessionRequest, session_statement
from holdfast.core.sync.receiver import Keys, Refused

UNKNOWN_ORIGIN = "key.unknown-origin"
UNKNOWN_KEY = "key.unknown"
FORMER_KEY = "key.former"
REFUSED_CERTIFICATE = "key.certificate"
"""Head office signed what is presented, and does not let it in any more."""

CHALLENGE_TTL_MS = 60_000
SESSION_TTL_MS = 12 * 3_600_000
NONCE_BYTES = 32


def answer_challenge(
    origin: OriginId, challenge: Challenge, signer: Signer, *, software: str
) -> SessionRequest:
    key_id, signature = sign(signer, session_statement(origin, challenge.nonce))
    return SessionRequest(
        origin=origin,
        nonce=challenge.nonce,
        key_id=key_id,
        signature=signature,
        software=software,
        protocol=PROTOCOL,
    )


def check_session(
    request: SessionRequest,
    *,
    issued_at_ms: int | None,
    now_ms: int,
    origins: Mapping[OriginId, Keys],
    verify: Verify,
) -> Refused | None:
    """Why no session opens for this request; None: it does.

    `issued_at_ms`: when this receiver issued the nonce, None where it did not or it was used.
    """
    if issued_at_ms is None or not 0 <= now_ms - issued_at_ms <= CHALLENGE_TTL_MS:
        return Refused(401, "session.challenge", "the challenge is unknown, used or too old; ask for another")
    if request.protocol != PROTOCOL:
        return Refused(426, "protocol.version", f"protocol {request.protocol}; this side speaks {PROTOCOL}")
    keys = origins.get(request.origin)
    if keys is None:
        return Refused(403, UNKNOWN_ORIGIN, f"{request.origin} is not enrolled here")
    public_key = keys.public.get(request.key_id)
    if public_key is None:
        return Refused(
            403,
            UNKNOWN_KEY,
            f"key {request.key_id} is not one of {request.origin}. Where this machine has no other, get it "
            f"one: holdfast hq register rekey {request.origin}",
        )
    if not verify(public_key, request.signature, session_statement(request.origin, request.nonce)):
        return Refused(403, "key.signature", "the challenge's signature does not verify")
    if request.key_id in keys.former:
        return Refused(
            403,
            FORMER_KEY,
            f"key {request.key_id} of {request.origin} gave way to another. Where this machine has only this "
            f"one, get it a new one: holdfast hq register rekey {request.origin}",
        )
    return None


def is_proven(refused: Refused) -> bool:
    """Whether a known key's signature stands behind the refused request."""
    return refused.code in (FORMER_KEY, REFUSED_CERTIFICATE)
