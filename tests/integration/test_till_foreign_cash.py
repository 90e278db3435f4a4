"""Foreign cash and cash in parts through checkout: durable, kept apart by currency, given back (PO2)."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from holdfast.core.basket import Basket, void_line
from holdfast.core.foreign_cash import CurrencyRate, foreign_tender
from holdfast.core.ids import IncarnationId
from holdfast.core.sale import Sale, Tender
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.core.tender import Due
from holdfast.core.totals import ForeignSum
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.register.checkout import Checkout
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference import Catalogue, open_reference
from holdfast.register.till import purging
from holdfast.register.verify import verify_register
from holdfast.register.web.desk import Desk
from holdfast.register.web.shelf import Shelf
from tests.register_fixture import (
    CASHIER,
    DATE,
    make_register,
    open_checkout,
    refusal_of,
    scan,
    sell_one,
    selling,
)
from tests.unit.core.shop import act, done

DOLLAR = CurrencyRate(
    currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=100, valid_from="2025-01-01"
)
POUND = CurrencyRate(
    currency="GBP", home="EUR", rate_e8=115_240_000, smallest_minor=500, valid_from="2025-01-01"
)


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


def notes(rate: CurrencyRate, foreign_minor: int) -> Tender:
    return done(foreign_tender(foreign_minor, rate, "half-up"))


def cash(amount_minor: int) -> Tender:
    return Tender(kind="cash", amount_minor=amount_minor)


def begin(checkout: Checkout) -> Basket:
    """One mug, 4.99."""
    done(checkout.begin(by=CASHIER))
    return scan(checkout)


def test_foreign_cash_lies_apart_from_home_cash(home: RegisterHome) -> None:
    with selling(home) as checkout:
        begin(checkout)
        sold = done(checkout.take(notes(DOLLAR, 1_000)))
        assert isinstance(sold, Sale)
        assert [(tender.kind, tender.amount_minor) for tender in sold.tenders] == [
            ("foreign_cash", 915),
            ("change", -416),
        ]
        begin(checkout)
        done(checkout.take(notes(POUND, 500)))
        sell_one(checkout, cash_minor=499)
        day = checkout.totals(DATE)
        assert day.tenders_minor == {"foreign_cash": 1_491, "change": -493, "cash": 499}
        assert day.foreign_cash == {
            "USD": ForeignSum(foreign_minor=1_000, amount_minor=915),
            "GBP": ForeignSum(foreign_minor=500, amount_minor=576),
        }
        assert checkout.foreign_drawer() == day.foreign_cash
        assert checkout.drawer_minor() == 499 - 493
    with selling(home, seed=2) as again:
        assert again.document(sold.document) == sold
        assert again.foreign_drawer() == day.foreign_cash
    assert verify_register(home).differences == ()


def test_a_drawer_that_differs_from_the_journal_is_found(home: RegisterHome) -> None:
    checkout = open_checkout(home)
    done(checkout.open_day(by=CASHIER, approved_by=CASHIER))
    begin(checkout)
    done(checkout.take(notes(DOLLAR, 1_000)))
    checkout._till.connection.execute(
        "update day_totals set totals = json_set(totals, '$.foreign_cash.USD.foreign_minor', 900)"
    )
    checkout.close()
    assert {found.code for found in verify_register(home).differences} == {"day", "drawer"}


def test_purged_foreign_cash_still_adds_up(home: RegisterHome) -> None:
    with selling(home) as checkout:
        begin(checkout)
        done(checkout.take(notes(DOLLAR, 1_000)))
        head = checkout.head()
        till = checkout._till
        assert till.transact(lambda: purging.purge_some(till.connection, head.epoch, head.seq)).entries > 0
        begin(checkout)
        done(checkout.take(notes(DOLLAR, 2_000)))
        assert checkout.foreign_drawer()["USD"].foreign_minor == 3_000
    assert verify_register(home).differences == ()


def test_parts_are_on_the_disk_with_the_basket(home: RegisterHome) -> None:
    """Whoever opens the till next finds what was handed over."""
    with selling(home) as checkout:
        begin(checkout)
        kept = done(checkout.take(cash(100)))
        assert isinstance(kept, Basket)
        done(checkout.take(notes(DOLLAR, 100)))
    with selling(home, seed=2) as again:
        basket = again.basket()
        assert basket is not None
        assert basket.tenders == (cash(100), notes(DOLLAR, 100))
        scan(again)
        sold = done(again.take(cash(1_000)))
        assert isinstance(sold, Sale)
        assert sold.tenders == (*basket.tenders, cash(1_000), Tender(kind="change", amount_minor=-194))
        assert again.basket() is None
    assert verify_register(home).differences == ()


def test_a_tender_that_cannot_be_taken_changes_nothing(home: RegisterHome) -> None:
    with selling(home) as checkout:
        assert refusal_of(checkout.take(cash(100))) == "basket.none"
        basket = begin(checkout)
        for wrong, code in (
            (cash(0), "tender.amount"),
            (cash(-100), "tender.direction"),
            (Tender(kind="card", amount_minor=500), "tender.too-much"),
            (Tender(kind="foreign_cash", amount_minor=5), "tender.foreign-cash"),
        ):
            assert refusal_of(checkout.take(wrong)) == code
        assert checkout.basket() == basket
        for _ in range(20):
            done(checkout.take(cash(1)))
        assert refusal_of(checkout.take(cash(1))) == "tender.too-many"


def test_what_was_handed_over_is_handed_back(home: RegisterHome) -> None:
    with selling(home) as checkout:
        assert refusal_of(checkout.hand_back()) == "basket.none"
        basket = begin(checkout)
        done(checkout.take(cash(100)))
        assert done(checkout.hand_back()) == (cash(100),)
        assert checkout.basket() == basket
        done(checkout.take(notes(DOLLAR, 100)))
        voided = done(checkout.void(reason="customer left", by=CASHIER))
        assert voided.given_back == (notes(DOLLAR, 100),)
        assert checkout.foreign_drawer() == {}
        begin(checkout)
        assert done(checkout.void(reason="customer left", by=CASHIER)).given_back == ()


def test_a_smaller_sale_is_concluded_with_what_was_given(home: RegisterHome) -> None:
    """A line goes after a part was taken: the rest is change, and no further tender is asked for."""
    with selling(home) as checkout:
        begin(checkout)
        scan(checkout)
        done(checkout.take(notes(DOLLAR, 1_000)))
        done(checkout.change(lambda basket: void_line(basket, act(), 1)))
        sold = done(checkout.conclude())
        assert sold.tenders[-1] == Tender(kind="change", amount_minor=-416)


# ---- the desk, which looks the rate up ---------------------------------------------------------


class Rates(Shelf):
    """What of the shelf taking cash asks for."""

    def __init__(self, reference: apsw.Connection) -> None:
        self.reference = reference

    def currencies(self, business_date: str) -> tuple[CurrencyRate, ...]:
        return Catalogue(self.reference, "EUR").currencies(business_date)


@pytest.fixture
def rates(home: RegisterHome) -> Iterator[Rates]:
    """The feed is empty."""
    with closing(open_reference(home, DatabaseKey.load(home.database_key))) as reference:
        yield Rates(reference)


@pytest.fixture
def desk(home: RegisterHome, rates: Rates) -> Iterator[Desk]:
    """One mug in the basket."""
    with selling(home) as checkout:
        begin(checkout)
        codes = ReceiptCodes(home, checkout.config, key_of=lambda _: None, window_days=lambda: 90)
        yield Desk(checkout, rates, lambda: None, lambda: None, codes)


def publish(reference: apsw.Connection, *rates: CurrencyRate) -> None:
    """As head office's feed brings them."""
    store = FeedStore(reference)
    since = store.current("currencies")
    since_n = since.n if since else 0
    rows = tuple(FeedRow(rate.key, msgspec.Raw(msgspec.json.encode(rate))) for rate in rates)
    page = FeedPage(
        feed="currencies",
        incarnation=IncarnationId("i1"),
        since_n=since_n,
        to_n=since_n + 1,
        more=False,
        rows=rows,
    )
    assert store.take(page, made_ms=1, now_ms=1) is None


