"""Signing in and out, and the business day's beginning and end (SW4, PO5)."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from holdfast.core.basket import Act
from holdfast.core.business_day import NOBODY, DayClosed
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal
from holdfast.register.web.cash.acts import float_in, proposed_float, uses_shifts
from holdfast.register.web.cash.screen import CashScreen
from holdfast.register.web.guards import AnyRequest, Permit, permit_of, to_start
from holdfast.register.web.messages import say
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.sessions import COOKIE, Session
from holdfast.register.web.watch import CHANGED

Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
NEEDS_MANAGER = frozenset({"day.needs-manager"})


class Entrance(Controller):
    """The one page, and what stands before it."""

    @get("/", operation="till.see", sync_to_thread=True)
    def start(self, request: AnyRequest, services: Given) -> Response[str]:
        """Sign in, open the day, or sell: whichever comes next."""
        session = services.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            return _sign_in_again(services, services.sessions.seen(request.cookies.get(COOKIE)))
        if session.starts and (start := services.start()) and session.told != start.name:
            services.watch.accept_outage()  # the page tells of it
            context = {**_outside(services), "person": session.person, "start": start}
            return services.pages.page("start.html", context)
        session.starts = False
        if services.desk.business_date() is None:
            return _open_day(services, session)
        day = services.desk.checkout.day()
        if day.has_shifts and not day.shift:
            return CashScreen(services, session.person).arrival(said=session.take_notice())
        return Screen(services, session.person).page(said=session.take_notice())

    @post("/sign-in", operation="staff.sign-in", sync_to_thread=True)
    def sign_in(self, request: AnyRequest, data: Form, services: Given) -> Response[Any]:
        """Staff number and PIN; looked up on this register. Also what unlocks a till."""
        number, former = str(data.get("staff", "")), request.cookies.get(COOKIE)
        found = services.people.identify(number, str(data.get("pin", "")))
        if isinstance(found, Refusal):
            locked = services.sessions.seen(former)
            return _sign_in(services, error=found.sentence, staff=number[:32], locked=locked)
        _left(services, former, found.id)
        token = services.sessions.open(found, services.sessions.seen(former))
        services.sessions.close(former)
        services.grid.turn_home()
        answer: Response[Any] = to_start()
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
        return answer

    @post("/start/continue", operation="link.continue")
    async def go_on(self, request: AnyRequest, data: Form, services: Given) -> Redirect:
        """What is told at a start was read."""
        session = permit_of(request).session
        session.starts, session.told = False, str(data.get("told", ""))[:64]
        return to_start()

    @post("/sign-out", operation="staff.sign-out", sync_to_thread=True)
    def sign_out(self, request: AnyRequest, services: Given) -> Redirect:
        """Leave the till to the next; the basket stays."""
        _left(services, request.cookies.get(COOKIE))
        services.sessions.close(request.cookies.get(COOKIE))
        answer = to_start()
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @post("/lock", operation="staff.lock")
    async def lock(self, request: AnyRequest, services: Given) -> Response[Any]:
        """Leave it for a moment: the PIN goes on, and the basket stays."""
        services.sessions.lock(request.cookies.get(COOKIE))
        services.wakeups.wake(CHANGED)
        return to_start()

    @get("/locked", operation="staff.lock")
    async def locked(self) -> Response[Any]:
        """The page was told that nobody used it for long: it shows the lock."""
        return Response("", headers={"HX-Redirect": "/"})

    @post("/day/open", operation="day.open", sync_to_thread=True)
    def open_day(self, request: AnyRequest, data: Form, services: Given) -> Response[Any]:
        """Begin the business day; a date that is far off needs a manager's PIN."""
        permit = permit_of(request)
        chosen = str(data.get("date", ""))
        is_sure = bool(chosen) and data.get("sure") == chosen
        typed = str(data.get("float", ""))
        float_minor = float_in(typed, services) if uses_shifts(services) else None
        act = _act_for_date(permit, services, is_sure=is_sure)
        opened = (
            float_minor
            if isinstance(float_minor, Refusal)
            else services.desk.open_day(chosen, act, float_minor)
        )
        if isinstance(opened, Refusal):
            return _open_day(
                services,
                permit.session,
                error=opened.sentence,
                chosen=chosen,
                needs_manager=opened.code in NEEDS_MANAGER,
                typed=typed,
            )
        permit.session.starts = True
        return to_start()

    @post("/day/close", operation="day.close", sync_to_thread=True)
    def close_day(self, request: AnyRequest, services: Given) -> Response[Any]:
        """End the business day."""
        permit = permit_of(request)
        closed = services.desk.close_day(permit.act)
        if isinstance(closed, DayClosed):
            services.loyalty.reopened()
            permit.session.notice = _day_closed(services, closed)
            return Response("", headers={"HX-Redirect": "/"})
        return Screen(services, permit.person).shelf(refusal=closed)


