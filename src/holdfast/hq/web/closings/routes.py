"""The page of day closings by date and store, and one Z report (PO5)."""

import datetime
from typing import Any, NamedTuple

from litestar import Response, Router, get
from litestar.params import FromPath

from holdfast.core.cash.z_report import ZReport
from holdfast.hq.closings import ROWS_MAX, Closings
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import Services
from holdfast.infra.web import HttpProblem

_DAY = datetime.timedelta(days=1)
_STORE_CHARS_MAX = 64
TENDERS = {
    "cash": "Cash",
    "change": "Change",
    "foreign_cash": "Foreign cash",
    "card_standalone": "Card, standalone terminal",
    "credit_memo": "Credit memo",
    "gift_card": "Gift card",
    "on_account": "On account",
    "points": "Points",
    "imported": "Paid elsewhere",
}
MOVES = {
    "opening": "Float put in",
    "drop": "To the safe",
    "bank": "To the bank",
    "float": "Change put in",
    "expense": "Petty expense",
    "income": "Petty income",
    "over_short": "Over or short",
    "no_sale": "Drawer opened without a sale",
}


class Asked(NamedTuple):
    """Which date and store; `error` where what was typed is no date."""

    date: datetime.date | None
    store: str | None
    error: str = ""


@get("/closings", include_in_schema=False)
async def show_closings(request: WebRequest, services: Given) -> Response[str]:
    asked = await _asked(request, services)
    values = await _found(services, asked)
    if request.headers.get("HX-Target") == "closings":
        return fragment(services, "closings/table.html", **values)
    stores = await services.pages.run(Closings(services.pool).stores)
    return await page(request, services, "closings/closings.html", "/closings", stores=stores, **values)


@get("/closings/{chain:int}/{seq:int}", include_in_schema=False)
async def show_report(
    request: WebRequest, services: Given, chain: FromPath[int], seq: FromPath[int]
) -> Response[str]:
    found = None
    if 0 < chain < 1 << 31 and 0 < seq < 1 << 53:
        found = await services.pages.run(Closings(services.pool).report, chain, seq)
    if found is None:
        raise HttpProblem(404, "z-report.unknown", "Head office has no such Z report.")
    return await page(
        request,
        services,
        "closings/report.html",
        "/closings",
        found=found,
        z=found.report,
        tenders=_tenders(found.report),
        taxes=_taxes(found.report),
        moves=MOVES,
    )


routes = Router("/", route_handlers=[show_closings, show_report], before_request=require_session)


async def _asked(request: WebRequest, services: Services) -> Asked:
    typed = request.query_params.get("date", "").strip()
    store = request.query_params.get("store", "").strip()[:_STORE_CHARS_MAX].replace("\x00", "") or None
    try:
        date = datetime.date.fromisoformat(typed) if typed else None
    except ValueError:
        return Asked(None, store, "A date is written as 2026-11-22.")
    if date is None:
        latest = await services.pages.run(Closings(services.pool).latest_date)
        date = datetime.date.fromisoformat(latest) if latest else None
    return Asked(date, store)


async def _found(services: Services, asked: Asked) -> dict[str, Any]:
    """What the list shows."""
    values: dict[str, Any] = {
        "date": "" if asked.date is None else asked.date.isoformat(),
        "store": asked.store or "",
        "error": asked.error,
        "counts": None,
        "rows": (),
        "rows_max": ROWS_MAX,
        "before": None,
        "after": None,
    }
    if asked.date is None:
        return values
    counts, rows = await services.pages.run(Closings(services.pool).of, asked.date, asked.store)
    values |= {"counts": counts, "rows": rows}
    if asked.date > datetime.date.min:
        values["before"] = (asked.date - _DAY).isoformat()
    if asked.date < datetime.date.max:
        values["after"] = (asked.date + _DAY).isoformat()
    return values


def _tenders(report: ZReport) -> list[tuple[str, int]]:
    return [
        (TENDERS.get(kind, kind.capitalize()), minor)
        for kind, minor in sorted(report.totals.tenders_minor.items())
    ]


def _taxes(report: ZReport) -> list[tuple[str, int, int]]:
    """Code, net and tax; a code without any tax has its net all the same."""
    net, tax = report.totals.net_minor, report.totals.tax_minor
    return [(code, net.get(code, 0), tax.get(code, 0)) for code in sorted(net.keys() | tax.keys())]
