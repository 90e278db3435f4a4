"""Keys and the files they live in: a register's signature, a database's key, head office's recovery.

A key file holds the raw 32 bytes with mode 600 and is refused when others could read it. It is
not kept in a user's keyring: that one is locked when a till boots with nobody there.

A database key is kept three times: as the key file in `secrets`; as a fingerprint beside the
database, so that a wrong key is named before SQLite can only say "not a database"; and beside the
database once more, sealed to head office's recovery key, so that a lost key file loses no unsent
sale (P1).
"""

import base64
import hashlib
import hmac
import os
import stat
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdfast.core.faults import KeyFault
from holdfast.core.ids import KeyId, OriginId
from holdfast.core.journal.entry import is_id

KEY_BYTES = 32
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_RECOVERY_MAGIC = b"HFRC\x01"
"""Four letters and the version of the form: a later form is told apart, not misread."""
_FINGERPRINT_BYTES = 8
_REQUEST_PREFIX, _ANSWER_PREFIX = "recover-", "recovered-"
_CHECK_BYTES = 4
_WORD_CHARS_MAX = 1_000
_RECOVERY_BYTES = len(_RECOVERY_MAGIC) + 2 * _FINGERPRINT_BYTES + KEY_BYTES + KEY_BYTES + 16


# ---- files -------------------------------------------------------------------------------------


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable: a file's own fsync does not promise its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Replace a small file atomically and durably, readable by its owner alone.

    Whoever reads it, even after a power cut, finds the old bytes or the new ones, never a part.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # left by a process that was killed in the middle
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def read_secret(path: Path, noun: str, cure: str) -> bytes:
    """The 32 bytes of a key file. `noun` and `cure` make the sentence of the KeyFault.

    KeyFault when it is missing, cannot be read, has another length, or is open to others.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(KEY_BYTES + 1)
    except FileNotFoundError as error:
        raise KeyFault(f"The {noun} {path} is missing. {cure}") from error
    except OSError as error:
        raise KeyFault(
            f"The {noun} {path} cannot be read ({error.strerror}). Run Holdfast as the user who owns it."
        ) from error
    if mode & _GROUP_AND_OTHERS:
        raise KeyFault(f"The {noun} {path} can be read by other users. Run: chmod 600 {path}")
    if len(content) != KEY_BYTES:
        raise KeyFault(f"The {noun} {path} is damaged: it must hold exactly {KEY_BYTES} bytes. {cure}")
    return content


def _write_secret(path: Path, noun: str, content: bytes, *, replace: bool) -> None:
    assert len(content) == KEY_BYTES, "every key of ours has 32 bytes"
    if path.exists() and not replace:
        # A key that is overwritten is lost for everything it still opens or must still sign.
        raise KeyFault(
            f"The {noun} {path} is already there and was kept. Move it away first if it must be new."
        )
    write_file(path, content)


def fingerprint(public: bytes) -> KeyId:
    """The first 16 hex digits of the SHA-256 of a public key."""
    return KeyId(hashlib.sha256(public).hexdigest()[: 2 * _FINGERPRINT_BYTES])


# ---- signatures --------------------------------------------------------------------------------


class SigningKey:
    """An Ed25519 key (RFC 8032) that signs heads, statements or, at head office, feeds and receipts."""

    _NOUN = "signing key"
    _CURE = (
        "Put it back from your copy of the secrets folder, or have head office give this register another: "
        "holdfast hq register rekey prints a code there, for holdfast register rekey here."
    )
    __slots__ = ("_private", "key_id", "public_bytes")

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == KEY_BYTES, "an Ed25519 seed has 32 bytes"
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_bytes = self._private.public_key().public_bytes_raw()
        self.key_id = fingerprint(self.public_bytes)

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def load(cls, path: Path, *, cure: str = _CURE) -> "SigningKey":
        """From its key file. KeyFault with file and cure, by default a register's."""
        return cls(read_secret(path, cls._NOUN, cure))

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Into a key file; an existing one is kept (KeyFault) unless `replace`, as a rotation does."""
        _write_secret(path, self._NOUN, self._private.private_bytes_raw(), replace=replace)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(message)

    def derive(self, purpose: str) -> bytes:
        """32 bytes that this key alone gives for this purpose: HMAC-SHA-256 of it."""
        return hmac.digest(self._private.private_bytes_raw(), purpose.encode(), hashlib.sha256)

    def reveal(self) -> bytes:
        """The seed itself: for a key file, never for a log or a message."""
        return self._private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is that key's over that message; a malformed key or signature is no."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ---- database keys -----------------------------------------------------------------------------


class DatabaseKey:
    """The 32 random bytes that encrypt one machine's databases."""

    _NOUN = "database key"
    _CURE = (
        "Put it back from your copy of the secrets folder, or have head office recover it from the "
        "database's .recovery file: holdfast register recover says how."
    )
    __slots__ = ("_raw", "key_id")

    def __init__(self, raw: bytes) -> None:
        assert len(raw) == KEY_BYTES, "a database key has 32 bytes"
        self._raw = raw
        # 256 random bits cannot be found from their hash, so the fingerprint may lie in the open.
        self.key_id = fingerprint(b"holdfast database key\0" + raw)

    @classmethod
    def generate(cls) -> "DatabaseKey":
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> "DatabaseKey":
        """From its key file. KeyFault with file and cure."""
        return cls(read_secret(path, cls._NOUN, cls._CURE))

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Into a key file; an existing one is kept (KeyFault) unless `replace`."""
        _write_secret(path, self._NOUN, self._raw, replace=replace)

    def reveal(self) -> bytes:
        """The bytes themselves: for the cipher and the recovery copy, never for a log or a message."""
        return self._raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseKey) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self.key_id)

    def __repr__(self) -> str:
        return f"DatabaseKey({self.key_id})"


def key_id_path(database: Path) -> Path:
    """`till.db.key-id`: which key the database beside it was written with."""
    return database.with_name(database.name + ".key-id")


def recovery_path(database: Path) -> Path:
    """`till.db.recovery`: the database's key, sealed to head office's recovery key."""
    return database.with_name(database.name + ".recovery")


def recorded_key_id(database: Path) -> KeyId | None:
    """The fingerprint beside a database, or None where there is none or it is unreadable text."""
    try:
        text = key_id_path(database).read_bytes()[:64].strip()
    except FileNotFoundError:
        return None
    is_fingerprint = len(text) == 2 * _FINGERPRINT_BYTES and not text.strip(b"0123456789abcdef")
    return KeyId(text.decode()) if is_fingerprint else None


def record_key_id(database: Path, key: DatabaseKey) -> None:
    """Write the fingerprint beside the database."""
    write_file(key_id_path(database), f"{key.key_id}\n".encode())


# ---- recovery ----------------------------------------------------------------------------------


class RecoveryKey:
    """Head office's X25519 key (RFC 7748); whoever holds it can open a register's database."""

    _NOUN = "recovery key"
    _CURE = (
        "Put it back from your copy of head office's secrets folder: without it no database key "
        "can be recovered."
    )
    __slots__ = ("_private", "key_id", "public_bytes")

    def __init__(self, raw: bytes) -> None:
        assert len(raw) == KEY_BYTES, "an X25519 key has 32 bytes"
        self._private = X25519PrivateKey.from_private_bytes(raw)
        self.public_bytes = self._private.public_key().public_bytes_raw()
        self.key_id = fingerprint(self.public_bytes)

    @classmethod
    def generate(cls) -> "RecoveryKey":
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> "RecoveryKey":
        """From its key file. KeyFault with file and cure."""
        return cls(read_secret(path, cls._NOUN, cls._CURE))

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Into a key file; an existing one is kept (KeyFault) unless `replace`."""
        _write_secret(path, self._NOUN, self._private.private_bytes_raw(), replace=replace)

    def agree(self, ephemeral_public: bytes) -> bytes:
        """The shared secret with a box's one-time key. ValueError for a key that yields none."""
        return self._private.exchange(X25519PublicKey.from_public_bytes(ephemeral_public))

    def __repr__(self) -> str:
        return f"RecoveryKey({self.key_id})"


