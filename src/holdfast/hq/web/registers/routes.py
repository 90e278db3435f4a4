"""The list of registers, a register's page, and the commands that an administrator gives it."""

from typing import NamedTuple
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.registers.known import known_register
from holdfast.hq.web.registers.view import STATES, branches, find
from holdfast.hq.web.services import PAGES, Given, commands_key
from holdfast.infra.web import HttpProblem

PAGE_ROWS = 100


class Offered(NamedTuple):
    """A command that the page offers."""

    name: str
    sentence: str


COMMANDS = {
    "sync_now": Offered("Sync now", "The register sends what it owes at once."),
    "report": Offered("Report", "The register says how it is: what it owes, its clock, its disk, its data."),
}


@get("/registers", include_in_schema=False)
async def show_registers(request: WebRequest, services: Given) -> Response[str]:
    typed = {name: request.query_params.get(name, "").strip()[:80] for name in ("search", "state")}
    offset_text = request.query_params.get("offset", "0")
    offset = int(offset_text) if offset_text.isdecimal() and len(offset_text) < 9 else 0
    found = await services.pages.run(find, services.head_office.fleet, typed["search"], typed["state"])
    values = {
        "rows": found[offset : offset + PAGE_ROWS],
        "found": len(found),
        "more": len(found) > offset + PAGE_ROWS,
        "offset": offset,
        "next_offset": offset + PAGE_ROWS,
        "previous_offset": max(0, offset - PAGE_ROWS),
        "typed": typed,
        "filtered": any(typed.values()),
    }
    if request.headers.get("HX-Target") == "registers":
        return fragment(services, "registers/table.html", **values)
    return await page(request, services, "registers/registers.html", "/registers", states=STATES, **values)


@get("/registers/{origin:str}", include_in_schema=False)
async def show_register(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    register = await known_register(services, origin)
    values = {
        "row": register,
        "branches": await services.pages.run(branches, services.pool, register),
        "issued": await services.pages.run(services.head_office.command_book.latest, OriginId(origin)),
        "alerts": await services.pages.run(services.alerts.open, origin),
        "waiting": await services.pages.run(services.alerts.waiting, origin),
    }
    if request.headers.get("HX-Target") == "register":
        return fragment(services, "registers/detail.html", **values)
    return await page(request, services, "registers/register.html", "/registers", commands=COMMANDS, **values)


@post("/registers/{origin:str}/commands", include_in_schema=False)
async def give_command(request: WebRequest, services: Given, origin: FromPath[str]) -> Redirect:
    kind = str((await request.form()).get("kind", ""))
    if kind not in COMMANDS:
        raise HttpProblem(400, "command.unknown", "There is no such command.")
    await known_register(services, origin)
    by = request.state.session.admin
    given = await services.pages.run(services.head_office.command_book.issue, OriginId(origin), kind, by=by)
    if isinstance(given, Refusal):
        raise HttpProblem(409, given.code, given.sentence)
    services.wakeups.wake(commands_key(OriginId(origin)))
    services.wakeups.wake(PAGES)
    return Redirect(f"/registers/{quote(origin)}", status_code=303)


routes = Router(
    "/", route_handlers=[show_registers, show_register, give_command], before_request=require_session
)
