"""Personal data in a journal: sealed under one person's key, kept outside the journal.

Forgetting a person destroys the key; the chain stays whole, the words are gone.
"""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from holdfast.core.faults import KeyFault

PERSON_KEY_BYTES = 32
NONCE_BYTES = 12


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data under the key of `person`; without that key, noise."""

    person: str
    nonce: bytes
    sealed: bytes


def seal(person: str, key: bytes, nonce: bytes, data: bytes) -> Sealed:
    """`data` sealed for `person`. `nonce`: 12 random bytes, never used twice with one key."""
    assert len(key) == PERSON_KEY_BYTES, "a person's key has 32 bytes"
    assert len(nonce) == NONCE_BYTES, "a nonce has 12 bytes"
    return Sealed(
        person=person, nonce=nonce, sealed=ChaCha20Poly1305(key).encrypt(nonce, data, person.encode())
    )


def unseal(sealed: Sealed, key: bytes | None) -> bytes | None:
    """The data, or None where the person was forgotten. Raises KeyFault on a wrong key."""
    if key is None:
        return None
    try:
        return ChaCha20Poly1305(key).decrypt(sealed.nonce, sealed.sealed, sealed.person.encode())
    except InvalidTag:
        raise KeyFault(f"the key kept for person {sealed.person} does not open the entry") from None
