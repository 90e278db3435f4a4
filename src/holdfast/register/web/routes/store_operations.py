"""Store operations: *Work offline*, *Enable Online POS* (SW3), and the page *Status* (SW6, SW9)."""

from typing import Any, Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, Asks, ByPath, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.overview import overview
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.sessions import Session

To = FromPath[Literal["offline", "online"]]
_CHOICE = ByPath("to", {"online": "link.enable-online"}, "link.work-offline")


class StoreOperations(Controller):
    """How this register works, by whom and why; and how it stands."""

    @get("/status", operation="link.status", sync_to_thread=True)
    def status(self, request: AnyRequest, services: Given) -> Response[str]:
        """The page."""
        permit = permit_of(request)
        permit.session.asked_ms = 0
        return Screen(services, permit.person).overview(**_overview(services, permit.session))

    @get("/status/now", operation="link.status", sync_to_thread=True)
    def now(self, request: AnyRequest, services: Given) -> Response[str]:
        """What of it changes."""
        view = _overview(services, permit_of(request).session)
        return services.pages.page("overview_parts.html", view)

    @post("/status/sync", operation="link.send-now", status_code=200, sync_to_thread=True)
    def sync(self, request: AnyRequest, services: Given) -> Response[str]:
        """Try at once; the page says how it went as soon as that is known."""
        session = permit_of(request).session
        session.asked_ms = services.clock.now_ms()
        services.send_now()
        return services.pages.page("overview_parts.html", _overview(services, session))

    @get("/work-mode/{to:str}", operation=Asks(_CHOICE), sync_to_thread=True)
    def ask(self, request: AnyRequest, to: To, services: Given) -> Response[str]:
        """The question, with its reasons."""
        return Screen(services, permit_of(request).person).part("dialogs/work_mode.html", to=to)

    @post("/work-mode/{to:str}", operation=_CHOICE, sync_to_thread=True)
    def choose(self, request: AnyRequest, to: To, data: Form, services: Given) -> Response[str]:
        """Journalled, and in force from here on."""
        permit = permit_of(request)
        screen = Screen(services, permit.person)
        line = services.watch.link.mode.value
        may = permit.person.role.may(permit.operation.permission)
        reason = str(data.get("reason", ""))
        chosen = services.desk.choose_work_mode(to, reason, permit.act, line=line, may=may)
        if isinstance(chosen, Refusal):
            return screen.shelf(refusal=chosen)
        services.work_chosen()
        return screen.shelf(said=say("work.offline.done" if to == "offline" else "work.online.done"))


def _overview(services: Services, session: Session) -> dict[str, Any]:
    watch = services.watch
    now_ms = services.clock.now_ms()
    return {
        "status": services.status(),
        "view": overview(watch.link, watch.owed, services.fmt, now_ms, asked_ms=session.asked_ms),
        "halved": services.are_prices_old(),
        "allowances": services.central.allowances.told(services.fmt),
    }
