"""Opening a session: the origin signs the receiver's challenge with its own key."""

from collections.abc import Mapping

from holdfast.core.ids import OriginId
from holdfast.core.journal.chain import Signer, Verify
from holdfast.core.sync.limits import PROTOCOL
from holdfast.core.sync.messages import Challenge, SessionRequest, session_statement
from holdfast.core.sync.receiver import Keys, Refused

CHALLENGE_TTL_MS = 60_000
SESSION_TTL_MS = 12 * 3_600_000
NONCE_BYTES = 32


def answer_challenge(
    origin: OriginId, challenge: Challenge, signer: Signer, *, software: str
) -> SessionRequest:
    return SessionRequest(
        origin=origin,
        nonce=challenge.nonce,
        key_id=signer.key_id,
        signature=signer.sign(session_statement(origin, challenge.nonce)),
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
        return Refused(403, "key.unknown-origin", f"{request.origin} is not enrolled here")
    public_key = keys.public.get(request.key_id)
    if public_key is None:
        return Refused(403, "key.unknown", f"key {request.key_id} is not one of {request.origin}")
    if not verify(public_key, request.signature, session_statement(request.origin, request.nonce)):
        return Refused(403, "key.signature", "the challenge's signature does not verify")
    return None
