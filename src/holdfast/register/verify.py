"""Verifying a register: every chain walked, and its projections held against a fresh fold.

Nothing is changed, and the register may sell meanwhile: all is read as of one moment.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import apsw
import msgspec

from holdfast.core.business_day import DayClosed, DayOpened
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import CustomerNumber, EpochId, OriginId, Sku, document_number
from holdfast.core.journal.bodies import REGISTRY, CustomerChanged, CustomerCreated
from holdfast.core.journal.chain import ZERO_HASH, link
from holdfast.core.journal.entry import Entry, Unprojectable, decode_entry
from holdfast.core.journal.fold import RegisterState
from holdfast.core.sale import Sale
from holdfast.core.totals import DayTotals, ForeignSum
from holdfast.core.work_mode import WorkMode
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import UNREADABLE, faults
from holdfast.register.till import cash, customers, history, writing
from holdfast.register.till.customers import Kept
from holdfast.register.till.database import QUERIES, read_till, sql_of
from holdfast.register.till.drill import read_drill
from holdfast.register.till.places import last_place, place, seq_of
from holdfast.register.till.work_mode import read_work_mode
from holdfast.register.till.writing import Document, decode_totals, returned_rows, total_of

T = TypeVar("T")

_WALK = sql_of("walk")
_COUNT = sql_of("count_documents")
_PROBLEMS_MAX: Final = 10

DIFFERENCES_MAX: Final = 1_000
"""Found differences are listed up to here; one more says that there are others."""


class Difference(msgspec.Struct, frozen=True):
    """Something that is not as it must be."""

    code: str
    """`file`, `chain`, `entry`, `document`, `stock`, `drawer`, `day`, `returned`, `work-mode`, `drill`,
    `customer`; `more` beyond the list."""
    sentence: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what differs; in order when `differences` is empty."""

    origin: OriginId
    epochs: int
    entries: int
    documents: int
    purged: int
    """Entries of which only the hash is left, since head office holds them safe."""
    differences: tuple[Difference, ...]


def verify_register(home: RegisterHome) -> Verified:
    """Verify the till in `home`. Faults as `read_till` raises them."""
    config = load_config(home.config, RegisterConfig)
    connection = read_till(home, DatabaseKey.load(home.database_key), config.origin)
    try:
        with faults(connection):
            connection.execute("begin")
            return _Verification(connection, config.origin).run()
    finally:
        connection.close()


def problems_of(connection: apsw.Connection) -> list[str]:
    """What SQLite finds wrong with a file, in one line each; UNREADABLE where it cannot even say."""
    rows: list[Any] = connection.execute(f"pragma quick_check({_PROBLEMS_MAX})").fetchall()
    return [" ".join(str(problem).split()) for (problem,) in rows if problem != "ok"]


