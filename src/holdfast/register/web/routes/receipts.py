"""Paying, receipts and what comes back (PO2, PO3)."""

from collections.abc import Mapping

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.basket import Basket
from holdfast.core.ids import DocumentNumber
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.core.tender import Due
from holdfast.register.web.cards import (
    cards_to_refund,
    pay_out_instead,
    refund_card,
    take_card,
    value_to_refund,
)
from holdfast.register.web.desk import ComesBack
from holdfast.register.web.formats import Formats
from holdfast.register.web.guards import NEEDS_APPROVAL, AnyRequest, Asks, ask_approval, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.receipts import code_image
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services
from holdfast.register.web.tendering import CARD_WAY, to_give_back

LINES_MAX = 500
NUMBER_CHARS_MAX = 64
RATE_CHARS_MAX = 20


class Receipts(Controller):
    """From a full basket to the receipt, and from a receipt to a return."""

    @get("/pay", operation=Asks("pay.cash"), sync_to_thread=True)
    def ask(self, request: AnyRequest, services: Given) -> Response[str]:
        """What is due, and the ways to pay it."""
        screen = Screen(services, permit_of(request).person)
        priced = services.desk.checkout.priced()
        services.central.want()
        currency = request.query_params.get("currency", "")
        return screen.pay(currency=currency) if priced and priced.lines else screen.shelf()

    @post("/pay", operation="pay.cash", sync_to_thread=True)
    def pay(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Take cash, home or foreign. Enough of it concludes the transaction."""
        permit = permit_of(request)
        screen = Screen(services, permit.person)
        amount = str(data.get("amount", "")).strip() or "exact"
        currency, rate = str(data.get("currency", "")), str(data.get("rate", ""))
        rate_e8 = int(rate) if rate.isdecimal() and len(rate) < RATE_CHARS_MAX else 0
        if refunds := cards_to_refund(services.desk):
            total = services.fmt.money(sum(payment.left_minor for payment in refunds))
            return screen.pay(refusal=Refusal("tender.card-first", say("card.first", amount=total)))
        if first_minor := value_to_refund(services.desk):
            said = say("pay.value-first", amount=services.fmt.money(first_minor))
            return screen.pay(refusal=Refusal("tender.value-first", said))
        paid = services.desk.pay(amount, permit.act, currency=currency, rate_e8=rate_e8)
        if isinstance(paid, Refusal) and paid.code in NEEDS_APPROVAL:
            return ask_approval(services, request, permit.fields, paid.sentence)
        return after_payment(screen, services, paid, currency)

    @post("/pay/card", operation="card.standalone", sync_to_thread=True)
    def take_card(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """What the standalone terminal took, with its slip's reference."""
        amount, reference = str(data.get("amount", "")), str(data.get("reference", ""))
        paid = take_card(services.desk, "".join(amount.split()).replace(",", "."), reference)
        return after_payment(Screen(services, permit_of(request).person), services, paid, CARD_WAY, data)

    @post("/pay/card/back", operation="refund.card", sync_to_thread=True)
    def refund_card(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """What the standalone terminal paid back to the card that had paid."""
        paid = refund_card(services.desk, str(data.get("which", "")), str(data.get("reference", "")))
        return after_payment(Screen(services, permit_of(request).person), services, paid, "", data)

    @get("/pay/instead", operation=Asks("refund.cash-instead"), sync_to_thread=True)
    def ask_instead(self, request: AnyRequest, services: Given) -> Response[str]:
        """Why it is cash."""
        return Screen(services, permit_of(request).person).part("dialogs/cash_instead.html")

    @post("/pay/instead", operation="refund.cash-instead", sync_to_thread=True)
    def pay_out_instead(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Cash for what a card paid: by role or approval, with a reason."""
        permit = permit_of(request)
        paid = pay_out_instead(services.desk, str(data.get("reason", "")), permit.act)
        return after_payment(Screen(services, permit.person), services, paid, "")

    @post("/pay/back", operation="pay.hand-back", sync_to_thread=True)
    def hand_back(self, request: AnyRequest, services: Given) -> Response[str]:
        """The customer pays otherwise."""
        screen = Screen(services, permit_of(request).person)
        back = services.desk.hand_back()
        if isinstance(back, Refusal):
            return screen.shelf(refusal=back)
        return screen.pay(
            said=say("pay.handed-back", amounts=to_give_back(back, services.fmt)) if back else ""
        )

    @get("/receipts", operation="receipt.look", sync_to_thread=True)
    def last(self, request: AnyRequest, services: Given) -> Response[str]:
        return Screen(services, permit_of(request).person).receipts()

    @get("/receipts/{number:str}", operation="receipt.look", sync_to_thread=True)
    def one(self, request: AnyRequest, number: FromPath[str], services: Given) -> Response[str]:
        screen = Screen(services, permit_of(request).person)
        return show_receipt(screen, services, DocumentNumber(number))

    @get("/receipts/{number:str}/code.svg", operation="receipt.look", sync_to_thread=True)
    def code(self, request: AnyRequest, number: FromPath[str], services: Given) -> Response[bytes]:
        """The picture of a receipt's code. Apart from the receipt: it takes longer than a sale."""
        number = DocumentNumber(number[:NUMBER_CHARS_MAX])
        found = services.desk.receipt(number)
        text = number if found is None else services.codes.code_of(found)
        return Response(code_image(text), media_type="image/svg+xml")

    @post("/returns", operation="return.receipt", sync_to_thread=True)
    def bring_back(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Lines of a receipt come back, at what was paid for them."""
        permit = permit_of(request)
        screen = Screen(services, permit.person)
        number = DocumentNumber(str(data.get("document", "")))
        chosen = data.get("line", [])
        lines = [chosen] if isinstance(chosen, str) else list(chosen)[:LINES_MAX]
        quantities = {int(line): str(data.get(f"quantity-{line}", "")) for line in lines if line.isdecimal()}
        brought = services.desk.bring_back(number, quantities, permit.act)
        if isinstance(brought, Basket):
            return screen.shelf()
        if brought.code in NEEDS_APPROVAL:
            return ask_approval(services, request, permit.fields, brought.sentence)
        return show_receipt(screen, services, number, refusal=brought)

    @post("/returns/without", operation="return.without", sync_to_thread=True)
    def without_receipt(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """What is scanned next comes back without a receipt."""
        screen = Screen(services, permit_of(request).person)
        refusal = services.desk.begin_return(str(data.get("reason", "")))
        return screen.shelf(refusal=refusal)


def after_payment(
    screen: Screen,
    services: Services,
    paid: Sale | Due | Refusal,
    way: str,
    typed: Mapping[str, str | list[str]] | None = None,
) -> Response[str]:
    """The screen once something was paid, or was not. `way`: as it was tried; `typed`: what was entered."""
    match paid:
        case Refusal() if services.desk.checkout.basket() is None:
            return screen.shelf(refusal=paid)
        case Refusal():
            kept = {name: str((typed or {}).get(name, "")) for name in ("amount", "reference")}
            return screen.pay(refusal=paid, currency=way, typed=kept)
        case Due():
            return screen.pay()
        case Sale():
            return show_receipt(screen, services, paid.document, is_new=True)


def comes_back(found: ComesBack, fmt: Formats) -> str:
    """What to do after the code of another register's receipt was scanned."""
    facts = found.facts
    return say(
        "return.on-code",
        number=facts.document,
        date=fmt.date(facts.date),
        total=fmt.money(facts.total_minor),
        left=fmt.money(found.left_minor),
    )


def show_receipt(
    screen: Screen,
    services: Services,
    number: DocumentNumber,
    *,
    is_new: bool = False,
    refusal: Refusal | None = None,
) -> Response[str]:
    """A receipt of this till on the screen; the list of receipts where it has none of that number."""
    found = services.desk.receipt(number)
    if found is None:
        missing = Refusal("receipt.unknown", say("basket.no-receipt", number=number[:40]))
        return screen.receipts(refusal=refusal or missing)
    receipt = services.maker.receipt(found)
    return screen.done(receipt) if is_new else screen.receipt(receipt, refusal=refusal)
