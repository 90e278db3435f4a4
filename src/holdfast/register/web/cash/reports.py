"""X and Z reports of this register as text, for the screen and for paper (PO5)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from holdfast.core.cash.moves import Moved
from holdfast.core.cash.shift import ShiftClosed
from holdfast.core.cash.sums import NO_SALE, OPENING
from holdfast.core.cash.z_report import DayFigures, ZReport
from holdfast.core.ids import StaffId
from holdfast.core.receipt.report import Line, Report, Section
from holdfast.core.tax import NO_TURNOVER
from holdfast.core.totals import DayTotals
from holdfast.register.checkout.cash import XReport
from holdfast.register.till.cash import ZRow
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.shelf import Shelf

_TENDERS = {
    "card_standalone": "pay.card",
    "cash": "pay.cash",
    "change": "pay.change",
    "credit_memo": "report.credit-memos",
    "gift_card": "report.gift-cards",
    "imported": "pay.paid",
    "on_account": "pay.by.on_account",
    "points": "pay.by.points",
}
_KINDS = {
    "opening": "report.opening",
    "drop": "report.drop",
    "bank": "report.bank",
    "float": "report.float",
    "expense": "report.expense",
    "income": "report.income",
    "over_short": "report.over-short",
}
"""What a report calls them; with how often, where that is said."""
HASH_CHARS_SHOWN = 16


class Books(NamedTuple):
    """What a report is written from, beside its figures."""

    fmt: Formats
    shelf: Shelf
    closed_shift: Callable[[int], ShiftClosed | None]
    """The end of a shift, by its number."""


def staff_name(shelf: Shelf, staff: str) -> str:
    """The person's name, or his number where he is not known here."""
    found = shelf.staff(StaffId(staff)) if staff else None
    return found.name if found else staff or "–"


def x_report(report: XReport, books: Books) -> Report:
    """The day so far, and the open shift's part of it."""
    fmt = books.fmt
    sections = _sections(report.figures, books)
    if report.shift is not None:
        opened, so_far = report.shift.opened, report.shift
        title = say("report.shift", number=opened.shift, name=staff_name(books.shelf, opened.by))
        lines = [*_trade(so_far.totals, fmt), *_cash_lines(so_far.totals, so_far.moved, fmt)]
        sections.append(Section(title, lines))
    sections.append(
        Section(say("report.grand"), [Line(say("report.grand-total"), fmt.money(report.grand_total_minor))])
    )
    return Report(
        title=say("x.title"),
        lead=say("x.lead", at=fmt.date_time(report.at_ms)),
        facts=_facts(report.figures, fmt),
        sections=sections,
    )


def z_report(row: ZRow, books: Books) -> Report:
    """A day that was closed."""
    fmt, report = books.fmt, row.report
    sections = _sections(_figures_of(report), books)
    for number in report.shifts:
        closed = books.closed_shift(number)
        if closed is not None:
            sections.append(_shift_section(closed, books))
    grand = [
        Line(say("report.grand-total"), fmt.money(report.grand_total_minor)),
        Line(say("report.grand-returned"), fmt.money(report.grand_returned_minor)),
    ]
    sections.append(Section(say("report.grand"), grand))
    return Report(
        title=say("z.title", number=report.number),
        lead="",
        facts=[
            *_facts(_figures_of(report), fmt),
            (say("report.at"), fmt.date_time(row.at_ms)),
            (say("report.by"), staff_name(books.shelf, report.by)),
            *_head(report),
        ],
        sections=sections,
    )


def _figures_of(report: ZReport) -> DayFigures:
    return DayFigures(
        business_date=report.business_date,
        currency=report.currency,
        totals=report.totals,
        moved=report.moved,
        drawer_minor=report.drawer_minor,
        shifts=report.shifts,
        first_document=report.first_document,
        last_document=report.last_document,
    )


def _head(report: ZReport) -> list[tuple[str, str]]:
    head = report.head
    if head is None:
        return []
    text = say("report.head.text", seq=head.seq, epoch=head.epoch, hash=head.hash.hex()[:HASH_CHARS_SHOWN])
    return [(say("report.head"), text)]


def _facts(figures: DayFigures, fmt: Formats) -> list[tuple[str, str]]:
    none = say("report.no-documents")
    return [
        (say("report.date"), fmt.date(figures.business_date)),
        (say("report.first"), figures.first_document or none),
        (say("report.last"), figures.last_document or none),
    ]


