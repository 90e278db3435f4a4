"""A register's identity: another signing key, its lost database key, its end. Each page says what it does."""

from typing import Any
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.faults import KeyFault
from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.recovery import answer_recovery
from holdfast.hq.retirement import REASON_CHARS_MAX
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import page
from holdfast.hq.web.registers.enrol import code_page
from holdfast.hq.web.registers.known import known_register
from holdfast.hq.web.services import PAGES, Services

WORD_CHARS_MAX = 8_000
"""More than any request of a machine has."""


@get("/registers/{origin:str}/key", include_in_schema=False)
async def show_key(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    return await _act_page(request, services, origin, "registers/key.html")


@post("/registers/{origin:str}/key", include_in_schema=False, status_code=200)
async def give_key(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    register = await known_register(services, origin)
    enrolment, by = services.head_office.enrolment, request.state.session.admin
    code = await services.pages.run(enrolment.issue_rekey_code, register.origin, by=by)
    if isinstance(code, Refusal):
        return await _act_page(request, services, origin, "registers/key.html", code.sentence)
    services.wakeups.wake(PAGES)
    return await code_page(request, services, code)


@get("/registers/{origin:str}/recover", include_in_schema=False)
async def show_recover(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    return await _act_page(request, services, origin, "registers/recover.html", answer="", word="")


@post("/registers/{origin:str}/recover", include_in_schema=False, status_code=200)
async def recover(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    register = await known_register(services, origin)
    word = "".join(str((await request.form()).get("word", "")).split())[:WORD_CHARS_MAX]
    answer = await services.pages.run(
        _answer, services, word, by=request.state.session.admin, of=register.origin
    )
    if isinstance(answer, Refusal):
        refused = answer.sentence
        return await _act_page(
            request, services, origin, "registers/recover.html", refused, answer="", word=word
        )
    services.wakeups.wake(PAGES)
    return await _act_page(request, services, origin, "registers/recover.html", answer=answer, word="")


def _answer(services: Services, word: str, *, by: str, of: OriginId) -> str | Refusal:
    try:
        return answer_recovery(services.head_office, word, by=by, of=of)
    except KeyFault as fault:
        return Refusal(fault.code, fault.sentence)


@get("/registers/{origin:str}/retire", include_in_schema=False)
async def show_retire(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[str]:
    return await _retire_page(request, services, origin)


@post("/registers/{origin:str}/retire", include_in_schema=False, status_code=200)
async def retire(request: WebRequest, services: Given, origin: FromPath[str]) -> Response[Any]:
    register = await known_register(services, origin)
    form = await request.form()
    by, retirements = request.state.session.admin, services.retirements
    reason = str(form.get("reason", ""))[: 4 * REASON_CHARS_MAX].replace("\x00", " ")
    if form.get("act") == "take-back":
        done = await services.pages.run(retirements.take_back, register.origin)
    else:
        done = await services.pages.run(retirements.declare, register.origin, by=by, reason=reason)
    if done is not None:
        return await _retire_page(request, services, origin, done.sentence, reason)
    services.head_office.fleet.forget()  # whoever acted sees it in every list at once
    services.wakeups.wake(PAGES)
    return Redirect(f"/registers/{quote(origin)}", status_code=303)


async def _retire_page(
    request: WebRequest, services: Services, origin: str, error: str = "", reason: str = ""
) -> Response[str]:
    return await _act_page(
        request, services, origin, "registers/retire.html", error, reason=reason, reason_max=REASON_CHARS_MAX
    )


async def _act_page(
    request: WebRequest, services: Services, origin: str, template: str, error: str = "", **values: Any
) -> Response[str]:
    register = await known_register(services, origin)
    status = 409 if error else 200
    return await page(request, services, template, "/registers", status, row=register, error=error, **values)


routes = Router(
    "/",
    route_handlers=[show_key, give_key, show_recover, recover, show_retire, retire],
    before_request=require_session,
)