def test_the_cashier_takes_dollars_at_the_rate_he_saw(desk: Desk, rates: Rates) -> None:
    publish(rates.reference, DOLLAR, POUND, msgspec.structs.replace(POUND, valid_from=DATE, accepted=False))
    assert [rate.currency for rate in desk.currencies()] == ["USD"]
    assert desk.pay("2", act(), currency="USD", rate_e8=DOLLAR.rate_e8) == Due(316, 316)
    publish(rates.reference, msgspec.structs.replace(DOLLAR, rate_e8=90_000_000, valid_from=DATE))
    again = desk.pay("exact", act(), currency="USD", rate_e8=DOLLAR.rate_e8)
    assert refusal_of(again) == "tender.rate-changed", "he told the customer another amount"
    sold = desk.pay("exact", act(), currency="USD", rate_e8=90_000_000)
    assert isinstance(sold, Sale)
    assert [(tender.foreign_minor, tender.rate_e8) for tender in sold.tenders] == [
        (200, 91_500_000),
        (400, 90_000_000),
        (0, 0),
    ]


@pytest.mark.parametrize("currency", ["GBP", "JPY", "XXX"])
def test_a_currency_without_a_rate_is_not_taken_and_never_blocks_home_cash(
    desk: Desk, rates: Rates, currency: str
) -> None:
    assert desk.currencies() == (), "without any feed"
    publish(rates.reference, DOLLAR, POUND, msgspec.structs.replace(POUND, valid_from=DATE, accepted=False))
    refused = desk.pay("10", act(), currency=currency, rate_e8=POUND.rate_e8)
    assert refusal_of(refused) == "tender.not-taken"
    assert isinstance(desk.pay("10", act()), Sale)
