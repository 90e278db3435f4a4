"""Signing in and out, and the one-time link of a new administrator."""

import secrets
from urllib.parse import urlsplit

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from holdfast.core.refusals import Refusal
from holdfast.hq.web.auth.accounts import SESSION_TTL_MS, same
from holdfast.hq.web.auth.guard import SESSION_COOKIE, WebRequest, accounts_of, session_of
from holdfast.hq.web.given import Given
from holdfast.hq.web.services import Services
from holdfast.hq.web.templating import html, render
from holdfast.infra.web import HttpProblem

_FORM_COOKIE = "holdfast_hq_form"
"""Ties a form that is posted before anybody is signed in to the browser that asked for it."""
_FORM_AGE_S = 3_600


@get("/login", include_in_schema=False)
async def show_login(request: WebRequest, services: Given, next: FromQuery[str] = "/") -> Response[str]:
    anybody = await services.pages.run(accounts_of(services).anybody)
    return _login_page(request, services, next=next, name="", error="", anybody=anybody)


@post("/login", include_in_schema=False, status_code=200)
async def log_in(request: WebRequest, services: Given) -> Response[str] | Redirect:
    form = await request.form()
    name, password = str(form.get("name", ""))[:64].strip().lower(), str(form.get("password", ""))
    next = str(form.get("next", "/"))
    _require_form_token(request, str(form.get("csrf", "")))
    keys = (f"name:{name}", f"address:{request.client.host if request.client else ''}")
    wait_ms = services.throttle.wait_ms(*keys)
    if wait_ms:
        error = f"Too many wrong passwords. Try again in {-(-wait_ms // 1_000)} seconds."
        return _login_page(request, services, next=next, name=name, error=error, status=429)
    found = await services.pages.run(accounts_of(services).check, name, password)
    if found is None:
        services.throttle.failed(*keys)
        error = "Name or password is wrong."
        return _login_page(request, services, next=next, name=name, error=error, status=403)
    services.throttle.passed(*keys)
    return await _signed_in(services, found, next)


@post("/logout", include_in_schema=False)
async def log_out(request: WebRequest, services: Given) -> Redirect:
    session = await session_of(request, services)
    if session is not None:
        _require_csrf(same(str((await request.form()).get("csrf", "")), session.csrf))
        await services.pages.run(accounts_of(services).end_session, request.cookies[SESSION_COOKIE])
    answer = Redirect("/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@get("/welcome/{token:str}", include_in_schema=False)
async def show_welcome(request: WebRequest, services: Given, token: FromPath[str]) -> Response[str]:
    return await _welcome_page(request, services, token, "")


@post("/welcome/{token:str}", include_in_schema=False, status_code=200)
async def welcome(request: WebRequest, services: Given, token: FromPath[str]) -> Response[str] | Redirect:
    form = await request.form()
    _require_form_token(request, str(form.get("csrf", "")))
    password = str(form.get("password", ""))
    if password != str(form.get("again", "")):
        return await _welcome_page(request, services, token, "The two passwords are not the same.", 422)
    name = await services.pages.run(accounts_of(services).set_password, token, password)
    if isinstance(name, Refusal):
        return await _welcome_page(request, services, token, name.sentence, 422)
    return await _signed_in(services, name, "/")


routes = Router("/", route_handlers=[show_login, log_in, log_out, show_welcome, welcome])


# ---- pages and cookies -------------------------------------------------------------------------


def _login_page(
    request: WebRequest,
    services: Services,
    *,
    next: str,
    name: str,
    error: str,
    anybody: bool = True,
    status: int = 200,
) -> Response[str]:
    token = _form_token(request)
    content = render(
        "auth/login.html",
        {"csrf": token, "next": _local(next), "name": name, "error": error, "anybody": anybody},
    )
    return _with_form_cookie(html(content, status), token, services)


async def _welcome_page(
    request: WebRequest, services: Services, token: str, error: str, status: int = 200
) -> Response[str]:
    link = await services.pages.run(accounts_of(services).link, token)
    csrf = _form_token(request)
    content = render("auth/welcome.html", {"link": link, "token": token, "csrf": csrf, "error": error})
    return _with_form_cookie(html(content, status if link else 410), csrf, services)


async def _signed_in(services: Services, name: str, next: str) -> Redirect:
    token = await services.pages.run(accounts_of(services).begin_session, name)
    answer = Redirect(_local(next), status_code=303)
    answer.set_cookie(
        Cookie(
            key=SESSION_COOKIE,
            value=token,
            max_age=SESSION_TTL_MS // 1_000,
            httponly=True,
            secure=services.tls is not None,
            samesite="lax",
            path="/",
        )
    )
    answer.delete_cookie(_FORM_COOKIE)
    return answer


def _with_form_cookie(answer: Response[str], token: str, services: Services) -> Response[str]:
    answer.set_cookie(
        Cookie(
            key=_FORM_COOKIE,
            value=token,
            httponly=True,
            secure=services.tls is not None,
            samesite="strict",
            path="/",
            max_age=_FORM_AGE_S,
        )
    )
    return answer


def _form_token(request: WebRequest) -> str:
    """The token that the browser has already, so that two open tabs do not spoil each other's form."""
    known = request.cookies.get(_FORM_COOKIE, "")
    return known if 20 <= len(known) <= 64 and known.isascii() else secrets.token_urlsafe(24)


def _require_form_token(request: WebRequest, given: str) -> None:
    _require_csrf(same(given, request.cookies.get(_FORM_COOKIE, "")))


def _require_csrf(holds: bool) -> None:
    if not holds:
        raise HttpProblem(403, "csrf", "This form is too old or came from another page. Open it again.")


def _local(path: str) -> str:
    """Only a place on this server: a link must not lead a fresh session elsewhere."""
    parts = urlsplit(path)
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if fine and path.isprintable() else "/"
