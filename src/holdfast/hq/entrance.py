"""Who gets a session: registers by a current key, and those that a restore made head office forget.

Anybody can reach this. A register is shown as blocked only for what a known key, or head office's own
signature, stands behind; all else is an alert of its own, of which there is a bounded number.
"""

import hmac

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import IncarnationId, KeyId, OriginId
from holdfast.core.journal.chain import Signer
from holdfast.core.journal.entry import is_id
from holdfast.core.sync.enrolment import (
    Certificate,
    Identity,
    certificate_statement,
    read_identity,
    readmission_refusal,
    sign_certificate,
)
from holdfast.core.sync.messages import SessionOpened, SessionRequest
from holdfast.core.sync.receiver import Keys, Refused
from holdfast.core.sync.session import REFUSED_CERTIFICATE, UNKNOWN_KEY, UNKNOWN_ORIGIN, is_proven
from holdfast.hq.sessions import Sessions
from holdfast.hq.store.port import HeadOfficeStore, RaceFault
from holdfast.infra.clock import Clock
from holdfast.infra.keys import fingerprint

STRANGERS_MAX = 20
"""Open alerts of origins that are not enrolled here: a stranger may name as many as he likes."""
REFUSED_MAX = 200
"""Open alerts of registers in whose name somebody presented a wrong key."""


class Entrance:
    """Opens sessions. Thread-safe."""

    def __init__(self, store: HeadOfficeStore, sessions: Sessions, signer: Signer, clock: Clock) -> None:
        self._store = store
        self._sessions = sessions
        self._signer = signer
        self._clock = clock

    def open(self, request: SessionRequest, incarnation: IncarnationId) -> SessionOpened | Refused:
        """A session, or why none."""
        issued_at_ms = self._sessions.spend(request.nonce)
        refused = self._sessions.check(request, issued_at_ms, self._keys(request.origin))
        if refused is not None and refused.code in (UNKNOWN_ORIGIN, UNKNOWN_KEY):
            refused = self._readmit(request, issued_at_ms, refused)
        if refused is None:
            return self._sessions.begin(request, incarnation, self._certificate(request))
        if refused.code.startswith("key.") and is_id(request.origin):
            self._note(request, refused)
        return refused

    def _keys(self, origin: OriginId) -> Keys | None:
        return self._store.speaks_for(origin).get(origin) if is_id(origin) else None

    def _certificate(self, request: SessionRequest) -> Certificate | None:
        """For a key that the register has none for yet."""
        if request.certified == request.key_id:
            return None
        with self._store.transaction(None) as transaction:
            identity = transaction.identity(request.origin, request.key_id)
        return None if identity is None else sign_certificate(identity, self._signer)

    # ---- those that were forgotten

    def _readmit(self, request: SessionRequest, issued_at_ms: int | None, unknown: Refused) -> Refused | None:
        """Let in whoever head office certified before it lost that; one key of one origin at a time."""
        identity = self._own(request.certificate)
        if identity is None or identity.origin != request.origin or not is_id(identity.origin):
            return unknown
        key_id = fingerprint(identity.public_key)
        refused = self._sessions.check(request, issued_at_ms, Keys({key_id: identity.public_key}))
        if refused is not None:
            return unknown if refused.code == UNKNOWN_KEY else refused
        try:
            why_not = self._know_again(identity, key_id, unknown)
        except RaceFault as fault:
            why_not = fault.sentence
        if why_not is None:
            # Whoever spoke by another key meanwhile is to find out that it gave way.
            self._sessions.end(identity.origin, but=key_id)
            return None
        cure = f"If it is to sell on, give it a new key: holdfast hq register rekey {identity.origin}"
        return Refused(403, REFUSED_CERTIFICATE, f"{why_not}. {cure}")

    def _know_again(self, identity: Identity, key_id: KeyId, unknown: Refused) -> str | None:
        with self._store.transaction(None) as transaction:
            why_not = readmission_refusal(identity, transaction.known(identity.origin, identity.series))
            if why_not is None:
                transaction.readmit(identity, key_id, self._clock.now_ms())
                what = "the register" if unknown.code == UNKNOWN_ORIGIN else f"key {key_id} of the register"
                detail = (
                    f"{what} {identity.name or identity.series} of store {identity.store} was not known here "
                    f"(any more), and was taken back on head office's own signature"
                )
                transaction.alert("readmitted", identity.origin, detail)
        return why_not

    def _own(self, certificate: Certificate | None) -> Identity | None:
        """Who a certificate names, if this head office signed it."""
        if certificate is None or certificate.key_id != self._signer.key_id:
            return None
        # Ed25519 gives one signature to one statement.
        expected = self._signer.sign(certificate_statement(certificate.identity))
        if not hmac.compare_digest(certificate.signature, expected):
            return None
        try:
            return read_identity(certificate)
        except MalformedFault:  # signed by another version
            return None

    # ---- those that stay out

    def _note(self, request: SessionRequest, refused: Refused) -> None:
        origin = request.origin
        if request.certified == request.key_id and request.certificate is None:
            return  # it is about to show head office's own word, or to sign with its former key
        with self._store.transaction(None) as transaction:
            if refused.code == UNKNOWN_ORIGIN:
                detail = f"{origin} presented itself, and no register of that id is enrolled here"
                transaction.alert_once("unknown-register", origin, detail, STRANGERS_MAX)
            elif not is_proven(refused):
                detail = f"somebody said to be {origin} and did not prove it ({refused.code})"
                transaction.alert_once("session-refused", origin, detail, REFUSED_MAX)
            elif transaction.known(origin, "").number:
                transaction.block(origin, refused.code, refused.detail[:500], self._clock.now_ms())
