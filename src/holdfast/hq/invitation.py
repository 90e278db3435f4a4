"""What a register's machine is told to reach head office by: the address, and a code as it is spelled."""

import socket

from holdfast.core.sync.enrolment import CodeText, spell_code
from holdfast.infra.config import HeadOfficeConfig
from holdfast.infra.tls import certificate_sha256, is_self_signed
from holdfast.infra.web import Tls

ANY_HOST = ("0.0.0.0", "::")


def url_of(config: HeadOfficeConfig, names: list[str] | None = None) -> str:
    """Head office's address, as far as it knows it itself."""
    host = config.listen_host
    if names or host in ANY_HOST:
        host = names[0] if names else socket.getfqdn()
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if config.tls_certificate else 'http'}://{host}:{config.listen_port}"


def spelled(code: str, tls: Tls | None) -> str:
    """The code as a person copies it, with the fingerprint of a certificate that nobody else vouches for."""
    pin = certificate_sha256(tls.certificate) if tls and is_self_signed(tls.certificate) else None
    return spell_code(CodeText(code, pin))
