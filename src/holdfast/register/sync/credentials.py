"""What the register shows to get a session, and what it tries next where that is refused.

key.former            head office knows a newer key: sign with it
key.unknown           it does not know this one (any more): sign with the one before
key.unknown-origin    it does not know this register any more, or none of its keys: present the
                      certificate that it signed itself
"""

from collections.abc import Mapping

import msgspec
import structlog

from holdfast import __version__
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import KeyId, OriginId
from holdfast.core.sync.enrolment import Certificate, certificate_statement, read_identity
from holdfast.core.sync.messages import Challenge, SessionRequest
from holdfast.core.sync.session import FORMER_KEY, UNKNOWN_KEY, UNKNOWN_ORIGIN, answer_challenge
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import fingerprint, verify
from holdfast.register.identity import load_papers, save_papers
from holdfast.register.sync.rotation import FORMER_MAX, KeyRing

TRIES_MAX = 2 * FORMER_MAX + 3
"""Up or down through the keys, then the certificate."""
_log = structlog.get_logger(__name__)


class Credentials:
    """Used under the line's lock: one session is opened at a time."""

    def __init__(
        self, home: RegisterHome, origin: OriginId, keys: KeyRing, head_office_keys: Mapping[KeyId, bytes]
    ) -> None:
        self._home = home
        self._origin = origin
        self._keys = keys
        self._head_office_keys = head_office_keys
        self._certificate = load_papers(home).certificate
        self._certified = self._key_of(self._certificate) or ""
        self._presents = False
        self._went_back = False

    @property
    def key_id(self) -> KeyId:
        return self._keys.key_id

    def begin(self) -> None:
        """A session is about to be asked for."""
        self._presents = self._went_back = False

    def answer(self, challenge: Challenge) -> SessionRequest:
        request = answer_challenge(self._origin, challenge, self._keys, software=__version__)
        shown = self._certificate if self._presents and request.key_id == self._certified else None
        return msgspec.structs.replace(request, certified=self._certified, certificate=shown)

    def refused(self, code: str) -> bool:
        """Whether there is something else to try."""
        if self._presents:
            return False
        if code == FORMER_KEY and not self._went_back:
            return self._keys.newer()
        if code == UNKNOWN_KEY and self._keys.older():
            self._went_back = True
            return True
        if code in (FORMER_KEY, UNKNOWN_KEY, UNKNOWN_ORIGIN) and self._certified:
            self._presents = self._keys.use(self._certified)
            return self._presents
        return False

    def gave_up(self) -> None:
        """Next time begin with the newest key."""
        self._keys.use_newest()

    def opened(self, certificate: Certificate | None) -> None:
        """Keep what head office says of the key that opened the session."""
        certified = self._key_of(certificate)
        if certificate is None or certified != self._keys.key_id:
            return
        self._certificate, self._certified = certificate, certified
        try:
            papers = msgspec.structs.replace(load_papers(self._home), certificate=certificate)
            save_papers(self._home, papers)
        except OSError as error:
            _log.warning("sync.certificate-not-kept", cause=str(error))  # it comes again after a restart

    def _key_of(self, certificate: Certificate | None) -> KeyId | None:
        """The key that a certificate names, if it is head office's word over this register."""
        public_key = None if certificate is None else self._head_office_keys.get(certificate.key_id)
        if certificate is None or public_key is None:
            return None
        if not verify(public_key, certificate.signature, certificate_statement(certificate.identity)):
            return None
        try:
            identity = read_identity(certificate)
        except MalformedFault:
            return None
        return fingerprint(identity.public_key) if identity.origin == self._origin else None
