"""Enrolment: a code for a new register, shown once; the codes that wait to be used; taking one back."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.enrolment import code_id
from holdfast.hq.invitation import spelled, url_of
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.registers.known import known_register
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

STORES_LISTED_MAX = 60
"""More are typed, with suggestions."""
_TEXT_CHARS_MAX = 200
_ID_CHARS = 64
_FIELDS = {"store.unknown": "store", "enrol.series": "series", "text.code": "series", "text.empty": "series"}
"""Which field a refusal is about; all others are about the name."""


@get("/registers/add", include_in_schema=False)
async def show_add(request: WebRequest, services: Given) -> Response[str]:
    if request.headers.get("HX-Target") == "codes":
        return fragment(services, "registers/codes.html", codes=await _codes(services), csrf=_csrf(request))
    return await _add_page(request, services, typed=_typed(request.query_params))


@post("/registers/add", include_in_schema=False, status_code=200)
async def add(request: WebRequest, services: Given) -> Response[str]:
    typed = _typed(await request.form())
    code = await services.pages.run(
        services.head_office.enrolment.issue_code,
        typed["store"],
        typed["series"],
        name=typed["name"],
        replaces=OriginId(typed["replaces"]) if typed["replaces"] else None,
        by=request.state.session.admin,
    )
    if isinstance(code, Refusal):
        return await _add_page(request, services, typed=typed, refusal=code, status=409)
    services.wakeups.wake(PAGES)
    return await code_page(request, services, code)


@get("/registers/codes/{id:str}", include_in_schema=False)
async def show_code(request: WebRequest, services: Given, id: FromPath[str]) -> Response[str]:
    """What became of a code: the code itself was shown once."""
    state = await services.pages.run(services.head_office.enrolment.code_state, id[:_ID_CHARS])
    if state is None:
        raise HttpProblem(404, "enrol.code", "There is no such code.")
    if request.headers.get("HX-Target") == "code-state":
        return fragment(services, "registers/code_state.html", state=state)
    values = {"state": state, "id": id, "text": "", "url": url_of(services.head_office.config)}
    return await page(request, services, "registers/code.html", "/registers", **values)


@post("/registers/codes/{id:str}/withdraw", include_in_schema=False, status_code=200)
async def withdraw(request: WebRequest, services: Given, id: FromPath[str]) -> Response[str] | Response[Any]:
    by: str = request.state.session.admin
    enrolment = services.head_office.enrolment
    refusal = await services.pages.run(enrolment.withdraw_code, id[:_ID_CHARS], by=by)
    if refusal is not None:
        return await _add_page(request, services, typed=_typed({}), refusal=refusal, status=409)
    services.wakeups.wake(PAGES)
    return Redirect("/registers/add", status_code=303)


async def code_page(request: WebRequest, services: Services, code: str) -> Response[str]:
    """The only page that ever shows this code."""
    id = code_id(code)
    state = await services.pages.run(services.head_office.enrolment.code_state, id)
    text, url = spelled(code, services.tls), url_of(services.head_office.config)
    assert state is not None, "it was made just now"
    return await page(
        request, services, "registers/code.html", "/registers", state=state, id=id, text=text, url=url
    )


async def _add_page(
    request: WebRequest,
    services: Services,
    *,
    typed: dict[str, str],
    refusal: Refusal | None = None,
    status: int = 200,
) -> Response[str]:
    former = await known_register(services, typed["replaces"]) if typed["replaces"] else None
    if former is not None:
        typed = typed | {"series": former.series, "store": typed["store"] or former.store}
    stores = await services.pages.run(services.head_office.enrolment.stores)
    return await page(
        request,
        services,
        "registers/add.html",
        "/registers",
        status,
        stores=stores,
        stores_listed=len(stores) <= STORES_LISTED_MAX,
        former=former,
        typed=typed,
        error=refusal.sentence if refusal else "",
        wrong=_FIELDS.get(refusal.code, "name") if refusal else "",
        codes=await _codes(services),
        csrf=_csrf(request),
    )


async def _codes(services: Services) -> Any:
    return await services.pages.run(services.head_office.enrolment.open_codes)


def _csrf(request: WebRequest) -> str:
    return request.state.session.csrf


def _typed(given: Any) -> dict[str, str]:
    names = ("store", "series", "name", "replaces")
    return {name: str(given.get(name, "")).replace("\x00", "").strip()[:_TEXT_CHARS_MAX] for name in names}


routes = Router("/", route_handlers=[show_add, add, show_code, withdraw], before_request=require_session)
