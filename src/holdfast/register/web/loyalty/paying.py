"""A customer pays by points or on account, gets it back on the account, or pays what the account owes
(LY4, OA1)."""

from litestar import Controller, Response, get, post

from holdfast.core.basket import Basket
from holdfast.core.central.accounts import Act, HoldKey, Kind
from holdfast.core.money import parse_minor, plain_decimal
from holdfast.core.refusals import Refusal
from holdfast.register.web.guards import AnyRequest, Asks, Permit, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.routes.receipts import after_payment
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

AMOUNT_CHARS_MAX = 20


class CustomerPays(Controller):
    """Each needs that the transaction names its customer, and that head office answers."""

    @post("/pay/points", operation="loyalty.redeem", status_code=200, sync_to_thread=True)
    def by_points(self, request: AnyRequest, services: Given) -> Response[str]:
        """As much of what is due as the points pay."""
        if services.loyalty_state() != "on":
            off = Refusal("loyalty.off", say("points.off" if services.loyalty_state() else "points.none"))
            return Screen(services, permit_of(request).person).pay(refusal=off)
        return _pay(services, permit_of(request), Kind.POINTS, Act.REDEEM)

    @post("/pay/account", operation="account.tender", status_code=200, sync_to_thread=True)
    def on_account(self, request: AnyRequest, services: Given) -> Response[str]:
        """What is due, within the customer's limit; what is to be paid out goes to the account."""
        priced = services.desk.checkout.priced()
        is_back = priced is not None and priced.total_minor < 0
        return _pay(services, permit_of(request), Kind.ON_ACCOUNT, Act.PAY if is_back else Act.CHARGE)

    @get("/account/payment", operation=Asks("account.payment"), sync_to_thread=True)
    def ask_payment(self, request: AnyRequest, services: Given) -> Response[str]:
        """How much, with what is owed now."""
        screen, customer = Screen(services, permit_of(request).person), _customer(services)
        if isinstance(customer, Refusal):
            return screen.shelf(refusal=customer)
        told = services.central.balance(Kind.ON_ACCOUNT, "", account=customer)
        if isinstance(told, Refusal):
            return screen.shelf(refusal=told)
        owed_minor = max(0, -told.balance)
        owed_plain = plain_decimal(owed_minor, services.fmt.currency.digits)
        return screen.dialog("account_payment", owed_minor=owed_minor, owed_plain=owed_plain)

    @post("/account/payment", operation="account.payment", status_code=200, sync_to_thread=True)
    def take_payment(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """A line of the sale, paid by cash or card like any other."""
        permit = permit_of(request)
        screen, customer = Screen(services, permit.person), _customer(services)
        text = "".join(str(data.get("amount", "")).split())[:AMOUNT_CHARS_MAX].replace(",", ".")
        amount = parse_minor(text, services.desk.till.currency)
        if isinstance(customer, Refusal) or isinstance(amount, Refusal):
            return screen.shelf(refusal=customer if isinstance(customer, Refusal) else amount)  # type: ignore[arg-type]
        asked = services.central.ask_hold(
            Kind.ON_ACCOUNT, Act.PAY, permit.act, account=customer, amount=amount, basket_kind="sale"
        )
        return screen.shelf(refusal=asked if isinstance(asked, Refusal) else None)


def _pay(services: Services, permit: Permit, kind: Kind, act: Act) -> Response[str]:
    """Held first, unless it is already, and then paid with."""
    screen, customer = Screen(services, permit.person), _customer(services)
    priced = services.desk.checkout.priced()
    if isinstance(customer, Refusal) or priced is None:
        return screen.shelf(refusal=customer if isinstance(customer, Refusal) else None)
    key = _held(services.desk.checkout.basket(), kind, act, customer)
    if key is None:
        due_minor = abs(services.desk.due(priced).amount_minor)
        amount = due_minor if kind is Kind.ON_ACCOUNT else 0
        asked = services.central.ask_hold(kind, act, permit.act, account=customer, amount=amount)
        key = None if isinstance(asked, Refusal) else _held(asked, kind, act, customer)
        if isinstance(asked, Refusal) or key is None:
            return screen.pay(refusal=asked if isinstance(asked, Refusal) else None)
    return after_payment(screen, services, services.central.pay(key), "")


def _held(basket: Basket | None, kind: Kind, act: Act, customer: str) -> HoldKey | None:
    """What was asked for before: of this very customer, and to do the same with it."""
    wanted = (kind, act, customer)
    holds = basket.holds if basket else ()
    return next((hold.key for hold in holds if (hold.kind, hold.act, hold.account) == wanted), None)


def _customer(services: Services) -> str | Refusal:
    basket = services.desk.checkout.basket()
    if basket is None or basket.customer is None:
        return Refusal("account.nobody", say("account.nobody"))
    return basket.customer
