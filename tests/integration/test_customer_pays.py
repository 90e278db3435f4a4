"""A customer pays by points and on account, over HTTP against the desk that head office ships (LY4, OA1)."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from holdfast.core.central.accounts import Account, AccountId, Kind
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.connection import Mode
from holdfast.core.customers import Details
from holdfast.core.loyalty.parameters import FOR_UNIT, IN_USE
from holdfast.core.loyalty.redeem import redeemable
from holdfast.core.refusals import Refusal
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.store.central_port import Numbered
from holdfast.infra.config import RegisterHome
from holdfast.register.realtime.client import Denied, Unanswered
from tests.hq_fixtures import HeadOfficeUnderTest, memory_head_office
from tests.register_fixture import CASHIER, ORIGIN
from tests.sending import enrol, send_all
from tests.staffed_till import StaffedTill, staffed_till
from tests.unit.core.shop import act, done

PART = {"hx-request": "true"}
OA1 = (
    "On-account tenders and payments need a real-time connection. "
    "Wait until it returns, or take another tender."
)
LY4 = "Points and rewards need a real-time connection. They are added by themselves when it returns."


class Parameter(msgspec.Struct, frozen=True):
    """A row of the parameters feed."""

    value: bool | int


class Counter:
    """One till, its customer, and a head office that answers its calls while its line is up."""

    def __init__(self, till: StaffedTill, hq: HeadOfficeUnderTest, home: RegisterHome) -> None:
        self.till, self.hq, self.home = till, hq, home
        self.desk = CentralDesk(hq.store, hq.clock, bytes(32))  # type: ignore[arg-type]
        self.loses_answers = False
        enrol(hq, home, ORIGIN, "R01")
        till.feed("parameters", {IN_USE: Parameter(True), FOR_UNIT: Parameter(10)})
        till.ready()
        done(till.checkout.void(reason="", by=CASHIER))
        calls = till.services.real_time
        calls.is_there = lambda: till.services.watch.mode() is not Mode.OFFLINE  # type: ignore[method-assign]
        calls.ask = self._ask  # type: ignore[method-assign,assignment]
        self.customer = done(till.checkout.create_customer(Details(name="Ada"), act())).number
        till.work(Mode.ONLINE)

    def _ask(self, path: str, body: Any, answer: type[Any], **_: float) -> Any:
        if isinstance(body, HoldRequest):
            said: object = self.desk.hold(ORIGIN, body)
        else:
            said = self.desk.balance(body.kind, "", body.account, "")
        if self.loses_answers:
            return Unanswered("The line dropped.")
        if isinstance(said, Declined):
            return Denied(said.code, said.sentence)
        return said if isinstance(said, Held) else msgspec.convert(msgspec.to_builtins(said), answer)

    def opens(self, kind: Kind, limit: int = 0, customer: str = "") -> None:
        """As head office opens it: with nothing on it."""
        currency = "" if kind is Kind.POINTS else "EUR"
        account = Account(
            kind=kind, account=AccountId(customer or self.customer), currency=currency, limit=limit
        )
        with self.hq.store.transaction(None) as transaction:
            transaction.central.open([Numbered(account=account)], 1)

    def sells(self, client: TestClient[Any], what: str = "MUG") -> None:
        """To the customer, up to the payment."""
        client.post(f"/customers/{self.customer}/choose", headers=PART)
        client.post("/scan", data={"text": what}, headers=PART)

    def send(self) -> None:
        send_all(self.hq, self.home, ORIGIN)

    def balance(self, kind: Kind) -> int:
        with self.hq.store.transaction(None) as transaction:
            found = transaction.central.lock((kind, AccountId(self.customer)))
        return 0 if found is None else found.account.balance

    def open_holds(self, kind: Kind) -> int:
        with self.hq.store.transaction(None) as transaction:
            return len(transaction.central.holds_of((kind, AccountId(self.customer))))


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    home = RegisterHome(tmp_path / "register")
    with staffed_till(home.path) as till, memory_head_office() as hq:
        yield Counter(till, hq, home)


def post(client: TestClient[Any], path: str, **fields: str) -> str:
    return html.unescape(client.post(path, data=fields, headers=PART).text)


def test_points_pay_by_the_rate_and_each_moves_once(counter: Counter) -> None:
    with counter.till.browser("cashier") as client:
        counter.sells(client, "3*MUG")
        post(client, "/pay", amount="exact")
        counter.send()
        assert counter.balance(Kind.POINTS) == 14, "14.97 earned 14"
        counter.sells(client)
        assert "Pay out" not in post(client, "/pay/points")
        basket = counter.till.checkout.basket()
        assert basket is not None, "4.99 are due, and 14 points pay 1.40"
        assert [(tender.amount_minor, tender.points) for tender in basket.tenders] == [(140, 14)]
        assert counter.open_holds(Kind.POINTS) == 1
        post(client, "/pay", amount="exact")
    _, second = counter.till.journalled("sale")
    assert [(tender.kind, tender.amount_minor) for tender in second.tenders] == [
        ("points", 140),
        ("cash", 359),
    ]
    for _ in range(2):
        counter.send()
        assert counter.balance(Kind.POINTS) == 14 - 14 + 3, "what points paid earns none"
    assert counter.open_holds(Kind.POINTS) == 0


def test_goods_that_points_paid_come_back_and_take_no_points_away(counter: Counter) -> None:
    with counter.till.browser("manager") as client:
        for _ in range(4):
            counter.sells(client, "3*MUG")
            post(client, "/pay", amount="exact")
        counter.send()
        assert counter.balance(Kind.POINTS) == 4 * 14
        counter.sells(client)
        post(client, "/pay/points")
        counter.send()
        sold = counter.till.journalled("sale")[-1]
        assert [tender.kind for tender in sold.tenders] == ["points"], "4.99 by 50 points"
        post(client, "/returns", document=sold.document, line="1", **{"quantity-1": "1"})
        post(client, "/pay/memo")
        (back,) = counter.till.journalled("return")
        assert back.customer == counter.customer
        counter.send()
        assert counter.balance(Kind.POINTS) == 4 * 14 - 50
        first = counter.till.journalled("sale")[0]
        post(client, "/returns", document=first.document, line="1", **{"quantity-1": "1"})
        post(client, "/pay", amount="exact")
        counter.send()
        assert counter.balance(Kind.POINTS) == 4 * 14 - 50 - 4, "a third of 14"


def test_on_account_within_the_limit_and_paid_back_by_cash(counter: Counter) -> None:
    """OA1."""
    counter.opens(Kind.ON_ACCOUNT, limit=500)
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        post(client, "/pay/account")
        (sold,) = counter.till.journalled("sale")
        assert [(tender.kind, tender.amount_minor) for tender in sold.tenders] == [("on_account", 499)]
        counter.send()
        assert counter.balance(Kind.ON_ACCOUNT) == -499
        counter.sells(client)
        assert "more than the customer's credit limit leaves" in post(client, "/pay/account")
        done(counter.till.checkout.void(reason="", by=CASHIER))
        client.post(f"/customers/{counter.customer}/choose", headers=PART)
        asked = html.unescape(client.get("/account/payment", headers=PART).text)
        assert "Owed now: €4.99" in asked
        assert "Payment on customer account" in post(client, "/account/payment", amount="3.00")
        assert "take another tender" in post(client, "/pay/account"), "nor is it paid from there"
        post(client, "/pay", amount="exact")
    _, paid = counter.till.journalled("sale")
    assert (paid.total_minor, [move.act for move in paid.values]) == (300, ["pay"]), "and it earns no points"
    for _ in range(2):
        counter.send()
        assert counter.balance(Kind.ON_ACCOUNT) == -199
    assert counter.open_holds(Kind.ON_ACCOUNT) == 0


def test_offline_both_are_refused_in_their_words_and_nothing_is_held(counter: Counter) -> None:
    """OA1, LY4: begun offline; the sale goes on with another tender."""
    counter.opens(Kind.ON_ACCOUNT, limit=50_000)
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        counter.till.work(Mode.OFFLINE)
        assert OA1 in post(client, "/pay/account")
        assert OA1 in post(client, "/account/payment", amount="1")
        assert OA1 in html.unescape(client.get("/account/payment", headers=PART).text)
        assert LY4 in post(client, "/pay/points")
        post(client, "/pay", amount="exact")
    (sold,) = counter.till.journalled("sale")
    assert [tender.kind for tender in sold.tenders] == ["cash"]
    assert not counter.till.journalled("hold_asked")


def test_an_answer_that_is_lost_is_said_and_taken_off(counter: Counter) -> None:
    """SW10: head office holds it, or not; the cashier goes on, and the entry lets it go."""
    counter.opens(Kind.ON_ACCOUNT, limit=50_000)
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        counter.loses_answers = True
        assert "did not answer for the customer account" in post(client, "/pay/account")
        counter.loses_answers = False
        basket = counter.till.checkout.basket()
        assert basket is not None
        counter.till.services.central.take_off(basket.holds[0].key, act())
        post(client, "/pay", amount="exact")
    assert counter.open_holds(Kind.ON_ACCOUNT) == 1
    counter.send()
    assert (counter.open_holds(Kind.ON_ACCOUNT), counter.balance(Kind.ON_ACCOUNT)) == (0, 0)


def test_another_customer_is_never_charged(counter: Counter) -> None:
    """P8: what was asked of one stays his; it is taken off before somebody else is chosen."""
    counter.opens(Kind.ON_ACCOUNT, limit=50_000)
    other = done(counter.till.checkout.create_customer(Details(name="Grace"), act())).number
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        counter.loses_answers = True
        said = post(client, "/pay/account")
        assert "Take off the Customer account" in said, "there is a button for what the sentence asks for"
        counter.loses_answers = False
        refused = "Take the customer account off first, then choose another customer."
        assert refused in post(client, f"/customers/{other}/choose")
        basket = counter.till.checkout.basket()
        assert basket is not None
        assert isinstance(counter.till.services.desk.set_customer(None, act()), Refusal)
        assert basket.customer == counter.customer
        post(client, f"/held/on_account/{basket.holds[0].key}/off")
        post(client, f"/customers/{other}/choose")
        assert "This customer has no account" in post(client, "/pay/account")
        counter.opens(Kind.ON_ACCOUNT, limit=50_000, customer=other)
        post(client, "/pay/account")
    (sold,) = counter.till.journalled("sale")
    assert (sold.customer, {move.account for move in sold.values}) == (other, {other})


def test_a_line_on_account_is_no_tender(counter: Counter) -> None:
    """The same customer pays on the account, and would buy on it: it is refused in words."""
    counter.opens(Kind.ON_ACCOUNT, limit=50_000)
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        post(client, "/account/payment", amount="10")
        assert "take another tender" in post(client, "/pay/account").lower()
        post(client, "/pay", amount="exact")
    (sold,) = counter.till.journalled("sale")
    assert [tender.kind for tender in sold.tenders] == ["cash"]


def test_disabled_or_nobody_chosen_says_what_to_do(counter: Counter) -> None:
    with counter.till.browser("cashier") as client:
        client.post("/scan", data={"text": "MUG"}, headers=PART)
        assert "Choose the customer first." in post(client, "/pay/account")
        post(client, "/loyalty/off")
        counter.sells(client)
        assert "Real-time loyalty is off." in post(client, "/pay/points")


def test_the_fewest_points_that_pay_it() -> None:
    assert redeemable(14, 499, 10, 100) == (14, 140)
    assert redeemable(1_000, 499, 10, 100) == (50, 499), "a part of a point is the shop's"
    assert redeemable(1_000, 499, 0, 100) == (0, 0)
    assert redeemable(3, 499, 1_000, 100) == (0, 0), "too few to pay anything"


def test_what_was_sold_on_account_goes_back_to_it(counter: Counter) -> None:
    """And the points go back from whoever earned them, though nobody chose the customer anew."""
    counter.opens(Kind.ON_ACCOUNT, limit=5_000)
    with counter.till.browser("cashier") as client:
        counter.sells(client, "2*MUG")
        post(client, "/pay/account")
        (sold,) = counter.till.journalled("sale")
        counter.send()
        assert (counter.balance(Kind.ON_ACCOUNT), counter.balance(Kind.POINTS)) == (-998, 9)
        post(client, "/returns", document=sold.document, line="1", **{"quantity-1": "1"})
        assert "was paid by" in post(client, "/pay", amount="exact"), "no cash for what was never paid"
        post(client, "/pay/account")
    (back,) = counter.till.journalled("return")
    assert (back.customer, [tender.kind for tender in back.tenders]) == (counter.customer, ["on_account"])
    for _ in range(2):
        counter.send()
        assert (counter.balance(Kind.ON_ACCOUNT), counter.balance(Kind.POINTS)) == (-499, 5)
    assert counter.open_holds(Kind.ON_ACCOUNT) == 0


@pytest.mark.parametrize("allowed", [False, True])
def test_what_was_held_on_account_concludes_offline_where_head_office_allows_it(
    counter: Counter, allowed: bool
) -> None:
    """P8: the amount was kept before the line dropped; its answer came only when it was asked again."""
    counter.opens(Kind.ON_ACCOUNT, limit=5_000)
    counter.till.feed("parameters", {IN_USE: Parameter(True), "offline.on-account": Parameter(allowed)})
    with counter.till.browser("cashier") as client:
        counter.sells(client)
        counter.loses_answers = True
        post(client, "/pay/account")
        counter.loses_answers = False
        basket = counter.till.checkout.basket()
        assert basket is not None
        post(client, f"/held/on_account/{basket.holds[0].key}/again?from=pay")
        counter.till.work(Mode.OFFLINE)
        for path in ("/pay/account", f"/held/on_account/{basket.holds[0].key}/pay?from=pay"):
            said = post(client, path)
            if not allowed:
                assert OA1 in said or "cannot conclude with the customer account" in said
        left = counter.till.checkout.basket()
    assert (left is None) is allowed
    counter.send()
    assert counter.balance(Kind.ON_ACCOUNT) == (-499 if allowed else 0)
    assert counter.open_holds(Kind.ON_ACCOUNT) == (0 if allowed else 1)
