"""The list of sales with its filters, and one sale's page."""

import datetime

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath

from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.sales.documents import PAGE_ROWS, TYPES, Documents, Filter
from holdfast.hq.web.services import Given
from holdfast.infra.web import HttpProblem

_OFFSET_MAX = 100_000
_TEXT_CHARS_MAX = 80


@get("/sales", include_in_schema=False)
async def show_sales(request: WebRequest, services: Given) -> Response[str]:
    typed, wanted, error = _filter(request)
    rows = [] if error else await services.pages.run(Documents(services.pool).find, wanted)
    summed = not error and _whole_days(wanted)
    sums = await services.pages.run(Documents(services.pool).sums, wanted) if summed else []
    foreign_cash = await services.pages.run(Documents(services.pool).foreign_cash, wanted) if summed else []
    values = {
        "rows": rows[:PAGE_ROWS],
        "more": len(rows) > PAGE_ROWS,
        "sums": sums,
        "foreign_cash": foreign_cash,
        "typed": typed,
        "error": error,
        "filtered": any(typed.values()),
        "offset": wanted.offset,
        "next_offset": wanted.offset + PAGE_ROWS,
        "previous_offset": max(0, wanted.offset - PAGE_ROWS),
    }
    if request.headers.get("HX-Target") == "sales":
        return fragment(services, "sales/table.html", **values)
    choices = await services.pages.run(Documents(services.pool).choices)
    return await page(request, services, "sales/sales.html", "/sales", choices=choices, types=TYPES, **values)


@get("/sales/{chain:int}/{seq:int}", include_in_schema=False)
async def show_sale(
    request: WebRequest, services: Given, chain: FromPath[int], seq: FromPath[int]
) -> Response[str]:
    whole = None
    if 0 < chain < 1 << 31 and 0 < seq < 1 << 53:
        whole = await services.pages.run(Documents(services.pool).whole, chain, seq)
    if whole is None:
        raise HttpProblem(404, "sale.unknown", "Head office has no such document.")
    return await page(request, services, "sales/sale.html", "/sales", **msgspec.structs.asdict(whole))


routes = Router("/", route_handlers=[show_sales, show_sale], before_request=require_session)


def _filter(request: WebRequest) -> tuple[dict[str, str], Filter, str]:
    """What was typed, what it means, and what is wrong with it."""
    names = ("from", "to", "register", "number", "type")
    typed = {name: request.query_params.get(name, "").strip()[:_TEXT_CHARS_MAX] for name in names}
    typed = {name: text.replace("\x00", "") for name, text in typed.items()}
    offset = request.query_params.get("offset", "0")
    try:
        wanted = Filter(
            date_from=_date(typed["from"]),
            date_to=_date(typed["to"]),
            origin=typed["register"] or None,
            number=typed["number"] or None,
            type=typed["type"] or None,
            offset=min(_OFFSET_MAX, int(offset)) if offset.isdecimal() and len(offset) < 9 else 0,
        )
    except ValueError:
        return typed, Filter(), "A date is written as 2026-11-22."
    if wanted.date_from and wanted.date_to and wanted.date_from > wanted.date_to:
        return typed, Filter(), "The first date is after the last one."
    return typed, wanted, ""


def _date(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def _whole_days(wanted: Filter) -> bool:
    """Sums come from day counts, which know neither number nor type."""
    return not wanted.number and not wanted.type
