"""One epoch: what is known of it, what it is to send again, and two people who give up what is missing."""

from typing import Any
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.fleet import EpochStanding
from holdfast.hq.lost import REASON_CHARS_MAX, may_be_lost
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import page
from holdfast.hq.web.registers.known import known_register
from holdfast.hq.web.services import PAGES, Services, commands_key
from holdfast.infra.web import HttpProblem


@get("/registers/{origin:str}/epochs/{epoch:str}", include_in_schema=False)
async def show_epoch(
    request: WebRequest, services: Given, origin: FromPath[str], epoch: FromPath[str]
) -> Response[str]:
    return await _show(request, services, origin, epoch)


@post("/registers/{origin:str}/epochs/{epoch:str}/lost", include_in_schema=False, status_code=200)
async def declare(
    request: WebRequest, services: Given, origin: FromPath[str], epoch: FromPath[str]
) -> Response[Any]:
    form = await request.form()
    act, reason = str(form.get("act", "")), str(form.get("reason", ""))[: 4 * REASON_CHARS_MAX]
    await _standings(services, origin, epoch)
    by: str = request.state.session.admin
    book, of = services.head_office.lost, (OriginId(origin), EpochId(epoch))
    match act:
        case "propose":
            done = await services.pages.run(book.propose, *of, by=by, reason=reason.replace("\x00", " "))
        case "confirm":
            done = await services.pages.run(book.confirm, *of, by=by)
        case "withdraw":
            done = await services.pages.run(book.withdraw, *of, by=by)
        case _:
            raise HttpProblem(400, "lost.act", "There is no such act.")
    if isinstance(done, Refusal):
        return await _show(request, services, origin, epoch, status=409, error=done.sentence, reason=reason)
    services.head_office.fleet.forget()
    services.wakeups.wake(PAGES)
    return Redirect(f"/registers/{quote(origin)}/epochs/{quote(epoch)}", status_code=303)


@post("/registers/{origin:str}/epochs/{epoch:str}/resend", include_in_schema=False, status_code=200)
async def send_again(
    request: WebRequest, services: Given, origin: FromPath[str], epoch: FromPath[str]
) -> Response[Any]:
    _, standings = await _standings(services, origin, epoch)
    seq = str((await request.form()).get("seq", "")).strip()
    last = max(standing.applied_seq for standing in standings)
    if not (seq.isdecimal() and seq.isascii()) or len(seq) > 15 or not 1 <= int(seq) <= max(1, last):
        error = f"Give the number of an entry, from 1 to {max(1, last):,}."
        return await _show(request, services, origin, epoch, status=409, error=error)
    arguments = {"epoch": epoch, "seq": str(int(seq))}
    book, by = services.head_office.command_book, request.state.session.admin
    given = await services.pages.run(book.issue, OriginId(origin), "resend_from", by=by, arguments=arguments)
    if isinstance(given, Refusal):
        return await _show(request, services, origin, epoch, status=409, error=given.sentence)
    services.wakeups.wake(commands_key(OriginId(origin)))
    services.wakeups.wake(PAGES)
    return Redirect(f"/registers/{quote(origin)}", status_code=303)


async def _show(
    request: WebRequest,
    services: Services,
    origin: str,
    epoch: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    register, standings = await _standings(services, origin, epoch)
    history = await services.pages.run(services.head_office.lost.history, OriginId(origin), EpochId(epoch))
    return await page(
        request,
        services,
        "registers/epoch.html",
        "/registers",
        status,
        row=register,
        branches=standings,
        lost=standings[0].lost,
        missing=any(may_be_lost(standing) for standing in standings),
        history=history,
        reason_max=REASON_CHARS_MAX,
        error=error,
        reason=reason,
    )


async def _standings(services: Services, origin: str, epoch: str) -> tuple[Any, list[EpochStanding]]:
    register = await known_register(services, origin)
    found = [standing for standing in register.epochs if standing.epoch == epoch]
    if not found:
        raise HttpProblem(404, "epoch.unknown", "That register has no such epoch.")
    return register, found


routes = Router("/", route_handlers=[show_epoch, declare, send_again], before_request=require_session)
