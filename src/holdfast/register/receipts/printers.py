"""Receipt printers: on the network, USB, a serial line or a device file, each by python-escpos (PO8).

Each step has a deadline, and what fails is told apart: `NotReady` before anything was printed, so that it
can be tried again; `BrokeOff` once the first byte was sent, when nobody knows what is on the paper.

A printer that answers is asked before (is there paper? is the cover shut?) and after (is all of it printed?).
"""

import errno
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from holdfast.core.faults import ConfigurationFault, Fault
from holdfast.infra.config import RegisterConfig
from holdfast.register.receipts.ink import escpos

CONNECT_S = 3.0
ANSWER_S = 2.0
"""For an answer about its state, which a printer gives at once, also while it prints."""
SEND_S = 15.0
"""For taking a receipt in."""
DONE_S = 15.0
"""For the answer that all of it is printed."""
_CHUNK_BYTES = 512
_BAUD = 9_600
_NETWORK_PORT = 9_100
_SERIAL_LOOK_S = 0.02

_PULSE: dict[int, bytes] = {2: b"\x10\x14\x01\x00\x01", 5: b"\x10\x14\x01\x01\x01"}
"""DLE DC4: the pulse to the drawer at once, by the pin of its socket; also of a printer that cannot print."""
_STATUS, _OFFLINE_CAUSE, _PAPER = b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04"
"""DLE EOT n: answered at once, whatever the printer is doing."""
_IS_DONE = b"\x1dr\x01"
"""GS r: answered in its turn, once all before it is printed."""


_SILENT = "The printer is there and does not answer. Switch it off and on."


class NotReady(Fault):
    """It cannot print now, and nothing was printed. `cause`: what the till's page says of it."""

    code = "printer.not-ready"
    retriable = True

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
        """`gone`, `silent`, `paper`, `cover`, `offline`, `error`."""


class BrokeOff(Fault):
    """It stopped in the middle: part of the receipt may be on the paper."""

    code = "printer.broke-off"

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


class Printer(Protocol):
    """One printer, opened for one receipt."""

    def check(self) -> str:
        """`low` where its paper is nearly at an end, else empty. NotReady where it cannot print."""
        ...

    def send(self, data: bytes) -> None:
        """Print; on return it is printed, as far as the printer tells. BrokeOff where it is not."""
        ...

    def kick(self, pin: int) -> None:
        """Open the drawer at its socket, 2 or 5. NotReady where the printer is not there to do so. Whether it
        opened no printer tells."""
        ...


class Wire(Protocol):
    """How bytes come to a printer and back. OSError and TimeoutError where they do not."""

    def write(self, data: bytes, deadline_s: float) -> None: ...

    def read(self, deadline_s: float) -> bytes:
        """What it said by then; empty: nothing."""
        ...

    def close(self) -> None: ...


@contextmanager
def open_printer(config: RegisterConfig) -> Iterator[Printer]:
    """The printer of a register's settings. NotReady where it is not there, ConfigurationFault where the
    setting names none."""
    wire = _opened(_wire_of(config.printer))
    try:
        yield EscposPrinter(wire, answers=config.printer_answers and not config.printer.startswith("file:"))
    finally:
        wire.close()


def check_address(address: str) -> None:
    """ConfigurationFault where this names no printer. It need not be there."""
    _wire_of(address)


