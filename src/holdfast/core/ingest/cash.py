"""Rows of shifts, moved cash and Z reports (PO5)."""

from typing import Any

import msgspec

from holdfast.core.cash.moves import CashMoved, DrawerOpened
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.sums import NO_SALE
from holdfast.core.cash.z_report import ZReport
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import Row, Rows
from holdfast.core.journal.entry import Entry, Unprojectable

CASH_BODIES = (ShiftOpened, ShiftClosed, CashMoved, DrawerOpened, ZReport)
CashBody = ShiftOpened | ShiftClosed | CashMoved | DrawerOpened | ZReport
INT64_MAX = (1 << 63) - 1


def cash_problem(entry: Entry, body: msgspec.Struct) -> Unprojectable | None:
    """Why a body of cash can make no rows; None: it can, or it is none."""
    if isinstance(body, ShiftClosed):
        for each in body.declared:
            counted = each.expected_minor if each.counted_minor is None else each.counted_minor
            if each.over_short_minor != counted - each.expected_minor:
                return Unprojectable(
                    "totals", f"counted less expected is not over or short in {each.currency}"
                )
    if isinstance(body, ShiftOpened | ShiftClosed | ZReport) and body.business_date != entry.date:
        return Unprojectable("invalid-date", "the report is of another day than its entry")
    if isinstance(body, ZReport):
        taxes = sum(body.totals.tax_minor.values())
        if abs(taxes) > INT64_MAX or abs(body.over_short_minor) > INT64_MAX:
            return Unprojectable("out-of-range", "a sum of the report is beyond 64 bits")
    return None


def project_cash(rows: Rows, chain: int, entry: Entry, body: CashBody, origin: OriginFacts) -> None:
    """Adds the rows of one entry. The body was validated."""
    place = (chain, entry.seq, origin.origin, origin.store, entry.date, entry.at_ms)
    if isinstance(body, ShiftOpened):
        row = (body.shift, body.currency, body.float_minor, body.left_minor, body.by)
        rows.appended["shift_opened"].append((*place, *row))
    elif isinstance(body, ShiftClosed):
        rows.appended["shift_declared"] += [
            (
                *place,
                *(body.shift, each.currency, each.expected_minor, each.counted_minor),
                *(each.over_short_minor, body.opened_by, body.by),
            )
            for each in body.declared
        ]
    elif isinstance(body, ZReport):
        rows.appended["z_report"].append((*place, *_z_row(body)))
    else:
        rows.appended["cash_movement"].append((*place, *_movement(body, origin)))


def _movement(body: CashMoved | DrawerOpened, origin: OriginFacts) -> Row:
    people = (body.by, body.approved_by)
    if isinstance(body, DrawerOpened):
        return (body.shift, NO_SALE, origin.currency, 0, body.reason, "", *people)
    moved = (body.kind, body.currency, body.amount_minor, body.reason, body.reference)
    return (body.shift, *moved, *people)


def _z_row(body: ZReport) -> tuple[Any, ...]:
    totals = body.totals
    return (
        *(body.number, body.currency, totals.sales, totals.returns, totals.total_minor),
        *(sum(totals.tax_minor.values()), totals.returned_minor),
        *(body.grand_total_minor, body.over_short_minor, msgspec.json.encode(body).decode()),
    )
