"""Sessions of registers: opened by signing a challenge, kept in memory, gone with the process.

A register whose session is gone opens another; nothing is lost by that, so none is stored.
"""

import hashlib
import threading

import msgspec

from holdfast.core.ids import IncarnationId, KeyId, OriginId
from holdfast.core.journal.chain import Verify
from holdfast.core.sync.enrolment import Certificate
from holdfast.core.sync.messages import Challenge, SessionOpened, SessionRequest
from holdfast.core.sync.receiver import Keys, Refused
from holdfast.core.sync.session import NONCE_BYTES, SESSION_TTL_MS, check_session
from holdfast.infra.clock import Clock, Randomness

CHALLENGES_MAX = 50_000
SESSIONS_MAX = 50_000
TOKEN_BYTES = 32


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks, by which key, until when."""

    origin: OriginId
    key_id: KeyId
    software: str
    expires_at_ms: int


class Sessions:
    """Challenges given and sessions open. Both bounded: the oldest gives way."""

    def __init__(self, clock: Clock, randomness: Randomness, verify: Verify) -> None:
        self._clock = clock
        self._randomness = randomness
        self._verify = verify
        self._lock = threading.Lock()
        self._issued: dict[bytes, int] = {}
        self._open: dict[bytes, OpenSession] = {}

    def challenge(self, incarnation: IncarnationId) -> Challenge:
        """A nonce to sign, good once."""
        nonce, now_ms = self._randomness.bytes(NONCE_BYTES), self._clock.now_ms()
        with self._lock:
            self._issued[nonce] = now_ms
            while len(self._issued) > CHALLENGES_MAX:
                self._issued.pop(next(iter(self._issued)))
        return Challenge(nonce=nonce, incarnation=incarnation, time_ms=now_ms)

    def spend(self, nonce: bytes) -> int | None:
        """When that challenge was given; None: never, or it was used. It is used now."""
        with self._lock:
            return self._issued.pop(nonce, None)

    def check(self, request: SessionRequest, issued_at_ms: int | None, keys: Keys | None) -> Refused | None:
        """Why no session opens; `keys` None: the origin is not known."""
        return check_session(
            request,
            issued_at_ms=issued_at_ms,
            now_ms=self._clock.now_ms(),
            origins={} if keys is None else {request.origin: keys},
            verify=self._verify,
        )

    def begin(
        self, request: SessionRequest, incarnation: IncarnationId, certificate: Certificate | None
    ) -> SessionOpened:
        """A session for whoever passed `check`."""
        now_ms, token = self._clock.now_ms(), self._randomness.bytes(TOKEN_BYTES).hex()
        opened = OpenSession(
            origin=request.origin,
            key_id=request.key_id,
            software=request.software,
            expires_at_ms=now_ms + SESSION_TTL_MS,
        )
        with self._lock:
            self._open[_hash(token)] = opened
            while len(self._open) > SESSIONS_MAX:
                self._open.pop(next(iter(self._open)))
        return SessionOpened(
            token=token,
            expires_at_ms=opened.expires_at_ms,
            incarnation=incarnation,
            time_ms=now_ms,
            certificate=certificate,
        )

    def end(self, origin: OriginId, *, but: KeyId) -> None:
        """No session of an origin goes on that another key than this one opened."""
        with self._lock:
            over = [
                token
                for token, session in self._open.items()
                if session.origin == origin and session.key_id != but
            ]
            for token in over:
                del self._open[token]

    def of(self, token: str) -> OpenSession | None:
        """The session of that token; None: unknown or over."""
        with self._lock:
            found = self._open.get(_hash(token))
            if found is not None and self._clock.now_ms() >= found.expires_at_ms:
                del self._open[_hash(token)]
                return None
            return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