class EscposPrinter:
    """Any ESC/POS printer over its wire."""

    def __init__(self, wire: Wire, *, answers: bool) -> None:
        self._wire = wire
        self._answers = answers

    def check(self) -> str:
        if not self._answers:
            return ""
        try:
            self._require_online()
            paper = self._ask(_PAPER)
        except TimeoutError as error:
            raise NotReady("silent", _SILENT) from error
        except (OSError, ValueError) as error:
            raise NotReady("gone", f"The printer went away: {error}.") from error
        if paper & 0x60:
            raise NotReady("paper", "The printer is out of paper. Put in a new roll.")
        return "low" if paper & 0x0C else ""

    def send(self, data: bytes) -> None:
        try:
            deadline_s = time.monotonic() + SEND_S
            for start in range(0, len(data), _CHUNK_BYTES):
                self._wire.write(data[start : start + _CHUNK_BYTES], deadline_s)
            if self._answers:
                self._require_done()
        except NotReady as stopped:
            raise BrokeOff(stopped.cause, stopped.sentence) from stopped
        except TimeoutError as error:
            raise BrokeOff("silent", "The printer did not take the receipt in.") from error
        except (OSError, ValueError) as error:
            raise BrokeOff("gone", f"The printer went away while it printed: {error}.") from error

    def kick(self, pin: int) -> None:
        device = escpos().printer.Dummy()
        device.cashdraw(pin)
        try:
            pulse = device.output if self._can_print() else _PULSE[pin]
            self._wire.write(pulse, time.monotonic() + ANSWER_S)
            if self._answers:
                self._ask(_STATUS)  # so that it heard the pulse before the line is closed
        except TimeoutError as error:
            raise NotReady("silent", _SILENT) from error
        except (OSError, ValueError) as error:
            raise NotReady("gone", f"The printer went away: {error}.") from error

    def _can_print(self) -> bool:
        """Without paper it takes nothing in but what is to be done at once. NotReady where it is silent."""
        if not self._answers:
            return True
        try:
            self._require_online()
        except NotReady as fault:
            if fault.cause in {"paper", "cover", "offline"}:
                return False
            raise
        return True

    def _require_online(self) -> None:
        if not self._ask(_STATUS) & 0x08:
            return
        cause = self._ask(_OFFLINE_CAUSE)
        if cause & 0x20:
            raise NotReady("paper", "The printer is out of paper. Put in a new roll.")
        if cause & 0x04:
            raise NotReady("cover", "The printer's cover is open. Shut it.")
        if cause & 0x40:
            raise NotReady("error", "The printer shows an error. Switch it off and on.")
        raise NotReady("offline", "The printer is switched to offline. Press its button.")

    def _ask(self, what: bytes) -> int:
        """One byte of state, whose fixed bits tell it from anything else."""
        self._wire.write(what, time.monotonic() + ANSWER_S)
        deadline_s = time.monotonic() + ANSWER_S
        while said := self._wire.read(deadline_s):
            states = [byte for byte in said if byte & 0x93 == 0x12]
            if states:
                return states[-1]
        raise NotReady("silent", _SILENT)

    def _require_done(self) -> None:
        """One that knows no GS r is asked whether it is still well."""
        self._wire.write(_IS_DONE, time.monotonic() + ANSWER_S)
        deadline_s = time.monotonic() + DONE_S
        while said := self._wire.read(deadline_s):
            if any(byte & 0x90 == 0 for byte in said):
                return
        self._require_online()


# ---- where it is -------------------------------------------------------------------------------


def _wire_of(address: str) -> Callable[[], Wire]:
    """How to open it. ConfigurationFault for what is no address."""
    kind, _, rest = address.partition(":")
    if kind == "network" and rest:
        host, _, port = rest.rpartition(":") if ":" in rest else (rest, "", str(_NETWORK_PORT))
        if host and port.isdecimal() and 0 < int(port) < 1 << 16:
            return lambda: NetworkWire(host, int(port))
    if kind == "usb":
        vendor, _, product = rest.partition(":")
        try:
            ids = int(vendor, 16), int(product, 16)
            return lambda: UsbWire(*ids)
        except ValueError:
            pass
    if kind == "serial" and rest:
        device, _, baud = rest.rpartition(":") if ":" in rest else (rest, "", str(_BAUD))
        if device and baud.isdecimal():
            return lambda: SerialWire(device, int(baud))
    if kind == "file" and rest:
        return lambda: FileWire(rest)
    raise ConfigurationFault(
        f"printer = {address!r} names no printer. Write network:192.0.2.7, usb:04b8:0e15, "
        "serial:/dev/ttyS0:9600 or file:/dev/usb/lp0; holdfast register printer --help tells how to find it."
    )


