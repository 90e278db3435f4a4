"""A receipt's way to paper and mail, as somebody at the till asks for it (PO4, PO8)."""

from litestar import Controller, Response, post
from litestar.params import FromPath

from holdfast.core.ids import DocumentNumber
from holdfast.core.refusals import Refusal
from holdfast.register.web.carrying import parts_of
from holdfast.register.web.guards import AnyRequest, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.services import Given, Services


class Carrying(Controller):
    """Each answers with how the receipt is on its way now."""

    @post("/receipts/{number:str}/print", operation="receipt.reprint", status_code=200, sync_to_thread=True)
    def print_again(self, request: AnyRequest, number: FromPath[str], services: Given) -> Response[str]:
        """A copy, marked as one, and journalled with who asked for it."""
        document = DocumentNumber(number)
        if services.outbox.is_waiting(document):  # the one that waits is the one that is wanted
            services.outbox.try_now()
            return _carry(services, document, None)
        refusal = services.desk.print_again(document, permit_of(request).act)
        if refusal is None:
            services.outbox.print_again(document)
        return _carry(services, document, refusal)

    @post("/receipts/{number:str}/mail", operation="receipt.email", status_code=200, sync_to_thread=True)
    def mail(self, number: FromPath[str], data: Form, services: Given) -> Response[str]:
        """To the address that the customer says; it is kept until the mail is sent."""
        document, address = DocumentNumber(number), str(data.get("address", ""))
        if services.desk.receipt(document) is None:
            return _carry(services, document, _missing(document))
        refusal = services.outbox.mail(document, address)
        return _carry(services, document, refusal, address=address if refusal else "")

    @post("/printer/try-now", operation="receipt.resume", status_code=200, sync_to_thread=True)
    def try_now(self, services: Given) -> Response[str]:
        """The paper is in: do not wait for the next look."""
        services.outbox.try_now()
        return services.pages.page("notice.html", {"refusal": None, "said": say("printer.trying")})


def _missing(number: DocumentNumber) -> Refusal:
    return Refusal("receipt.unknown", say("basket.no-receipt", number=number[:40]))


def _carry(
    services: Services, number: DocumentNumber, refusal: Refusal | None, *, address: str = ""
) -> Response[str]:
    carry = parts_of(services.outbox, number) | {"refusal": refusal, "address": address}
    return services.pages.page("work/carry.html", {"carry": carry})
