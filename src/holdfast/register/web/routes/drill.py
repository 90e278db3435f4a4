"""Routes of the drill: whether the till is ready, beginning and ending one (SW11)."""

from typing import Any

from litestar import Controller, Response, get, post

from holdfast.core.drill import MINUTES, MINUTES_MAX
from holdfast.core.faults import Fault
from holdfast.core.readiness import Readiness
from holdfast.core.refusals import Refusal
from holdfast.register.web.drill_view import over_view, readiness_view
from holdfast.register.web.guards import AnyRequest, Asks, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

_NOT_KNOWN = Readiness(score=0, findings=("not-known",))
"""What a drill's beginning says where the till could not tell."""


class Drilling(Controller):
    """Each act answers with the screen as it is afterwards."""

    @get("/readiness", operation="till.readiness", sync_to_thread=True)
    def readiness(self, request: AnyRequest, services: Given) -> Response[str]:
        """The score, what it comes from, and how the last drill went."""
        return _page(request, services)

    @get("/drill", operation=Asks("drill.start"), sync_to_thread=True)
    def ask(self, request: AnyRequest, services: Given) -> Response[str]:
        """The question, with the checklist."""
        screen = Screen(services, permit_of(request).person)
        view = readiness_view(_readiness(services), services.fmt)
        return screen.part("dialogs/drill.html", minutes=MINUTES, minutes_max=MINUTES_MAX, ready=view)

    @post("/drill", operation="drill.start", sync_to_thread=True)
    def start(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Journalled, and in force from here on."""
        permit = permit_of(request)
        screen = Screen(services, permit.person)
        typed = str(data.get("minutes", MINUTES)).strip()
        if not (typed.isascii() and typed.isdecimal() and len(typed) < 4):
            return screen.shelf(refusal=Refusal("drill.minutes", say("drill.minutes.form")))
        found = _readiness(services)
        begun = services.watch.drills.start(
            str(data.get("reason", "")),
            int(typed),
            permit.act,
            may=permit.person.role.may(permit.operation.permission),
            readiness=found if isinstance(found, Readiness) else _NOT_KNOWN,
        )
        if isinstance(begun, Refusal):
            return screen.shelf(refusal=begun)
        return screen.shelf(said=say("drill.started", until=services.fmt.clock(begun.ends_ms)))

    @post("/drill/end", operation="drill.end", sync_to_thread=True)
    def end(self, request: AnyRequest, services: Given) -> Response[str]:
        """What came of it."""
        over = services.watch.drills.end("ended", permit_of(request).person.id)
        if over is None:
            return _page(request, services, refusal=Refusal("drill.none", say("drill.none")))
        return _page(request, services, said=say("drill.ended"))


def _page(request: AnyRequest, services: Services, **said: Any) -> Response[str]:
    drills, fmt = services.watch.drills, services.fmt
    screen = Screen(services, permit_of(request).person)
    return screen.readiness(
        ready=readiness_view(_readiness(services), fmt),
        goes_on=drills.on is not None,
        last=over_view(drills.last, fmt, services.shelf) if drills.last else None,
        **said,
    )


def _readiness(services: Services) -> Readiness | Fault:
    try:
        return services.readiness()
    except Fault as fault:
        return fault
