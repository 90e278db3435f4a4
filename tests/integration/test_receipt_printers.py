"""Printers against real sockets, files and terminals that stall, refuse and die half-way (PO8)."""

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from holdfast.core.faults import ConfigurationFault
from holdfast.core.receipt.paper import PaperLine
from holdfast.infra.config import RegisterConfig, load_config
from holdfast.register.receipts import printers
from holdfast.register.receipts.ink import ink
from holdfast.register.receipts.printers import BrokeOff, NotReady, check_address, open_printer
from tests.escpos_printer import FakePrinter
from tests.register_fixture import make_register

LINES = (PaperLine("Corner Shop", "bold"), PaperLine("Žižkov, Zürich  €1.25"), PaperLine("R01-1", "code"))
DATA = ink(LINES, "HF1" + "A" * 160, charset="CP858", cuts=True)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> RegisterConfig:
    home = make_register(tmp_path_factory.mktemp("register") / "home")
    return load_config(home.config, RegisterConfig)


@pytest.fixture
def printer() -> Iterator[FakePrinter]:
    with FakePrinter() as fake:
        yield fake


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that never answers is waited for no longer than a test needs. One that answers does so in
    milliseconds, and is given seconds."""
    monkeypatch.setattr(printers, "DONE_S", 1.0)


def at(settings: RegisterConfig, address: str, *, answers: bool = True) -> RegisterConfig:
    return msgspec.structs.replace(settings, printer=address, printer_answers=answers)


def print_page(config: RegisterConfig, data: bytes = DATA) -> str:
    with open_printer(config) as device:
        state = device.check()
        device.send(data)
        return state


def test_what_is_printed_is_what_was_sent(settings: RegisterConfig, printer: FakePrinter) -> None:
    assert print_page(at(settings, printer.address)) == ""
    assert printer.await_pages(1) == [DATA]


def test_the_bytes_are_text_a_code_and_a_cut() -> None:
    assert DATA.startswith(b"\x1b@\x1bt\x13"), "reset, then the code page once"
    assert b"Corner Shop\n" in DATA
    assert b"Zizkov, Z\x81rich  \xd51.25\n" in DATA, "a letter that it has not goes without its accent"
    assert b"HF1" + b"A" * 160 in DATA
    assert DATA.endswith(b"\x1dV\x00")
    assert not ink(LINES, "X", charset="CP858", cuts=False).endswith(b"\x1dV\x00")


def test_a_character_set_that_no_printer_has_is_refused() -> None:
    with pytest.raises(ConfigurationFault, match=r"CP858"):
        ink(LINES, "X", charset="UTF-8", cuts=True)


def test_nothing_is_left_in_the_temporary_folder_nor_read_from_there(tmp_path: Path) -> None:
    command = "from holdfast.register.receipts.ink import escpos; escpos()"
    subprocess.run(
        [sys.executable, "-c", command], check=True, env={**os.environ, "TMPDIR": str(tmp_path)}, timeout=120
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "cause"),
    [({"paper": False}, "paper"), ({"cover_shut": False}, "cover"), ({"answers": False}, "silent")],
)
def test_a_printer_that_cannot_print_says_why_and_nothing_is_printed(
    settings: RegisterConfig, printer: FakePrinter, state: dict[str, bool], cause: str
) -> None:
    for name, value in state.items():
        setattr(printer, name, value)
    with pytest.raises(NotReady) as stopped:
        print_page(at(settings, printer.address))
    assert stopped.value.cause == cause
    assert printer.pages == []


def test_a_printer_whose_paper_ends_soon_prints_and_says_so(
    settings: RegisterConfig, printer: FakePrinter
) -> None:
    printer.low = True
    assert print_page(at(settings, printer.address)) == "low"


def test_a_printer_that_is_off_or_away_is_not_reachable(settings: RegisterConfig) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(NotReady) as stopped:
            print_page(at(settings, f"network:127.0.0.1:{nobody.getsockname()[1]}"))
    assert stopped.value.cause == "gone"
    for address in ("file:/dev/holdfast-has-no-such-device", "serial:/dev/holdfast-has-none:9600"):
        with pytest.raises(NotReady) as stopped:
            print_page(at(settings, address))
        assert stopped.value.cause == "gone"


def test_a_printer_that_takes_connections_and_nothing_else_is_silent(
    settings: RegisterConfig, printer: FakePrinter
) -> None:
    printer.reads = False
    with pytest.raises(NotReady) as stopped:
        print_page(at(settings, printer.address))
    assert stopped.value.cause == "silent"


def test_a_printer_that_dies_half_way_broke_off(settings: RegisterConfig, printer: FakePrinter) -> None:
    printer.dies_after = 64
    with pytest.raises(BrokeOff) as stopped:
        print_page(at(settings, printer.address))
    assert stopped.value.cause in ("gone", "silent")
    assert len(printer.await_pages(1)[0]) > 64


def test_paper_that_ends_in_the_middle_broke_off(settings: RegisterConfig, printer: FakePrinter) -> None:
    config = at(settings, printer.address)
    with open_printer(config) as device:
        device.check()
        printer.paper = printer.says_done = False
        with pytest.raises(BrokeOff) as stopped:
            device.send(DATA)
    assert stopped.value.cause == "paper"


def test_one_that_knows_no_end_is_believed_while_it_is_well(
    settings: RegisterConfig, printer: FakePrinter
) -> None:
    printer.says_done = False
    assert print_page(at(settings, printer.address)) == ""


def test_a_printer_that_stalls_in_the_middle_broke_off_in_bounded_time(
    settings: RegisterConfig, printer: FakePrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printers, "SEND_S", 1.0)
    printer.answers = False
    with open_printer(at(settings, printer.address, answers=False)) as device:
        printer.reads = False
        with pytest.raises(BrokeOff) as stopped:
            device.send(DATA * 50_000)
    assert stopped.value.cause == "silent"


def test_a_printer_that_never_answers_prints_when_it_is_said_to_be_one(
    settings: RegisterConfig, printer: FakePrinter
) -> None:
    printer.answers = False
    assert print_page(at(settings, printer.address, answers=False)) == ""
    assert printer.await_pages(1) == [DATA]


def test_a_file_is_written_and_added_to(settings: RegisterConfig, tmp_path: Path) -> None:
    path = tmp_path / "printed"
    for _ in range(2):
        print_page(at(settings, f"file:{path}"))
    assert path.read_bytes() == DATA * 2


def test_a_device_file_that_takes_nothing_holds_nobody_up(
    settings: RegisterConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As usblp does for a printer without paper; a pipe that nobody empties blocks the same way."""
    monkeypatch.setattr(printers, "SEND_S", 1.0)
    path = tmp_path / "lp0"
    os.mkfifo(path)
    with pytest.raises(NotReady):
        print_page(at(settings, f"file:{path}"))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BrokeOff) as stopped:
            print_page(at(settings, f"file:{path}"), DATA * 5_000)
        assert stopped.value.cause == "silent"
    finally:
        os.close(reader)


def test_a_serial_line_carries_the_same(settings: RegisterConfig) -> None:
    """Over a pseudo-terminal: one end is the line, the other the printer."""
    ours, theirs = pty.openpty()
    try:
        print_page(at(settings, f"serial:{os.ttyname(theirs)}:115200", answers=False))
        said = b""
        os.set_blocking(ours, False)
        while len(said) < len(DATA):
            try:
                said += os.read(ours, 65_536)
            except BlockingIOError:
                break
        assert said.startswith(b"\x1b@\x1bt\x13")
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "192.0.2.7",
        "network:",
        "network:host:0",
        "network:host:99999",
        "usb:4b8",
        "usb:x:y",
        "serial:",
        "lpt:1",
    ],
)
def test_what_names_no_printer_is_told_with_examples(address: str) -> None:
    with pytest.raises(ConfigurationFault, match=r"network:192\.0\.2\.7"):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "network:192.0.2.7",
        "network:printer.shop:9101",
        "usb:04b8:0e15",
        "serial:/dev/ttyS0",
        "file:/dev/usb/lp0",
    ],
)
def test_what_names_one_need_not_be_there(address: str) -> None:
    check_address(address)
