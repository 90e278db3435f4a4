"""A register with its sync running against a head office, over a line that tests may harm."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from holdfast.core.connection import Thresholds
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.checkout import Checkout
from holdfast.register.sync import board, prober
from holdfast.register.sync.process import SyncProcess
from holdfast.register.sync.reference import Catalogue, open_reference
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.sync.status import LinkStatus, read_status
from tests.integration.test_register_sync.head_office import HeadOffice, signing_key
from tests.integration.test_register_sync.line_proxy import LineProxy
from tests.register_fixture import make_register, selling

GENEROUS_S = 120.0
"""No test measures time; this only ends one that hangs."""


def eventually(what: Callable[[], object], why: str = "") -> None:
    """Wait until `what` is true."""
    until = time.monotonic() + GENEROUS_S
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.02)
    raise AssertionError(why or "it never came true")


class Till:
    """A register as its serving process is, without the page: checkout, and requests carried out."""

    def __init__(self, home: RegisterHome, checkout: Checkout) -> None:
        self.home = home
        self.checkout = checkout
        self._key = DatabaseKey.load(home.database_key)
        self.reference = open_reference(home, self._key)
        self.catalogue = Catalogue(self.reference, "EUR")
        self.does_requests = True
        self.process: SyncProcess | None = None
        self._stop = threading.Event()
        self._sync_stop = threading.Event()
        self._sync: threading.Thread | None = None
        self._requests = threading.Thread(target=self._carry_out, daemon=True)
        self._requests.start()

    def status(self) -> LinkStatus:
        return read_status(self.reference)

    def start_sync(self) -> None:
        self._sync_stop = threading.Event()
        self.process = SyncProcess(self.home, SystemClock("UTC"), SystemRandomness())
        self._sync = threading.Thread(target=self._run, args=(self.process, self._sync_stop), daemon=True)
        self._sync.start()

    def stop_sync(self) -> None:
        if self._sync is not None:
            self._sync_stop.set()
            assert self.process is not None
            self.process.board.wake()
            self._sync.join(GENEROUS_S)
            assert not self._sync.is_alive()
            self._sync = None

    def sold(self) -> None:
        """What the serving process does after a sale."""
        assert self.process is not None
        self.process.wake("w")

    def close(self) -> None:
        if self._stop.is_set():
            return
        self.stop_sync()
        self._stop.set()
        self._requests.join(GENEROUS_S)
        self.reference.close()

    def _run(self, process: SyncProcess, stop: threading.Event) -> None:
        process.run(stop)

    def _carry_out(self) -> None:
        connection = open_reference(self.home, self._key)
        inbox = Inbox(connection)
        while not self._stop.wait(0.03):
            if self.does_requests:
                carry_out_all(inbox, self.checkout, 0)
        connection.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is late to a register that runs in this process: its line's mode is what a test makes of it.

    On a busy machine a probe may wait longer than for half a second, and the register would be offline for a
    moment. A line that is cut or refuses is noticed all the same.
    """
    monkeypatch.setattr(prober, "SILENCE_S", GENEROUS_S)
    monkeypatch.setattr(prober, "LATE_S", GENEROUS_S)
    monkeypatch.setattr(board, "Thresholds", lambda: Thresholds(slow_ms=int(GENEROUS_S * 1000)))


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "r1")


@pytest.fixture
def office(home: RegisterHome) -> Iterator[HeadOffice]:
    office = HeadOffice(signing_key(home))
    yield office
    office.close()


@pytest.fixture
def line(office: HeadOffice, home: RegisterHome) -> Iterator[LineProxy]:
    proxy = LineProxy(office.port)
    config = load_config(home.config, RegisterConfig)
    save_config(
        home.config, msgspec.structs.replace(config, head_office_url=f"http://127.0.0.1:{proxy.port}")
    )
    yield proxy
    proxy.close()


@pytest.fixture
def register(line: LineProxy) -> Iterator[Callable[[RegisterHome, int], Till]]:
    """Opens a register by its home and a seed of its own; sync is not yet started."""
    with contextlib.ExitStack() as stack:

        def open_till(home: RegisterHome, seed: int) -> Till:
            checkout = stack.enter_context(selling(home, seed=seed))
            till = Till(home, checkout)
            stack.callback(till.close)
            return till

        yield open_till


@pytest.fixture
def till(home: RegisterHome, register: Callable[[RegisterHome, int], Till]) -> Till:
    """The register of most tests."""
    return register(home, 1)
