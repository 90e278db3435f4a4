"""The pages of accounts: found by their last digits or by a number typed in full, with every movement."""

from typing import Any
from urllib.parse import quote, urlencode

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from holdfast.core.central.accounts import NUMBERED, AccountId, Kind
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.central.differences import REMARKS
from holdfast.hq.central.views import HOLDS_MAX, LISTED_MAX, MOVEMENTS_MAX, AccountPage, is_end
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.central.view import KINDS, STATES, clean, words
from holdfast.hq.web.given import Given
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

SECTION = "/cards"


@get("/cards", include_in_schema=False)
async def show_accounts(request: WebRequest, services: Given) -> Response[str]:
    asked = _asked(request.query_params)
    book = services.head_office.accounts
    values: dict[str, Any] = {
        "asked": asked,
        "rows": await services.pages.run(lambda: book.listed(**asked)),
        "rows_max": LISTED_MAX,
        **words(),
    }
    if request.headers.get("HX-Target") == "accounts":
        return fragment(services, "central/accounts_table.html", **values)
    return await page(request, services, "central/accounts.html", SECTION, error="", typed="", **values)


@post("/cards/find", include_in_schema=False, status_code=200)
async def find(request: WebRequest, services: Given) -> Response[Any]:
    """A number in full is posted: it stands in no address, history or log."""
    form = await request.form()
    typed = clean(form.get("number"))
    if is_end(typed):
        return Redirect(f"/cards?{urlencode({'number_end': typed})}", status_code=303)
    book = services.head_office.accounts
    found = await services.pages.run(book.of_number, typed)
    if not isinstance(found, Refusal):
        return Redirect(_path(*found), status_code=303)
    rows = await services.pages.run(lambda: book.listed(account=typed)) if typed else []
    if len(rows) == 1:
        return Redirect(_path(rows[0].kind, rows[0].account), status_code=303)
    values = {"asked": _asked({}), "rows": rows, "rows_max": LISTED_MAX, **words()}
    sentence = "" if rows else found.sentence
    status = 200 if rows else 404
    return await page(
        request, services, "central/accounts.html", SECTION, status, error=sentence, typed="", **values
    )


@get("/cards/{kind:str}/{account:str}", include_in_schema=False)
async def show_account(
    request: WebRequest, services: Given, kind: FromPath[str], account: FromPath[str]
) -> Response[str]:
    return await _show(request, services, kind, account)


@post("/cards/{kind:str}/{account:str}/state", include_in_schema=False, status_code=200)
async def change_state(
    request: WebRequest, services: Given, kind: FromPath[str], account: FromPath[str]
) -> Response[Any]:
    form = await request.form()
    reason, book, by = clean(form.get("reason")), services.head_office.cards, request.state.session.admin
    if kind not in NUMBERED:
        raise HttpProblem(404, "account.unknown", "Only cards and memos are blocked.")
    change = book.unblock if form.get("act") == "unblock" else book.block
    done = await services.pages.run(
        lambda: change(Kind(kind), AccountId(clean(account)), by=by, reason=reason)
    )
    if isinstance(done, Refusal):
        return await _show(request, services, kind, account, status=409, error=done.sentence, reason=reason)
    services.wakeups.wake(PAGES)
    return Redirect(_path(kind, account), status_code=303)


routes = Router(
    "/",
    route_handlers=[show_accounts, find, show_account, change_state],
    before_request=require_session,
)


def _path(kind: str, account: str) -> str:
    return f"/cards/{quote(kind, safe='')}/{quote(account, safe='')}"


def _asked(given: Any) -> dict[str, str]:
    kind, state = clean(given.get("kind")), clean(given.get("state"))
    return {
        "kind": kind if kind in KINDS else "",
        "number_end": clean(given.get("number_end"), 8),
        "account": clean(given.get("account"), 64),
        "state": state if state in STATES else "",
    }


async def _show(
    request: WebRequest,
    services: Services,
    kind: str,
    account: str,
    *,
    status: int = 200,
    error: str = "",
    reason: str = "",
) -> Response[str]:
    kind, account = clean(kind, 40), clean(account, 64)
    found: AccountPage | None = await services.pages.run(services.head_office.accounts.one, kind, account)
    if found is None:
        raise HttpProblem(404, "account.unknown", "Head office knows no such card, memo or account.")
    done = await services.pages.run(lambda: acts(services.pool, kind=kind, account=account))
    return await page(
        request,
        services,
        "central/account.html",
        SECTION,
        status,
        found=found,
        one=found.account,
        acts=done,
        remarks=REMARKS,
        error=error,
        reason=reason,
        movements_max=MOVEMENTS_MAX,
        holds_max=HOLDS_MAX,
        may_block=kind in NUMBERED,
        **words(),
    )
