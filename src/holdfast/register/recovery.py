"""A lost database key comes back from head office: asked for by one word, answered by another.

The key travels sealed, first to head office's recovery key, then to a key that this machine makes for the
one request. So the words may be read out or sent by mail; no unsent sale is lost with a key file (P1).
"""

from holdfast.core.faults import ConfigurationFault, KeyFault
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, load_config
from holdfast.infra.keys import (
    DatabaseKey,
    RecoveryKey,
    RecoveryRequest,
    read_answer,
    recorded_key_id,
    recovery_path,
    spell_request,
)
from holdfast.infra.sqlite import open_database

_REQUEST_KEY = "recovery-request.key"
_COPY_BYTES_MAX = 1_024


def request_recovery(home: RegisterHome) -> str:
    """The word to give to head office. Asked again, it is the same one until it was answered.

    ConfigurationFault where the key is there and opens the database.
    """
    config = load_config(home.config, RegisterConfig)
    _require_lost(home)
    path = home.secrets / _REQUEST_KEY
    if not path.exists():
        RecoveryKey.generate().save(path)
    once = RecoveryKey.load(path)
    return spell_request(RecoveryRequest(config.origin, once.public_bytes, _copy(home)))


def take_recovery(home: RegisterHome, answer: str) -> DatabaseKey:
    """Put back the database key that head office's answer holds.

    KeyFault where the answer is not for this machine's request or this database; then nothing changes.
    """
    path = home.secrets / _REQUEST_KEY
    with exclusive(home.lock):
        if not path.exists():
            raise ConfigurationFault(
                "This machine asked for no key, so no answer is for it. First run holdfast register recover "
                "without an answer."
            )
        key = read_answer(RecoveryKey.load(path), answer)
        recorded = recorded_key_id(home.till)
        if recorded is not None and recorded != key.key_id:
            raise KeyFault(
                f"The answer holds the key {key.key_id}, and the database {home.till} was written with "
                f"{recorded}. Ask again with the .recovery file that belongs to it."
            )
        open_database(home.till, key, read_only=True).close()  # what does not open it is not kept
        key.save(home.database_key, replace=True)
        path.unlink()
    return key


def _require_lost(home: RegisterHome) -> None:
    try:
        key = DatabaseKey.load(home.database_key)
    except KeyFault:
        return
    recorded = recorded_key_id(home.till)
    if recorded is None or recorded == key.key_id:
        raise ConfigurationFault(
            f"The database key {home.database_key} is there and is the right one. Nothing is to be recovered."
        )


def _copy(home: RegisterHome) -> bytes:
    """Beside the database; head office has one too."""
    try:
        with recovery_path(home.till).open("rb") as file:
            return file.read(_COPY_BYTES_MAX)
    except OSError:
        return b""
