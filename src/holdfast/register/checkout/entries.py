"""Entries that no basket makes: documents of history, adjustments, commands, epochs; and purging them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from holdfast.core import business_day
from holdfast.core.faults import DamagedFault, MalformedFault, StorageFullFault, TooLargeFault
from holdfast.core.ids import DocumentNumber, EpochId
from holdfast.core.journal.bodies import DOCUMENT_TYPES
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Written
from holdfast.core.refusals import Refusal
from holdfast.register.checkout.answers import AlreadyRecorded
from holdfast.register.checkout.reading import Reading
from holdfast.register.till import history, purging, writing
from holdfast.register.till.database import QUERIES
from holdfast.register.till.purging import Purged
from holdfast.register.till.writing import Document

T = TypeVar("T")

PURGED_AT_ONCE = 2_500
"""About 80 ms of a purge: then what else waits to be done comes first."""
_PURGE_PAUSE_S = 0.001
"""Between two parts of a purge, so that a sale that waits goes first."""

_DISK_FULL = Refusal(
    "storage.full", "This register's disk is full, so nothing new can begin. Make room on it, then try again."
)
_TOO_LARGE = Refusal("document.too-large", "This document is too large for one entry. Split it into several.")


class Entries(Reading):
    """Each method but `purge` is one durable transaction."""

    def record(
        self, type: str, make: Callable[[DocumentNumber], Document | Refusal], *, reference: str | None
    ) -> Document | Refusal | AlreadyRecorded:
        """Journal a document that no basket made: history taken over, an adjustment of stock.

        `reference`: its number in another system, or the id of the list that it was written from. Known here
        for this type, it is no operation (P2).
        `make` is a function of the number alone.
        """
        assert type in DOCUMENT_TYPES, "record takes documents; append takes other entries"

        def work() -> Document | Refusal | AlreadyRecorded:
            known = self._known(type, reference)
            if known is not None:
                return known
            date = business_day.trading_date(self._till.day())
            if isinstance(date, Refusal):
                return date
            at = self._till.place()
            body = make(at.head.next_document(self.config.series))
            if not isinstance(body, Refusal):
                written = self._till.append(at, type, 1, body, self._till.stamp(date))
                self._remember(at.n, written, type, reference)
            return body

        try:
            return self._unless_full(work)
        except TooLargeFault:
            return _TOO_LARGE

    def _known(self, type: str, reference: str | None) -> AlreadyRecorded | None:
        if reference is None:
            return None
        number = history.recorded(self._till.connection, type, reference)
        return None if number is None else AlreadyRecorded(type=type, reference=reference, document=number)

    def _remember(self, n: int, written: Written, type: str, reference: str | None) -> None:
        if reference is not None:
            QUERIES.add_reference(
                self._till.connection,
                type=type,
                reference=reference,
                document=writing.document_row(n, written),
            )

    def append(self, type: str, version: int, body: msgspec.Struct) -> Written:
        """Journal an entry that is no document: a command done, a change of connection, a rotated key."""
        assert type not in DOCUMENT_TYPES, "documents are numbered: use conclude or record"
        till = self._till
        return till.transact(lambda: till.append(till.place(), type, version, body, till.stamp()))

    def open_new_epoch(self, why: OpenEpoch, *, instead_of: EpochId | None = None) -> Written | None:
        """Go on in a new epoch, numbering in a segment of its own; nothing of the former one is closed.

        `instead_of`: only while this is the open epoch, so that asking twice opens one; else None.
        """

        def work() -> Written | None:
            if instead_of is not None and self._till.place().head.epoch != instead_of:
                return None
            return self._till.open_epoch(why)

        return self._till.transact(work, finishing=True)

    def purge(self, through: Mapping[EpochId, int]) -> int:
        """Delete the bytes of entries up to these seqs, which head office holds *safe*; how many.

        Hashes stay, and so does what cannot be read. In transactions of bounded size, so that a sale never
        waits long.
        """
        purged = 0
        for _ in range(sum(through.values()) + 1):
            part = self.purge_part(through)
            purged += part.entries
            if part.next_seq is None:
                break
        return purged

    def purge_part(self, through: Mapping[EpochId, int]) -> Purged:
        """Some thousand entries of a purge; call it again until nothing is left (`next_seq` is None)."""
        entries = passed_over = 0
        for epoch, through_seq in through.items():
            seq: int | None = 1
            while seq is not None:
                part = self._purge_from(epoch, through_seq, seq)
                entries, passed_over, seq = (
                    entries + part.entries,
                    passed_over + part.passed_over,
                    part.next_seq,
                )
                if entries >= PURGED_AT_ONCE:
                    return Purged(entries, passed_over, seq or 1)
                time.sleep(_PURGE_PAUSE_S)
        return Purged(entries, passed_over, None)

    def _purge_from(self, epoch: EpochId, through_seq: int, seq: int) -> Purged:
        till = self._till
        try:
            return till.transact(
                lambda: purging.purge_some(till.connection, epoch, through_seq, seq),
                finishing=True,
                passing_over=True,
            )
        except (DamagedFault, MalformedFault):
            pass  # one of them cannot be read or decoded: see which
        with till.reading() as connection:
            found = purging.look_around(connection, epoch, through_seq, seq)
        purged = self._purge_rows(found.rows)
        return Purged(purged, found.passed_over + len(found.rows) - purged, found.next_seq)

    def _purge_rows(self, rows: Sequence[purging.Row]) -> int:
        """By halves, down to the one whose neighbour on the disk is damaged."""
        if not rows:
            return 0
        try:
            return self._till.transact(
                lambda: purging.purge_rows(self._till.connection, rows), finishing=True, passing_over=True
            )
        except DamagedFault:
            if len(rows) == 1:
                return 0
        middle = len(rows) // 2
        return self._purge_rows(rows[:middle]) + self._purge_rows(rows[middle:])

    def tidy(self) -> None:
        """Between sales, every few seconds: checkpoint, reserve, mark. A sale meanwhile goes first."""
        self._till.tidy()

    def _unless_full(self, work: Callable[[], T]) -> T | Refusal:
        """Something new: refused while the disk has no room beside what finishing a sale needs."""
        if not self._till.has_room:
            return _DISK_FULL
        try:
            return self._till.transact(work)
        except StorageFullFault:
            return _DISK_FULL
