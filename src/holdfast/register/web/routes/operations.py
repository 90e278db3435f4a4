"""*What works offline*: the operations table for the person at the till, in the present mode (SW8)."""

from litestar import Controller, Response, get

from holdfast.core.basket import UNLIMITED, Limits
from holdfast.core.connection import Mode
from holdfast.core.operations import Operation
from holdfast.core.operations.decide import with_article
from holdfast.core.operations.describe import said_to
from holdfast.core.operations.rows_central import LOYALTY
from holdfast.register.web.formats import Formats
from holdfast.register.web.guards import AnyRequest, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

_MODES = {
    Mode.ONLINE: "operations.online",
    Mode.DEGRADED: "operations.degraded",
    Mode.OFFLINE: "operations.cut",
}


class Operations(Controller):
    """One page that is looked at."""

    @get("/operations", operation="till.operations", sync_to_thread=True)
    def operations(self, request: AnyRequest, services: Given) -> Response[str]:
        """What this person can do now, and what he could offline."""
        person = permit_of(request).person
        now = services.situation()
        return Screen(services, person).operations(
            groups=said_to(_in_use(services), person.role, now),
            role=with_article(person.role),
            mode=say(_MODES[now.mode]),
            limits=limits_text(person.role.limits, services.fmt),
        )


def _in_use(services: Services) -> dict[str, Operation]:
    """Without loyalty nothing of it is seen."""
    has_loyalty = services.status().loyalty
    return {id: row for id, row in services.operations.items() if has_loyalty or row.group != LOYALTY}


def limits_text(limits: Limits, fmt: Formats) -> str:
    """How far somebody may go alone."""
    if limits == UNLIMITED:
        return say("operations.no-limits")
    return say(
        "operations.limits",
        line=fmt.percent(limits.line_discount_e2_max),
        total=fmt.percent(limits.total_discount_e2_max),
        price=fmt.percent(limits.override_e2_max),
        without=fmt.money(limits.return_without_receipt_minor_max),
        refund=fmt.money(limits.refund_minor_max),
    )
