"""The pages of parameters: what is set, setting it with a preview, the history, who runs what (GC8)."""

from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.parameters import Change, Parameter, parameter_named, value_text
from holdfast.core.refusals import Refusal
from holdfast.hq.parameters.book import HISTORY_MAX
from holdfast.hq.parameters.drafts import ENDS, Typed, Wrong, field_of, read_draft
from holdfast.hq.parameters.preview import TOUCHED_SHOWN, Preview
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.parameters.view import (
    held_of,
    listed,
    reach_now,
    reach_text,
    scope_text,
    setting_text,
    undone_by,
)
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

BEHIND_SHOWN = 100
SUGGESTED_MAX = 200
"""Codes that a field suggests."""
TEXT_CHARS_MAX = 1_200
_SECTION = "/parameters"


@get("/parameters", include_in_schema=False)
async def show_parameters(request: WebRequest, services: Given) -> Response[str]:
    values = await _reach(request, services)
    if request.headers.get("HX-Target") == "reach":
        return fragment(services, "parameters/reach.html", **values)
    values["rows"], values["groups"] = await services.pages.run(listed, services.head_office.parameters)
    return await page(request, services, "parameters/parameters.html", _SECTION, **values)


@get("/parameters/{name:str}", include_in_schema=False)
async def show_parameter(request: WebRequest, services: Given, name: FromPath[str]) -> Response[str]:
    """With what was typed, where somebody comes back to change it."""
    if request.headers.get("HX-Target") == "reach-line":
        return fragment(services, "parameters/line.html", **await _line(services))
    return await _show(request, services, _typed(name, request.query_params))


@post("/parameters/{name:str}/preview", include_in_schema=False, status_code=200)
async def preview(request: WebRequest, services: Given, name: FromPath[str]) -> Response[str]:
    return await _preview(request, services, _typed(name, await request.form()))


@post("/parameters/{name:str}", include_in_schema=False, status_code=200)
async def make(request: WebRequest, services: Given, name: FromPath[str]) -> Response[Any]:
    form = await request.form()
    typed, seen = _typed(name, form), _figure(form.get("seen"))
    draft = read_draft(typed)
    if isinstance(draft, Wrong):
        return await _show(request, services, typed, draft)
    by, book = request.state.session.admin, services.head_office.parameters
    made = await services.pages.run(lambda: book.make(draft, by=by, reason=typed.reason, seen=seen))
    if isinstance(made, Refusal):
        return await _preview(request, services, typed, made)
    return _done(services, made)


@get("/parameters/{name:str}/undo/{number:int}", include_in_schema=False)
async def preview_undo(
    request: WebRequest, services: Given, name: FromPath[str], number: FromPath[int]
) -> Response[str]:
    return await _preview_undo(request, services, Typed(name=name[:80]), number)


