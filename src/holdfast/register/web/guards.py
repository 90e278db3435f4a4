"""The one guard of the till: each request names its operation, and is answered here first (SW8, PO6).

It is allowed; or it needs somebody's approval by number and PIN, which is asked for on top of the screen; or
it is refused with the table's sentence. A route that names no operation is refused too.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.response import Redirect

from holdfast.core.basket import Act
from holdfast.core.faults import StorageFullFault
from holdfast.core.operations import NeedsApproval, Operation, decide, refusal_of
from holdfast.core.operations.approval import OperationApproved
from holdfast.core.refusals import Refusal
from holdfast.infra.web import HttpProblem
from holdfast.register.web.people import Person
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Services
from holdfast.register.web.sessions import COOKIE, Session

AnyRequest = Request[Any, Any, Any]
Fields = tuple[tuple[str, str], ...]
"""Of a form; a name may come several times."""
FIELDS_MAX = 1_000
APPROVER_FIELDS = frozenset({"manager", "manager_pin", "asked"})
NEEDS_APPROVAL = frozenset({"basket.needs-manager"})
"""Codes of refusals in core that somebody's approval cures."""
_log = structlog.get_logger(__name__)


class SignInFirst(HttpProblem):
    """Nobody is signed in at this browser."""

    def __init__(self) -> None:
        super().__init__(401, "session.missing", "Sign in first.")


class ByPath(msgspec.Struct, frozen=True):
    """A part of the path says which operation it is."""

    name: str
    operations: Mapping[str, str]
    otherwise: str


class ByField(msgspec.Struct, frozen=True):
    """A field of the form says which operation it is."""

    name: str
    operations: Mapping[str, str]
    otherwise: str


class BySight(msgspec.Struct, frozen=True):
    """What a field of the form looks like says which operation it is."""

    name: str
    is_one: Callable[[str], bool]
    operation: str
    otherwise: str


class Asks(msgspec.Struct, frozen=True):
    """A route that only asks; what is answered goes to the operation's own route, which needs approval."""

    of: str | ByPath


Named = str | ByPath | ByField | BySight | Asks
"""What a route's `operation=` may be."""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard found; routes act by it."""

    session: Session
    person: Person
    act: Act
    operation: Operation
    fields: Fields
    approver: Person | None = None


class Guard:
    """`before_request` of the whole application."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, request: AnyRequest) -> Response[Any] | None:
        """None: go on."""
        request.state.began_ms = self._services.clock.monotonic_ms()
        fields = tuple((await request.form()).multi_items())[:FIELDS_MAX] if request.method == "POST" else ()
        texts = tuple((name, value) for name, value in fields if isinstance(value, str))
        return await asyncio.to_thread(self._judge, request, texts)

    def _judge(self, request: AnyRequest, fields: Fields) -> Response[Any] | None:
        operation, asks = self._operation(request, dict(fields))
        services = self._services
        now = services.situation(operation)
        refusal = refusal_of(operation, now)
        if operation.before_sign_in:
            if refusal is not None:
                raise HttpProblem(409, refusal.code, refusal.sentence)
            return None
        session, person = self._who(request)
        if refusal is not None:
            services.watch.drills.said_no(operation.id, refusal.sentence)
            return refused(services, request, person, refusal)
        answer = decide(operation, person.role, now)
        approver = self._approver(dict(fields), operation)
        if isinstance(approver, Refusal):
            return ask_approval(services, request, fields, dict(fields).get("asked", ""), approver.sentence)
        if isinstance(answer, NeedsApproval) and approver is None and not asks:
            return ask_approval(services, request, fields, answer.sentence)
        permit = Permit(
            session=session,
            person=person,
            act=self._act(person, approver),
            operation=operation,
            fields=fields,
            approver=approver,
        )
        if approver is not None:
            self._journal(permit)
        request.state.permit = permit
        return None

    def _operation(self, request: AnyRequest, fields: Mapping[str, str]) -> tuple[Operation, bool]:
        """What this request is about, and whether it only asks."""
        named: Named | None = request.route_handler.opt.get("operation")
        asks = isinstance(named, Asks)
        match named.of if isinstance(named, Asks) else named:
            case str() as name:
                pass
            case ByPath() as by:
                name = by.operations.get(str(request.path_params.get(by.name)), by.otherwise)
            case ByField() as by:
                name = by.operations.get(fields.get(by.name, ""), by.otherwise)
            case BySight() as by:
                name = by.operation if by.is_one(fields.get(by.name, "")) else by.otherwise
            case _:
                name = ""
        operation = self._services.operations.get(name)
        if operation is None:
            raise HttpProblem(
                403,
                "operation.unnamed",
                f"{request.url.path} names no operation of the table: give its route operation=…, "
                "a row of holdfast.core.operations.",
            )
        return operation, asks

    def _who(self, request: AnyRequest) -> tuple[Session, Person]:
        services, token = self._services, request.cookies.get(COOKIE)
        session = services.sessions.use(token)
        if session is None:
            raise SignInFirst
        person = services.people.now(session.person)
        if isinstance(person, Refusal):
            services.sessions.end(token, person.sentence)
            raise SignInFirst
        session.person = person
        services.in_use()
        return session, person

    def _approver(self, fields: Mapping[str, str], operation: Operation) -> Person | Refusal | None:
        number = fields.get("manager")
        if not number:
            return None
        return self._services.people.identify_approver(
            number, fields.get("manager_pin", ""), operation.permission
        )

    def _act(self, person: Person, approver: Person | None) -> Act:
        act = Act(
            by=person.id,
            at_ms=self._services.clock.now_ms(),
            limits=self._services.limits_of(person.role.limits),
        )
        if approver is None:
            return act
        return msgspec.structs.replace(act, approved_by=approver.id, approver_limits=approver.role.limits)

    def _journal(self, permit: Permit) -> None:
        """That somebody lent his permission, whatever comes of it; what is done names him too."""
        basket = self._services.desk.checkout.basket()
        body = OperationApproved(
            operation=permit.operation.id,
            by=permit.act.by,
            approved_by=permit.act.approved_by,
            transaction=basket.transaction if basket else None,
        )
        try:
            self._services.desk.checkout.append("operation_approved", 1, body)
        except StorageFullFault as fault:
            # A full disk has room to finish the open sale, and that names who approved it.
            _log.warning("approval not journalled", operation=permit.operation.id, fault=fault.sentence)


