"""The pages of locks: who holds what since when, and releasing one by hand (GC9).

Whoever is of a store sees the locks of its own registers, and releases these alone.
"""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.central.locks import LISTED_MAX
from holdfast.hq.web.auth.accounts import Session
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.central.view import clean, words
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

SECTION = "/locks"
_RELEASED_SHOWN = 20


@get("/locks", include_in_schema=False)
async def show_locks(request: WebRequest, services: Given) -> Response[str]:
    session: Session = request.state.session
    store = session.store or clean(request.query_params.get("store"), 64)
    book = services.head_office.locks
    values: dict[str, Any] = {
        "store": store,
        "count_all": await services.pages.run(book.count, store),
        "rows": await services.pages.run(book.locks, store),
        "unfinished": await services.pages.run(book.unfinished, store),
        "released": await services.pages.run(
            lambda: acts(services.pool, act="lock-released", store=store, limit=_RELEASED_SHOWN)
        ),
        "rows_max": LISTED_MAX,
        "of_store": bool(session.store),
        "state": await services.pages.run(services.head_office.after_loss.state),
        **words(),
    }
    if request.headers.get("HX-Target") == "locks":
        return fragment(services, "central/locks_table.html", **values)
    stores = await services.pages.run(services.head_office.enrolment.stores)
    values["stores"] = stores
    done = clean(request.query_params.get("done"), 8) == "yes"
    return await page(request, services, "central/locks.html", SECTION, done=done, **values)


@get("/restored", include_in_schema=False)
async def show_restored(request: WebRequest, services: Given) -> Response[str]:
    return await _show_restored(request, services)


@post("/restored", include_in_schema=False, status_code=200)
async def reopen(request: WebRequest, services: Given) -> Response[Any]:
    """An admin says that value is held again though some registers have not answered."""
    reason, by = clean((await request.form()).get("reason")), request.state.session.admin
    after_loss = services.head_office.after_loss
    done = await services.pages.run(lambda: after_loss.reopen(by=by, reason=reason))
    if isinstance(done, Refusal):
        return await _show_restored(request, services, status=409, error=done.sentence)
    services.wakeups.wake(PAGES)
    return Redirect("/restored", status_code=303)


@get("/locks/{key:str}", include_in_schema=False)
async def show_lock(request: WebRequest, services: Given, key: FromPath[str]) -> Response[str]:
    return await _show(request, services, key)


@post("/locks/{key:str}", include_in_schema=False, status_code=200)
async def release(request: WebRequest, services: Given, key: FromPath[str]) -> Response[Any]:
    session: Session = request.state.session
    reason = clean((await request.form()).get("reason"))
    book = services.head_office.locks
    done = await services.pages.run(
        lambda: book.release(clean(key, 64), by=session.admin, reason=reason, store=session.store)
    )
    if isinstance(done, Refusal):
        return await _show(request, services, key, status=409, error=done.sentence, reason=reason)
    services.wakeups.wake(PAGES)
    return Redirect("/locks?done=yes", status_code=303)


routes = Router(
    "/",
    route_handlers=[show_locks, show_restored, reopen, show_lock, release],
    before_request=require_session,
)


async def _show(
    request: WebRequest,
    services: Services,
    key: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    session: Session = request.state.session
    found = await services.pages.run(services.head_office.locks.one, clean(key, 64), session.store)
    if found is None:
        raise HttpProblem(404, "hold.ended", "This lock has ended in the meantime, or there was none.")
    return await page(
        request, services, "central/lock.html", SECTION, status,
        standing=found, lock=found.lock, error=error, reason=reason, **words(),
    )  # fmt: skip


async def _show_restored(
    request: WebRequest, services: Services, *, status: int = 200, error: str = ""
) -> Response[str]:
    state = await services.pages.run(services.head_office.after_loss.state)
    values = {"state": state, "missing_max": LISTED_MAX, "error": error}
    if request.headers.get("HX-Target") == "missing":
        return fragment(services, "central/missing.html", **values)
    return await page(request, services, "central/restored.html", SECTION, status, **values)
