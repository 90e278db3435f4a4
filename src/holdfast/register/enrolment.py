"""Enrolment: a machine becomes a register, by a one-time code and a key that it makes itself (SW1).

It can be cut short anywhere and run again: the keys are made first and kept, so that the same code
with the same key is answered with the same origin; the settings are written last, and with them the
register is enrolled. Head office keeps a copy of the database's key, sealed to its recovery key.

A register whose signing key is lost, or not known at head office any more, gets another one in the same
way (`rekey`), and stays the register that it is.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from holdfast import __version__
from holdfast.core.faults import ConfigurationFault
from holdfast.core.sync.enrolment import CodeText, EnrolReply, EnrolRequest, read_code
from holdfast.core.sync.messages import decode, encode
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, load_config, save_config
from holdfast.infra.keys import (
    DatabaseKey,
    SigningKey,
    recovery_path,
    sync_directory,
    write_file,
    write_recovery_copy,
)
from holdfast.infra.tls import fetch_pinned, pinned_context
from holdfast.register.identity import Papers, load_papers, save_papers
from holdfast.register.sync.rotation import former_keys_path, next_key_path
from holdfast.register.sync.trust import Trust, save_trust, tls_context
from holdfast.register.till.database import create_till

Transport = Callable[[str, bytes, ssl.SSLContext | None], bytes]
"""(URL, JSON body, TLS) → body of the answer. Raises UnavailableFault where the answer was lost, another
fault with head office's sentence where it refused. TLS None: the system's list of authorities."""

HTTPS_PORT = 443


def enrol(
    home_dir: Path, head_office_url: str, code: str, transport: Transport, *, listen_port: int | None = None
) -> RegisterHome:
    """Make the register in `home_dir`. Run it again with the same code when the answer was lost.

    MalformedFault for a code that is none; ConfigurationFault where this folder is a register
    already; what `transport` raises; StorageFullFault, KeyFault and DatabaseFault as they say.
    """
    typed = read_code(code)
    home = RegisterHome(home_dir).create()
    with exclusive(home.lock):
        _require_new(home)
        signing = _signing_key(home)
        tls = _pin(home, head_office_url, typed)
        request = EnrolRequest(code=typed.code, public_key=signing.public_bytes, software=__version__)
        reply = _ask(head_office_url, request, transport, tls)
        sealed = _seal(home, reply.recovery_public_key, _database_key(home))
        _ask(head_office_url, msgspec.structs.replace(request, recovery=sealed), transport, tls)
        _settle(home, head_office_url, reply, listen_port)
    return home


def rekey(home_dir: Path, code: str, transport: Transport) -> RegisterHome:
    """Give the register in `home_dir` another signing key, by a code that head office made for it.

    Run it again with the same code when the answer was lost. Faults as `enrol` raises them, and
    ConfigurationFault while the register is served.
    """
    typed = read_code(code)
    home = RegisterHome(home_dir)
    config = load_config(home.config, RegisterConfig)
    with exclusive(home.lock):
        fresh = _fresh_key(home)
        pinned = _pin(home, config.head_office_url, typed)
        tls = pinned or tls_context(home, config)
        request = EnrolRequest(
            code=typed.code, public_key=fresh.public_bytes, software=__version__, origin=config.origin
        )
        reply = _ask(config.head_office_url, request, transport, tls)
        if home.database_key.exists():
            sealed = _seal(home, reply.recovery_public_key, DatabaseKey.load(home.database_key))
            _ask(config.head_office_url, msgspec.structs.replace(request, recovery=sealed), transport, tls)
        save_trust(home, _trust(reply))
        save_papers(home, Papers(certificate=reply.certificate, replaces=load_papers(home).replaces))
        for former in (next_key_path(home.signing_key), former_keys_path(home.signing_key)):
            former.unlink(missing_ok=True)  # head office took them out of force
        _fresh_path(home).replace(home.signing_key)
        sync_directory(home.secrets)
    return home


def _ask(
    head_office_url: str, request: EnrolRequest, transport: Transport, tls: ssl.SSLContext | None
) -> EnrolReply:
    return decode(transport(f"{head_office_url.rstrip('/')}/v1/enrol", encode(request), tls), EnrolReply)


def _fresh_path(home: RegisterHome) -> Path:
    return home.signing_key.with_name(home.signing_key.name + ".fresh")


def _fresh_key(home: RegisterHome) -> SigningKey:
    path = _fresh_path(home)
    if not path.exists():
        SigningKey.generate().save(path)
    return SigningKey.load(path)


def _seal(home: RegisterHome, recovery_public_key: bytes, key: DatabaseKey) -> bytes:
    """The database's key for head office alone; a copy lies beside the database."""
    write_recovery_copy(home.till, recovery_public_key, key)
    return recovery_path(home.till).read_bytes()


def establish(home: RegisterHome, config: RegisterConfig, trust: Trust) -> None:
    """Make the register of this identity: keys where there are none, an empty till, settings last.

    What `enrol` does once head office answered. Each step may be repeated after a crash.
    """
    home.create()
    _signing_key(home)
    key = _database_key(home)
    save_trust(home, trust)
    if trust.recovery_public_key:
        write_recovery_copy(home.till, trust.recovery_public_key, key)
    create_till(home, key, config.origin)
    save_config(home.config, config)


def _require_new(home: RegisterHome) -> None:
    if home.config.exists():
        raise ConfigurationFault(
            f"{home.path} is a register already. Start it, or name another folder to enrol a new one. "
            f"Was its signing key lost: holdfast register rekey --home {home.path} --code CODE"
        )


def _signing_key(home: RegisterHome) -> SigningKey:
    if not home.signing_key.exists():
        SigningKey.generate().save(home.signing_key)
    return SigningKey.load(home.signing_key)


def _database_key(home: RegisterHome) -> DatabaseKey:
    if not home.database_key.exists():
        if home.till.exists():
            return DatabaseKey.load(home.database_key)  # a KeyFault: a new key would never open that database
        DatabaseKey.generate().save(home.database_key)
    return DatabaseKey.load(home.database_key)


def _pin(home: RegisterHome, head_office_url: str, typed: CodeText) -> ssl.SSLContext | None:
    """Keep the certificate that the code names, before a word is said to whoever presents it."""
    url = urlsplit(head_office_url)
    if typed.certificate_sha256 is None or url.scheme != "https" or not url.hostname:
        return None
    pem = fetch_pinned(url.hostname, url.port or HTTPS_PORT, typed.certificate_sha256)
    write_file(home.head_office_certificate, pem.encode("ascii"))
    return pinned_context(pem)


def _settle(home: RegisterHome, head_office_url: str, reply: EnrolReply, listen_port: int | None) -> None:
    config = RegisterConfig(
        origin=reply.origin,
        register=reply.series,
        series=reply.series,
        store=reply.store,
        head_office_url=head_office_url.rstrip("/"),
        currency=reply.currency,
        timezone=reply.timezone,
    )
    if listen_port is not None:
        config = msgspec.structs.replace(config, listen_port=listen_port)
    save_papers(home, Papers(certificate=reply.certificate, replaces=reply.replaces))
    establish(home, config, _trust(reply))


def _trust(reply: EnrolReply) -> Trust:
    return Trust(head_office_keys=reply.head_office_keys, recovery_public_key=reply.recovery_public_key)
