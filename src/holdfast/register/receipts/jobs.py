"""What is to be printed and mailed, on disk: it survives a restart, and no sale waits for it (PO8, P5).

And when the drawer is to open, by the printer's pulse: once for each act, and soon or not at all; one that
opens when nobody expects it is an open till.

What prints by itself is known from the journal, by a cursor over its documents and one over its Z reports;
each prints by itself at most once. A job's state, and who changes it:

    waits ──► printing ──► printed          the process that prints
      │           └──────► unsure           it broke off: part of it may be on the paper; a person looks
      └──► given-up                         the printer was away for too long; a person prints it again
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeVar

import apsw
import msgspec
import structlog

from holdfast.core.faults import DatabaseFault, NewerVersionFault
from holdfast.core.ids import DocumentNumber
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, key_id_path
from holdfast.infra.migrations import load_migrations, migrate_sqlite
from holdfast.infra.queries import Engine, Queries, load_queries
from holdfast.infra.sqlite import faults, immediate, open_database

T = TypeVar("T")

_QUERIES: Final[Queries] = load_queries("holdfast.register.receipts", "jobs.sql", Engine.SQLITE)
_log = structlog.get_logger(__name__)

PRINT_WAITS_MS = 3_600_000
"""So long a receipt waits for its printer: by then its customer has gone, and it would only be in the way."""
REPORT_WAITS_MS = 72 * 3_600_000
"""So long a report does: whoever comes in the morning, or after a week-end, still wants last night's."""
PRINTS_WAITING_MAX = 100
"""Receipts that wait; the oldest gives way."""
MAIL_WAITS_MS = 72 * 3_600_000
"""So long an address is kept for a line that does not come back."""
MAILS_WAITING_MAX = 500
KEPT = 1_000
"""Jobs that ended, for the till's page to tell of."""
UNSURE_SHOWN_MS = 600_000
KICK_WITHIN_MS = 10_000
"""So long a drawer may take to open; later nobody stands before it."""
KICK_FAILED_SHOWN_MS = 60_000


What = Literal["receipt", "x", "z"]
_Z_NAME = "Z-"


def z_name(number: int) -> DocumentNumber:
    """How the queue calls a Z report: no document's number looks so."""
    return DocumentNumber(f"{_Z_NAME}{number}")


def z_number(name: DocumentNumber) -> int:
    """The number of the Z report that the queue calls so."""
    return int(name.removeprefix(_Z_NAME))


def x_name(at_ms: int) -> DocumentNumber:
    """How the queue calls an X report, by when it was taken."""
    return DocumentNumber(f"X-{at_ms}")


class PrintJob(msgspec.Struct, frozen=True):
    """A receipt or report to print."""

    id: int
    document: DocumentNumber
    """Of a report its name in this queue: `z_name`, `x_name`."""
    is_copy: bool
    made_at_ms: int
    what: What = "receipt"
    report: str = ""
    """An X report, encoded."""


class Kick(msgspec.Struct, frozen=True):
    """The drawer is to open for an act."""

    id: int
    act: str
    made_at_ms: int


class MailJob(msgspec.Struct, frozen=True):
    """A receipt to mail."""

    id: int
    document: DocumentNumber
    address: str
    attempts: int
    made_at_ms: int


class Printed(msgspec.Struct, frozen=True):
    """How the printing of a receipt stands."""

    id: int
    document: DocumentNumber
    is_copy: bool
    state: str
    cause: str
    changed_at_ms: int
    what: str = "receipt"


class Mailed(msgspec.Struct, frozen=True):
    """How the mailing of a receipt stands."""

    id: int
    document: DocumentNumber
    state: str
    cause: str
    changed_at_ms: int


