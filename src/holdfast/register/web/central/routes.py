"""Gift cards and credit memos: sold, topped up, looked at, paid with, paid out, taken off (GC1 to GC7)."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.basket import Basket
from holdfast.core.central.accounts import Act, HoldKey, Kind
from holdfast.core.ids import DocumentNumber
from holdfast.core.money import parse_minor
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale
from holdfast.register.web.central_view import balances, card_view
from holdfast.register.web.guards import AnyRequest, Asks, ByField, ByPath, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.routes.receipts import after_payment
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

KeyPath = FromPath[str]
KEY_CHARS_MAX = 64
TEXT_CHARS_MAX = 64
_REDEEM = {"gift_card": "gift.redeem", "credit_memo": "memo.redeem"}
_CONCLUDE = {
    "gift_card": "gift.conclude",
    "credit_memo": "memo.conclude",
    "on_account": "account.tender",
    "points": "loyalty.redeem",
}
_AGAIN = _REDEEM | {"on_account": "account.tender", "points": "loyalty.redeem"}
_REMOVE = {"gift_card": "gift.remove", "credit_memo": "memo.remove"}
_PAYS_WITH = ByField("kind", _REDEEM, "gift.redeem")
_PAYS_BY = {"gift_card": Kind.GIFT_CARD, "credit_memo": Kind.CREDIT_MEMO}


class CentralPages(Controller):
    """Each answers with the screen as it is afterwards."""

    @get("/gift-cards", operation=Asks("gift.balance"), sync_to_thread=True)
    def gift_cards(self, request: AnyRequest, services: Given) -> Response[str]:
        """Which card?"""
        return _cards(request, services)

    @post("/gift-cards/balance", operation="gift.balance", status_code=200, sync_to_thread=True)
    def balance(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """What is on it, and what can be done with it."""
        told = services.central.balance(Kind.GIFT_CARD, _text(data, "number"), _text(data, "pin"))
        if isinstance(told, Refusal):
            return _cards(request, services, data, refusal=told)
        return _cards(request, services, data, card=card_view(told, services.fmt))

    @post("/gift-cards/sell", operation="gift.sell", status_code=200, sync_to_thread=True)
    def sell(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Its first value; a line of the sale."""
        return _add(request, services, data, Act.ISSUE)

    @post("/gift-cards/top-up", operation="gift.top-up", status_code=200, sync_to_thread=True)
    def top_up(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """More on it; a line of the sale."""
        return _add(request, services, data, Act.TOP_UP)

    @post("/gift-cards/cash-out", operation="gift.cash-out", status_code=200, sync_to_thread=True)
    def cash_out(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """All that is on it goes back to the customer."""
        asked = services.central.ask_hold(
            Kind.GIFT_CARD,
            Act.CASH_OUT,
            permit_of(request).act,
            number=_text(data, "number"),
            pin=_text(data, "pin"),
            basket_kind="return",
        )
        return _shelf(request, services, asked, data)

    @post(
        "/pay/held", operation=ByField("kind", _REDEEM, "gift.redeem"), status_code=200, sync_to_thread=True
    )
    def ask_held(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """A card or a memo to pay with: locked from here on."""
        kind = _PAYS_BY.get(_text(data, "kind"), Kind.GIFT_CARD)
        asked = services.central.ask_hold(
            kind, Act.REDEEM, permit_of(request).act, number=_text(data, "number"), pin=_text(data, "pin")
        )
        return _pay(request, services, asked, kind.value, data)

    @post("/pay/held/back", operation="gift.top-up", status_code=200, sync_to_thread=True)
    def ask_back(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """The gift card that a refund goes to."""
        asked = services.central.ask_hold(
            Kind.GIFT_CARD,
            Act.TOP_UP,
            permit_of(request).act,
            number=_text(data, "number"),
            pin=_text(data, "pin"),
            basket_kind="return",
        )
        return _pay(request, services, asked, "gift_card", data)

    @post(
        "/held/{kind:str}/{key:str}/pay",
        operation=ByPath("kind", _CONCLUDE, "gift.conclude"),
        status_code=200,
        sync_to_thread=True,
    )
    def pay(self, request: AnyRequest, kind: FromPath[str], key: KeyPath, services: Given) -> Response[str]:
        """As much as is due, or as there is."""
        paid = services.central.pay(HoldKey(key[:KEY_CHARS_MAX]))
        return after_payment(_screen(request, services), services, paid, "")

    @post(
        "/held/{kind:str}/{key:str}/off",
        operation=ByPath("kind", _REMOVE, "gift.remove"),
        status_code=200,
        sync_to_thread=True,
    )
    def off(self, request: AnyRequest, kind: FromPath[str], key: KeyPath, services: Given) -> Response[str]:
        """With its line and what it pays."""
        left = services.central.take_off(HoldKey(key[:KEY_CHARS_MAX]), permit_of(request).act)
        return _where_it_was(request, services, left, say("held.taken-off"))

    @post(
        "/held/{kind:str}/{key:str}/again",
        operation=ByPath("kind", _AGAIN, "gift.redeem"),
        status_code=200,
        sync_to_thread=True,
    )
    def again(self, request: AnyRequest, kind: FromPath[str], key: KeyPath, services: Given) -> Response[str]:
        """Its answer was lost: the same under the same key."""
        asked = services.central.ask_again(HoldKey(key[:KEY_CHARS_MAX]), permit_of(request).act)
        return _where_it_was(request, services, asked, "")

    @post("/pay/memo", operation="memo.issue", status_code=200, sync_to_thread=True)
    def to_memo(self, request: AnyRequest, services: Given) -> Response[str]:
        """What is to be paid out, on a new credit memo."""
        return after_payment(_screen(request, services), services, services.central.refund_to_memo(), "")

    @get("/held/now", operation="basket.look", sync_to_thread=True)
    def now(self, request: AnyRequest, services: Given) -> Response[str]:
        """The ticket, where a doubt on it was settled behind the scene; nothing while there is one. Of the
        `way` that is paid by, the page, once head office answers again."""
        screen, way = _screen(request, services), request.query_params.get("way")
        return screen.pay_now(way) if way in _REDEEM else screen.ticket_now()

    @get("/receipts/{number:str}/balances", operation="receipt.look", sync_to_thread=True)
    def balances(self, request: AnyRequest, number: FromPath[str], services: Given) -> Response[str]:
        """New balances once head office has applied the document. Nobody waits for them."""
        document = DocumentNumber(number[:TEXT_CHARS_MAX])
        found = services.desk.receipt(document)
        if found is None:
            return Response("")
        place = services.desk.checkout.place_of(document)
        is_applied = place is not None and services.watch.link.applied.get(place[0], 0) >= place[1]
        said = balances(found.sale, services.fmt, is_applied=is_applied)
        return services.pages.page(
            "central/balances.html", {"balances": said, "document": document, "is_applied": is_applied}
        )


def _screen(request: AnyRequest, services: Services) -> Screen:
    return Screen(services, permit_of(request).person)


def _text(data: Any, name: str) -> str:
    return str(data.get(name, "")).strip()[:TEXT_CHARS_MAX]


def _cards(
    request: AnyRequest,
    services: Services,
    data: Any = None,
    *,
    card: dict[str, Any] | None = None,
    refusal: Refusal | None = None,
) -> Response[str]:
    if refusal is None and not services.central.is_there():
        return _screen(request, services).shelf(refusal=services.central.not_there(Kind.GIFT_CARD))
    typed = {name: _text(data or {}, name) for name in ("number", "pin", "amount")}
    return _screen(request, services).central("gift_cards", refusal=refusal, card=card, typed=typed)


def _add(request: AnyRequest, services: Services, data: Any, act: Act) -> Response[str]:
    """A line that sells value, or tops it up."""
    plain = "".join(_text(data, "amount").split()).replace(",", ".")
    amount = parse_minor(plain, services.fmt.currency) if plain else 0
    if isinstance(amount, Refusal) or amount <= 0:
        return _again(request, services, data, Refusal("hold.amount", say("gift.amount.missing")))
    asked = services.central.ask_hold(
        Kind.GIFT_CARD,
        act,
        permit_of(request).act,
        number=_text(data, "number"),
        pin=_text(data, "pin"),
        amount=amount,
        basket_kind="sale",
    )
    return _shelf(request, services, asked, data)


def _again(request: AnyRequest, services: Services, data: Any, refusal: Refusal) -> Response[str]:
    """The card's page with what was typed; the card is looked at anew."""
    told = services.central.balance(Kind.GIFT_CARD, _text(data, "number"), _text(data, "pin"))
    card = None if isinstance(told, Refusal) else card_view(told, services.fmt)
    return _cards(request, services, data, card=card, refusal=refusal)


def _shelf(request: AnyRequest, services: Services, asked: Basket | Refusal, data: Any) -> Response[str]:
    if not isinstance(asked, Refusal):
        return _screen(request, services).shelf()
    if asked.code in {"hold.in-doubt", "operation.offline"}:
        return _screen(request, services).shelf(refusal=asked)
    return _cards(request, services, data, refusal=asked)


def _pay(
    request: AnyRequest, services: Services, asked: Basket | Refusal, way: str, data: Any
) -> Response[str]:
    refusal, screen = asked if isinstance(asked, Refusal) else None, _screen(request, services)
    if services.desk.checkout.basket() is None:  # none was open, and it was refused before one opened
        return screen.shelf(refusal=refusal)
    typed = {"amount": "", "reference": "", "number": _text(data, "number")}
    return screen.pay(refusal=refusal, currency=way, typed=typed)


def _where_it_was(
    request: AnyRequest, services: Services, done: Basket | Sale | Refusal, said: str
) -> Response[str]:
    """The payment page where the button stood there, else the products."""
    screen = _screen(request, services)
    refusal = done if isinstance(done, Refusal) else None
    priced = services.desk.checkout.priced()
    if request.query_params.get("from") == "pay" and priced and priced.lines:
        return screen.pay(refusal=refusal, said="" if refusal else said)
    return screen.shelf(refusal=refusal, said="" if refusal else said)
