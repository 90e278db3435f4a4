"""The page of alerts, and acknowledging one."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES


@get("/alerts", include_in_schema=False)
async def show_alerts(request: WebRequest, services: Given) -> Response[str]:
    values = {
        "alerts": await services.pages.run(services.alerts.open),
        "seen": await services.pages.run(services.alerts.seen),
        "waiting": await services.pages.run(services.alerts.waiting),
    }
    if request.headers.get("HX-Target") == "alerts":
        return fragment(services, "alerts/list.html", **values)
    return await page(request, services, "alerts/alerts.html", "/alerts", **values)


@post("/alerts/{id:int}/acknowledge", include_in_schema=False, status_code=200)
async def acknowledge(request: WebRequest, services: Given, id: FromPath[int]) -> Response[str]:
    if 0 < id < 1 << 63:
        await services.pages.run(services.alerts.acknowledge, id, request.state.session.admin)
        services.wakeups.wake(PAGES)
    return await show_alerts.fn(request, services)


routes = Router("/", route_handlers=[show_alerts, acknowledge], before_request=require_session)