@post("/parameters/{name:str}/undo/{number:int}", include_in_schema=False, status_code=200)
async def undo(
    request: WebRequest, services: Given, name: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    form = await request.form()
    typed, seen = _typed(name, form), _figure(form.get("seen"))
    by, book = request.state.session.admin, services.head_office.parameters
    made = await services.pages.run(lambda: book.undo(number, by=by, reason=typed.reason, seen=seen))
    if isinstance(made, Refusal):
        return await _preview_undo(request, services, typed, number, made)
    return _done(services, made)


routes = Router(
    "/",
    route_handlers=[show_parameters, show_parameter, preview, make, preview_undo, undo],
    before_request=require_session,
)


async def _reach(request: WebRequest, services: Services) -> dict[str, Any]:
    """Who is behind, as far as the page shows."""
    search = str(request.query_params.get("search", "")).strip()[:80]
    reach, wanted = await services.pages.run(reach_now, services), search.lower()
    found = [
        each
        for each in reach.behind
        if not wanted
        or wanted in f"{each.register.name}\n{each.register.store}\n{each.register.series}".lower()
    ]
    return {
        "reach": reach,
        "said": reach_text(reach, services.zone, services.clock.now_ms()),
        "behind": found[:BEHIND_SHOWN],
        "found": len(found),
        "search": search,
    }


async def _line(services: Services) -> dict[str, Any]:
    reach = await services.pages.run(reach_now, services)
    return {"reach": reach, "said": reach_text(reach, services.zone, services.clock.now_ms())}


async def _show(
    request: WebRequest, services: Services, typed: Typed, wrong: Wrong | None = None
) -> Response[str]:
    parameter = _known(typed.name)
    book = services.head_office.parameters
    history = await services.pages.run(book.history, parameter.name)
    rows = await services.pages.run(book.rows)
    by_key = await services.pages.run(book.changes, [key for key in rows if key.startswith(parameter.name)])
    stores = await services.pages.run(services.head_office.enrolment.stores)
    values: dict[str, Any] = {
        "parameter": parameter,
        "held": held_of(rows, parameter.name, by_key, book.today()),
        "history": history,
        "history_max": HISTORY_MAX,
        "undone": undone_by(history),
        "typed": typed,
        "wrong": wrong,
        "done": request.query_params.get("done", "")[:16],
        "today": book.today(),
        "codes": {
            "group": list(await services.pages.run(book.groups))[:SUGGESTED_MAX],
            "store": [each.store for each in stores[:SUGGESTED_MAX]],
            "register": [each.series for each in (await services.pages.run(book.posts))[:SUGGESTED_MAX]],
        },
        "scope_text": scope_text,
        "value_text": value_text,
    } | await _line(services)
    status = 200 if wrong is None else 422
    return await page(request, services, "parameters/parameter.html", _SECTION, status, **values)


async def _preview(
    request: WebRequest, services: Services, typed: Typed, refused: Refusal | None = None
) -> Response[str]:
    """What a change would do; a refusal that is not about the reason leads back to the form."""
    draft = read_draft(typed)
    if isinstance(draft, Wrong):
        return await _show(request, services, typed, draft)
    found = await services.pages.run(services.head_office.parameters.preview, draft)
    if isinstance(found, Refusal):
        return await _show(request, services, typed, Wrong(field_of(found, typed.name), found))
    return await _preview_page(request, services, typed, found, refused)


async def _preview_undo(
    request: WebRequest, services: Services, typed: Typed, number: int, refused: Refusal | None = None
) -> Response[str]:
    _known(typed.name)
    found = await services.pages.run(services.head_office.parameters.preview_undo, number)
    if isinstance(found, Refusal) or found.name != typed.name:
        refusal = found if isinstance(found, Refusal) else Refusal("parameter.undo", "That is another one's.")
        return await _show(request, services, typed, Wrong("history", refusal))
    return await _preview_page(request, services, typed, found, refused)


async def _preview_page(
    request: WebRequest, services: Services, typed: Typed, found: Preview, refused: Refusal | None
) -> Response[str]:
    parameter = _known(typed.name)
    back = {name: text for name, text in msgspec.structs.asdict(typed).items() if text and name != "name"}
    values = {
        "parameter": parameter,
        "preview": found,
        "typed": typed,
        "ends": typed.act == ENDS,
        "refused": refused,
        "back": f"/parameters/{quote(parameter.name)}?{urlencode(back)}#set",
        "shown_max": TOUCHED_SHOWN,
        "scope_text": scope_text,
        "value_text": value_text,
        "setting_text": setting_text,
        "parameter_named": parameter_named,
    }
    status = 200 if refused is None else 409
    return await page(request, services, "parameters/preview.html", _SECTION, status, **values)


def _done(services: Services, made: Change) -> Redirect:
    services.wakeups.wake(PAGES)
    return Redirect(f"/parameters/{quote(made.name)}?done={made.version}", status_code=303)


def _known(name: str) -> Parameter:
    found = parameter_named(name)
    if isinstance(found, Refusal):
        raise HttpProblem(404, found.code, "There is no parameter of that name.")
    return found


def _typed(name: str, given: Any) -> Typed:
    def text(field: str) -> str:
        return str(given.get(field, "") or "").replace("\x00", "").strip()[:TEXT_CHARS_MAX]

    return Typed(
        name=name[:80],
        act=ENDS if text("act") == ENDS else "set",
        value="|".join(text("value").splitlines()),
        kind=text("kind") or "chain",
        code=text("code")[:80],
        valid_from=text("valid_from")[:40],
        reason=text("reason"),
    )


def _figure(given: Any) -> int:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1
