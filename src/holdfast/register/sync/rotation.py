"""The register's signing key, and its change for a new one.

The new key is made here and waits beside the old one. Its public half is journalled; the entries up to that
one go out under the old key. Once head office's receipt covers it, the new key takes the old one's
place. Killed anywhere in between, the same steps go on from where they were.
"""

import threading
from pathlib import Path

from holdfast.core.faults import KeyFault
from holdfast.core.ids import KeyId
from holdfast.core.journal.bodies import KeyRotated
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey, sync_directory


class KeyRing:
    """The key that signs now; a `core.journal.chain.Signer` whose key may change under its users."""

    def __init__(self, home: RegisterHome) -> None:
        """KeyFault where the key is missing or unreadable."""
        self._path = home.signing_key
        self._lock = threading.Lock()
        self._key = SigningKey.load(self._path)

    @property
    def key_id(self) -> KeyId:
        return self._key.key_id

    def sign(self, statement: bytes, /) -> bytes:
        return self._key.sign(statement)

    def prepare(self) -> KeyRotated:
        """Make the next key, or find the one that a former attempt made; what to journal of it."""
        with self._lock:
            if not self._next.exists():
                SigningKey.generate().save(self._next)
            key = SigningKey.load(self._next)
        return KeyRotated(key_id=key.key_id, public_key=key.public_bytes)

    def complete(self, key_id: KeyId) -> None:
        """Sign with the prepared key from now on. KeyFault where it is not there any more."""
        with self._lock:
            if self._key.key_id == key_id:
                return  # done before a crash
            key = SigningKey.load(self._next)
            if key.key_id != key_id:
                raise KeyFault(
                    f"The key {self._next} is not the one that was journalled. "
                    "Ask head office to rotate again."
                )
            self._next.replace(self._path)
            sync_directory(self._path.parent)
            self._key = key

    @property
    def _next(self) -> Path:
        return self._path.with_name(self._path.name + ".next")