def seal_recovery(recovery_public: bytes, key: DatabaseKey) -> bytes:
    """A database key sealed to head office: X25519, HKDF-SHA-256, ChaCha20-Poly1305.

    `HFRC 01 ‖ recovery key's fingerprint ‖ database key's fingerprint ‖ one-time public key ‖
    ciphertext and tag`. Cipher key and nonce both come out of one HKDF over a secret that is used
    once, so no nonce can repeat. All before the ciphertext is authenticated with it.
    """
    once = X25519PrivateKey.generate()
    once_public = once.public_key().public_bytes_raw()
    header = (
        _RECOVERY_MAGIC
        + bytes.fromhex(fingerprint(recovery_public))
        + bytes.fromhex(key.key_id)
        + once_public
    )
    shared = once.exchange(X25519PublicKey.from_public_bytes(recovery_public))
    cipher, nonce = _box(shared, once_public + recovery_public)
    sealed = header + cipher.encrypt(nonce, key.reveal(), header)
    assert len(sealed) == _RECOVERY_BYTES, "a recovery copy has one length"
    return sealed


def unwrap_recovery(private: RecoveryKey, blob: bytes) -> DatabaseKey:
    """The database key out of a recovery copy. KeyFault when it is damaged or sealed to another key."""
    if len(blob) != _RECOVERY_BYTES or not blob.startswith(_RECOVERY_MAGIC):
        raise KeyFault(
            "This is no recovery copy of a database key, or it is damaged. Use the database's .recovery file."
        )
    header, sealed = blob[: -KEY_BYTES - 16], blob[-KEY_BYTES - 16 :]
    once_public = header[-KEY_BYTES:]
    wanted = header[len(_RECOVERY_MAGIC) :][:_FINGERPRINT_BYTES].hex()
    if wanted != private.key_id:
        raise KeyFault(
            f"This recovery copy was sealed to the recovery key {wanted}, and this one is {private.key_id}. "
            "Use the recovery key that head office had when the register was enrolled."
        )
    try:
        cipher, nonce = _box(private.agree(once_public), once_public + private.public_bytes)
        return DatabaseKey(cipher.decrypt(nonce, sealed, header))
    except (InvalidTag, ValueError) as error:
        raise KeyFault(
            "This recovery copy is damaged. Use another copy of the database's .recovery file."
        ) from error


