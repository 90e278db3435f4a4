"""The basket: finding and adding products, and everything that is done to lines (PO1, PO2)."""

from collections.abc import Callable

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.basket import Act, Basket
from holdfast.core.ids import Sku
from holdfast.core.receipt.code import looks_like_code
from holdfast.core.refusals import Refusal
from holdfast.register.web.cash.reports import staff_name
from holdfast.register.web.desk import ComesBack, Found, Scanned, ShowReceipt, Weigh
from holdfast.register.web.guards import (
    NEEDS_APPROVAL,
    AnyRequest,
    Asks,
    ByField,
    ByPath,
    BySight,
    ask_approval,
    permit_of,
)
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.routes.receipts import comes_back, show_receipt
from holdfast.register.web.screen import Has, Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.tendering import to_give_back

LineId = FromPath[int]
Question = FromPath[str]
_OF_LINE = {
    "quantity": "line.quantity",
    "price": "line.price",
    "discount": "line.discount",
    "note": "line.note",
}
_SCANNED = BySight("text", lambda text: looks_like_code(text.strip()), "return.code", "basket.add")
_DISCOUNT = ByField("of", {"total": "basket.discount"}, "line.discount")
_OF_NO_LINE = {"void": "basket.void", "close-day": "day.close", "return": "return.receipt"}


class Selling(Controller):
    """Acts on the open transaction; each answers with the screen as it is afterwards."""

    @get("/shelf", operation="basket.look", sync_to_thread=True)
    def shelf(self, request: AnyRequest, services: Given) -> Response[str]:
        """Back to the products; a return that nothing was scanned for is over."""
        services.desk.end_return()
        return _screen(request, services).shelf()

    @post("/scan", operation=_SCANNED, sync_to_thread=True)
    def scan(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """What the scanner read or a person typed."""
        return _do(request, services, lambda act: services.desk.scan(str(data.get("text", "")), act))

    @post("/add", operation="basket.add", sync_to_thread=True)
    def add(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """A product that was touched, or weighed."""
        sku, quantity = Sku(str(data.get("sku", ""))), str(data.get("quantity", ""))
        return _do(request, services, lambda act: services.desk.add(sku, quantity, act))

    @post("/line/{line:int}/quantity", operation="line.quantity", sync_to_thread=True)
    def quantity(self, request: AnyRequest, line: LineId, data: Form, services: Given) -> Response[str]:
        text = str(data.get("quantity", ""))
        return _do(request, services, lambda act: services.desk.change_quantity(line, text, act))

    @post("/line/{line:int}/price", operation="line.price", sync_to_thread=True)
    def price(self, request: AnyRequest, line: LineId, data: Form, services: Given) -> Response[str]:
        price, reason = str(data.get("price", "")), str(data.get("reason", ""))
        return _do(request, services, lambda act: services.desk.override_price(line, price, reason, act))

    @post("/line/{line:int}/discount", operation=_DISCOUNT, sync_to_thread=True)
    def discount(self, request: AnyRequest, line: LineId, data: Form, services: Given) -> Response[str]:
        """Off the line, or off the whole sale; empty takes the discounts away again."""
        text, reason = str(data.get("discount", "")).strip(), str(data.get("reason", ""))
        desk, of_total = services.desk, data.get("of") == "total"

        def work(act: Act) -> Basket | Refusal:
            if of_total:
                return desk.discount_total(text, reason, act) if text else desk.remove_total_discounts()
            if text:
                return desk.discount_line(line, text, reason, act)
            return desk.remove_line_discounts(line, act)

        return _do(request, services, work)

    @post("/line/{line:int}/note", operation="line.note", sync_to_thread=True)
    def note(self, request: AnyRequest, line: LineId, data: Form, services: Given) -> Response[str]:
        text = str(data.get("note", ""))
        return _do(request, services, lambda _: services.desk.note_line(line, text))

    @post("/line/{line:int}/void", operation="line.void", sync_to_thread=True)
    def void_line(self, request: AnyRequest, line: LineId, services: Given) -> Response[str]:
        return _do(request, services, lambda act: services.desk.void_line(line, act))

    @post("/void", operation="basket.void", sync_to_thread=True)
    def void(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Give the whole transaction up, after the question was answered."""
        screen = _screen(request, services)
        voided = services.desk.void(str(data.get("reason", "")), permit_of(request).act)
        if isinstance(voided, Refusal):
            return screen.shelf(refusal=voided)
        if voided.given_back:
            back = to_give_back(voided.given_back, services.fmt)
            return screen.next_customer(say("basket.voided.give-back", amounts=back))
        return screen.next_customer(say("basket.voided"))

    @get(
        "/ask/{line:int}/{question:str}",
        operation=Asks(ByPath("question", _OF_LINE, "basket.look")),
        sync_to_thread=True,
    )
    def ask(self, request: AnyRequest, line: LineId, question: Question, services: Given) -> Response[str]:
        """The dialog for one of the acts above."""
        basket = services.desk.checkout.basket()
        found = next((kept for kept in basket.lines if kept.line == line), None) if basket else None
        screen = _screen(request, services)
        if found is None or question not in _OF_LINE:
            return screen.shelf(refusal=Refusal("basket.no-line", say("basket.line-gone")))
        return screen.part(f"dialogs/{question}.html", line=found, is_sale=basket and basket.kind == "sale")

    @get(
        "/dialog/{question:str}",
        operation=Asks(ByPath("question", _OF_NO_LINE, "basket.look")),
        sync_to_thread=True,
    )
    def dialog(self, request: AnyRequest, question: Question, services: Given) -> Response[str]:
        """Questions that are about no line."""
        screen = _screen(request, services)
        priced = services.desk.checkout.priced()
        if question == "void" and priced is not None:
            back = to_give_back(services.desk.tenders(), services.fmt)
            return screen.part("dialogs/void.html", priced=priced, give_back=back)
        if question == "close-day":
            shift = services.desk.checkout.shift()
            return screen.part(
                "dialogs/close_day.html",
                business_date=services.desk.business_date(),
                shift=shift
                and {
                    "number": shift.opened.shift,
                    "name": staff_name(services.shelf, shift.opened.by),
                },
            )
        if question == "return":
            return screen.part("dialogs/return.html")
        return screen.part("dialogs/none.html")


def _screen(request: AnyRequest, services: Services) -> Screen:
    shown = Has(request.headers.get("holdfast-sheet", ""), request.headers.get("holdfast-lines", ""))
    return Screen(services, permit_of(request).person, shown)


def _do(request: AnyRequest, services: Services, work: Callable[[Act], Scanned]) -> Response[str]:
    """Do it as the person signed in, with the one who approves beside him."""
    return show(request, services, work(permit_of(request).act))


def show(request: AnyRequest, services: Services, result: Scanned) -> Response[str]:
    """The screen after an act."""
    screen = _screen(request, services)
    match result:
        case Refusal() if result.code in NEEDS_APPROVAL:
            return ask_approval(services, request, permit_of(request).fields, result.sentence)
        case Refusal():
            return screen.shelf(refusal=result)
        case Found():
            return screen.found(result.offers, result.quantity)
        case Weigh():
            return screen.dialog("weigh", offer=result.offer)
        case ShowReceipt():
            return show_receipt(screen, services, result.number, refusal=result.refusal)
        case ComesBack():
            return screen.shelf(said=comes_back(result, services.fmt))
        case Basket():
            return screen.shelf()
