"""The journal on screen: this till's own documents, found by number, date, amount or product (PO4)."""

from litestar import Controller, Response, get

from holdfast.core.ids import DocumentNumber
from holdfast.register.web.guards import AnyRequest, permit_of
from holdfast.register.web.journal import TEXT_CHARS_MAX, query_of
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given

NUMBER_CHARS_MAX = 64


class Journal(Controller):
    """Found newest first, so many at a time."""

    @get("/journal", operation="receipt.look", sync_to_thread=True)
    def search(self, request: AnyRequest, services: Given) -> Response[str]:
        """What fits; `before`: the page after that document."""
        asked = request.query_params
        text, date = asked.get("text", "")[:TEXT_CHARS_MAX], asked.get("date", "")[:10]
        before = asked.get("before", "")[:NUMBER_CHARS_MAX]
        query = query_of(text, date, services.fmt.currency, services.shelf)
        found, further = services.desk.checkout.search(query, DocumentNumber(before) if before else None)
        screen = Screen(services, permit_of(request).person)
        return screen.receipts(found=found, text=text, date=date, further=further)
