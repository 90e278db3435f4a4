"""The chain over a journal's stored bytes, and the signed heads that close its pieces."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from holdfast.core.ids import EpochId, KeyId, OriginId

HASH_BYTES = 32
ZERO_HASH = bytes(HASH_BYTES)
"""What stands before the first entry of an epoch."""

_EMPTY = hashlib.sha256()
"""Copied for each link: making one anew looks the algorithm up, at ten times the cost of hashing."""

Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, statement) → does the signature hold."""


class Signer(Protocol):
    """A private key that signs; `infra.keys.SigningKey` is one."""

    @property
    def key_id(self) -> KeyId: ...

    def sign(self, statement: bytes, /) -> bytes: ...


def link(previous_hash: bytes, entry: bytes) -> bytes:
    """`SHA-256(previous hash ‖ bytes)`."""
    hash = _EMPTY.copy()
    hash.update(previous_hash)
    hash.update(entry)
    return hash.digest()


def walk(previous_hash: bytes, entries: Iterable[bytes]) -> Iterator[bytes]:
    """The hash after each entry in turn."""
    for entry in entries:
        previous_hash = link(previous_hash, entry)
        yield previous_hash


class Position(msgspec.Struct, frozen=True):
    """A place in a chain: this seq, with this hash. Two positions are equal or not the same chain."""

    epoch: EpochId
    seq: int
    hash: bytes


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """The origin's word that its chain of `epoch` has `hash` at `seq`."""

    origin: OriginId
    epoch: EpochId
    seq: int
    hash: bytes
    key_id: KeyId
    signature: bytes


def head_statement(origin: OriginId, epoch: EpochId, seq: int, hash: bytes) -> bytes:
    """What a signed head signs. The prefix keeps it from being taken for any other statement."""
    assert len(hash) == HASH_BYTES, "a chain hash has 32 bytes"
    return b"holdfast head 1\n" + f"{origin}\n{epoch}\n{seq}\n".encode() + hash


def sign(signer: Signer, statement: bytes) -> tuple[KeyId, bytes]:
    """Key and signature that belong together, though another thread may change the signer's key."""
    while True:
        key_id = signer.key_id
        signature = signer.sign(statement)
        if signer.key_id == key_id:
            return key_id, signature


def sign_head(origin: OriginId, epoch: EpochId, seq: int, hash: bytes, signer: Signer) -> SignedHead:
    key_id, signature = sign(signer, head_statement(origin, epoch, seq, hash))
    return SignedHead(origin=origin, epoch=epoch, seq=seq, hash=hash, key_id=key_id, signature=signature)


def head_holds(head: SignedHead, public_key: bytes, verify: Verify) -> bool:
    """Does the head's signature hold under this key."""
    if len(head.hash) != HASH_BYTES:
        return False
    return verify(public_key, head.signature, head_statement(head.origin, head.epoch, head.seq, head.hash))