def open_jobs(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    """`receipts.db`, made where there is none. One that cannot be read is set aside and begun anew: it holds
    nothing that a person cannot ask for again. Other faults as `open_database` raises them."""
    try:
        return _open(home, key)
    except NewerVersionFault:
        raise
    except DatabaseFault as fault:
        aside = home.receipts.with_name(home.receipts.name + ".damaged")
        _log.error("receipts.db is set aside", fault=fault.sentence, to=aside.name)
        home.receipts.replace(aside)
        for suffix in ("-wal", "-shm"):
            home.receipts.with_name(home.receipts.name + suffix).unlink(missing_ok=True)
        key_id_path(home.receipts).unlink(missing_ok=True)
        return _open(home, key)


def _open(home: RegisterHome, key: DatabaseKey) -> apsw.Connection:
    connection = open_database(home.receipts, key, create=True)
    opened = False
    try:
        migrate_sqlite(connection, load_migrations("holdfast.register.receipts"))
        with faults(connection):
            connection.execute("pragma secure_delete = on")  # an address that was sent is gone
        opened = True
    finally:
        if not opened:
            connection.close()
    return connection


class Jobs:
    """The queue over one connection; threads may share it, and two processes have one each."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _read(self, work: Callable[[], T]) -> T:
        with self._lock, faults(self._connection):
            return work()

    def _write(self, work: Callable[[], T]) -> T:
        with self._lock, immediate(self._connection):
            return work()

    def version(self) -> object:
        """Another one whenever the other process changed something."""
        return self._read(lambda: self._connection.execute("pragma data_version").fetchall())

    # ---- printing ------------------------------------------------------------------------------

    def cursor(self) -> int | None:
        """The last document that was looked at; None: nobody has looked yet."""
        return self._read(lambda: _QUERIES.cursor(self._connection))

    def z_cursor(self) -> int | None:
        """The last Z report that was looked at; None: nobody has looked yet."""
        return self._read(lambda: _QUERIES.z_cursor(self._connection))

    def begin_at(self, document: int, z: int) -> None:
        """What came before prints by itself no more."""
        self._write(lambda: _QUERIES.set_cursor(self._connection, document=document, z=z))

    def no_printer(self) -> None:
        """The register has none: when it gets one, that begins with what is sold then."""
        self._write(lambda: _QUERIES.forget_cursor(self._connection))

    def take_in(
        self,
        documents: Sequence[DocumentNumber],
        cursor: int,
        now_ms: int,
        *,
        zs: Sequence[int] = (),
        z_cursor: int,
        kicks: Sequence[str] = (),
    ) -> None:
        """Receipts and Z reports to print by themselves, what the drawer opens for, and how far the journal
        was looked through: all at once, so that none is lost or done twice."""

        def store() -> None:
            for document in documents:
                _QUERIES.add_print(self._connection, document=document, copy=0, now_ms=now_ms)
            for act in kicks:
                _QUERIES.add_kick(self._connection, act=act, now_ms=now_ms)
            for number in zs:
                self._add_report(z_name(number), "z", "", 0, now_ms)
            _QUERIES.set_cursor(self._connection, document=cursor, z=z_cursor)

        self._write(store)

    def print_x(self, name: DocumentNumber, report: str, now_ms: int) -> None:
        """An X report, encoded, as it is on the screen."""
        self._write(lambda: self._add_report(name, "x", report, 1, now_ms))

    def print_z(self, number: int, now_ms: int) -> None:
        """A person asked for it again."""
        self._write(lambda: self._add_report(z_name(number), "z", "", 1, now_ms))

    def _add_report(self, name: DocumentNumber, what: What, report: str, copy: int, now_ms: int) -> None:
        _QUERIES.add_report(
            self._connection, document=name, what=what, report=report, copy=copy, now_ms=now_ms
        )

    def print_again(self, document: DocumentNumber, now_ms: int) -> None:
        """A person asked for it."""
        self._write(lambda: _QUERIES.add_print(self._connection, document=document, copy=1, now_ms=now_ms))

    def next_print(self) -> PrintJob | None:
        row = self._read(lambda: _QUERIES.next_print(self._connection))
        return None if row is None else PrintJob(row[0], DocumentNumber(row[1]), bool(row[2]), *row[3:])

    def begin_print(self, job: PrintJob, now_ms: int) -> None:
        """On the disk before the first byte goes to the printer: from now on it does not print by itself."""
        self._set_print(job.id, "printing", "", now_ms)

    def printed(self, job: PrintJob, now_ms: int) -> None:
        self._set_print(job.id, "printed", "", now_ms)

    def unsure(self, job: PrintJob, cause: str, now_ms: int) -> None:
        """It broke off: part of it may be on the paper."""
        self._set_print(job.id, "unsure", cause, now_ms)

    def give_up_print(self, job: PrintJob, cause: str, now_ms: int) -> None:
        self._set_print(job.id, "given-up", cause, now_ms)

    def _set_print(self, id: int, state: str, cause: str, now_ms: int) -> None:
        self._write(
            lambda: _QUERIES.set_print(self._connection, id=id, state=state, cause=cause, now_ms=now_ms)
        )

    def printer_says(self, cause: str, now_ms: int) -> None:
        """What keeps the printer from printing; empty: nothing does. Whatever waits, waits for that."""

        def store() -> None:
            _QUERIES.set_printer(self._connection, cause=cause, now_ms=now_ms)
            if cause:
                _QUERIES.waiting_for(self._connection, cause=cause, now_ms=now_ms)

        known, _ = self.printer()
        if cause or known:
            self._write(store)

    def begin_printing(self, now_ms: int) -> None:
        """This process begins: what another one was printing when it ended is for a person to look at."""

        def store() -> None:
            _QUERIES.broken_off(self._connection, now_ms=now_ms)
            _QUERIES.kicks_broken_off(self._connection, now_ms=now_ms)

        self._write(store)

    # ---- the drawer ----------------------------------------------------------------------------

    def open_drawer(self, act: str, now_ms: int) -> None:
        """For an act that the journal has."""
        self._write(lambda: _QUERIES.add_kick(self._connection, act=act, now_ms=now_ms))

    def next_kick(self) -> Kick | None:
        row = self._read(lambda: _QUERIES.next_kick(self._connection))
        return None if row is None else Kick(*row)

    def begin_kick(self, kick: Kick, now_ms: int) -> None:
        """On the disk before the pulse: whatever becomes of this process, it is not sent again."""
        self._set_kick(kick, "opening", "", now_ms)

    def opened(self, kick: Kick, now_ms: int) -> None:
        self._set_kick(kick, "opened", "", now_ms)

    def not_opened(self, kick: Kick, cause: str, now_ms: int) -> None:
        """Nobody tries again; a person opens it with its key."""
        self._set_kick(kick, "failed", cause, now_ms)

    def _set_kick(self, kick: Kick, state: str, cause: str, now_ms: int) -> None:
        self._write(
            lambda: _QUERIES.set_kick(self._connection, id=kick.id, state=state, cause=cause, now_ms=now_ms)
        )

    def is_drawer_stuck(self, now_ms: int) -> bool:
        """Whether it did not open for the last act, a short while ago."""
        row = self._read(lambda: _QUERIES.newest_kick(self._connection))
        return row is not None and row[0] == "failed" and row[1] >= now_ms - KICK_FAILED_SHOWN_MS

    def tidy(self, now_ms: int) -> None:
        """Give up what waits for too long, and forget what ended long ago."""

        def store() -> None:
            connection = self._connection
            _QUERIES.give_up_prints(
                connection,
                before_ms=now_ms - PRINT_WAITS_MS,
                reports_before_ms=now_ms - REPORT_WAITS_MS,
                keep=PRINTS_WAITING_MAX,
                now_ms=now_ms,
            )
            _QUERIES.give_up_mails(connection, before_ms=now_ms - MAIL_WAITS_MS, now_ms=now_ms)
            _QUERIES.sweep_prints(connection, keep=KEPT)
            _QUERIES.sweep_kicks(connection, keep=KEPT)
            _QUERIES.sweep_mails(connection, keep=KEPT)

        self._write(store)

    # ---- mailing -------------------------------------------------------------------------------

    def mail(self, document: DocumentNumber, address: str, now_ms: int) -> bool:
        """Whether there was room for it."""

        def store() -> bool:
            if _QUERIES.mails_waiting(self._connection) >= MAILS_WAITING_MAX:
                return False
            _QUERIES.add_mail(self._connection, document=document, address=address, now_ms=now_ms)
            return True

        return self._write(store)

    def next_mail(self, now_ms: int) -> MailJob | None:
        row = self._read(lambda: _QUERIES.next_mail(self._connection, now_ms=now_ms))
        return None if row is None else MailJob(row[0], DocumentNumber(row[1]), *row[2:])

    def next_mail_at_ms(self) -> int | None:
        return self._read(lambda: _QUERIES.next_mail_at_ms(self._connection))

    def mail_now(self, now_ms: int) -> None:
        """Try all that wait at once: the line may be back."""
        self._write(lambda: _QUERIES.mail_now(self._connection, now_ms=now_ms))

    def mail_waits(self, job: MailJob, cause: str, next_at_ms: int, now_ms: int) -> None:
        self._write(
            lambda: _QUERIES.mail_waits(
                self._connection, id=job.id, cause=cause, next_at_ms=next_at_ms, now_ms=now_ms
            )
        )

    def mailed(self, job: MailJob, now_ms: int) -> None:
        """It was sent; the address is forgotten."""
        self._end_mail(job.id, "sent", "", now_ms)

    def give_up_mail(self, job: MailJob, cause: str, now_ms: int) -> None:
        """It cannot be sent; the address is forgotten."""
        self._end_mail(job.id, "given-up", cause, now_ms)

    def _end_mail(self, id: int, state: str, cause: str, now_ms: int) -> None:
        self._write(
            lambda: _QUERIES.end_mail(self._connection, id=id, state=state, cause=cause, now_ms=now_ms)
        )

    # ---- how it stands -------------------------------------------------------------------------

    def printer(self) -> tuple[str, int]:
        """What keeps it from printing (empty: nothing), and since when."""
        return self._read(lambda: _QUERIES.printer(self._connection))

    def prints_waiting(self) -> int:
        return self._read(lambda: _QUERIES.prints_waiting(self._connection))

    def print_of(self, document: DocumentNumber) -> Printed | None:
        """The last printing of a receipt."""
        row = self._read(lambda: _QUERIES.print_of(self._connection, document=document))
        return None if row is None else _printed(row)

    def mail_of(self, document: DocumentNumber) -> Mailed | None:
        """The last mail with a receipt."""
        row = self._read(lambda: _QUERIES.mail_of(self._connection, document=document))
        return None if row is None else Mailed(*row)

    def newest(self, limit: int) -> tuple[DocumentNumber, ...]:
        """Receipts whose printing or mailing changed last."""
        prints = self._read(lambda: _QUERIES.newest_prints(self._connection, limit=limit))
        mails = self._read(lambda: _QUERIES.newest_mails(self._connection, limit=limit))
        changed = sorted(
            [*((row[5], row[1]) for row in prints), *((row[4], row[1]) for row in mails)], reverse=True
        )
        return tuple(dict.fromkeys(DocumentNumber(document) for _, document in changed))[:limit]

    def newest_unsure(self, now_ms: int) -> Printed | None:
        """A printing that broke off a short while ago."""
        row = self._read(lambda: _QUERIES.newest_unsure(self._connection, since_ms=now_ms - UNSURE_SHOWN_MS))
        return None if row is None else _printed(row)


def _printed(row: tuple[int, str, int, str, str, int, str]) -> Printed:
    id, document, copy, state, cause, changed_at_ms, what = row
    return Printed(id, DocumentNumber(document), bool(copy), state, cause, changed_at_ms, what)
