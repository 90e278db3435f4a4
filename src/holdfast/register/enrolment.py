"""Enrolment: a machine becomes a register, by a one-time code and a key that it makes itself (SW1).

It can be cut short anywhere and run again: the keys are made first and kept, so that the same code
with the same key is answered with the same origin; the settings are written last, and with them the
register is enrolled.
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
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, save_config
from holdfast.infra.keys import DatabaseKey, SigningKey, write_file, write_recovery_copy
from holdfast.infra.tls import fetch_pinned, pinned_context
from holdfast.register.sync.trust import Trust, save_trust
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
        answer = transport(f"{head_office_url.rstrip('/')}/v1/enrol", encode(request), tls)
        _settle(home, head_office_url, decode(answer, EnrolReply), listen_port)
    return home


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
            f"{home.path} is a register already. Start it, or name another folder to enrol a new one."
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
    trust = Trust(head_office_keys=reply.head_office_keys, recovery_public_key=reply.recovery_public_key)
    establish(home, config, trust)
