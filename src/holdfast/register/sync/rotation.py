"""The register's signing key, its change for a new one, and the former ones that may be needed again.

The new key is made here and waits beside the old one. Its public half is journalled; the entries up to that
one go out under the old key. Once head office's receipt covers it, the new key takes the old one's place.
Killed anywhere in between, the same steps go on from where they were.

The change is finished when that entry is *safe*: until then head office may be restored to a state that
does not know the new key. So the old one is kept, and signs again where the new one is not known; what is
then sent brings the new one back.
"""

import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from holdfast.core.faults import KeyFault, StorageFullFault
from holdfast.core.ids import EpochId, KeyId
from holdfast.core.journal.bodies import KeyRotated
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey, sync_directory, write_file

FORMER_MAX = 8
"""Former keys kept; beyond that the oldest goes."""
_FILE_BYTES_MAX = 64 * 1024


class _Former(msgspec.Struct, frozen=True, kw_only=True):
    """A key that gave way, and the entry that announced its successor."""

    seed: bytes
    epoch: EpochId | None = None
    """None: not known yet."""
    seq: int = 0


class KeyRing:
    """The key that signs now; a `core.journal.chain.Signer` whose key may change under its users."""

    def __init__(self, home: RegisterHome) -> None:
        """KeyFault where the key is missing or unreadable."""
        self._path = home.signing_key
        self._lock = threading.Lock()
        newest = SigningKey.load(self._path)
        self._former = [kept for kept in self._load() if kept.seed != newest.reveal()]
        self._keys = [*(SigningKey(kept.seed) for kept in self._former), newest]
        """Oldest first."""
        self._at = len(self._keys) - 1

    @property
    def key_id(self) -> KeyId:
        return self._keys[self._at].key_id

    def sign(self, statement: bytes, /) -> bytes:
        return self._keys[self._at].sign(statement)

    # ---- a new key

    def prepare(self) -> KeyRotated:
        """Make the next key, or find the one that a former attempt made; what to journal of it."""
        with self._lock:
            if not self._next.exists():
                SigningKey.generate().save(self._next)
            key = SigningKey.load(self._next)
            newest = self._keys[-1]
        return KeyRotated(key_id=key.key_id, public_key=key.public_bytes, replaces=newest.key_id)

    def complete(self, key_id: KeyId, epoch: EpochId, seq: int) -> None:
        """Sign with the prepared key from now on; the entry at this place announced it.

        KeyFault where it is not there any more; StorageFullFault where the disk is full.
        """
        with self._lock:
            for place, key in enumerate(self._keys):
                if key.key_id == key_id:  # done before a crash, or because head office knew it first
                    self._place(place - 1, epoch, seq)
                    return
            key = SigningKey.load(self._next)
            if key.key_id != key_id:
                raise KeyFault(
                    f"The key {self._next} is not the one that was journalled. "
                    "Ask head office to rotate again."
                )
            self._adopt(key, epoch, seq)

    def _adopt(self, key: SigningKey, epoch: EpochId | None, seq: int) -> None:
        kept = _Former(seed=self._keys[-1].reveal(), epoch=epoch, seq=seq)
        former = [*self._former, kept][-FORMER_MAX:]
        self._save(former)  # first: a crash in between leaves the old key in both places
        self._next.replace(self._path)
        sync_directory(self._path.parent)
        self._former = former
        self._keys = [*(SigningKey(kept.seed) for kept in former), key]
        self._at = len(self._keys) - 1

    def _place(self, at: int, epoch: EpochId, seq: int) -> None:
        if 0 <= at < len(self._former) and self._former[at].epoch is None:
            former = list(self._former)
            former[at] = msgspec.structs.replace(former[at], epoch=epoch, seq=seq)
            self._save(former)
            self._former = former

    # ---- former keys

    @property
    def has_former(self) -> bool:
        return bool(self._former)

    def older(self) -> bool:
        """Head office does not know the key that signs: go on with the one before; False: there is none."""
        with self._lock:
            if self._at == 0:
                return False
            self._at -= 1
            return True

    def newer(self) -> bool:
        """Head office knows the key that signs as a former one; False: there is no newer one here."""
        with self._lock:
            if self._at < len(self._keys) - 1:
                self._at += 1
                return True
            if not self._next.exists():
                return False
            self._adopt(SigningKey.load(self._next), None, 0)
            return True

    def use(self, key_id: str) -> bool:
        """Sign with that one; False: it is not here."""
        with self._lock:
            for place, key in enumerate(self._keys):
                if key.key_id == key_id:
                    self._at = place
                    return True
            return False

    def use_newest(self) -> None:
        with self._lock:
            self._at = len(self._keys) - 1

    def forget(self, safe: Mapping[EpochId, int]) -> None:
        """Let former keys go whose successors are in a verified backup. `safe`: epoch → seq."""
        with self._lock:
            former = [
                kept for kept in self._former if kept.epoch is None or safe.get(kept.epoch, 0) < kept.seq
            ]
            if len(former) < len(self._former):
                signs, newest = self._keys[self._at], self._keys[-1]
                self._save(former)
                self._former = former
                self._keys = [*(SigningKey(kept.seed) for kept in former), newest]
                ids = [key.key_id for key in self._keys]
                self._at = ids.index(signs.key_id) if signs.key_id in ids else len(ids) - 1

    # ---- files

    @property
    def _next(self) -> Path:
        return next_key_path(self._path)

    def _load(self) -> list[_Former]:
        try:
            with former_keys_path(self._path).open("rb") as file:
                return msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=list[_Former])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return []  # needed only after a restore of head office; the key in use is another file

    def _save(self, former: list[_Former]) -> None:
        path = former_keys_path(self._path)
        try:
            if former:
                write_file(path, msgspec.json.encode(former))
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageFullFault(
                f"The register's former keys {path} cannot be written ({error.strerror}). "
                "Make room on the disk."
            ) from error


def next_key_path(signing_key: Path) -> Path:
    """The key that is to take its place."""
    return signing_key.with_name(signing_key.name + ".next")


def former_keys_path(signing_key: Path) -> Path:
    """Those whose place it took."""
    return signing_key.with_name(signing_key.name + ".former")
