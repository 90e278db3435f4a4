"""Store operations: *Work offline* and *Enable Online POS* (SW3)."""

from typing import Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, Asks, ByPath, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given

To = FromPath[Literal["offline", "online"]]
_CHOICE = ByPath("to", {"online": "link.enable-online"}, "link.work-offline")


class StoreOperations(Controller):
    """How this register works, by whom and why."""

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
