"""A running chain on one machine: head office, registers, and a line between each of them and it.

All are real processes. They end with this one, however it ends.
"""

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import msgspec

from holdfast.core.faults import ConfigurationFault, UnavailableFault
from holdfast.demo.line import Line, LineMode, LineThread
from holdfast.demo.purse import Purse, fill, keep, kept
from holdfast.demo.shop import found_shop, new_sign_in_path
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config
from holdfast.infra.http import HttpClient, HttpRequest
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.process import end_child, spawn_child
from holdfast.infra.web import free_port
from holdfast.register.enrolment import enrol
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.status import read_status

READY_TIMEOUT_S = 180.0
END_GRACE_S = 15.0
SERIES = ("R01", "R02")
NEEDED_FEEDS = frozenset({"products", "prices", "taxes", "staff", "customers", "parameters"})

Say = Callable[[str], None]


def _silent(_: str) -> None:
    pass


class Place:
    """One process of the chain: where it lives, where it answers, and how it is started again."""

    def __init__(self, name: str, role: str, home: Path, url: str, log: Path) -> None:
        self.name = name
        self.role = role
        self.home = home
        self.url = url
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start its process; `wait_ready` waits for its page."""
        assert self.child is None or self.child.poll() is not None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "holdfast", self.role, "serve", "--home", str(self.home)]
            self.child = spawn_child(command, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        """Until its port takes connections. UnavailableFault with its last words when it ended instead."""
        host, port = _address(self.url)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
                return
            if self.child is not None and self.child.poll() is not None:
                raise UnavailableFault(f"{self.name} did not start:\n{self.last_words()}")
            time.sleep(0.03)
        raise UnavailableFault(f"{self.name} did not answer within {READY_TIMEOUT_S:.0f} s: {self.log}")

    def kill(self) -> None:
        """As a power cut does."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()

    def end(self) -> None:
        """In good order."""
        if self.child is not None:
            end_child(self.child, grace_s=END_GRACE_S)

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


class Chain:
    """Head office, registers and lines. Use it as a context: leaving it ends every process."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: Callable[[], int] = free_port,
        say: Say = _silent,
        with_purse: bool = False,
    ) -> None:
        """`folder` may hold the chain of an earlier run. `ports` gives one free port after the other.

        `with_purse`: a new chain has gift cards, points, on account and stock to be tried.
        """
        self.folder = folder
        self.purse: Purse | None = None
        self._with_purse = with_purse
        self._ports = ports
        self._say = say
        self.lines: dict[str, LineThread] = {}
        self.registers: dict[str, Place] = {}
        self.head_office: Place
        self.sign_in_url = ""

    def __enter__(self) -> "Chain":
        started = False
        try:
            self._start()
            started = True
        finally:
            if not started:
                self.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def switch(self, name: str, mode: LineMode) -> None:
        """Spoil or mend a register's line."""
        self.lines[name].switch(mode)

    def close(self) -> None:
        """End registers, then head office, then the lines."""
        with ThreadPoolExecutor(max(1, len(self.registers))) as threads:
            list(threads.map(Place.end, self.registers.values()))
        if hasattr(self, "head_office"):
            self.head_office.end()
        for line in self.lines.values():
            line.stop()
        self.lines.clear()

    # ---- starting ----------------------------------------------------------------------------

    def _start(self) -> None:
        # PostgreSQL may run under an account of its own, which must pass through to its folder.
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        home = self.folder / "hq"
        is_new = not (home / "hq.toml").exists()
        port = self._ports() if is_new else _listen_port(home)
        self.head_office = Place(
            "Head office", "hq", home, f"http://127.0.0.1:{port}", self.folder / "hq.log"
        )
        opening = None
        if is_new:
            self._say("Making a head office with a corner shop's catalogue")
            opening = found_shop(home, port, SERIES, with_purse=self._with_purse)
        self._say("Starting head office")
        self.head_office.start()
        self.head_office.wait_ready()
        self.sign_in_url = self.head_office.url + (
            opening.sign_in_path if opening else new_sign_in_path(home)
        )
        for name in SERIES:
            self._add(name, opening.codes[name] if opening else None)
        self._say("Starting the registers")
        for place in self.registers.values():
            place.start()
        for place in self.registers.values():
            place.wait_ready()
            wait_supplied(RegisterHome(place.home))
        self.purse = self._filled(opening.purse) if opening and opening.purse else kept(self.folder)

    def _filled(self, purse: Purse) -> Purse:
        """At the last register: the day of the first one is the visitor's to open."""
        self._say("Selling gift cards and counting stock")
        place = self.registers[SERIES[-1]]
        filled = fill(purse, RegisterHome(place.home), place.url)
        keep(filled, self.folder)
        return filled

    def _add(self, name: str, code: str | None) -> None:
        line = LineThread(Line(_address(self.head_office.url))).start()
        self.lines[name] = line
        home = RegisterHome(self.folder / name.lower())
        if code is not None:
            self._say(f"Enrolling register {name}")
            enrol(home.path, line.url, code, post, listen_port=self._ports())
        config = load_config(home.config, RegisterConfig)
        if config.head_office_url != line.url:
            # The chain of an earlier run: its lines had other ports.
            config = msgspec.structs.replace(config, head_office_url=line.url)
            save_config(home.config, config)
        url = f"http://127.0.0.1:{config.listen_port}"
        self.registers[name] = Place(
            f"Register {name}", "register", home.path, url, self.folder / f"{name.lower()}.log"
        )


def wait_supplied(home: RegisterHome) -> None:
    """Until head office's feeds have arrived: before, nobody can sign in. UnavailableFault when none come."""
    key = DatabaseKey.load(home.database_key)
    deadline = time.monotonic() + READY_TIMEOUT_S
    with contextlib.closing(open_reference(home, key)) as reference:
        while not NEEDED_FEEDS.issubset(read_status(reference).feeds):
            if time.monotonic() > deadline:
                raise UnavailableFault(
                    f"{home.path} did not receive its catalogue within {READY_TIMEOUT_S:.0f} s."
                )
            time.sleep(0.03)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for a chain that nobody wants to keep."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    folder.chmod(0o711)  # PostgreSQL may run under an account of its own
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def post(url: str, body: bytes, context: ssl.SSLContext | None) -> bytes:
    """One request to head office, for enrolment."""
    parts = urlsplit(url)
    with HttpClient(f"{parts.scheme}://{parts.netloc}", context=context) as client:
        reply = client.call(HttpRequest(method="POST", path=parts.path, body=body, deadline_s=30.0))
    if not reply.is_success:
        raise ConfigurationFault(f"Head office refused: {reply.problem().detail}")
    return reply.body


def _listen_port(home: Path) -> int:
    from holdfast.infra.config import HeadOfficeConfig

    return load_config(home / "hq.toml", HeadOfficeConfig).listen_port


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None, "an address has a host"
    assert parts.port is not None, "an address has a port"
    return parts.hostname, parts.port
