"""After a session: paper, till and head office agree to the cent (PO5)."""

from collections import Counter
from typing import Any

import psycopg

from holdfast.core.drill import DrillEnded, DrillStarted
from holdfast.core.totals import DayTotals
from holdfast.infra.queries import Engine, load_queries
from holdfast.register.verify import verify_register
from tests.sessions.pencil import Pencil
from tests.sessions.shop import Shop

_drills = load_queries("holdfast.hq.web.readiness", "drills.sql", Engine.POSTGRES)


def totals_of(totals: DayTotals) -> dict[str, object]:
    """As `Day.totals` has them."""

    def some(sums: dict[str, int]) -> dict[str, int]:
        return {key: value for key, value in sums.items() if value}

    return {
        "sales": totals.sales,
        "returns": totals.returns,
        "voids": totals.voids,
        "total": totals.total_minor,
        "rounding": totals.rounding_minor,
        "returned": totals.returned_minor,
        "drawer": totals.drawer_minor,
        "net": some(totals.net_minor),
        "tax": some(totals.tax_minor),
        "departments": some(totals.departments_minor),
        "tenders": some(totals.tenders_minor),
        "foreign": some({code: taken.foreign_minor for code, taken in totals.foreign_cash.items()}),
    }


def same(what: str, found: object, should: object) -> None:
    assert found == should, f"{what}:\n{found}\nand paper says\n{should}"


def audit_till(shop: Shop, pencil: Pencil) -> None:
    """Its own documents and Z reports, and its projections against a fresh fold."""
    checkout = shop.checkout
    listed = [row for row in checkout.documents(1_000) if row.type in ("sale", "return")]
    rows = {row.document: row.total_minor for row in listed}
    same("documents of the till", rows, {paper.number: paper.total for paper in pencil.papers.values()})
    customers = {row.document: checkout.document(row.document) for row in listed}
    same(
        "customers of documents",
        {number: sale and (sale.customer or "") for number, sale in customers.items()},
        {paper.number: paper.customer for paper in pencil.papers.values()},
    )
    drills = [_drill(*both) for both in shop.ended_drills()]
    for found, should in zip(drills, pencil.drills, strict=False):
        if shop.wire:  # paper keeps no count of what a drill said no to where there is central value
            assert found["refused"] >= should["refused"], found
            found["refused"] = should["refused"]
    same("drills", drills, pencil.drills)
    reports = [row.report for row in reversed(checkout.z_reports(1_000))]
    same("numbers of Z reports", [report.number for report in reports], list(range(1, len(reports) + 1)))
    said = [(report.business_date, totals_of(report.totals)) for report in reports]
    same("Z reports", said, pencil.closed)
    grand = [report.grand_total_minor for report in reports]
    assert grand == sorted(grand), "a grand total fell"
    if grand and not pencil.is_open:
        same("grand total", grand[-1], pencil.grand)
    _ends(reports, pencil)
    shop.close()
    differences = verify_register(shop.home).differences
    assert differences == (), differences


def _drill(started: DrillStarted, ended: DrillEnded) -> dict[str, Any]:
    """As `Pencil.drills` has it."""
    return {
        "begun by": started.by,
        "cause": ended.cause,
        "by": ended.by,
        "documents": ended.documents,
        "value": ended.value_minor,
        "refused": sum(one.times for one in ended.refused),
    }


def _ends(reports: list[Any], pencil: Pencil) -> None:
    """First and last numbers of each Z report go on where the one before ended."""
    before = 0
    for report, last in zip(reports, pencil.numbers, strict=True):
        ends = (before + 1, last) if last > before else (None, None)
        found = tuple(number and int(number[-6:]) for number in (report.first_document, report.last_document))
        same("first and last number", found, ends)
        before = last


def audit_office(dsn: str, origin: str, pencil: Pencil, series: str) -> None:
    """What head office has of this register."""
    with psycopg.connect(dsn) as conn:

        def rows(text: str) -> list[Any]:
            return conn.execute(text.encode(), [origin]).fetchall()

        papers = pencil.papers.values()
        documents = rows(
            "select number, type, business_date::text, total_minor, rounding_minor, coalesce(customer, '')"
            " from document where origin = %s and type in ('sale', 'return')"
        )
        should = [(one.number, one.kind, one.date, one.total, one.rounding, one.customer) for one in papers]
        same("documents at head office", sorted(documents), sorted(should))
        places = rows(
            "select number, chain, seq from document where origin = %s and type in ('sale', 'return')"
        )
        chains, seqs = [row[1] for row in places], [row[2] for row in places]
        found = {tuple(row) for row in _drills.in_drills(conn, chains=chains, seqs=seqs)}
        practised = {number for number, *place in places if tuple(place) in found}
        same("made in drills", practised, {paper.number for paper in papers if paper.in_drill})
        tenders: Counter[str] = Counter()
        for paper in papers:
            tenders.update({"cash": paper.cash, "change": paper.change})
            tenders["foreign_cash"] += sum(worth for _, _, worth in paper.foreign)
            tenders["card_standalone"] += paper.by_card
            tenders.update(paper.by_value)
        found = rows(
            "select t.kind, sum(t.amount_minor)::bigint from document_tender t"
            " join document d using (chain, seq) where d.origin = %s"
            " group by 1 having sum(t.amount_minor) <> 0"
        )
        same("tenders at head office", dict(found), {kind: minor for kind, minor in tenders.items() if minor})
        stock = rows(
            "select l.sku, sum(l.stock_milli)::bigint from document_line l join document d using (chain, seq)"
            " where d.origin = %s group by 1 having sum(l.stock_milli) <> 0"
        )
        held = {sku: milli for sku, milli in pencil.stock.items() if milli}
        same("stock at head office", dict(stock), held)
        by_day: dict[str, list[int]] = {}
        for paper in papers:
            sums = by_day.setdefault(paper.date, [0, 0, 0, 0])
            tax = sum(of_it for _, of_it in paper.tax.values())
            for at, value in enumerate((1, paper.total, tax, paper.cash + paper.change)):
                sums[at] += value
        for date, lists in pencil.stockroom.lists.items():
            by_day.setdefault(date, [0, 0, 0, 0])[0] += lists
        days = rows(
            "select business_date::text, documents, total_minor, tax_minor, cash_minor from register_day"
            " where origin = %s and documents <> 0"
        )
        same("days at head office", {day[0]: list(day[1:]) for day in days}, by_day)
        moved = rows(
            "select kind, currency, sum(amount_minor)::bigint from cash_movement"
            " where origin = %s and kind <> 'no_sale' group by 1, 2"
        )
        same("cash moved", {(kind, code): minor for kind, code, minor in moved}, dict(pencil.moved))
        assert not rows("select 1 from quarantine q join chain c using (chain) where c.origin = %s")


def audit_closings(dsn: str, origin: str, pencil: Pencil) -> None:
    """Each Z report is confirmed by head office's own sums."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "select business_date::text, result, detail from day_check where origin = %s", [origin]
        ).fetchall()
    results = {date: (result, detail) for date, result, detail in rows}
    open_again = {pencil.date} if pencil.is_open and (pencil.day.papers or pencil.day.lists) else set[str]()
    closed = {date for date, _ in pencil.closed}
    for date in sorted(closed):
        should = ("open",) if date in open_again else ("equal",)
        assert results.get(date, ("none", ""))[0] in should, f"{date}: {results.get(date)}"
