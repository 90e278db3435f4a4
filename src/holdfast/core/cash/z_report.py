"""The Z report: what a business day came to, written once at its end, and numbered (PO5).

It is an entry of the journal, just before the one that closes the day, and names the head of the chain before
it. Its number and its grand totals go on through new epochs of the register; neither ever falls.
"""

from typing import Annotated

import msgspec

from holdfast.core.bounds import Int64
from holdfast.core.cash.moves import Moved
from holdfast.core.ids import DocumentNumber, EpochId, StaffId
from holdfast.core.totals import DayTotals

Positive = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


class ChainPlace(msgspec.Struct, frozen=True):
    """An entry, by its place and its hash."""

    epoch: EpochId
    seq: int
    hash: bytes


class Counters(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What goes on from one report to the next, through restores too."""

    z: int = 0
    """Number of the last Z report."""
    shift: int = 0
    """Number of the last shift."""
    grand_total_minor: int = 0
    grand_returned_minor: int = 0

    def highest(self, other: "Counters") -> "Counters":
        """Of two memories of one register the later, figure by figure: nothing is numbered twice."""
        return Counters(
            z=max(self.z, other.z),
            shift=max(self.shift, other.shift),
            grand_total_minor=max(self.grand_total_minor, other.grand_total_minor),
            grand_returned_minor=max(self.grand_returned_minor, other.grand_returned_minor),
        )


class ZReport(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `z_report`, version 1."""

    number: Positive
    """At this register, from 1."""
    business_date: str
    currency: str
    totals: DayTotals
    """Of the documents since the Z report before."""
    grand_total_minor: Int64
    """All that was ever sold at this register; what came back is not taken off, so it never falls."""
    grand_returned_minor: Int64 = 0
    """All that ever came back, as a positive sum."""
    moved: tuple[Moved, ...] = ()
    """Cash that moved without a sale, of the same time."""
    drawer_minor: dict[str, Int64] = {}
    """What the drawer must hold at the end, by currency."""
    shifts: tuple[int, ...] = ()
    first_document: DocumentNumber | None = None
    """None where nothing was sold."""
    last_document: DocumentNumber | None = None
    head: ChainPlace | None = None
    """The entry before this one."""
    since: ChainPlace | None = None
    """The Z report before; None: this is the first, or that one is not known any more."""
    by: StaffId = StaffId("")

    @property
    def over_short_minor(self) -> int:
        """Home cash, counted less expected, over all shifts."""
        return sum(
            each.amount_minor
            for each in self.moved
            if each.kind == "over_short" and each.currency == self.currency
        )

    @property
    def counters(self) -> Counters:
        return Counters(
            z=self.number,
            grand_total_minor=self.grand_total_minor,
            grand_returned_minor=self.grand_returned_minor,
        )


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What happened since the Z report before: what an X report shows, and the next Z report will say."""

    business_date: str
    currency: str
    totals: DayTotals
    moved: tuple[Moved, ...]
    drawer_minor: dict[str, int]
    shifts: tuple[int, ...] = ()
    first_document: DocumentNumber | None = None
    last_document: DocumentNumber | None = None


def z_report(
    figures: DayFigures, before: Counters, head: ChainPlace, since: ChainPlace | None, *, by: StaffId
) -> ZReport:
    """The report that ends these figures. `before`: the highest that is known of the reports before."""
    assert figures.totals.sold_minor >= 0, "what was sold only grows"
    assert figures.totals.returned_minor >= 0, "so does what came back"
    return ZReport(
        number=before.z + 1,
        business_date=figures.business_date,
        currency=figures.currency,
        totals=figures.totals,
        grand_total_minor=before.grand_total_minor + figures.totals.sold_minor,
        grand_returned_minor=before.grand_returned_minor + figures.totals.returned_minor,
        moved=figures.moved,
        drawer_minor=figures.drawer_minor,
        shifts=figures.shifts,
        first_document=figures.first_document,
        last_document=figures.last_document,
        head=head,
        since=since,
        by=by,
    )


def is_later(report: ZReport, before: Counters) -> bool:
    """Whether a report may follow the counters of those before it: a higher number, and nothing fell."""
    return (
        report.number > before.z
        and report.grand_total_minor >= before.grand_total_minor
        and report.grand_returned_minor >= before.grand_returned_minor
    )
