"""The process beside the till that prints and mails receipts, prints reports, and opens the drawer: child of
a serving register (PO8, PO5).

What to print by itself it reads from the journal, what a person asked for from `receipts.db`; how it went it
writes there, and the till's page shows it. A printer that hangs hangs this process's thread, no sale.

Its parent wakes it with a byte on its standard input: something was sold, or asked for.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw
import msgspec
import structlog

from holdfast.core.cash.shift import ShiftClosed
from holdfast.core.faults import DamagedFault, Fault
from holdfast.core.ids import DocumentNumber
from holdfast.core.parameters import FIRST_DATE, Place
from holdfast.core.receipt.code import RETURN_WINDOW_DAYS_DEFAULT
from holdfast.core.receipt.issued import Issued
from holdfast.core.receipt.paper import PaperLine, paper
from holdfast.core.receipt.report import Report, report_paper
from holdfast.core.receipt.texts import text
from holdfast.core.totals import DRAWER_TENDERS
from holdfast.infra.clock import Clock, SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.logs import configure_logs
from holdfast.infra.sqlite import faults
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.receipts.ink import ink
from holdfast.register.receipts.jobs import (
    KICK_WITHIN_MS,
    PRINT_WAITS_MS,
    REPORT_WAITS_MS,
    Jobs,
    MailJob,
    PrintJob,
    open_jobs,
    z_number,
)
from holdfast.register.receipts.post import NotSent, Refused, account_of, mail_of, send
from holdfast.register.receipts.printers import BrokeOff, NotReady, open_printer
from holdfast.register.sync.process import listen, stop_on_signals
from holdfast.register.sync.reference_file import ReferenceFile
from holdfast.register.till import cash, history
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.writing import read_day
from holdfast.register.web.cash.reports import Books, z_report
from holdfast.register.web.formats import DEFAULT_LOCALE, Formats
from holdfast.register.web.messages import say
from holdfast.register.web.receipts import ReceiptMaker, maker_of
from holdfast.register.web.shelf import Shelf

TAKEN_AT_ONCE = 200
IDLE_S = 30.0
"""Between two looks where nothing is asked for; a wish or a sale wakes it."""
AGAIN_S_MIN, AGAIN_S_MAX = 1.0, 15.0
"""Between two tries of a printer that is not ready: paper that was put in is noticed soon."""
MAIL_AGAIN_MS = (15_000, 60_000, 300_000, 900_000, 3_600_000)
"""Between two tries of a mail; the last one again and again."""
JOIN_S = 3.0
_PRINTED_TYPES = frozenset({"sale", "return"})
_log = structlog.get_logger(__name__)


class Desk:
    """What both threads need: the journal, the receipts made of it, and the queue."""

    def __init__(self, home: RegisterHome, clock: Clock) -> None:
        """ConfigurationFault, KeyFault, DatabaseFault, StorageFullFault as they say."""
        self.home = home
        self.clock = clock
        self.config: RegisterConfig = load_config(home.config, RegisterConfig)
        key = DatabaseKey.load(home.database_key)
        with contextlib.ExitStack() as undo:
            self._till: apsw.Connection = read_till(home, key, self.config.origin)
            undo.callback(self._till.close)
            self._file = ReferenceFile(home, key, read_only=True)
            undo.callback(self._file.close)
            self.jobs = Jobs(open_jobs(home, key))
            undo.pop_all()
        self._lock = threading.RLock()
        self._shelf = shelf = Shelf(self._file, self.config.currency)
        shelf.stand(Place(self.config.store, self.config.series), self._business_date)
        self.fmt = fmt = Formats(
            self.config.currency, self.config.timezone, shelf.parameter("locale", DEFAULT_LOCALE)
        )
        self._books = Books(fmt, shelf, self._closed_shift)
        self.maker: ReceiptMaker = maker_of(
            fmt, shelf, register=self.config.register, store=self.config.store
        )
        self.codes = ReceiptCodes(
            home, self.config, key_of=shelf.register_key, window_days=lambda: RETURN_WINDOW_DAYS_DEFAULT
        )

    def look_again(self) -> None:
        """Write as head office wants it by now."""
        self.fmt.speak(self._shelf.parameter("locale", DEFAULT_LOCALE))

    def _business_date(self) -> str:
        with self._lock, faults(self._till):
            return read_day(self._till).business_date or FIRST_DATE

    def close(self) -> None:
        with self._lock:
            self._till.close()
            self._file.close()
        self.jobs.close()

    def newest(self) -> int:
        """The row of the newest document; 0: there is none."""
        with self._lock, faults(self._till):
            return QUERIES.newest_document(self._till) or 0

    def newest_z(self) -> int:
        """The number of the newest Z report; 0: there is none."""
        with self._lock, faults(self._till):
            return cash.newest_z(self._till)

    def zs_after(self, number: int) -> list[tuple[int, int]]:
        """Number and wall time of the Z reports that follow, in order."""
        with self._lock, faults(self._till):
            return cash.zs_after(self._till, number)

    def report(self, job: PrintJob) -> Report | None:
        """What a job for a report prints; None: this database has it no more."""
        if job.what == "x":
            return msgspec.json.decode(job.report, type=Report)
        with self._lock, faults(self._till):
            row = cash.z_report(self._till, z_number(job.document))
            return None if row is None else z_report(row, self._books)

    def _closed_shift(self, number: int) -> ShiftClosed | None:
        row = cash.shift_row(self._till, number)
        return None if row is None else row.closed

    def after(self, cursor: int) -> list[tuple[int, str, int]]:
        """Row, type and wall time of the documents that follow, in order."""
        with self._lock, faults(self._till):
            return QUERIES.documents_after(self._till, id=cursor, limit=TAKEN_AT_ONCE)

    def issued_at(self, row: int) -> Issued | None:
        with self._lock, faults(self._till):
            return history.issued_at(self._till, row)

    def issued(self, number: DocumentNumber) -> Issued | None:
        with self._lock, faults(self._till):
            return history.issued(self._till, number)


class Clerk:
    """Prints, one receipt after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._jobs = desk.jobs
        self._clock = desk.clock
        self._pause_s = AGAIN_S_MIN
        self._jobs.begin_printing(self._clock.now_ms())
        cursor = self._jobs.cursor()
        if cursor is None:  # the printer is new: what was sold before is not printed
            self._jobs.begin_at(desk.newest(), desk.newest_z())
        elif self._jobs.z_cursor() is None:  # the queue is older than printed reports
            self._jobs.begin_at(cursor, desk.newest_z())

    def turn(self) -> float:
        """Print what there is; seconds until the next look."""
        self._desk.look_again()
        self._jobs.tidy(self._clock.now_ms())
        self._take_in()
        self._open_drawer()
        while (job := self._jobs.next_print()) is not None:
            if not self._print(job):
                pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, AGAIN_S_MAX)
                return pause_s
            self._take_in()
            self._open_drawer()
        self._pause_s = AGAIN_S_MIN
        return IDLE_S

    def _take_in(self) -> None:
        """Sales, returns and Z reports since the last look, but for what nobody waits for any more."""
        cursor, z = self._jobs.cursor() or 0, self._jobs.z_cursor() or 0
        while True:
            rows, reports = self._desk.after(cursor), self._desk.zs_after(z)
            if not rows and not reports:
                return
            now_ms = self._clock.now_ms()
            cursor, z = (rows[-1][0] if rows else cursor), (reports[-1][0] if reports else z)
            found = [
                self._own(row)
                for row, type, at_ms in rows
                if type in _PRINTED_TYPES and at_ms > now_ms - PRINT_WAITS_MS
            ]
            zs = [number for number, at_ms in reports if at_ms > now_ms - REPORT_WAITS_MS]
            own = [issued for issued in found if issued is not None]
            self._jobs.take_in(
                [issued.document for issued in own],
                cursor,
                now_ms,
                zs=zs,
                z_cursor=z,
                kicks=[issued.document for issued in own if self._opens_drawer(issued, now_ms)],
            )

    def _opens_drawer(self, issued: Issued, now_ms: int) -> bool:
        """Cash came or went, and somebody stands before it still."""
        return (
            bool(self._desk.config.printer_drawer)
            and issued.at_ms > now_ms - KICK_WITHIN_MS
            and any(tender.kind in DRAWER_TENDERS for tender in issued.sale.tenders)
        )

    def _open_drawer(self) -> None:
        """Before anything is printed. A printer that is not there is said, and nobody waits."""
        while (kick := self._jobs.next_kick()) is not None:
            now_ms = self._clock.now_ms()
            if kick.made_at_ms <= now_ms - KICK_WITHIN_MS:
                self._jobs.not_opened(kick, "late", now_ms)
                continue
            self._jobs.begin_kick(kick, now_ms)
            try:
                with open_printer(self._desk.config) as printer:
                    printer.kick(self._desk.config.printer_drawer)
            except NotReady as fault:
                _log.warning("drawer did not open", cause=fault.cause, fault=fault.sentence)
                self._jobs.not_opened(kick, fault.cause, self._clock.now_ms())
            else:
                self._jobs.opened(kick, self._clock.now_ms())

    def _own(self, row: int) -> Issued | None:
        """None for history of another system, which had its receipt there."""
        issued = self._desk.issued_at(row)
        return None if issued is None or issued.sale.external is not None else issued

    def _print(self, job: PrintJob) -> bool:
        """Whether to go on with the next one."""
        data = self._report_ink(job) if job.what != "receipt" else self._receipt_ink(job)
        if data is None:
            self._jobs.give_up_print(job, "purged", self._clock.now_ms())
            return True
        try:
            with open_printer(self._desk.config) as printer:
                low = printer.check()
                self._jobs.begin_print(job, self._clock.now_ms())
                printer.send(data)
        except NotReady as fault:
            _log.warning("receipt waits", cause=fault.cause, fault=fault.sentence)
            self._jobs.printer_says(fault.cause, self._clock.now_ms())
            return False
        except BrokeOff as fault:
            _log.warning("printing broke off", receipt=job.document, cause=fault.cause, fault=fault.sentence)
            self._jobs.unsure(job, fault.cause, self._clock.now_ms())
            return True
        self._jobs.printed(job, self._clock.now_ms())
        self._jobs.printer_says(low, self._clock.now_ms())
        return True

    def _receipt_ink(self, job: PrintJob) -> bytes | None:
        issued = self._desk.issued(job.document)
        if issued is None:
            return None
        receipt = self._desk.maker.receipt(issued, copy_at_ms=job.made_at_ms if job.is_copy else None)
        return self._ink(paper(receipt, self._desk.config.printer_columns), self._desk.codes.code_of(issued))

    def _report_ink(self, job: PrintJob) -> bytes | None:
        desk, report = self._desk, self._desk.report(job)
        if report is None:
            return None
        head = (desk.config.store, say("till.name", register=desk.config.register))
        is_copy = job.is_copy and job.what == "z"
        copy = text("receipt.copy", at=desk.fmt.date_time(job.made_at_ms)) if is_copy else ""
        return self._ink(report_paper(report, head, copy, desk.config.printer_columns), "")

    def _ink(self, lines: Sequence[PaperLine], code: str) -> bytes:
        config = self._desk.config
        return ink(lines, code, charset=config.printer_charset, cuts=config.printer_cuts)


