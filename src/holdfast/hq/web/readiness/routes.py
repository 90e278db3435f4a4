"""The page of readiness: how many registers would survive an outage, and which would not, the worst first."""

from litestar import Response, Router, get

from holdfast.core.readiness import Band, band_of, findings_of
from holdfast.hq.readiness import count_bands, of_service
from holdfast.hq.standing import Register
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page

ROWS_MAX = 200
"""Registers on one page; the worst are first."""
NAMES: dict[Band, str] = {
    "fails": "Would not survive",
    "weak": "With flaws",
    "unknown": "Not known",
    "ready": "Ready",
}


@get("/readiness", include_in_schema=False)
async def show_readiness(request: WebRequest, services: Given) -> Response[str]:
    registers = await services.pages.run(services.head_office.fleet.registers)
    worst = of_service(registers)
    values = {
        "counts": count_bands(registers),
        "names": NAMES,
        "rows": [_row(each) for each in worst[:ROWS_MAX]],
        "left_out": max(0, len(worst) - ROWS_MAX),
    }
    if request.headers.get("HX-Target") == "readiness":
        return fragment(services, "readiness/list.html", **values)
    return await page(request, services, "readiness/readiness.html", "/readiness", **values)


def _row(register: Register) -> dict[str, object]:
    said = register.readiness
    return {"register": register, "band": band_of(said), "findings": findings_of(said) if said else ()}


routes = Router("/", route_handlers=[show_readiness], before_request=require_session)