def _left(services: Services, token: str | None, to: StaffId | None = None) -> None:
    """Whoever was signed in leaves; a drill that he started ends with it. `to`: who comes instead."""
    former = services.sessions.seen(token)
    if former is not None and former.person.id != to:
        services.watch.drills.signed_out(former.person.id)


def _day_closed(services: Services, closed: DayClosed) -> str:
    """That it is closed, and what its Z report came to."""
    row = services.desk.checkout.z_reports(1)[0]
    said = say(
        "day.closed.z",
        date=services.fmt.date(closed.business_date),
        number=row.report.number,
        total=services.fmt.money(row.report.totals.total_minor),
    )
    return " ".join((said, say("report.prints"))) if services.outbox.has_printer else said


def _act_for_date(permit: Permit, services: Services, *, is_sure: bool) -> Act:
    """Approved by somebody who may decide on a date in doubt, if anybody has.

    Who may so himself has shown his PIN at sign-in; he is sure once he was told what speaks against the date.
    """
    needed = services.operations["day.open-doubtful"].permission
    if permit.approver is not None and permit.approver.role.may_approve(needed):
        return permit.act
    himself = permit.person.id if is_sure and permit.person.role.may(needed) else NOBODY
    return msgspec.structs.replace(permit.act, approved_by=himself)


def _sign_in_again(services: Services, former: Session | None) -> Response[str]:
    """The page to sign in, or that of a till that is locked."""
    if former is None:
        return _sign_in(services)
    if former.ended:
        return _sign_in(services, error=former.ended)
    return _sign_in(services, staff=former.person.id, locked=former)


def _sign_in(
    services: Services, *, error: str = "", staff: str = "", locked: Session | None = None
) -> Response[str]:
    wrong = bool(error and staff)
    if not error and not services.shelf.has_staff():
        error = say("sign-in.nobody")
    is_locked = locked is not None and locked.is_locked and not locked.ended
    context = {
        **_outside(services),
        "error": error,
        "staff": staff,
        "locked": locked.person.name if locked and is_locked else "",
        "has_basket": is_locked and services.desk.checkout.basket() is not None,
    }
    return services.pages.page("sign_in.html", context, status=422 if wrong else 200)


def _open_day(
    services: Services,
    session: Session,
    *,
    error: str = "",
    chosen: str = "",
    needs_manager: bool = False,
    typed: str = "",
) -> Response[str]:
    offered = services.desk.offered_date()
    decides = session.person.role.may(services.operations["day.open-doubtful"].permission)
    context = {
        **_outside(services),
        "person": session.person,
        "said": session.take_notice(),
        "error": error,
        "offered": offered,
        "chosen": chosen or offered,
        "has_shifts": uses_shifts(services),
        **proposed_float(services),
        **({"typed": typed} if typed else {}),
        "last_z": last[0].report.number if (last := services.desk.checkout.z_reports(1)) else 0,
        "has_printer": services.outbox.has_printer,
        "needs_manager": needs_manager and not decides,
        "sure": chosen if needs_manager and decides else "",
    }
    return services.pages.page("open_day.html", context, status=422 if error else 200)


def _outside(services: Services) -> dict[str, Any]:
    return {"status": services.status(), "warning": None, "business_date": None}
