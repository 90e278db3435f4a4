"""Real Ed25519 keys that remember: the same statement is signed and verified once in a run."""

from functools import lru_cache

from holdfast.core.ids import KeyId
from holdfast.infra.keys import SigningKey
from holdfast.infra.keys import verify as verify_signature


class SimKey:
    """A key that keeps its signatures: Ed25519 gives one signature to one statement."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self._known: dict[bytes, bytes] = {}

    @property
    def key_id(self) -> KeyId:
        return self._key.key_id

    @property
    def public_bytes(self) -> bytes:
        return self._key.public_bytes

    def sign(self, statement: bytes, /) -> bytes:
        signature = self._known.get(statement)
        if signature is None:
            signature = self._known[statement] = self._key.sign(statement)
        return signature


verify = lru_cache(maxsize=200_000)(verify_signature)
