"""The list of registers, a register's page, and the commands that an administrator gives it."""

from typing import NamedTuple
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.ids import OriginId
from holdfast.core.readiness import band_of, findings_of
from holdfast.core.refusals import Refusal
from holdfast.hq.standing import Urgency
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.parameters.view import parameters_at
from holdfast.hq.web.readiness.drills import drills_of
from holdfast.hq.web.registers.known import known_register
from holdfast.hq.web.registers.view import STATES, branches, find
from holdfast.hq.web.services import PAGES, commands_key
from holdfast.infra.web import HttpProblem

PAGE_ROWS = 100


class Argument(NamedTuple):
    """A whole number that a command is given with."""

    name: str
    label: str
    usual: int
    least: int
    most: int


class Offered(NamedTuple):
    """A command that the page offers."""

    name: str
    sentence: str
    argument: Argument | None = None


COMMANDS = {
    "sync_now": Offered("Sync now", "The register sends what it owes at once."),
    "report": Offered("Report", "The register says how it is: what it owes, its clock, its disk, its data."),
    "purge": Offered(
        "Purge",
        "The register deletes old documents to make room: only what a verified backup of head office holds, "
        "and none of the days that stay. The till can no longer look up receipts older than that.",
        Argument("keep_days", "Days that stay", 90, 1, 10_000),
    ),
    "rotate_key": Offered(
        "Rotate key",
        "The register makes itself a new signing key and uses it once head office holds the news of it safe. "
        "Do this where the old key may have been copied.",
    ),
    "collect_diagnostics": Offered(
        "Diagnostics",
        "The register sends its versions, counts and last errors; no sale and no key is among them.",
    ),
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
        "last_offset": (len(found) - 1) // PAGE_ROWS * PAGE_ROWS,
        "typed": typed,
        "filtered": any(typed.values()),
        "band_of": band_of,
    }
    if request.headers.get("HX-Target") == "registers":
        return fragment(services, "registers/table.html", **values)
    return await page(request, services, "registers/registers.html", "/registers", states=STATES, **values)


@get("/registers/{origin:str}", include_in_schema=False)
async def show_register(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    register = await known_register(services, origin)
    values = {
        "row": register,
        "band": band_of(register.readiness),
        "findings": findings_of(register.readiness) if register.readiness else (),
        "drills": await services.pages.run(drills_of, services.pool, OriginId(origin)),
        "parameters": await services.pages.run(parameters_at, services, register),
        "branches": await services.pages.run(branches, services.pool, register),
        "issued": await services.pages.run(services.head_office.command_book.latest, OriginId(origin)),
        "alerts": await services.pages.run(services.alerts.open, origin),
        "waiting": await services.pages.run(services.alerts.waiting, origin),
    }
    if request.headers.get("HX-Target") == "register":
        return fragment(services, "registers/detail.html", **values)
    commands = {} if register.urgency is Urgency.RETIRED else COMMANDS
    return await page(request, services, "registers/register.html", "/registers", commands=commands, **values)


@post("/registers/{origin:str}/commands", include_in_schema=False)
async def give_command(request: WebRequest, services: Given, origin: FromPath[str]) -> Redirect:
    form = await request.form()
    kind = str(form.get("kind", ""))
    if kind not in COMMANDS:
        raise HttpProblem(400, "command.unknown", "There is no such command.")
    arguments = _arguments(COMMANDS[kind], str(form.get("argument", "")).strip())
    await known_register(services, origin)
    by = request.state.session.admin
    given = await services.pages.run(
        services.head_office.command_book.issue, OriginId(origin), kind, by=by, arguments=arguments
    )
    if isinstance(given, Refusal):
        raise HttpProblem(409, given.code, given.sentence)
    services.wakeups.wake(commands_key(OriginId(origin)))
    services.wakeups.wake(PAGES)
    return Redirect(f"/registers/{quote(origin)}", status_code=303)


def _arguments(command: Offered, typed: str) -> dict[str, str]:
    wanted = command.argument
    if wanted is None:
        return {}
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 9):
        raise HttpProblem(400, "command.argument", f"{wanted.label}: enter a whole number.")
    if not wanted.least <= int(typed) <= wanted.most:
        raise HttpProblem(
            400, "command.argument", f"{wanted.label}: enter a number from {wanted.least} to {wanted.most}."
        )
    return {wanted.name: str(int(typed))}


routes = Router(
    "/", route_handlers=[show_registers, show_register, give_command], before_request=require_session
)
