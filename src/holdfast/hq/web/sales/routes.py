"""The list of sales with its filters, and one sale's page."""

import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath

from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.readiness.drills import made_in_drills
from holdfast.hq.web.sales.documents import CALLED_MAX, TYPES, Documents, Filter, Place
from holdfast.hq.web.services import Services
from holdfast.infra.web import HttpProblem

_TEXT_CHARS_MAX = 80
_FIELDS = ("from", "to", "register", "number", "type")


class Asked(NamedTuple):
    """What was typed, what it means, and what is wrong with it."""

    typed: dict[str, str]
    wanted: Filter
    error: str = ""


@get("/sales", include_in_schema=False)
async def show_sales(request: WebRequest, services: Given) -> Response[str]:
    asked = await _asked(request, services)
    values = await _found(services, asked)
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
    in_drill = bool(await services.pages.run(made_in_drills, services.pool, [(chain, seq)]))
    values = msgspec.structs.asdict(whole) | {"in_drill": in_drill}
    return await page(request, services, "sales/sale.html", "/sales", **values)


routes = Router("/", route_handlers=[show_sales, show_sale], before_request=require_session)


async def _found(services: Services, asked: Asked) -> dict[str, Any]:
    """What the list shows."""
    typed, wanted, error = asked
    documents = Documents(services.pool)
    values: dict[str, Any] = {
        "typed": typed, "error": error, "filtered": any(typed.values()), "rows": (), "is_newest": True,
        "newest": _link(typed), "newer": None, "older": None,
        "sums": (), "foreign_cash": (), "summed_date": None, "drilled": frozenset(),
    }  # fmt: skip
    if error:
        return values
    found = await services.pages.run(documents.find, wanted)
    values |= {"rows": found.rows, "is_newest": found.is_newest}
    places = [(row.chain, row.seq) for row in found.rows]
    values["drilled"] = await services.pages.run(made_in_drills, services.pool, places)
    if found.rows and not found.is_newest:
        values["newer"] = _link(typed, newer=found.rows[0].place)
    if found.has_older:
        values["older"] = _link(typed, older=found.rows[-1].place)
    if found.rows and not wanted.number and not wanted.type:  # day counts know neither
        values |= await _sums(services, wanted)
    return values


async def _sums(services: Services, wanted: Filter) -> dict[str, Any]:
    """What the selection came to; without any limit to it, what the last business date did: all of years is
    no figure that anybody waits for."""
    documents, summed_date = Documents(services.pool), None
    if wanted.date_from is None and wanted.date_to is None and wanted.origins is None:
        summed_date = await services.pages.run(documents.latest_date)
        if summed_date is not None:
            date = datetime.date.fromisoformat(summed_date)
            wanted = msgspec.structs.replace(wanted, date_from=date, date_to=date)
    return {
        "sums": await services.pages.run(documents.sums, wanted),
        "foreign_cash": await services.pages.run(documents.foreign_cash, wanted),
        "summed_date": summed_date,
    }


def _link(typed: dict[str, str], **place: Place) -> str:
    """The address of another page of the same selection."""
    given = {name: text for name, text in typed.items() if text}
    query = urlencode(given | {way: str(at) for way, at in place.items()})
    return f"/sales?{query}" if query else "/sales"


# ---- what was asked for


async def _asked(request: WebRequest, services: Services) -> Asked:
    typed = {name: request.query_params.get(name, "").strip()[:_TEXT_CHARS_MAX] for name in _FIELDS}
    typed = {name: text.replace("\x00", "") for name, text in typed.items()}
    try:
        wanted = Filter(
            date_from=_date(typed["from"]),
            date_to=_date(typed["to"]),
            number=typed["number"] or None,
            type=typed["type"] or None,
            older=Place.read(request.query_params.get("older", "")),
            newer=Place.read(request.query_params.get("newer", "")),
        )
    except ValueError:
        return Asked(typed, Filter(), "A date is written as 2026-11-22.")
    if wanted.date_from and wanted.date_to and wanted.date_from > wanted.date_to:
        return Asked(typed, Filter(), "The first date is after the last one.")
    return await _registers(services, typed, wanted) if typed["register"] else Asked(typed, wanted)


async def _registers(services: Services, typed: dict[str, str], wanted: Filter) -> Asked:
    """Which registers the text names. One that a link names by its id is shown by its series."""
    documents, text = Documents(services.pool), typed["register"]
    called = await services.pages.run(documents.called, text)
    if not called:
        return Asked(typed, Filter(), f"No register or store is called “{text}”.")
    if len(called) > CALLED_MAX:
        return Asked(typed, Filter(), f"“{text}” fits over {CALLED_MAX} registers. Type more of the name.")
    if len(called) == 1 and called[0].origin == text:
        same = await services.pages.run(documents.called, called[0].series)
        if [found.origin for found in same] == [text]:
            typed = typed | {"register": called[0].series}
    origins = tuple(found.origin for found in called)
    return Asked(typed, msgspec.structs.replace(wanted, origins=origins))


def _date(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
