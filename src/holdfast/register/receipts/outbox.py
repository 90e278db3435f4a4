"""Printing and mailing as the till's page sees them: what to ask for, and how it stands (PO8, PO4)."""

import threading
from collections.abc import Callable

import msgspec
import structlog

from holdfast.core.faults import Fault
from holdfast.core.ids import DocumentNumber
from holdfast.core.receipt.address import address_refusal
from holdfast.core.receipt.report import Report
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterConfig
from holdfast.register.receipts.jobs import Jobs, Mailed, Printed, z_name

LOOK_EVERY_S = 0.25
SIGNS_SHOWN = 4
"""Receipts of which open pages are told; an older one is looked up."""
_log = structlog.get_logger(__name__)


class Carried(msgspec.Struct, frozen=True):
    """How a receipt is on its way; None: nobody asked for that."""

    print: Printed | None
    mail: Mailed | None


class PrinterTrouble(msgspec.Struct, frozen=True):
    """What somebody at the till must know of the printer."""

    cause: str
    waiting: int
    """Receipts and reports that wait for it."""
    unsure: Printed | None = None
    """A receipt or report whose printing broke off a short while ago."""
    is_drawer_stuck: bool = False
    """It did not open for the last act."""


class Outbox:
    """Thread-safe. `wake`: the process that prints and mails has something to do."""

    def __init__(self, jobs: Jobs, config: RegisterConfig, clock: Clock, *, wake: Callable[[], None]) -> None:
        self._jobs = jobs
        self._clock = clock
        self._wake = wake
        self.has_printer = bool(config.printer)
        self.has_drawer = bool(config.printer and config.printer_drawer)
        """Whether one opens by the printer; else it has a key."""
        self.has_mail = bool(config.mail_server)
        self._changed: Callable[[], None] = lambda: None
        self._version: object = None
        self._again = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="holdfast-outbox", daemon=True)

    def start(self, changed: Callable[[], None]) -> None:
        """Tell open pages from now on whenever something changed."""
        self._changed = changed
        if self.has_printer or self.has_mail:
            self._thread.start()
        if not self.has_printer:
            self._jobs.no_printer()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    # ---- asked for by people -------------------------------------------------------------------

    def sold(self) -> None:
        """Something was concluded."""
        self._wake()

    def open_drawer(self, what: str) -> None:
        """For an act without a sale that was journalled just now; for sales it opens by itself."""
        if self.has_drawer:
            now_ms = self._clock.now_ms()
            self._jobs.open_drawer(f"{what} {now_ms}", now_ms)
            self._wake()

    def print_again(self, number: DocumentNumber) -> None:
        """A copy, marked as one."""
        self._jobs.print_again(number, self._clock.now_ms())
        self._wake()

    def print_x(self, name: DocumentNumber, report: Report) -> None:
        """An X report as the screen shows it."""
        self._jobs.print_x(name, msgspec.json.encode(report).decode(), self._clock.now_ms())
        self._wake()

    def print_z(self, number: int) -> None:
        """A Z report again; the one that waits is the one that is wanted."""
        if not self.is_waiting(z_name(number)):
            self._jobs.print_z(number, self._clock.now_ms())
        self.try_now()

    def mail(self, number: DocumentNumber, address: str) -> Refusal | None:
        """Send the receipt there as soon as the line allows. The address is kept until then, no longer."""
        address = address.strip()
        refusal = address_refusal(address)
        if refusal is None and not self._jobs.mail(number, address, self._clock.now_ms()):
            refusal = Refusal("mail.full", "Too many mails wait for the line. Print the receipt instead.")
        if refusal is None:
            self._wake()
        return refusal

    def try_now(self) -> None:
        """The paper is in, or the line is back: wait for no pause."""
        self._jobs.mail_now(self._clock.now_ms())
        self._wake()

    # ---- how it stands -------------------------------------------------------------------------

    def carried(self, number: DocumentNumber) -> Carried:
        return Carried(self._jobs.print_of(number), self._jobs.mail_of(number))

    def is_waiting(self, number: DocumentNumber) -> bool:
        """Whether it is to be printed anyway."""
        printed = self._jobs.print_of(number)
        return printed is not None and printed.state == "waits"

    def newest(self) -> tuple[DocumentNumber, ...]:
        """Receipts of which something changed last."""
        return self._jobs.newest(SIGNS_SHOWN)

    def trouble(self) -> PrinterTrouble | None:
        """None where nothing is wrong, or there is no printer."""
        if not self.has_printer:
            return None
        cause, _ = self._jobs.printer()
        waiting = self._jobs.prints_waiting()
        unsure = self._jobs.newest_unsure(self._clock.now_ms())
        is_stuck = self._jobs.is_drawer_stuck(self._clock.now_ms())
        if not cause and unsure is None and not is_stuck:
            return None
        return PrinterTrouble(cause, waiting, unsure, is_stuck)

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                version = self._jobs.version()
            except Fault as fault:
                _log.warning("outbox", code=fault.code, fault=fault.sentence)
                continue
            changed, self._version = version != self._version, version
            # Twice: a page that was drawn in between may not have listened yet.
            if changed or self._again:
                self._changed()
            self._again = changed
