"""The pages of stock."""

from typing import Any
from urllib.parse import quote, urlencode

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.ids import StoreId
from holdfast.core.refusals import Refusal
from holdfast.hq.stock import views
from holdfast.hq.stock.owing import owing_by_store
from holdfast.hq.stock.reconcile import reconcile
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

TEXT_CHARS_MAX = 200
_SECTION = "/stock"


@get("/stock", include_in_schema=False)
async def show_stock(request: WebRequest, services: Given) -> Response[str]:
    """One store's products; the first store's where none is chosen."""
    stores = await services.pages.run(views.stores, services.pool)
    store = _clean(request.query_params.get("store", "")) or (stores[0][0] if stores else "")
    text, offset = _clean(request.query_params.get("text", "")), _offset(request)
    found = await services.pages.run(views.levels, services.pool, store, text, offset)
    values = {
        "stores": stores, "store": store, "text": text, "offset": offset, "levels": found,
        "owing": _owing(services, store),
    }  # fmt: skip
    if request.headers.get("HX-Target") == "levels":
        return fragment(services, "stock/levels.html", **values)
    return await page(request, services, "stock/stock.html", _SECTION, **values)


@get("/stock/{store:str}/product/{sku:str}", include_in_schema=False)
async def show_product(
    request: WebRequest, services: Given, store: FromPath[str], sku: FromPath[str]
) -> Response[str]:
    """What a level is made of."""
    code, name = await _store(services, store)
    found = await services.pages.run(views.product, services.pool, code, _clean(sku))
    return await page(
        request, services, "stock/product.html", _SECTION,
        store=code, name=name, product=found, owing=_owing(services, code),
    )  # fmt: skip


@get("/stock/{store:str}/zero", include_in_schema=False)
async def ask_zero(request: WebRequest, services: Given, store: FromPath[str]) -> Response[str]:
    """What setting it to zero would do, with figures."""
    return await _ask_zero(request, services, store)


@post("/stock/{store:str}/zero", include_in_schema=False, status_code=200)
async def set_zero(request: WebRequest, services: Given, store: FromPath[str]) -> Response[Any]:
    """Do it, once under the reference of the page."""
    form = await request.form()
    typed, reason, reference = (_clean(form.get(name)) for name in ("typed", "reason", "reference"))
    by = request.state.session.admin
    done = await services.pages.run(
        services.head_office.zero.set, _clean(store), reference, typed, reason, by
    )
    if isinstance(done, Refusal):
        return await _ask_zero(request, services, store, status=409, error=done.sentence, reason=reason)
    services.wakeups.wake(PAGES)
    return Redirect(f"/stock/{quote(done.store, safe='')}/zero?done={done.reference}", status_code=303)


@get("/stock/{store:str}/reconciliation", include_in_schema=False)
async def show_reconciliation(request: WebRequest, services: Given, store: FromPath[str]) -> Response[str]:
    """Registers, store and head office held against each other."""
    code, name = await _store(services, store)
    proof = await services.pages.run(reconcile, services.pool, code, _owing(services, code))
    return await page(
        request, services, "stock/reconciliation.html", _SECTION, store=code, name=name, proof=proof
    )


@get("/stock/transfers", include_in_schema=False)
async def show_transfers(request: WebRequest, services: Given) -> Response[str]:
    """What was sent from store to store, and what became of it."""
    rows = await services.pages.run(views.transfers, services.pool, services.clock.now_ms())
    return await page(request, services, "stock/transfers.html", _SECTION, rows=rows)


@get("/stock/transfers/end", include_in_schema=False)
async def ask_end(request: WebRequest, services: Given) -> Response[str]:
    """What is left of a transfer, and what ending it would do."""
    return await _ask_end(request, services, _clean(request.query_params.get("transfer", "")))


@post("/stock/transfers/end", include_in_schema=False, status_code=200)
async def end_transfer(request: WebRequest, services: Given) -> Response[Any]:
    """Do it, once under the reference of the page."""
    form = await request.form()
    transfer, typed, reason, reference = (
        _clean(form.get(name)) for name in ("transfer", "typed", "reason", "reference")
    )
    by = request.state.session.admin
    done = await services.pages.run(
        services.head_office.transfers.end, transfer, reference, typed, reason, by
    )
    if isinstance(done, Refusal):
        return await _ask_end(request, services, transfer, status=409, error=done.sentence, reason=reason)
    services.wakeups.wake(PAGES)
    asked = urlencode({"transfer": done.transfer, "done": done.reference})
    return Redirect(f"/stock/transfers/end?{asked}", status_code=303)


routes = Router(
    "/",
    route_handlers=[
        show_stock,
        show_product,
        ask_zero,
        set_zero,
        show_reconciliation,
        show_transfers,
        ask_end,
        end_transfer,
    ],
    before_request=require_session,
)


async def _ask_zero(
    request: WebRequest,
    services: Services,
    store: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    book = services.head_office.zero
    found = await services.pages.run(book.preview, _clean(store))
    if isinstance(found, Refusal):
        raise HttpProblem(404, found.code, found.sentence)
    done = await services.pages.run(book.done, found.store)
    values = {"preview": found, "done": done, "error": error, "reason": reason}
    values["just"] = _clean(request.query_params.get("done", ""))
    return await page(request, services, "stock/zero.html", _SECTION, status, **values)


async def _ask_end(
    request: WebRequest,
    services: Services,
    transfer: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    book = services.head_office.transfers
    found = await services.pages.run(book.preview, transfer)
    if isinstance(found, Refusal):
        raise HttpProblem(404, found.code, found.sentence)
    done = await services.pages.run(book.done, transfer)
    values = {"ending": found, "done": done, "error": error, "reason": reason}
    values["just"] = _clean(request.query_params.get("done", ""))
    return await page(request, services, "stock/end.html", _SECTION, status, **values)


async def _store(services: Services, store: str) -> tuple[StoreId, str]:
    stores = dict(await services.pages.run(views.stores, services.pool))
    code = _clean(store)
    if code not in stores:
        raise HttpProblem(404, "store.unknown", "Head office knows no store of that code.")
    return StoreId(code), stores[code]


def _owing(services: Services, store: str) -> Any:
    return owing_by_store(services.head_office.fleet.registers()).get(StoreId(store), ())


def _clean(given: Any) -> str:
    return str(given or "").replace("\x00", "").strip()[:TEXT_CHARS_MAX]


def _offset(request: WebRequest) -> int:
    text = request.query_params.get("offset", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
