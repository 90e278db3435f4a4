"""What every page passes first: somebody is signed in, and whatever changes something carries their token."""

from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from litestar.response import Redirect

from holdfast.hq.web.auth.accounts import Accounts, Session, same
from holdfast.hq.web.services import Services
from holdfast.infra.web import HttpProblem

SESSION_COOKIE = "holdfast_hq"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

WebRequest = Request[Any, Any, State]


def accounts_of(services: Services) -> Accounts:
    """The administrators, over the pages' own connections."""
    return Accounts(services.pool, services.clock)


async def session_of(request: WebRequest, services: Services) -> Session | None:
    """Who is signed in with this request's cookie."""
    token = request.cookies.get(SESSION_COOKIE, "")
    return await services.pages.run(accounts_of(services).session, token) if token else None


async def require_session(request: WebRequest) -> Response[Any] | None:
    """A `before_request` hook: sends a stranger to sign in, and refuses a change without its token."""
    services: Services = request.app.state.services
    session = await session_of(request, services)
    if session is None:
        return _to_login(request)
    if request.method not in _SAFE_METHODS:
        given = request.headers.get("X-CSRF-Token") or str((await request.form()).get("csrf", ""))
        if not same(given, session.csrf):
            raise HttpProblem(403, "csrf", "This page is too old or came from elsewhere. Load it again.")
    request.state.session = session
    return _to_own_pages(request) if session.store else None


def _to_own_pages(request: WebRequest) -> Response[Any] | None:
    """Whoever is of a store has the pages of its locks, and no other."""
    path = request.url.path
    if path == "/":
        return Redirect("/locks", status_code=303)
    if path == "/live" or path == "/locks" or path.startswith("/locks/"):
        return None
    raise HttpProblem(
        403, "role.store", "This page is head office's. People of a store see the locks of its own registers."
    )


def _to_login(request: WebRequest) -> Response[Any]:
    if request.headers.get("HX-Request") == "true":
        # htmx follows this one itself; a redirect would put the sign-in page into a table.
        return Response(content=None, status_code=204, headers={"HX-Redirect": "/login"})
    if request.headers.get("Accept", "").startswith("text/event-stream"):
        return Response(content=None, status_code=204)  # an EventSource gives up on 204
    path = request.url.path
    return Redirect(f"/login?next={path}" if path != "/" else "/login", status_code=303)