def write_recovery_copy(database: Path, recovery_public: bytes, key: DatabaseKey) -> None:
    """Seal the key to head office and keep it beside the database."""
    write_file(recovery_path(database), seal_recovery(recovery_public, key))


class RecoveryRequest(msgspec.Struct, frozen=True, array_like=True):
    """What a register that lost its database key asks of head office."""

    origin: OriginId
    to: bytes
    """One-time X25519 key: the answer is of use on that machine alone."""
    copy: bytes
    """The recovery copy beside the database; empty where it is lost too."""


def spell_request(request: RecoveryRequest) -> str:
    """As one word that a person copies."""
    return _spell(_REQUEST_PREFIX, msgspec.msgpack.encode(request))


def read_request(text: str) -> RecoveryRequest:
    """What `spell_request` wrote. KeyFault where it is none or not whole."""
    cure = "Copy it whole, as holdfast register recover printed it."
    try:
        request = msgspec.msgpack.decode(_unspell(_REQUEST_PREFIX, text), type=RecoveryRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise KeyFault(f"That is no request to recover a key. {cure}") from error
    if len(request.to) != KEY_BYTES or not is_id(request.origin):
        raise KeyFault(f"That is no request to recover a key. {cure}")
    return request


def answer_request(private: RecoveryKey, request: RecoveryRequest, copy: bytes) -> str:
    """The database key in a recovery copy, sealed to the machine that asks. KeyFault as unwrapping says."""
    key = unwrap_recovery(private, copy)
    try:
        return _spell(_ANSWER_PREFIX, seal_recovery(request.to, key))
    except ValueError as error:
        raise KeyFault("The request's key is none. Ask anew: holdfast register recover") from error


def read_answer(private: RecoveryKey, text: str) -> DatabaseKey:
    """The database key in head office's answer. KeyFault where it is none, or for another request."""
    cure = "Copy it whole, as holdfast hq recover-key printed it."
    try:
        sealed = _unspell(_ANSWER_PREFIX, text)
    except ValueError as error:
        raise KeyFault(f"That is no answer of head office. {cure}") from error
    try:
        return unwrap_recovery(private, sealed)
    except KeyFault as fault:
        raise KeyFault(
            f"That answer is damaged, or it is for another request than this machine's last one. {cure}"
        ) from fault


def _spell(prefix: str, data: bytes) -> str:
    check = hashlib.sha256(prefix.encode() + data).digest()[:_CHECK_BYTES]
    return prefix + base64.urlsafe_b64encode(data + check).decode().rstrip("=")


def _unspell(prefix: str, text: str) -> bytes:
    """ValueError where a letter is missing or wrong. A line that was wrapped on its way is joined."""
    word = "".join(text.split())
    if not word.startswith(prefix) or len(word) > _WORD_CHARS_MAX:
        raise ValueError("another prefix")
    body = word.removeprefix(prefix)
    raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    data, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    if hashlib.sha256(prefix.encode() + data).digest()[:_CHECK_BYTES] != check:
        raise ValueError("not whole")
    return data


def _box(shared: bytes, parties: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    material = HKDF(hashes.SHA256(), KEY_BYTES + 12, None, b"holdfast recovery 1" + parties).derive(shared)
    return ChaCha20Poly1305(material[:KEY_BYTES]), material[KEY_BYTES:]