def _opened(make: Callable[[], Wire]) -> Wire:
    not_found = escpos().exceptions.DeviceNotFoundError
    try:
        return make()
    except ValueError as error:  # pyusb finds no libusb
        raise NotReady(
            "gone", "A printer on USB needs the library libusb-1.0 on this machine. Install it."
        ) from error
    except (not_found, OSError) as error:
        said = str(error).replace("\n", " ").rstrip(".")
        raise NotReady("gone", f"The printer is not reachable: {said}. Is it switched on?") from error


class NetworkWire:
    """A printer with a port of its own on the network."""

    def __init__(self, host: str, port: int) -> None:
        self._printer: Any = escpos().printer.Network(host, port, timeout=CONNECT_S)
        self._printer.open()

    def write(self, data: bytes, deadline_s: float) -> None:
        self._printer.device.settimeout(_left_s(deadline_s))
        self._printer._raw(data)

    def read(self, deadline_s: float) -> bytes:
        try:
            self._printer.device.settimeout(_left_s(deadline_s))
            said = self._printer._read()
        except TimeoutError:
            return b""
        if not said:
            raise ConnectionResetError(errno.ECONNRESET, "it closed the connection")
        return said

    def close(self) -> None:
        self._printer.close()


class SerialWire:
    """A printer on a serial line."""

    def __init__(self, device: str, baud: int) -> None:
        self._printer: Any = escpos().printer.Serial(device, baudrate=baud, timeout=ANSWER_S)
        self._printer.open()
        self._stalled = False

    def write(self, data: bytes, deadline_s: float) -> None:
        device = self._printer.device
        self._stalled = True
        device.write_timeout = _left_s(deadline_s)
        try:
            self._printer._raw(data)
        except OSError as error:
            if "timeout" in str(error).lower():
                raise TimeoutError(errno.ETIMEDOUT, "it takes nothing in") from error
            raise
        while device.out_waiting:  # the system took it at once, the line takes a millisecond a letter
            time.sleep(min(_SERIAL_LOOK_S, _left_s(deadline_s)))
        self._stalled = False

    def read(self, deadline_s: float) -> bytes:
        self._printer.device.timeout = max(0.0, deadline_s - time.monotonic())
        return self._printer.device.read(1)

    def close(self) -> None:
        device = self._printer.device
        try:
            if self._stalled:  # what it did not take would be waited for without end
                device.reset_output_buffer()
            device.close()
        except OSError:
            pass  # it was pulled out


class UsbWire:
    """A printer on USB, by the ids of its maker and model."""

    def __init__(self, vendor: int, product: int) -> None:
        self._printer: Any = escpos().printer.Usb(vendor, product, usb_args={}, timeout=int(ANSWER_S * 1_000))
        self._printer.open()

    def write(self, data: bytes, deadline_s: float) -> None:
        self._printer.timeout = int(_left_s(deadline_s) * 1_000)
        self._printer._raw(data)

    def read(self, deadline_s: float) -> bytes:
        try:
            return bytes(self._printer.device.read(self._printer.in_ep, 16, int(_left_s(deadline_s) * 1_000)))
        except OSError as error:
            if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
                return b""
            raise

    def close(self) -> None:
        self._printer.close()


class FileWire:
    """A printer behind a device file, or a plain file.

    Opened without blocking, unlike python-escpos's: a device file of a printer without paper holds up whoever
    writes to it for ever.
    """

    def __init__(self, path: str) -> None:
        make = 0 if path.startswith("/dev/") else os.O_CREAT
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_APPEND | make
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, data: bytes, deadline_s: float) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while data:
            if not poll.poll(_left_s(deadline_s) * 1_000):
                raise TimeoutError(errno.ETIMEDOUT, "it takes nothing in")
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                continue

    def read(self, deadline_s: float) -> bytes:
        return b""

    def close(self) -> None:
        os.close(self._descriptor)


def _left_s(deadline_s: float) -> float:
    """TimeoutError once there is nothing left."""
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError(errno.ETIMEDOUT, "the time is up")
    return left_s