class _Verification:
    """One run over one database."""

    def __init__(self, connection: apsw.Connection, origin: OriginId) -> None:
        self._connection = connection
        self._origin = origin
        self._differences: list[Difference] = []
        self._state = RegisterState()
        self._returned: Counter[tuple[str, int]] = Counter()
        self._customers: dict[CustomerNumber, Kept] = {}
        self._numbered: set[CustomerNumber] = set()
        self._entries = 0
        self._documents = 0
        self._purged = 0
        self._is_day_told = False
        """The last that the journal tells of the day is not followed by what was purged."""
        self._is_whole = True

    def run(self) -> Verified:
        self._try("The file", self._check_file)
        self._try("What was purged", self._start_from_purged)
        epochs = self._try("Its list of epochs", lambda: QUERIES.epochs(self._connection)) or []
        for n, epoch in epochs:
            self._try(f"Epoch {epoch}", lambda n=n, epoch=epoch: self._walk(n, EpochId(epoch)))
        if self._is_whole:
            self._try("What follows from the journal", self._compare)
        else:
            self._differ("file", "What follows from the journal was not compared: not all could be read.")
        return Verified(
            origin=self._origin,
            epochs=len(epochs),
            entries=self._entries,
            documents=self._documents,
            purged=self._purged,
            differences=tuple(self._differences),
        )

    def _try(self, what: str, step: Callable[[], T]) -> T | None:
        """The step; a page that cannot be read ends it, and the others go on."""
        try:
            return step()
        except UNREADABLE as error:
            self._is_whole = False
            self._differ("file", f"{what} cannot be read on ({error}); {self._entries} entries were read.")
            self._begin_anew()
            return None

    def _begin_anew(self) -> None:
        """Once a page was unreadable, every read of the same transaction fails."""
        self._connection.execute("rollback")
        self._connection.execute("begin")

    def _differ(self, code: str, sentence: str) -> None:
        if len(self._differences) < DIFFERENCES_MAX:
            self._differences.append(Difference(code, sentence))
        elif len(self._differences) == DIFFERENCES_MAX:
            self._differences.append(Difference("more", "There are more differences than are listed."))

    def _check_file(self) -> None:
        for problem in problems_of(self._connection):
            self._differ("file", f"SQLite finds the file damaged: {problem}.")
        self._begin_anew()

    def _start_from_purged(self) -> None:
        for sku, milli in QUERIES.purged_stock(self._connection):
            self._state.stock_milli[Sku(sku)] = milli
        for date, text in QUERIES.purged_day_totals(self._connection):
            self._state.day_totals[date] = decode_totals(text)
            self._state.drawer_minor += self._state.day_totals[date].drawer_minor
        self._state.cash.sums.update(cash.all_sums(self._connection, purged=True))

    @property
    def _has_purged(self) -> bool:
        """Some entries are known by their sums alone."""
        return bool(self._purged or QUERIES.purged_day_totals(self._connection))

    # ---- chains ------------------------------------------------------------------------------

    def _walk(self, n: int, epoch: EpochId) -> None:
        """One epoch from its first entry to its head."""
        series = QUERIES.epoch_of(self._connection, n=n)[1]
        before = _Link(epoch, series, 0, ZERO_HASH, 0, 0)
        for row in self._connection.execute(_WALK, {"first": place(n, 1), "last": last_place(n)}):
            row_id, hash, numbered, value_minor, data, *indexed = row
            here = _Link(epoch, series, seq_of(row_id), hash, numbered, value_minor)
            if here.seq != before.seq + 1:
                self._differ("chain", f"Epoch {epoch} goes from entry {before.seq} to entry {here.seq}.")
            self._take(before, here, data, tuple(indexed))
            before = here
        stored = self._connection.execute(_COUNT, {"first": place(n, 1), "last": last_place(n)}).fetchall()
        documents = before.documents
        self._documents += documents
        if stored != [(documents, documents)] and documents:
            self._differ("document", f"Epoch {epoch} numbered {documents} documents; its index has {stored}.")

    def _take(self, before: "_Link", here: "_Link", data: bytes | None, indexed: tuple[Any, ...]) -> None:
        self._entries += 1
        if data is None:
            self._purged += 1
            self._is_day_told = False  # it may have been one of the day's
            return
        if link(before.hash, data) != here.hash:
            self._differ("chain", f"{here} does not hash to its link in the chain.")
            return
        try:
            entry = decode_entry(data)
        except MalformedFault as fault:
            self._differ("entry", f"{here}: {fault.sentence}.")
            return
        if (entry.origin, entry.epoch, entry.seq) != (self._origin, here.epoch, here.seq):
            self._differ("entry", f"{here} says that it is entry {entry.seq} of epoch {entry.epoch}.")
            return
        body = REGISTRY.decode(entry)
        if isinstance(body, Unprojectable):
            self._differ("entry", f"{here}: {body.cause}: {body.detail}.")
            return
        self._check_number(before, here, entry, body, indexed)
        self._state.apply_body(entry, body)
        if isinstance(body, DayOpened | DayClosed):
            self._is_day_told = True
        if isinstance(body, CustomerCreated):
            self._customers[CustomerNumber(body.customer)] = Kept(1, body.sealed)
            self._numbered.add(CustomerNumber(body.customer))
        elif isinstance(body, CustomerChanged):
            self._customers[CustomerNumber(body.customer)] = Kept(body.revision, body.sealed)
        if isinstance(body, Sale):
            for row in returned_rows(body):
                self._returned[row["document"], row["line"]] += row["quantity_milli"]

    def _check_number(
        self, before: "_Link", here: "_Link", entry: Entry, body: msgspec.Struct, indexed: tuple[Any, ...]
    ) -> None:
        if not isinstance(body, Document):
            if (here.documents, here.value_minor) != (before.documents, before.value_minor):
                self._differ("document", f"{here} is no document and is counted as one.")
            return
        expected = document_number(here.series, here.epoch, before.documents + 1)
        if body.document != expected or here.documents != before.documents + 1:
            self._differ("document", f"{here} is document {body.document}; {expected} was next.")
        if here.value_minor != before.value_minor + total_of(body):
            self._differ("document", f"{here} does not add {total_of(body)} to the value of its epoch.")
        date = entry.date if body.external is None else body.external.business_date
        if indexed != (here.seq, entry.type, date, entry.at_ms, total_of(body)):
            self._differ("document", f"The index says of {body.document}: {indexed}.")

    # ---- projections -------------------------------------------------------------------------

    def _compare(self) -> None:
        state, connection = self._state, self._connection
        stock = {sku: milli for sku, milli in QUERIES.all_stock(connection) if milli}
        self._compare_each("stock", stock, {sku: milli for sku, milli in state.stock_milli.items() if milli})
        days = {date: decode_totals(text) for date, text in QUERIES.all_day_totals(connection)}
        self._compare_each("day", _traded(days), _traded(state.day_totals))
        drawer_minor = QUERIES.drawer(connection)
        if drawer_minor != state.drawer_minor:
            self._differ(
                "drawer", f"The drawer is kept as {drawer_minor}; the journal says {state.drawer_minor}."
            )
        self._compare_each("drawer", history.foreign_drawer(connection), _foreign_of(state.day_totals))
        day = writing.read_day(connection)
        told = (state.business_date, state.day_open)
        if state.business_date and self._is_day_told and (day.business_date, day.open) != told:
            self._differ("day", f"The day is kept as {day}; the journal says {state.business_date}.")
        self._compare_cash()
        work_mode = read_work_mode(connection)
        if state.work_mode not in (work_mode, WorkMode()):
            self._differ("work-mode", f"Kept is {work_mode.work}; the journal says {state.work_mode.work}.")
        drill = read_drill(connection)
        if drill != state.drill and not (self._has_purged and state.drill is None):
            self._differ("drill", f"Kept is {drill}; the journal says {state.drill}.")
        self._compare_customers()
        returned = {(number, line): milli for number, line, milli, _ in QUERIES.all_returned(connection)}
        if not self._purged:  # what came back in purged entries is not kept apart
            self._compare_each("returned", returned, self._returned)

    def _compare_customers(self) -> None:
        """What was last written of each customer who was not forgotten; of a number, that it was given.

        The tables know more than a purged journal.
        """
        kept = customers.all_customers(self._connection)
        gone = customers.forgotten(self._connection)
        folded = {number: last for number, last in self._customers.items() if number not in gone}
        for number in sorted(kept.keys() | folded.keys()):
            here, told = kept.get(number), folded.get(number)
            if here != told and not (told is None and self._has_purged and number not in gone):
                said = "otherwise than the journal says it" if here and told else "on one side only"
                self._differ("customer", f"Customer {number} is kept {said}.")
        for number in sorted(self._numbered - customers.all_numbers(self._connection)):
            self._differ("customer", f"The number {number} was given, and is not kept as given.")

    def _compare_cash(self) -> None:
        """Shifts, moved cash, Z reports; of shifts and reports the tables know more than a purged journal."""
        state, connection = self._state.cash, self._connection
        self._compare_each("drawer", cash.all_sums(connection), state.sums)
        kept: tuple[tuple[str, Mapping[int, Any], Mapping[int, Any]], ...] = (
            ("shift", cash.all_shifts(connection), state.shifts),
            ("z-report", cash.all_z_reports(connection), state.z_reports),
        )
        for code, rows, folded in kept:
            known = folded.keys() if self._has_purged else rows.keys()
            self._compare_each(code, {number: rows[number] for number in known if number in rows}, folded)
        for sentence in (*state.unordered, *(() if self._has_purged else state.untrue)):
            self._differ("z-report" if sentence.startswith("Z") else "shift", sentence)
        open_now, told = writing.read_day(connection).shift, self._state.day.shift
        if self._state.business_date and not self._has_purged and open_now != told:
            self._differ("shift", f"Shift {open_now} is kept as open; the journal says {told}.")

    def _compare_each(self, code: str, kept: Mapping[Any, Any], folded: Mapping[Any, Any]) -> None:
        for key in sorted(kept.keys() | folded.keys()):
            if kept.get(key) != folded.get(key):
                self._differ(code, f"{key} is kept as {kept.get(key)}; the journal says {folded.get(key)}.")


class _Link(NamedTuple):
    """A place in a chain, with count and value of the documents up to there."""

    epoch: EpochId
    series: str
    seq: int
    hash: bytes
    documents: int
    value_minor: int

    def __str__(self) -> str:
        return f"Entry {self.seq} of epoch {self.epoch}"


def _traded(days: Mapping[str, DayTotals]) -> dict[str, DayTotals]:
    """Days without what sums to nothing: a fold has a row for each date that an entry names."""
    found = {date: _without_zeros(day) for date, day in days.items()}
    return {date: day for date, day in found.items() if day != DayTotals()}


def _without_zeros(day: DayTotals) -> DayTotals:
    return msgspec.structs.replace(
        day,
        net_minor={key: value for key, value in day.net_minor.items() if value},
        tax_minor={key: value for key, value in day.tax_minor.items() if value},
        tenders_minor={key: value for key, value in day.tenders_minor.items() if value},
        departments_minor={key: value for key, value in day.departments_minor.items() if value},
    )


def _foreign_of(days: Mapping[str, DayTotals]) -> dict[str, ForeignSum]:
    return sum(days.values(), DayTotals()).foreign_cash
