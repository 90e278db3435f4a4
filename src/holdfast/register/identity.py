"""What head office told of who this register is, beside its settings: kept to be shown again.

Its certificate brings it back to a head office that was restored to a time before it was enrolled.
"""

from pathlib import Path

import msgspec

from holdfast.core.faults import KeyFault
from holdfast.core.ids import KeyId
from holdfast.core.sync.enrolment import Certificate, Replaced
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey, write_file

_FILE_BYTES_MAX = 256 * 1024


class Papers(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`identity.json`, written at enrolment and whenever head office certifies another key."""

    certificate: Certificate | None = None
    replaces: Replaced | None = None


def load_papers(home: RegisterHome) -> Papers:
    """None of them where the file is missing or damaged: head office gives a certificate at each contact."""
    try:
        with _path(home).open("rb") as file:
            return msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=Papers)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Papers()


def save_papers(home: RegisterHome, papers: Papers) -> None:
    """Replace them. OSError where the disk does not take them."""
    write_file(_path(home), msgspec.json.encode(papers))


def signing_key_id(home: RegisterHome) -> KeyId:
    """Selling needs no signature: where that key is lost, damaged or open to others the till sells on, and
    its sync says what to do."""
    try:
        return SigningKey.load(home.signing_key).key_id
    except KeyFault:
        return KeyId("")


def _path(home: RegisterHome) -> Path:
    return home.path / "identity.json"