def _sections(figures: DayFigures, books: Books) -> list[Section]:
    fmt, totals = books.fmt, figures.totals
    taxes = books.shelf.tax_names()
    cash = _cash_lines(totals, figures.moved, fmt)
    for code, minor in figures.drawer_minor.items():
        is_home = code == figures.currency
        name = say("report.held") if is_home else say("report.held.in", currency=code)
        cash.append(Line(name, fmt.foreign_of(minor, code), is_home))
    found = [
        Section(
            say("report.trade"), [*_trade(totals, fmt), Line(say("report.voids"), fmt.count(totals.voids))]
        ),
        Section(say("report.tenders"), _tenders(totals, fmt)),
        Section(say("report.taxes"), _taxes(totals, taxes, fmt)),
        Section(say("report.departments"), _departments(totals, fmt)),
        Section(say("report.cash"), cash),
    ]
    return [section for section in found if section.lines]


def _trade(totals: DayTotals, fmt: Formats) -> list[Line]:
    lines = [
        Line(say("report.sales", count=fmt.count(totals.sales)), fmt.money(totals.sold_minor)),
        Line(say("report.returns", count=fmt.count(totals.returns)), fmt.money(-totals.returned_minor)),
        Line(say("report.total"), fmt.money(totals.total_minor), True),
    ]
    if totals.value_minor:
        lines.append(Line(say("report.value"), fmt.money(totals.value_minor)))
        lines.append(Line(say("report.turnover"), fmt.money(totals.total_minor - totals.value_minor)))
    if totals.rounding_minor:
        lines.append(Line(say("report.rounding"), fmt.money(totals.rounding_minor)))
    return lines


def _tenders(totals: DayTotals, fmt: Formats) -> list[Line]:
    lines = [
        Line(say(_TENDERS[kind]) if kind in _TENDERS else kind.capitalize(), fmt.money(minor))
        for kind, minor in sorted(totals.tenders_minor.items())
        if kind != "foreign_cash"
    ]
    for code, taken in sorted(totals.foreign_cash.items()):
        lines.append(Line(f"{fmt.foreign_of(taken.foreign_minor, code)}", fmt.money(taken.amount_minor)))
    return lines


def _taxes(totals: DayTotals, names: Mapping[str, str], fmt: Formats) -> list[Line]:
    lines: list[Line] = []
    for code in sorted((totals.tax_minor.keys() | totals.net_minor.keys()) - {NO_TURNOVER.code}):
        name = f"{names[code]} ({code})" if code in names else code
        lines.append(Line(say("report.net", tax=name), fmt.money(totals.net_minor.get(code, 0))))
        lines.append(Line(say("report.tax", tax=name), fmt.money(totals.tax_minor.get(code, 0))))
    return lines


def _departments(totals: DayTotals, fmt: Formats) -> list[Line]:
    return [
        Line(name or say("report.no-department"), fmt.money(minor))
        for name, minor in sorted(totals.departments_minor.items())
    ]


def _cash_lines(totals: DayTotals, moved: tuple[Moved, ...], fmt: Formats) -> list[Line]:
    lines = [Line(say("report.sold-cash"), fmt.money(totals.drawer_minor))]
    for each in moved:
        if each.kind == NO_SALE:
            lines.append(Line(say("report.no-sale"), fmt.count(each.times)))
        elif each.kind in _KINDS and (each.amount_minor or each.kind != OPENING):
            name = say(_KINDS[each.kind], count=fmt.count(each.times))
            lines.append(Line(name, fmt.foreign_of(each.amount_minor, each.currency)))
    return lines


def _shift_section(closed: ShiftClosed, books: Books) -> Section:
    fmt = books.fmt
    title = say("report.shift", number=closed.shift, name=staff_name(books.shelf, closed.opened_by))
    lines = _trade(closed.totals, fmt)
    for row in differences(closed, fmt):
        lines.append(Line(f"{say('counted.expected')}, {row['currency']}", row["expected"]))
        lines.append(Line(f"{say('counted.counted')}, {row['currency']}", row["counted"]))
        lines.append(Line(f"{row['what']}, {row['currency']}", row["difference"]))
    return Section(title, lines)


def differences(closed: ShiftClosed, fmt: Formats) -> list[dict[str, str]]:
    """Expected, counted and the difference, by currency."""
    return [
        {
            "currency": each.currency,
            "expected": fmt.foreign_of(each.expected_minor, each.currency),
            "counted": say("counted.uncounted")
            if each.counted_minor is None
            else fmt.foreign_of(each.counted_minor, each.currency),
            "what": verdict(each.over_short_minor),
            "difference": fmt.foreign_of(abs(each.over_short_minor), each.currency),
        }
        for each in closed.declared
    ]


def verdict(over_short_minor: int) -> str:
    """Over, short, or right."""
    if not over_short_minor:
        return say("counted.exact")
    return say("counted.over" if over_short_minor > 0 else "counted.short")
