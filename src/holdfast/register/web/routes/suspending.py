"""Suspended transactions: put aside, taken up again, or given up by who may (PO4)."""

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.basket.suspended import GONE
from holdfast.core.ids import TransactionId
from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, Asks, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given

Transaction = FromPath[str]
NOTE_CHARS_MAX = 200


class Suspending(Controller):
    """The list, and what is done with it."""

    @get("/suspend", operation=Asks("basket.suspend"), sync_to_thread=True)
    def ask(self, request: AnyRequest, services: Given) -> Response[str]:
        """For whom it is kept."""
        screen = Screen(services, permit_of(request).person)
        priced = services.desk.checkout.priced()
        return screen.part("dialogs/suspend.html" if priced and priced.lines else "dialogs/none.html")

    @post("/suspend", operation="basket.suspend", status_code=200, sync_to_thread=True)
    def suspend(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """The next customer, please."""
        permit = permit_of(request)
        note = str(data.get("note", ""))[: NOTE_CHARS_MAX + 1]
        kept = services.desk.suspend(note, permit.act)
        screen = Screen(services, permit.person)
        if isinstance(kept, Refusal):
            return screen.shelf(refusal=kept)
        return screen.next_customer(say("suspend.done"))

    @get("/suspended", operation="basket.recall", sync_to_thread=True)
    def all(self, request: AnyRequest, services: Given) -> Response[str]:
        """What waits to be recalled."""
        return Screen(services, permit_of(request).person).suspended()

    @post(
        "/suspended/{transaction:str}/recall", operation="basket.recall", status_code=200, sync_to_thread=True
    )
    def recall(self, request: AnyRequest, transaction: Transaction, services: Given) -> Response[str]:
        """Go on with it."""
        screen = Screen(services, permit_of(request).person)
        recalled = services.desk.recall(TransactionId(transaction))
        return screen.suspended(refusal=recalled) if isinstance(recalled, Refusal) else screen.shelf()

    @get("/suspended/{transaction:str}/void", operation=Asks("basket.void-suspended"), sync_to_thread=True)
    def ask_void(self, request: AnyRequest, transaction: Transaction, services: Given) -> Response[str]:
        """Why nobody comes back for it."""
        screen = Screen(services, permit_of(request).person)
        found = next((row for row in screen.suspended_rows() if row["transaction"] == transaction), None)
        if found is None:
            return screen.suspended(refusal=GONE)
        return screen.part("dialogs/void_suspended.html", row=found)

    @post(
        "/suspended/{transaction:str}/void",
        operation="basket.void-suspended",
        status_code=200,
        sync_to_thread=True,
    )
    def void(
        self, request: AnyRequest, transaction: Transaction, data: Form, services: Given
    ) -> Response[str]:
        """Given up, and on record."""
        permit = permit_of(request)
        reason = str(data.get("reason", ""))
        voided = services.desk.void_suspended(TransactionId(transaction), reason, permit.act)
        screen = Screen(services, permit.person)
        if isinstance(voided, Refusal):
            return screen.suspended(refusal=voided)
        return screen.suspended(said=say("basket.voided"))
