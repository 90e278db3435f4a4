"""*Disable real-time loyalty* and its opposite: at a start, in a warning, or from the menu (LY1, LY3)."""

from typing import Any

import structlog
from litestar import Controller, Response, post

from holdfast.core.faults import StorageFullFault
from holdfast.core.loyalty.switched import LoyaltySwitched
from holdfast.register.web.guards import AnyRequest, Permit, is_part, permit_of, to_start
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.watch import CHANGED

_log = structlog.get_logger(__name__)


class Loyalty(Controller):
    """The one switch."""

    @post("/loyalty/off", operation="loyalty.disable", status_code=200, sync_to_thread=True)
    def off(self, request: AnyRequest, data: Form, services: Given) -> Response[Any]:
        """Where it was asked says what is answered: the next page, no warning any more, or the screen."""
        permit = permit_of(request)
        _switch(services, permit, is_on=False)
        if not is_part(request):
            permit.session.starts, permit.session.told = False, str(data.get("told", ""))[:64]
            return to_start()
        warned = str(data.get("since", ""))
        if warned.isascii() and warned.isdecimal():
            services.watch.accept_outage(int(warned))
            return Response("")
        return Screen(services, permit.person).shelf(said=say("loyalty.off.done"))

    @post("/loyalty/on", operation="loyalty.enable", status_code=200, sync_to_thread=True)
    def on(self, request: AnyRequest, services: Given) -> Response[str]:
        """From here on customers bring their points, or a warning, again."""
        permit = permit_of(request)
        _switch(services, permit, is_on=True)
        return Screen(services, permit.person).shelf(said=say("loyalty.on.done"))


def _switch(services: Services, permit: Permit, *, is_on: bool) -> None:
    if services.loyalty.switch(on=is_on):
        _journal(services, permit, is_on=is_on)
        services.wakeups.wake(CHANGED)


def _journal(services: Services, permit: Permit, *, is_on: bool) -> None:
    """Who did without it, and from when on."""
    act, line = permit.act, services.status().mode
    body = LoyaltySwitched(is_on=is_on, line=line, by=act.by, approved_by=act.approved_by)
    desk = services.desk
    try:
        desk.committed(desk.checkout.append("loyalty_switched", 1, body))
    except StorageFullFault as fault:
        # A full disk has room for the sale; the cashier is rid of the prompts all the same.
        _log.warning("loyalty not journalled", on=is_on, fault=fault.sentence)
