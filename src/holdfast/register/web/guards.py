"""Who is asking: the signed-in person of a request, and the manager who approves beside him."""

from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.response import Redirect

from holdfast.core.basket import Act
from holdfast.core.refusals import Refusal
from holdfast.infra.web import HttpProblem
from holdfast.register.web.people import Person, act_of
from holdfast.register.web.services import Services
from holdfast.register.web.sessions import COOKIE, Session

AnyRequest = Request[Any, Any, Any]
FIELDS_MAX = 64


class SignInFirst(HttpProblem):
    """Nobody is signed in at this browser."""

    def __init__(self) -> None:
        super().__init__(401, "session.missing", "Sign in first.")


def session_of(request: AnyRequest, services: Services) -> Session:
    """The browser's session. SignInFirst where there is none."""
    found = services.sessions.find(request.cookies.get(COOKIE))
    if found is None:
        raise SignInFirst
    services.in_use()
    return found


def is_part(request: AnyRequest) -> bool:
    """htmx asks: for a part of the page."""
    return request.headers.get("hx-request") == "true"


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The fields of a form; of several with one name the last."""
    form: FormMultiDict = await request.form()
    return {name: value for name, value in list(form.multi_items())[:FIELDS_MAX] if isinstance(value, str)}


def act_in(form: dict[str, str], person: Person, services: Services) -> Act | Refusal:
    """What this person does now; with a manager's number and PIN in the form, with his approval."""
    approver: Person | None = None
    if form.get("manager"):
        found = services.people.identify_manager(form["manager"], form.get("manager_pin", ""))
        if isinstance(found, Refusal):
            return found
        approver = found
    return act_of(person, services.clock.now_ms(), approver)


def to_start() -> Redirect:
    """Back to the one page there is."""
    return Redirect("/", status_code=303)
