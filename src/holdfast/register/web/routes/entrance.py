"""Signing in and out, and the business day's beginning and end (SW4, PO5)."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from holdfast.core.business_day import DayClosed
from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, act_in, session_of, to_start
from holdfast.register.web.messages import say
from holdfast.register.web.people import act_of
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.sessions import COOKIE, Session

Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
NEEDS_MANAGER = frozenset({"day.needs-manager", "basket.needs-manager", "work-mode.needs-manager"})


class Entrance(Controller):
    """The one page, and what stands before it."""

    @get("/", sync_to_thread=True)
    def start(self, request: AnyRequest, services: Given) -> Response[str]:
        """Sign in, open the day, or sell: whichever comes next."""
        session = services.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            return _sign_in(services)
        if services.desk.business_date() is None:
            return _open_day(services, session)
        return Screen(services, session.person).page(said=session.take_notice())

    @post("/sign-in", sync_to_thread=True)
    def sign_in(self, data: Form, services: Given) -> Response[Any]:
        """Staff number and PIN; looked up on this register."""
        number = str(data.get("staff", ""))
        found = services.people.identify(number, str(data.get("pin", "")))
        if isinstance(found, Refusal):
            return _sign_in(services, error=found.sentence, staff=number[:32])
        answer: Response[Any] = to_start()
        answer.set_cookie(COOKIE, services.sessions.open(found), httponly=True, samesite="strict", path="/")
        return answer

    @post("/sign-out")
    async def sign_out(self, request: AnyRequest, services: Given) -> Redirect:
        """Leave the till to the next; the basket stays."""
        services.sessions.close(request.cookies.get(COOKIE))
        answer = to_start()
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @post("/day/open", sync_to_thread=True)
    def open_day(self, request: AnyRequest, data: Form, services: Given) -> Response[Any]:
        """Begin the business day; a date that is far off needs a manager's PIN."""
        session = session_of(request, services)
        chosen = str(data.get("date", ""))
        act = act_in(data, session.person, services)
        if isinstance(act, Refusal):
            return _open_day(services, session, error=act.sentence, chosen=chosen, needs_manager=True)
        if session.person.is_manager and not act.approved_by and chosen and data.get("sure") == chosen:
            # A manager's own PIN has been asked for at sign-in; what speaks against the date was shown.
            act = act_of(session.person, act.at_ms, session.person)
        opened = services.desk.open_day(chosen, act)
        if isinstance(opened, Refusal):
            needs_manager = opened.code in NEEDS_MANAGER
            return _open_day(
                services, session, error=opened.sentence, chosen=chosen, needs_manager=needs_manager
            )
        return to_start()

    @post("/day/close", sync_to_thread=True)
    def close_day(self, request: AnyRequest, services: Given) -> Response[Any]:
        """End the business day."""
        session = session_of(request, services)
        closed = services.desk.close_day(act_of(session.person, services.clock.now_ms(), None))
        if isinstance(closed, DayClosed):
            session.notice = say("day.closed", date=services.fmt.date(closed.business_date))
            return Response("", headers={"HX-Redirect": "/"})
        return Screen(services, session.person).shelf(refusal=closed)


def _sign_in(services: Services, *, error: str = "", staff: str = "") -> Response[str]:
    if not error and not services.shelf.has_staff():
        error = say("sign-in.nobody")
    context = {**_outside(services), "error": error, "staff": staff}
    return services.pages.page("sign_in.html", context, status=422 if error and staff else 200)


def _open_day(
    services: Services, session: Session, *, error: str = "", chosen: str = "", needs_manager: bool = False
) -> Response[str]:
    offered = services.desk.offered_date()
    context = {
        **_outside(services),
        "person": session.person,
        "said": session.take_notice(),
        "error": error,
        "offered": offered,
        "chosen": chosen or offered,
        "needs_manager": needs_manager and not session.person.is_manager,
        "sure": chosen if needs_manager and session.person.is_manager else "",
    }
    return services.pages.page("open_day.html", context, status=422 if error else 200)


def _outside(services: Services) -> dict[str, Any]:
    return {"status": services.status(), "warning": None, "business_date": None}
