"""The page of backups, and taking one now."""

from litestar import Response, Router, get, post
from litestar.response import Redirect

from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.backups.view import read_state
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES
from holdfast.infra.web import HttpProblem


@get("/backups", include_in_schema=False)
async def show_backups(request: WebRequest, services: Given) -> Response[str]:
    state = await services.pages.run(read_state, services.head_office, services.pool)
    if request.headers.get("HX-Target") == "backups":
        return fragment(services, "backups/list.html", backup=state)
    keeps = services.head_office.backup_keeper is not None
    return await page(request, services, "backups/backups.html", "/backups", backup=state, keeps=keeps)


@post("/backups/now", include_in_schema=False)
async def back_up_now(services: Given) -> Redirect:
    keeper = services.head_office.backup_keeper
    if keeper is None:
        raise HttpProblem(
            409, "backup.by-command", "Backups are taken by command here: holdfast hq backup --home DIR."
        )
    keeper.now()
    services.wakeups.wake(PAGES)
    return Redirect("/backups", status_code=303)


routes = Router("/", route_handlers=[show_backups, back_up_now], before_request=require_session)
