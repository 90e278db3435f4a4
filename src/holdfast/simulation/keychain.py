"""A register's keys and papers in a folder of their own, held by the parts that ship: what changes its key,
keeps the former ones and brings it back to a head office that forgot it is no model of that, but it."""

from collections.abc import Mapping
from pathlib import Path

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.sync.enrolment import Certificate
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey, write_file
from holdfast.register.identity import Papers, save_papers
from holdfast.register.sync.credentials import Credentials
from holdfast.register.sync.rotation import KeyRing, former_keys_path, next_key_path

Files = Mapping[str, bytes]
"""Path within the folder → content: what a copy of the whole disk takes along of it."""


class Keychain:
    """One machine's. The ring and the credentials are a process's: begun anew with it."""

    def __init__(self, folder: Path, origin: OriginId, head_office_keys: Mapping[KeyId, bytes]) -> None:
        self._home = RegisterHome(folder).create()
        self._origin = origin
        self._head_office_keys = head_office_keys
        self._signed: dict[tuple[KeyId, bytes], bytes] = {}
        """Ed25519 gives one signature to one statement."""
        self.ring: KeyRing

    @property
    def head_office_keys(self) -> dict[KeyId, bytes]:
        return dict(self._head_office_keys)

    @property
    def handed(self) -> Path:
        """Beside its keys: how far the open journal was handed to the wire."""
        return self._home.handed

    def begin(self) -> Credentials:
        """A process starts."""
        self.ring = KeyRing(self._home)
        return Credentials(self._home, self._origin, self.ring, self._head_office_keys)

    def hold(self, key: SigningKey, certificate: Certificate | None) -> None:
        """The key that enrolment, or a code for another key, gave; all others are out of force."""
        key.save(self._home.signing_key, replace=True)
        for former in (next_key_path(self._home.signing_key), former_keys_path(self._home.signing_key)):
            former.unlink(missing_ok=True)
        save_papers(self._home, Papers(certificate=certificate))

    def offer_next(self, seed: bytes) -> None:
        """The key that the next change takes, were there none yet: drawn by the world, and not by chance."""
        path = next_key_path(self._home.signing_key)
        if not path.exists():
            SigningKey(seed).save(path)

    def newest(self) -> SigningKey:
        return SigningKey.load(self._home.signing_key)

    # ---- as `core.journal.chain.Signer`

    @property
    def key_id(self) -> KeyId:
        return self.ring.key_id

    def sign(self, statement: bytes, /) -> bytes:
        named = (self.ring.key_id, statement)
        signature = self._signed.get(named)
        if signature is None:
            signature = self._signed[named] = self.ring.sign(statement)
        return signature

    # ---- as files

    def files(self) -> Files:
        """All of them, for a copy of the whole disk."""
        folder = self._home.path
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}

    def put(self, files: Files) -> None:
        """What a copy of the whole disk brings, in place of what is here."""
        for path in self._home.path.rglob("*"):
            if path.is_file():
                path.unlink()
        for name, content in files.items():
            write_file(self._home.path / name, content)