def note_wait(services: Services) -> Callable[[AnyRequest], None]:
    """`after_response` of the whole application: in a drill, how long an act was waited for."""

    def note(request: AnyRequest) -> None:
        began_ms = request.state.get("began_ms")
        if began_ms is not None and request.method == "POST":
            services.watch.drills.waited(services.clock.monotonic_ms() - began_ms)

    return note


def permit_of(request: AnyRequest) -> Permit:
    """What the guard found. SignInFirst where the route needs nobody signed in, and nobody is."""
    permit = request.state.get("permit")
    if permit is None:
        raise SignInFirst
    return permit


def is_part(request: AnyRequest) -> bool:
    """htmx asks: for a part of the page."""
    return request.headers.get("hx-request") == "true"


def refused(services: Services, request: AnyRequest, person: Person, refusal: Refusal) -> Response[Any]:
    """The screen as it is, with the table's sentence; an open question goes."""
    if not is_part(request):
        raise HttpProblem(409, refusal.code, refusal.sentence)
    screen, path = Screen(services, person), request.url.path
    # Who is paying stays there: what cures it, taking a card off and another tender, is on that page (GC5).
    is_paying = path.startswith("/pay/") or (path.startswith("/held/") and path.endswith("/pay"))
    priced = services.desk.checkout.priced() if is_paying else None
    stays = priced is not None and priced.lines
    way = str(request.path_params.get("kind", ""))  # of the card that is held: its *Take off* is there
    answer = screen.pay(refusal=refusal, currency=way) if stays else screen.shelf(refusal=refusal)
    answer.headers.update({"HX-Retarget": "#work", "HX-Reswap": "innerHTML"})
    return answer


def ask_approval(
    services: Services, request: AnyRequest, fields: Iterable[tuple[str, str]], sentence: str, wrong: str = ""
) -> Response[Any]:
    """Ask for number and PIN of somebody who may; everything that was entered is sent again with them.

    `sentence`: what is asked for. `wrong`: why the last one could not approve it.
    """
    context = {
        "sentence": sentence,
        "wrong": wrong,
        "action": request.url.path,
        "fields": [(name, value) for name, value in fields if name not in APPROVER_FIELDS],
        "target": request.headers.get("hx-target") or "work",
    }
    if not is_part(request):
        outside = {"status": services.status(), "warning": None, "business_date": None}
        return services.pages.page("approve.html", outside | context, status=422)
    answer = services.pages.page("dialogs/approve.html", context)
    answer.headers.update({"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"})
    return answer


def to_start() -> Redirect:
    """Back to the one page there is."""
    return Redirect("/", status_code=303)
