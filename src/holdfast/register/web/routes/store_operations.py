"""Store operations: *Work offline* and *Enable Online POS* (SW3)."""

from typing import Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, act_in, session_of
from holdfast.register.web.messages import say
from holdfast.register.web.people import MANAGER_ROLES
from holdfast.register.web.routes.entrance import NEEDS_MANAGER, Form
from holdfast.register.web.routes.selling import ask_manager
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

To = FromPath[Literal["offline", "online"]]
ROLES_PARAMETER = "work-offline.roles"
"""Head office's list of the roles that may choose how a register works without a manager."""


class StoreOperations(Controller):
    """How this register works, by whom and why."""

    @get("/work-mode/{to:str}", sync_to_thread=True)
    def ask(self, request: AnyRequest, to: To, services: Given) -> Response[str]:
        """The question, with its reasons."""
        return Screen(services, session_of(request, services).person).part("dialogs/work_mode.html", to=to)

    @post("/work-mode/{to:str}", sync_to_thread=True)
    def choose(self, request: AnyRequest, to: To, data: Form, services: Given) -> Response[str]:
        """Journalled, and in force from here on."""
        person = session_of(request, services).person
        screen = Screen(services, person)
        act = act_in(data, person, services)
        if isinstance(act, Refusal):
            return ask_manager(screen, request, data, str(data.get("asked", "")), wrong=act.sentence)
        line = services.watch.link.mode.value
        may = person.role in _roles(services)
        chosen = services.desk.choose_work_mode(to, str(data.get("reason", "")), act, line=line, may=may)
        if isinstance(chosen, Refusal) and chosen.code in NEEDS_MANAGER:
            return ask_manager(screen, request, data, chosen.sentence)
        if isinstance(chosen, Refusal):
            return screen.shelf(refusal=chosen)
        services.work_chosen()
        return screen.shelf(said=say("work.offline.done" if to == "offline" else "work.online.done"))


def _roles(services: Services) -> set[str]:
    given = services.shelf.parameter(ROLES_PARAMETER, sorted(MANAGER_ROLES))
    return {str(role) for role in given}
