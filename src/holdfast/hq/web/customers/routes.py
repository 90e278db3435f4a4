"""The pages of customers: found, changed, merged and forgotten (PO7)."""

from typing import Any
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.central.accounts import Kind
from holdfast.core.customers import read_details
from holdfast.core.money import CURRENCIES, parse_minor
from holdfast.core.refusals import Refusal
from holdfast.hq.customers.views import LISTED_MAX, SALES_MAX, CustomerPage, find
from holdfast.hq.loyalty.credit import Standing as CreditStanding
from holdfast.hq.loyalty.points import Standing
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

TEXT_CHARS_MAX = 200
_SECTION = "/customers"


@get("/customers", include_in_schema=False)
async def show_customers(request: WebRequest, services: Given) -> Response[str]:
    text = _clean(request.query_params.get("text", ""))
    counts, rows = await services.pages.run(find, services.pool, text)
    values = {"text": text, "counts": counts, "rows": rows, "rows_max": LISTED_MAX}
    if request.headers.get("HX-Target") == "customers":
        return fragment(services, "customers/table.html", **values)
    return await page(request, services, "customers/customers.html", _SECTION, **values)


@get("/customers/{number:str}", include_in_schema=False)
async def show_customer(request: WebRequest, services: Given, number: FromPath[str]) -> Response[str]:
    return await _show(request, services, number)


@post("/customers/{number:str}", include_in_schema=False, status_code=200)
async def change(request: WebRequest, services: Given, number: FromPath[str]) -> Response[Any]:
    form = await request.form()
    details, revision = read_details(dict(form)), _figure(form.get("revision"))
    done = details
    if not isinstance(details, Refusal):
        book, by = services.head_office.customers, request.state.session.admin
        done = await services.pages.run(book.change, number, details, revision, by)
    if isinstance(done, Refusal):
        return await _show(request, services, number, status=409, error=done.sentence)
    return _to(services, number)


@get("/customers/{number:str}/merge", include_in_schema=False)
async def preview_merge(request: WebRequest, services: Given, number: FromPath[str]) -> Response[str]:
    into = _clean(request.query_params.get("into", ""))
    found = await services.pages.run(services.head_office.customers.preview, number, into)
    if isinstance(found, Refusal):
        return await _show(request, services, number, status=409, error=found.sentence)
    return await page(request, services, "customers/merge.html", _SECTION, merge=found)


@post("/customers/{number:str}/merge", include_in_schema=False, status_code=200)
async def merge(request: WebRequest, services: Given, number: FromPath[str]) -> Response[Any]:
    form = await request.form()
    book, by, into = services.head_office.customers, request.state.session.admin, _clean(form.get("into"))
    if form.get("act") == "separate":
        done = await services.pages.run(book.separate, number, by)
        into = number
    else:
        seen = (_figure(form.get("revision")), _figure(form.get("into_revision")))
        done = await services.pages.run(book.merge, number, into, seen, by)
    if isinstance(done, Refusal):
        return await _show(request, services, number, status=409, error=done.sentence)
    return _to(services, into)


@post("/customers/{number:str}/forget", include_in_schema=False, status_code=200)
async def forget(request: WebRequest, services: Given, number: FromPath[str]) -> Response[Any]:
    form = await request.form()
    reason, typed = _clean(form.get("reason")), _clean(form.get("typed"))
    book, by = services.head_office.customers, request.state.session.admin
    done = await services.pages.run(book.forget, number, reason, typed, by)
    if isinstance(done, Refusal):
        return await _show(request, services, number, status=409, error=done.sentence, reason=reason)
    return _to(services, number)


@post("/customers/{number:str}/credit", include_in_schema=False, status_code=200)
async def set_limit(request: WebRequest, services: Given, number: FromPath[str]) -> Response[Any]:
    """So far the customer may buy on account."""
    form = await request.form()
    typed, currency, reason = (_clean(form.get(name)) for name in ("limit", "currency", "limit_reason"))
    money = CURRENCIES.get(currency)
    limit = (
        parse_minor(typed.replace(",", "."), money)
        if money
        else Refusal("credit.currency", "Which currency?")
    )
    if isinstance(limit, Refusal):
        return await _show(request, services, number, status=409, error=limit.sentence)
    book, by = services.head_office.credit, request.state.session.admin
    done = await services.pages.run(lambda: book.set_limit(number, limit, currency, by=by, reason=reason))
    if isinstance(done, Refusal):
        return await _show(request, services, number, status=409, error=done.sentence)
    return _to(services, number)


routes = Router(
    "/",
    route_handlers=[show_customers, show_customer, change, preview_merge, merge, forget, set_limit],
    before_request=require_session,
)


async def _show(
    request: WebRequest,
    services: Services,
    number: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    found: CustomerPage | None = await services.pages.run(services.head_office.customers.one, _clean(number))
    if found is None:
        raise HttpProblem(404, "customer.unknown", "Head office knows no customer of that number.")
    points, credit, currencies = await services.pages.run(_value, services, found)
    values: dict[str, Any] = {"customer": found, "error": error, "reason": reason, "sales_max": SALES_MAX}
    values |= {"points": points, "credit": credit, "currencies": currencies}
    return await page(request, services, "customers/customer.html", _SECTION, status, **values)


def _value(
    services: Services, customer: CustomerPage
) -> tuple[Standing | None, CreditStanding | None, list[str]]:
    """What a customer has of points and credit, under all numbers that lead here."""
    office = services.head_office
    return (
        office.points.standing(customer.number),
        office.credit.standing(Kind.ON_ACCOUNT, customer.number),
        office.credit.currencies(),
    )


def _to(services: Services, number: str) -> Redirect:
    services.wakeups.wake(PAGES)
    return Redirect(f"/customers/{quote(number, safe='')}", status_code=303)


def _clean(given: Any) -> str:
    return str(given or "").replace("\x00", "").strip()[:TEXT_CHARS_MAX]


def _figure(given: Any) -> int:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1
