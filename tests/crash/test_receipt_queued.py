"""The power cut while a receipt is queued, printed, and noted as printed: it is printed once, or said that it
may not be; never twice, and never forgotten in silence (PO8, P3).
"""

import functools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from holdfast.core.ids import DocumentNumber
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterConfig, RegisterHome, change_settings
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database
from holdfast.register.printing import Clerk, Desk
from holdfast.register.receipts import jobs, printers
from holdfast.register.receipts.jobs import Jobs
from holdfast.register.sync.reference_file import open_reference
from tests.crash.crashvfs import CrashImage, Recording, crash_images
from tests.crash.test_checkout_crash_images import folder
from tests.register_fixture import make_register, sell_one, selling
from tests.unit.core.shop import BEGAN_MS

FIXTURES = (folder,)
_DISK = Recording()


@pytest.fixture
def sold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[RegisterHome, DocumentNumber]]:
    """A register whose printer is a file; its queue begins before the sale."""
    monkeypatch.setattr(jobs, "open_database", functools.partial(open_database, vfs=_DISK.vfs))
    home = make_register(folder / "till")
    (folder / "paper").write_bytes(b"")
    change_settings(home.config, RegisterConfig, {"printer": f"file:{folder / 'paper'}"})
    open_reference(home, DatabaseKey.load(home.database_key)).close()
    with selling(home) as checkout:
        with clerk(home):
            pass
        yield home, sell_one(checkout).document


@contextmanager
def clerk(home: RegisterHome) -> Iterator[tuple[Clerk, Desk]]:
    with closing(Desk(home, ManualClock(BEGAN_MS))) as desk:
        yield Clerk(desk), desk


def causes(home: RegisterHome, number: DocumentNumber, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is wrong after a cut at any write of a turn that prints it."""
    sends: list[bytes] = []
    send = printers.EscposPrinter.send

    def sent(printer: printers.EscposPrinter, data: bytes) -> None:
        _DISK.note()  # from here on some of it may be on the paper
        sends.append(data)
        send(printer, data)

    monkeypatch.setattr(printers.EscposPrinter, "send", sent)
    start = CrashImage(0, "start", 0, queue_of(home))
    with clerk(home) as (printing, _):
        _DISK.log.clear()
        printing.turn()
        log = list(_DISK.log)
    assert len(sends) == 1, "it is printed"
    found: list[str] = []
    for image in (start, *crash_images(log, 1, start)):
        lay_down(home, image)
        sends.clear()
        with clerk(home) as (printing, desk):
            printing.turn()
            carried = desk.jobs.print_of(number)
        times = image.noted + len(sends)
        state = "" if carried is None else carried.state
        if (times, state) not in ((1, "printed"), (1, "unsure"), (0, "unsure")):
            found.append(f"point {image.point}, {image.fate}: printed {times} times, and said: {state}")
    return found


def queue_of(home: RegisterHome) -> dict[str, bytes]:
    names = (home.receipts, home.receipts.with_name(f"{home.receipts.name}-wal"))
    return {path.name: path.read_bytes() for path in names if path.exists()}


def lay_down(home: RegisterHome, image: CrashImage) -> None:
    for suffix in ("-wal", "-shm"):
        home.receipts.with_name(home.receipts.name + suffix).unlink(missing_ok=True)
    for name, content in image.files.items():
        home.receipts.with_name(name).write_bytes(content)


def test_a_receipt_that_was_queued_is_printed_once_or_said(
    sold: tuple[RegisterHome, DocumentNumber], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not causes(*sold, monkeypatch)


def test_one_that_is_noted_only_when_it_is_printed_is_found(
    sold: tuple[RegisterHome, DocumentNumber], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: nothing says beforehand that it is being printed."""
    monkeypatch.setattr(Jobs, "begin_print", lambda *_: None)
    assert any("printed 2 times" in cause for cause in causes(*sold, monkeypatch))
