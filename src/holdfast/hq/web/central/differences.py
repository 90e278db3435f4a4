"""The pages of differences and of the proof, for the finance controller and the auditor (P8)."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.response import Redirect

from holdfast.core.central.settle import Place
from holdfast.core.refusals import Refusal
from holdfast.hq.central.allowances import LISTED_MAX as ALLOWANCES_MAX
from holdfast.hq.central.audit import LISTED_MAX as ACTS_MAX
from holdfast.hq.central.audit import acts
from holdfast.hq.central.differences import (
    FILE_ROWS_MAX,
    LISTED_MAX,
    REMARKS,
    Asked,
    asked_refusal,
    csv_of,
)
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.central.view import KINDS, clean, words
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services

SECTION = "/differences"


@get("/differences", include_in_schema=False)
async def show_differences(request: WebRequest, services: Given) -> Response[str]:
    return await _show(request, services, _asked(request.query_params))


@get("/differences.csv", include_in_schema=False)
async def differences_file(request: WebRequest, services: Given) -> Response[str]:
    asked = _asked(request.query_params)
    refused = asked_refusal(asked)
    if refused is not None:
        return await _show(request, services, asked)
    book = services.head_office.differences
    text = await services.pages.run(lambda: csv_of(book.listed(asked, FILE_ROWS_MAX)))
    headers = {"Content-Disposition": 'attachment; filename="differences.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@post("/differences", include_in_schema=False, status_code=200)
async def look(request: WebRequest, services: Given) -> Response[Any]:
    form = await request.form()
    place = Place(*(_figure(form.get(name)) for name in ("chain", "seq", "ordinal")))
    asked, note, by = _asked(form), clean(form.get("note"), 600), request.state.session.admin
    book = services.head_office.differences
    done = await services.pages.run(lambda: book.look(place, by=by, note=note))
    if isinstance(done, Refusal):
        return await _show(request, services, asked, error=done.sentence, status=409)
    services.wakeups.wake(PAGES)
    return Redirect(f"/differences?{_query(asked)}", status_code=303)


@get("/proof", include_in_schema=False)
async def show_proof(request: WebRequest, services: Given) -> Response[str]:
    proof = services.head_office.proof
    runs = await services.pages.run(proof.runs)
    last = next((run for run in runs if run.ended_at_ms is not None), None)
    sums = await services.pages.run(proof.sums, last.id) if last else []
    values = {"runs": runs, "last": last, "sums": sums, **words()}
    if request.headers.get("HX-Target") == "proof":
        return fragment(services, "central/proof_parts.html", **values)
    return await page(request, services, "central/proof.html", SECTION, **values)


@get("/exposure", include_in_schema=False)
async def show_exposure(request: WebRequest, services: Given) -> Response[str]:
    """What registers may take that head office was not asked for (GC10, OA2)."""
    allowances = services.head_office.allowances
    values: dict[str, Any] = {
        "rows": await services.pages.run(allowances.listed),
        "totals": await services.pages.run(allowances.totals),
        "rows_max": ALLOWANCES_MAX,
        **words(),
    }
    if request.headers.get("HX-Target") == "exposure":
        return fragment(services, "central/exposure_parts.html", **values)
    return await page(request, services, "central/exposure.html", SECTION, **values)


@get("/audit", include_in_schema=False)
async def show_audit(request: WebRequest, services: Given) -> Response[str]:
    """For the auditor: who did what to central value, and why (GC9)."""
    values: dict[str, Any] = {
        "acts": await services.pages.run(lambda: acts(services.pool)),
        "acts_max": ACTS_MAX,
        **words(),
    }
    return await page(request, services, "central/audit.html", SECTION, **values)


routes = Router(
    "/",
    route_handlers=[show_differences, differences_file, look, show_proof, show_exposure, show_audit],
    before_request=require_session,
)


def _asked(given: Any) -> Asked:
    kind, remark = clean(given.get("kind")), clean(given.get("remark"))
    return Asked(
        kind=kind if kind in KINDS else "",
        remark=remark if remark in REMARKS else "",
        store=clean(given.get("store"), 64),
        register=clean(given.get("register"), 64),
        first=clean(given.get("first"), 10),
        last=clean(given.get("last"), 10),
        open=given.get("open") == "yes",
    )


def _query(asked: Asked) -> str:
    found = {name: text for name, text in msgspec.structs.asdict(asked).items() if text}
    return urlencode(found | ({"open": "yes"} if asked.open else {}))


def _figure(given: Any) -> int:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


async def _show(
    request: WebRequest, services: Services, asked: Asked, *, error: str = "", status: int = 200
) -> Response[str]:
    refused = asked_refusal(asked)
    book = services.head_office.differences
    head_office = services.head_office
    values: dict[str, Any] = {
        "asked": asked,
        "query": _query(asked),
        "rows": [] if refused else await services.pages.run(book.listed, asked),
        "sums": [] if refused else await services.pages.run(book.sums, asked),
        "rows_max": LISTED_MAX,
        "remarks": REMARKS,
        "error": error or (refused.sentence if refused else ""),
        **words(),
    }
    stores = await services.pages.run(head_office.enrolment.stores)
    values["stores"] = stores
    return await page(
        request, services, "central/differences.html", SECTION, 422 if refused else status, **values
    )
