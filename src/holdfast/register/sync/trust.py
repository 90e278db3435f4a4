"""Whom a register believes: head office's public keys and certificate, pinned at enrolment.

They lie in files beside the settings, not in `reference.db`: that database may be lost and fetched
again, and what it is fetched with must not come from the line.
"""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from holdfast.core.faults import ConfigurationFault, KeyFault
from holdfast.core.ids import KeyId
from holdfast.infra.config import RegisterConfig, RegisterHome
from holdfast.infra.keys import fingerprint, write_file
from holdfast.infra.tls import pinned_context

_FILE_BYTES_MAX = 256 * 1024


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """`trust.json`, as enrolment wrote it."""

    head_office_keys: dict[KeyId, bytes]
    """Key id → Ed25519 public key; former ones stay valid for what they signed."""
    recovery_public_key: bytes = b""
    """X25519; what a database key is sealed to."""


def save_trust(home: RegisterHome, trust: Trust) -> None:
    """Pin head office's keys. KeyFault when an id is not its key's fingerprint."""
    _check(home.trust, trust.head_office_keys)
    write_file(home.trust, msgspec.json.encode(trust))


def load_trust(home: RegisterHome) -> Trust:
    """The pinned keys. KeyFault with file and cure."""
    try:
        with home.trust.open("rb") as file:
            trust = msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=Trust)
    except OSError as error:
        raise KeyFault(
            f"Head office's pinned keys {home.trust} cannot be read ({error.strerror}). Put the file back "
            "from your copy, or have head office give this register another key, which brings it too: "
            "holdfast hq register rekey there, holdfast register rekey here."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyFault(f"Head office's pinned keys {home.trust} are damaged. Put the file back.") from error
    _check(home.trust, trust.head_office_keys)
    return trust


def _check(path: Path, keys: Mapping[KeyId, bytes]) -> None:
    if not keys or any(fingerprint(public) != key_id for key_id, public in keys.items()):
        raise KeyFault(f"{path}: head office's keys and their fingerprints do not belong together.")


def tls_context(home: RegisterHome, config: RegisterConfig) -> ssl.SSLContext:
    """What vouches for head office: the pinned certificate, your own authority, or the system's list."""
    if home.head_office_certificate.exists():
        return _read(home.head_office_certificate, pinned_context)
    if config.head_office_ca:
        path = home.path / config.head_office_ca
        return _read(path, lambda pem: ssl.create_default_context(cadata=pem))
    return ssl.create_default_context()


def _read(path: Path, make: Callable[[str], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return make(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, ssl.SSLError) as error:
        raise ConfigurationFault(
            f"The certificate {path} that head office is checked against cannot be read. "
            "Put it back in PEM form."
        ) from error
