"""A certificate that head office makes itself, and a register that trusts this one alone.

A chain without a public name has no certificate that a system's list would vouch for. Head office then
makes one, and its SHA-256 travels inside the enrolment code; the register pins it before it says a word.
"""

import datetime
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from holdfast.core.faults import ConfigurationFault, SignatureFault, UnavailableFault
from holdfast.infra.keys import write_file

_VALID_DAYS = 3_650
"""A pinned certificate is renewed by people; registers must then be told. Ten years."""
_CONNECT_TIMEOUT_S = 10.0
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


def make_certificate(
    certificate: Path, key: Path, hosts: Sequence[str], *, made: datetime.datetime | None = None
) -> None:
    """Write a self-signed certificate and its key (mode 600) for these names and addresses. `made`: now."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Holdfast head office")])
    now = made or datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_host_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    write_file(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    write_file(certificate, built.public_bytes(serialization.Encoding.PEM))


def certificate_sha256(certificate: Path) -> bytes:
    """Of the first certificate in a PEM file, as DER. ConfigurationFault when there is none."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationFault(f"{certificate} is not a readable certificate in PEM form.") from error
    return found.fingerprint(hashes.SHA256())


def is_self_signed(certificate: Path) -> bool:
    """Whether nobody but itself vouches for it, so that it must be pinned."""
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.issuer == found.subject


def fetch_pinned(host: str, port: int, sha256: bytes) -> str:
    """The certificate that this server presents, as PEM, once its fingerprint is the expected one.

    Nothing but the handshake is sent. SignatureFault when another one answers; UnavailableFault
    when none does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint below is the check
    try:
        with (
            socket.create_connection((host, port), _CONNECT_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            der = secured.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise UnavailableFault(f"Head office at {host}:{port} did not answer ({error}).") from error
    if hashlib.sha256(der).digest() != sha256:
        raise SignatureFault(
            f"{host}:{port} presents another certificate than the enrolment code names. Somebody may stand "
            "between this register and head office, or head office has a new certificate: ask for a new code."
        )
    return ssl.DER_cert_to_PEM_cert(der)


def pinned_context(pem: str) -> ssl.SSLContext:
    """For a client that trusts exactly this certificate, whatever address it is reached by, and whenever.

    Its fingerprint is what was agreed on. A clock that is wrong must not cut the line over which that is
    found, and the day on which it "expires" is not one on which every register should fall silent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    context.verify_flags |= _NO_CHECK_TIME
    context.check_hostname = False  # one certificate is trusted, not a name
    return context


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)
