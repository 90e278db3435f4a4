"""Suspended transactions in the till's database, and the journal on screen (PO4)."""

from pathlib import Path

import pytest

from holdfast.core.basket import UNLIMITED, Basket, discount_total
from holdfast.core.basket.suspended import SUSPENDED_MAX, Suspended
from holdfast.core.ids import TransactionId
from holdfast.core.sale import Sale, Tender, TransactionVoided
from holdfast.core.tender import CASH
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.register.checkout import Checkout
from holdfast.register.till.search import ROWS_AT_ONCE, Query
from holdfast.register.verify import verify_register
from tests.register_fixture import (
    CASHIER,
    MANAGER,
    copy_data,
    make_register,
    open_checkout,
    refusal_of,
    restore_data,
    scan,
    sell_one,
    selling,
)
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act, done

DAY_MS = 86_400_000


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


def suspend(checkout: Checkout, note: str = "", count: int = 1) -> Suspended:
    done(checkout.begin(by=CASHIER))
    for _ in range(count):
        scan(checkout)
    return done(checkout.suspend(act(), note))


def test_several_wait_through_a_restart_and_come_back_as_they_were(home: RegisterHome) -> None:
    with selling(home) as checkout:
        first, second = suspend(checkout, "blue coat"), suspend(checkout, "red hat", 2)
        assert checkout.basket() is None
    with selling(home, seed=2) as checkout:
        assert {kept.note for kept in checkout.suspended()} == {"blue coat", "red hat"}
        assert checkout.recall(second.basket.transaction) == second.basket
        assert checkout.basket() == second.basket
        assert refusal_of(checkout.recall(first.basket.transaction)) == "suspend.basket-open"
        sold = done(checkout.conclude(cash_given_minor=100_000))
        assert (sold.transaction, len(sold.lines)) == (second.basket.transaction, 2)
        assert checkout.recall(first.basket.transaction) == first.basket
        assert refusal_of(checkout.recall(first.basket.transaction)) == "suspend.gone"
    assert verify_register(home).differences == ()


def test_what_cannot_be_suspended_stays_open(home: RegisterHome) -> None:
    with selling(home) as checkout:
        assert refusal_of(checkout.suspend(act(), "")) == "suspend.nothing"
        done(checkout.begin(by=CASHIER))
        assert refusal_of(checkout.suspend(act(), "")) == "suspend.nothing"
        scan(checkout)
        assert refusal_of(checkout.suspend(act(), "a\nb")) == "text.unprintable"
        part = checkout.take(Tender(kind=CASH, amount_minor=1))
        assert isinstance(part, Basket)
        assert refusal_of(checkout.suspend(act(), "")) == "suspend.paid-in-part"
        done(checkout.hand_back())
        done(checkout.change(lambda basket: discount_total(basket, act(UNLIMITED), percent_e2=500)))
        kept = done(checkout.suspend(act(), ""))
        assert kept.basket.total_reductions, "discounts are kept with it"


def test_there_is_an_end_to_how_many_wait(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(SUSPENDED_MAX):
            suspend(checkout)
        done(checkout.begin(by=CASHIER))
        scan(checkout)
        assert refusal_of(checkout.suspend(act(), "")) == "suspend.full"
        assert checkout.basket() is not None


def test_the_day_does_not_end_over_one_that_waits(home: RegisterHome) -> None:
    with selling(home) as checkout:
        kept = suspend(checkout)
        assert refusal_of(checkout.close_day(by=CASHIER)) == "day.suspended"
        assert refusal_of(checkout.retire(by=MANAGER)) == "day.suspended"
        voided = checkout.void_suspended(kept.basket.transaction, act(), "nobody came")
        assert isinstance(voided, TransactionVoided)
        assert voided.transaction == kept.basket.transaction
        assert refusal_of(checkout.void_suspended(TransactionId("other"), act(), "")) == "suspend.gone"
        done(checkout.close_day(by=CASHIER))
    assert verify_register(home).differences == ()


def test_one_of_another_day_is_voided_not_sold_at_old_prices(home: RegisterHome, tmp_path: Path) -> None:
    """A restored database brings back what was suspended on the day of its backup."""
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        kept = suspend(checkout)
    copy_data(home, tmp_path / "backup")
    with selling(home, clock, seed=2) as checkout:
        done(checkout.void_suspended(kept.basket.transaction, act(), "nobody came"))
        done(checkout.close_day(by=CASHIER))
        clock.advance(DAY_MS)
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        sell_one(checkout)
    restore_data(home, tmp_path / "backup")
    checkout = open_checkout(home, clock, seed=3)
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    assert refusal_of(checkout.recall(kept.basket.transaction)) == "suspend.other-day"
    done(checkout.void_suspended(kept.basket.transaction, act(), "of another day"))
    assert checkout.suspended() == ()
    checkout.close()


# ---- the journal on screen ---------------------------------------------------------------------


def numbers(checkout: Checkout, **query: object) -> list[str]:
    found, further = checkout.search(Query(**query))  # pyright: ignore[reportArgumentType]
    assert further is None
    return [row.document for row in found]


def test_documents_are_found_by_number_date_amount_and_product(home: RegisterHome) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        mug, apples, mugs = sell_one(checkout), sell_one(checkout, APPLES), sell_one(checkout, MUG, 2)
        assert numbers(checkout) == [mugs.document, apples.document, mug.document]
        assert numbers(checkout, number=apples.document) == [apples.document]
        assert numbers(checkout, number=apples.document[-6:]) == [apples.document]
        assert numbers(checkout, amount_minor=mugs.total_minor) == [mugs.document]
        assert numbers(checkout, sku=MUG.sku) == [mugs.document, mug.document]
        word = APPLES.description.split()[0].casefold()[:3]
        assert numbers(checkout, words=(word,)) == [apples.document]
        assert numbers(checkout, words=(word, "nothing")) == []
        today = checkout.day().business_date or ""
        done(checkout.close_day(by=CASHIER))
        clock.advance(DAY_MS)
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        later = sell_one(checkout)
        assert numbers(checkout, business_date=checkout.day().business_date) == [later.document]
        assert numbers(checkout, business_date=today, sku=MUG.sku) == [mugs.document, mug.document]
        assert numbers(checkout, business_date="2001-01-01") == []


def test_a_long_journal_is_searched_page_by_page(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sales: list[Sale] = [sell_one(checkout) for _ in range(ROWS_AT_ONCE + 10)]
        found, further = checkout.search(Query(sku=MUG.sku))
        seen = [row.document for row in found]
        while further is not None:
            found, further = checkout.search(Query(sku=MUG.sku), further)
            seen += [row.document for row in found]
        assert seen == [sale.document for sale in reversed(sales)]
