"""Settings of a role, and the folder that a role lives in.

Settings are one flat TOML file a role. What can be derived is not a setting: every path follows
from the home folder. A name that is not known is refused with its line and the nearest known one,
because a misspelt setting that is silently ignored shows itself on the worst day.
"""

import difflib
import fcntl
import ipaddress
import json
import os
import re
import socket
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import OriginId, StoreId
from holdfast.infra.clock import time_zone
from holdfast.infra.keys import sync_directory, write_file

Port = Annotated[int, Meta(ge=1, le=65535)]
_Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")]
_CONFIG_BYTES_MAX = 256 * 1024
_LOOKS, _LOOK_S = 5, 0.02


class RegisterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`register.toml`, written at enrolment."""

    origin: Annotated[OriginId, Meta(pattern=r"^[0-9a-z][0-9a-z._-]{0,63}\Z")]
    """This register's id, never reused."""
    register: _Code
    """What people call it: the number on the receipt."""
    series: _Code
    """Prefix of its document numbers."""
    store: Annotated[StoreId, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")]
    head_office_url: str
    """`https://…`; plain `http` only on this machine itself."""
    head_office_ca: str = ""
    """PEM file of your own certificate authority; relative paths are taken from the home folder.
    Empty: the system's list, or the certificate that was pinned at enrolment."""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    """ISO 4217."""
    timezone: str
    """IANA name of the store's zone."""
    listen_host: str = "127.0.0.1"
    listen_port: Port = 8470
    printer: str = ""
    """The receipt printer: `network:HOST[:PORT]`, `usb:VENDOR:PRODUCT`, `serial:DEVICE[:BAUD]`, `file:PATH`.
    Empty: receipts are shown and mailed alone. `holdfast register printer` sets and tests it."""
    printer_columns: Annotated[int, Meta(ge=24, le=80)] = 42
    """Characters of a line: 42 or 48 on paper of 80 mm, 32 on 58 mm."""
    printer_charset: str = "CP858"
    """Code page of its text, as the printer's manual lists them."""
    printer_answers: bool = True
    """Whether it tells how it stands. One that never does is believed to print what it was sent."""
    printer_cuts: bool = True
    """Whether it has a cutter."""
    printer_drawer: Literal[0, 2, 5] = 2
    """Pin of the printer's socket that opens the cash drawer. 0: it has none, or a key alone."""
    mail_server: str = ""
    """Where receipts are mailed from: `HOST[:PORT]`. Empty: none is."""
    mail_security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` is accepted for this machine itself alone."""
    mail_from: str = ""
    """The sender's address, as `receipts@shop.example`."""
    mail_user: str = ""
    """Who signs in at the mail server; the password is in `secrets/mail.password`. Empty: nobody."""

    def check(self) -> None:
        """Raise ConfigurationFault for what a type cannot say."""
        time_zone(self.timezone)
        url = urlsplit(self.head_office_url)
        is_safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))
        if not is_safe or not url.hostname:
            raise ConfigurationFault(
                f"head_office_url = {self.head_office_url!r}: must begin with https:// and name a host. "
                "Plain http is accepted for this machine itself alone."
            )
        if self.mail_server and "@" not in self.mail_from:
            raise ConfigurationFault(
                f"mail_from = {self.mail_from!r}: must be the address that receipts are mailed from, as "
                "receipts@shop.example."
            )
        if self.mail_server and self.mail_security == "none" and not is_loopback(host_of(self.mail_server)):
            raise ConfigurationFault(
                'mail_security = "none" would send receipts and addresses in the clear. Write "starttls" or '
                '"tls"; it is accepted for this machine itself alone.'
            )


class HeadOfficeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`hq.toml`. All of it has defaults: an empty file is a head office on this machine."""

    dsn: str = ""
    """Your PostgreSQL, as libpq reads it; empty for the embedded one. May hold a password."""
    listen_host: str = "127.0.0.1"
    listen_port: Port = 8460
    tls_certificate: str = ""
    """PEM file with the chain; relative paths are taken from the home folder."""
    tls_key: str = ""
    timezone: str = "UTC"
    backup_every_h: Annotated[int, Meta(ge=0, le=24 * 31)] = 24
    """How often `hq serve` takes a verified backup by itself; 0: never. Registers may delete only what a
    verified backup or a synchronous standby holds too."""
    backup_dir: str = ""
    """Where to, best on another disk or machine; relative paths are taken from the home folder.
    Empty: the home's own `backups`."""
    backup_keep: Annotated[int, Meta(ge=1, le=10_000)] = 7
    """How many of those taken by the schedule stay; one taken by hand is never removed."""

    def check(self) -> None:
        """Raise ConfigurationFault for what a type cannot say."""
        time_zone(self.timezone)
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ConfigurationFault(
                "tls_certificate and tls_key belong together: name both files or neither."
            )
        if not self.tls_certificate and not is_loopback(self.listen_host):
            raise ConfigurationFault(
                f"listen_host = {self.listen_host!r} can be reached by other machines, and nothing "
                "encrypts it. Name tls_certificate and tls_key, or listen on 127.0.0.1 behind a proxy "
                "that does."
            )

    def __repr__(self) -> str:
        shown = "(set)" if self.dsn else "(embedded)"
        return f"HeadOfficeConfig(listen={self.listen_host}:{self.listen_port}, dsn={shown})"


Config = TypeVar("Config", RegisterConfig, HeadOfficeConfig)


def host_of(address: str) -> str:
    """The host in `HOST[:PORT]`."""
    return urlsplit(f"//{address}").hostname or ""


def is_loopback(host: str) -> bool:
    """Whether that host can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


# ---- files -------------------------------------------------------------------------------------


def load_config(path: Path, kind: type[Config]) -> Config:
    """Read and check a role's settings. ConfigurationFault names file, line, field and cure."""
    try:
        with path.open("rb") as file:
            text = file.read(_CONFIG_BYTES_MAX + 1).decode()
        if len(text) > _CONFIG_BYTES_MAX:
            raise ConfigurationFault(
                f"{path} is larger than {_CONFIG_BYTES_MAX} bytes; it is no settings file."
            )
        settings = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigurationFault(
            f"The settings {path} are missing. Enrol or initialise this machine first."
        ) from error
    except OSError as error:
        raise ConfigurationFault(f"The settings {path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationFault(f"{path} is not TOML: {error}.") from error
    _refuse_unknown(path, text, settings, kind)
    try:
        config = msgspec.convert(settings, kind)
        config.check()
    except msgspec.ValidationError as error:
        raise ConfigurationFault(_explain(path, text, str(error))) from error
    except ConfigurationFault as fault:
        raise ConfigurationFault(f"{path}: {fault.sentence}") from fault
    return config


def save_config(path: Path, config: RegisterConfig | HeadOfficeConfig) -> None:
    """Write settings atomically, mode 600. They are checked first, so a file that was written loads."""
    config.check()
    lines = [f"{name} = {_toml(value)}\n" for name, value in msgspec.to_builtins(config).items()]
    write_file(path, "".join(lines).encode())


def change_settings(path: Path, kind: type[Config], changed: Mapping[str, str | int | bool]) -> Config:
    """Set some settings of a file, whose other lines stay as people wrote them; all of it, checked.

    ConfigurationFault as `load_config` raises it; the file is then as it was.
    """
    with path.open(encoding="utf-8") as file:
        lines = file.read(_CONFIG_BYTES_MAX).splitlines()
    for name, value in changed.items():
        assert name in kind.__struct_fields__, "a setting has a name"
        written = f"{name} = {_toml(value)}"
        pattern = re.compile(rf"\s*{re.escape(name)}\s*=")
        places = [place for place, line in enumerate(lines) if pattern.match(line)]
        if places:
            lines[places[0]] = written
        else:
            lines.append(written)
    fresh = path.with_name(f".{path.name}.changed")
    write_file(fresh, ("\n".join(lines) + "\n").encode())
    try:
        config = load_config(fresh, kind)
        fresh.replace(path)
    except ConfigurationFault as fault:
        raise ConfigurationFault(fault.sentence.replace(str(fresh), str(path))) from fault
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)
    return config


def _toml(value: object) -> str:
    assert isinstance(value, str | int), "settings are flat: text and whole numbers"
    # A TOML basic string is a JSON string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse_unknown(path: Path, text: str, settings: dict[str, object], kind: type[Config]) -> None:
    known = kind.__struct_fields__
    for name in settings:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
        raise ConfigurationFault(f"{_place(path, text, name)}: {name} is not a setting. {hint}")


def _explain(path: Path, text: str, error: str) -> str:
    # msgspec says "Expected `int`, got `str` - at `$.listen_port`".
    cause, _, where = error.partition(" - at `$.")
    return f"{_place(path, text, where.rstrip('`'))}: {where.rstrip('`') or 'settings'}: {cause}."


def _place(path: Path, text: str, name: str) -> str:
    pattern = re.compile(rf"""^\s*\[*\s*["']?{re.escape(name)}["']?\s*[\]=.]""")
    for number, line in enumerate(text.splitlines(), start=1):
        if name and pattern.match(line):
            return f"{path}, line {number}"
    return str(path)


# ---- homes -------------------------------------------------------------------------------------


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # the umask may have taken, an earlier run may have given


@dataclass(frozen=True)
class RegisterHome:
    """All paths of a register, from one folder. `secrets` and `data` are apart on purpose: a backup
    or a copy of the data alone takes along neither key nor high-water mark."""

    path: Path

    def create(self) -> "RegisterHome":
        """Make the folders, readable by their owner alone."""
        _make_folders(self.path, self.secrets, self.data)
        return self

    @property
    def config(self) -> Path:
        return self.path / "register.toml"

    @property
    def lock(self) -> Path:
        """Held while the register serves (`exclusive`)."""
        return self.path / "lock"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def database_key(self) -> Path:
        return self.secrets / "database.key"

    @property
    def signing_key(self) -> Path:
        return self.secrets / "signing.key"

    @property
    def mark(self) -> Path:
        return self.secrets / "mark"

    @property
    def handed(self) -> Path:
        """How far the open journal was handed to the wire: written by sync before a batch leaves."""
        return self.secrets / "handed"

    @property
    def counters(self) -> Path:
        """How far Z reports and shifts were numbered; beside the mark, for the same reason."""
        return self.secrets / "counters"

    @property
    def trust(self) -> Path:
        """Whom this register believes: head office's public keys, pinned at enrolment."""
        return self.path / "trust.json"

    @property
    def head_office_certificate(self) -> Path:
        """The certificate pinned at enrolment; absent where a list of authorities vouches for head office."""
        return self.path / "head_office.pem"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def till(self) -> Path:
        """Journal, numbers, drawer, open baskets: written by checkout alone."""
        return self.data / "till.db"

    @property
    def reference(self) -> Path:
        """Feeds and cursors: written by sync."""
        return self.data / "reference.db"

    @property
    def receipts(self) -> Path:
        """What is to be printed and mailed: written by the till's page and by the process that prints."""
        return self.data / "receipts.db"

    @property
    def tries(self) -> Path:
        """Wrong PINs in a row: written by the till's page."""
        return self.data / "tries.json"

    @property
    def mail_password(self) -> Path:
        """For the mail server; absent where it asks for none."""
        return self.secrets / "mail.password"


@dataclass(frozen=True)
class HeadOfficeHome:
    """All paths of head office, from one folder."""

    path: Path

    def create(self) -> "HeadOfficeHome":
        """Make the folders, readable by their owner alone."""
        _make_folders(self.path, self.secrets, self.postgres, self.backups, self.tls)
        return self

    @property
    def config(self) -> Path:
        return self.path / "hq.toml"

    @property
    def lock(self) -> Path:
        """Held while head office serves (`exclusive`)."""
        return self.path / "lock"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def signing_key(self) -> Path:
        return self.secrets / "signing.key"

    @property
    def recovery_key(self) -> Path:
        return self.secrets / "recovery.key"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    def backups_of(self, config: HeadOfficeConfig) -> Path:
        """Where backups go by these settings."""
        return self.path / config.backup_dir if config.backup_dir else self.backups

    @property
    def tls(self) -> Path:
        return self.path / "tls"


# ---- one process, one port ---------------------------------------------------------------------


def is_held(lock: Path) -> bool:
    """Whether a process holds that lock file (`exclusive`) now."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigurationFault(f"{lock} cannot be read ({error.strerror}).") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file for the block; a second process is refused with the first one's pid.

    The system lets go of it when the process ends in any way, so a leftover file never blocks. It
    is not inherited by programs that are started; a forked child would keep it.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationFault(
            f"{lock.parent} cannot be used ({error.strerror}). "
            "It must exist and belong to the user who runs Holdfast."
        ) from error
    try:
        try:
            _take(descriptor)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise ConfigurationFault(
                f"Another Holdfast process (pid {holder}) is using {lock.parent}. "
                "Stop that one first, or give this one a home of its own."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # and not removed: another process may be about to lock this very file


def _take(descriptor: int) -> None:
    """BlockingIOError where another process holds it; not for the instant in which one only looks."""
    for _ in range(_LOOKS):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_S)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def probe_port(host: str, port: int) -> None:
    """Bind and let go, so that a port in use is noticed before the server starts.

    granian binds with SO_REUSEPORT, so two servers would quietly share the port and half of the
    requests would reach the wrong one. ConfigurationFault names port and cure.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # Lets a port pass that a server just left (TIME_WAIT), not one that is listened on.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise ConfigurationFault(
            f"Port {port} is reserved for root. Set listen_port to 1024 or more."
        ) from error
    except socket.gaierror as error:
        raise ConfigurationFault(f"listen_host {host!r} is not an address of this machine.") from error
    except OSError as error:
        raise ConfigurationFault(
            f"{host}:{port} cannot be listened on ({error.strerror}). Stop the program that uses "
            "this port, or set another listen_port."
        ) from error