class Postman:
    """Mails, one receipt after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._jobs = desk.jobs
        self._clock = desk.clock
        self._account = account_of(desk.home, desk.config)

    def turn(self) -> float:
        """Mail what is due; seconds until the next look."""
        self._jobs.tidy(self._clock.now_ms())
        while (job := self._jobs.next_mail(self._clock.now_ms())) is not None:
            self._mail(job)
        next_ms = self._jobs.next_mail_at_ms()
        if next_ms is None:
            return IDLE_S
        return min(IDLE_S, max(0.1, (next_ms - self._clock.now_ms()) / 1_000))

    def _mail(self, job: MailJob) -> None:
        issued = self._desk.issued(job.document)
        if issued is None:
            self._jobs.give_up_mail(job, "purged", self._clock.now_ms())
            return
        mail = mail_of(
            self._desk.maker.receipt(issued),
            self._desk.codes.code_of(issued),
            self._account.sender,
            job.address,
            self._desk.config.origin,
            issued.at_ms,
        )
        try:
            asyncio.run(send(mail, self._account))
        except NotSent as fault:
            _log.warning("mail waits", receipt=job.document, cause=fault.cause, fault=fault.sentence)
            now_ms = self._clock.now_ms()
            pause_ms = MAIL_AGAIN_MS[min(job.attempts, len(MAIL_AGAIN_MS) - 1)]
            self._jobs.mail_waits(job, fault.cause, now_ms + pause_ms, now_ms)
        except Refused as fault:
            _log.warning("mail was refused", receipt=job.document, cause=fault.cause, fault=fault.sentence)
            self._jobs.give_up_mail(job, fault.cause, self._clock.now_ms())
        else:
            self._jobs.mailed(job, self._clock.now_ms())


class Worker:
    """One of them in a thread of its own. A fault is logged and tried again; a bug ends the process."""

    def __init__(self, name: str, turn: Callable[[], float], stop: threading.Event) -> None:
        self._turn = turn
        self._stop = stop
        self._wake = threading.Event()
        self.failed = False
        self._thread = threading.Thread(target=self._run, name=f"holdfast-{name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def join(self) -> None:
        self._wake.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        done = False
        try:
            while not self._stop.is_set():
                self._wake.clear()
                self._wake.wait(self._try())
            done = True
        finally:
            self.failed = not done
            if self.failed:
                self._stop.set()

    def _try(self) -> float:
        try:
            return self._turn()
        except DamagedFault:
            raise  # the till mends its database, or a new queue is begun: this process begins anew
        except Fault as fault:
            _log.warning("receipts", code=fault.code, fault=fault.sentence)
            return AGAIN_S_MAX


def main(home: Path) -> None:
    """`holdfast register receipts --home DIR`: run until the parent ends or asks for it."""
    configure_logs()
    place = RegisterHome(home)
    config = load_config(place.config, RegisterConfig)
    stop = threading.Event()
    stop_on_signals(stop)
    desk = Desk(place, SystemClock(config.timezone))
    workers: list[Worker] = []
    if config.printer:
        workers.append(Worker("printer", Clerk(desk).turn, stop))
    if config.mail_server:
        workers.append(Worker("mail", Postman(desk).turn, stop))

    def wake(_: str) -> None:
        for worker in workers:
            worker.wake()

    threading.Thread(target=listen, args=(wake, stop), name="holdfast-wake", daemon=True).start()
    stop.wait()
    for worker in workers:
        worker.join()
    if any(worker.failed for worker in workers):
        raise Fault("A part of the process that prints and mails stopped; the log says why.")
    desk.close()
