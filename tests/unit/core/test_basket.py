"""What may be done to a basket, and what is refused, by example (PO1, PO2)."""

import msgspec
import pytest

from holdfast.core.basket import (
    Basket,
    add_product,
    begin,
    change_quantity,
    discount_line,
    discount_total,
    note_line,
    note_transaction,
    override_price,
    remove_line_discounts,
    remove_total_discounts,
    set_customer,
    void_line,
)
from holdfast.core.bounds import DISCOUNTS_MAX, LINES_BYTES_MAX, LINES_MAX
from holdfast.core.catalogue import Product
from holdfast.core.ids import CustomerNumber, StaffId, TransactionId
from holdfast.core.journal.entry import MAX_ENTRY_BYTES
from holdfast.core.pricing import price
from tests.unit.core.shop import (
    APPLES,
    BOLT,
    CASHIER_LIMITS,
    MANAGER,
    MUG,
    SALES_TAX,
    STANDARD,
    act,
    done,
    empty,
    price_of,
    refused,
    sell,
)

CASHIER = act(CASHIER_LIMITS)
APPROVED = act(CASHIER_LIMITS, approved_by=MANAGER)


def amounts(basket: Basket) -> list[int]:
    return [line.amount_minor for line in price(basket).lines]


def test_a_basket_begins_empty() -> None:
    assert empty().lines == ()
    assert refused(begin(TransactionId(""), "EUR", 0, StaffId("c"))) == "text.empty"
    assert refused(begin(TransactionId("t"), "XXX", 0, StaffId("c"))) == "money.unknown-currency"


def test_adding_lines() -> None:
    basket = sell(sell(sell(empty(), MUG), MUG, 3_000), APPLES, 1_234)
    assert [line.line for line in basket.lines] == [1, 2, 3]
    assert [line.scanned_s for line in basket.lines] == [5, 5, 5]
    assert amounts(basket) == [499, 1497, 369]


def test_a_clock_set_back_does_no_harm() -> None:
    basket = done(add_product(empty(), act(after_s=-9_999), MUG, price_of(MUG), STANDARD))
    assert basket.lines[0].scanned_s == 0


@pytest.mark.parametrize(
    ("product", "quantity", "code"),
    [
        (APPLES, None, "basket.weight-needed"),
        (MUG, 1_500, "basket.whole-pieces"),
        (MUG, 0, "basket.quantity"),
        (MUG, -1_000, "basket.quantity"),
        (MUG, 10**40, "basket.quantity"),
    ],
)
def test_quantities_that_are_refused(product: Product, quantity: int | None, code: str) -> None:
    answer = add_product(empty(), act(), product, price_of(product), STANDARD, quantity)
    assert refused(answer) == code


def test_amounts_stay_inside_64_bits() -> None:
    dear = price_of(MUG, unit_price_e4=10**13)
    assert refused(add_product(empty(), act(), MUG, dear, STANDARD, 1_000_000)) == "basket.amount"
    basket = done(add_product(empty(), act(), MUG, dear, STANDARD))
    assert refused(change_quantity(basket, act(), 1, 1_000_000)) == "basket.amount"


def test_other_currencies_and_kinds_are_refused() -> None:
    assert (
        refused(add_product(empty(), act(), MUG, price_of(MUG, "CHF"), STANDARD)) == "basket.other-currency"
    )
    assert refused(add_product(empty("return"), act(), MUG, price_of(MUG), STANDARD)) == "basket.is-return"


def test_a_sale_has_one_rate_per_tax_code() -> None:
    changed = msgspec.structs.replace(STANDARD, rate_e6=210_000)
    basket = sell(empty(), MUG)
    assert refused(add_product(basket, act(), APPLES, price_of(APPLES), changed, 500)) == "basket.tax-changed"
    assert len(sell(basket, BOLT).lines) == 2


def test_changing_the_quantity_keeps_a_percentage() -> None:
    basket = done(discount_line(sell(empty(), MUG), act(), 1, percent_e2=1_000))
    assert amounts(basket) == [449]
    assert amounts(done(change_quantity(basket, act(), 1, 10_000))) == [4491]
    assert refused(change_quantity(basket, act(), 2, 1_000)) == "basket.no-line"
    assert refused(change_quantity(basket, act(), 1, 0)) == "basket.quantity"


def test_overriding_a_price() -> None:
    basket = sell(empty(), MUG)
    cheaper = done(override_price(basket, CASHIER, 1, 40_000, "scratched"))
    line = price(cheaper).lines[0]
    assert (line.amount_minor, line.list_price_e4, line.override_by) == (400, 49_900, "c1")
    assert done(override_price(cheaper, CASHIER, 1, 49_900, "a mistake")) == basket
    assert refused(override_price(basket, CASHIER, 1, 40_000, " ")) == "text.reason-needed"
    assert refused(override_price(basket, CASHIER, 1, -1, "x")) == "catalogue.price-out-of-range"


def test_an_override_beyond_the_limit_needs_a_manager() -> None:
    basket = sell(empty(), MUG)
    assert refused(override_price(basket, CASHIER, 1, 39_919, "dent")) == "basket.needs-manager"
    assert done(override_price(basket, CASHIER, 1, 39_920, "dent")).approved_by == ""
    assert done(override_price(basket, CASHIER, 1, 90_000, "gift wrapped")).approved_by == ""
    assert done(override_price(basket, APPROVED, 1, 0, "dent")).approved_by == MANAGER


def test_discounts_on_a_line_follow_one_another() -> None:
    basket = done(discount_line(sell(empty(), MUG), act(), 1, amount_minor=99, reason="dent"))
    basket = done(discount_line(basket, act(), 1, percent_e2=5_000))
    line = price(basket).lines[0]
    assert line.amount_minor == 200
    assert [(d.amount_minor, d.percent_e2, d.reason, d.by) for d in line.discounts] == [
        (99, 0, "dent", "c1"),
        (200, 5_000, "", "c1"),
    ]
    assert done(remove_line_discounts(basket, act(), 1)) == sell(empty(), MUG)


@pytest.mark.parametrize(
    ("percent_e2", "amount_minor"),
    [(0, 0), (-1, 0), (0, -1), (10_001, 0), (100, 1), (0, 500), (-5, 5), (5, -5), (0, 10**30)],
)
def test_discounts_that_are_refused(percent_e2: int, amount_minor: int) -> None:
    basket = sell(empty(), MUG)
    line = discount_line(basket, act(), 1, percent_e2=percent_e2, amount_minor=amount_minor)
    total = discount_total(basket, act(), percent_e2=percent_e2, amount_minor=amount_minor)
    assert (refused(line), refused(total)) == ("basket.discount", "basket.discount")


def test_discounts_are_few() -> None:
    basket = sell(empty(), MUG)
    for _ in range(DISCOUNTS_MAX):
        basket = done(discount_line(basket, act(), 1, percent_e2=1))
        basket = done(discount_total(basket, act(), percent_e2=1))
    assert refused(discount_line(basket, act(), 1, percent_e2=1)) == "basket.discounts"
    assert refused(discount_total(basket, act(), percent_e2=1)) == "basket.discounts"


def test_a_discount_beyond_the_limit_needs_a_manager() -> None:
    basket = sell(empty(), MUG)
    assert done(discount_line(basket, CASHIER, 1, percent_e2=1_000)).approved_by == ""
    assert refused(discount_line(basket, CASHIER, 1, percent_e2=1_100)) == "basket.needs-manager"
    half = done(discount_line(basket, CASHIER, 1, percent_e2=600))
    assert refused(discount_line(half, CASHIER, 1, percent_e2=600)) == "basket.needs-manager"
    more = done(discount_line(half, APPROVED, 1, percent_e2=600))
    assert more.approved_by == MANAGER
    assert done(change_quantity(more, CASHIER, 1, 2_000)).approved_by == MANAGER


def test_less_goods_do_not_make_an_amount_off_greater_unseen() -> None:
    basket = done(discount_line(sell(empty(), MUG, 10_000), CASHIER, 1, amount_minor=499))
    assert refused(change_quantity(basket, CASHIER, 1, 1_000)) == "basket.needs-manager"
    assert amounts(done(change_quantity(basket, APPROVED, 1, 1_000))) == [0]
    basket = done(discount_total(sell(sell(empty(), MUG, 10_000), MUG), CASHIER, amount_minor=270))
    assert refused(void_line(basket, CASHIER, 1)) == "basket.needs-manager"
    assert amounts(done(void_line(basket, APPROVED, 1))) == [229]


def test_a_discount_on_the_total_is_shared_out_exactly() -> None:
    basket = sell(sell(sell(empty(), MUG), MUG, 2_000), APPLES, 333)
    basket = done(discount_total(basket, act(), amount_minor=100, reason="friend"))
    priced = price(basket)
    shares = [line.discounts[0].amount_minor for line in priced.lines]
    assert sum(shares) == 100 == priced.discount_minor
    assert shares == [31, 63, 6]  # 499, 998 and 100 of 1597
    assert {line.discounts[0].kind for line in priced.lines} == {"total"}
    assert price(remove_total_discounts(basket)).discount_minor == 0


def test_a_percentage_off_the_total_covers_later_lines() -> None:
    basket = done(discount_total(sell(empty(), MUG), act(), percent_e2=1_000))
    assert amounts(sell(basket, MUG)) == [449, 449]
    assert refused(discount_total(empty("return"), act(), percent_e2=1)) == "basket.is-return"


def test_voiding_a_line_keeps_it_on_record() -> None:
    basket = done(void_line(sell(sell(sell(empty(), MUG), APPLES, 500), BOLT), act(), 2))
    priced = price(basket)
    assert [(line.line, line.sku) for line in priced.lines] == [(1, "MUG"), (2, "BOLT")]
    assert [(line.line, line.sku) for line in priced.voided_lines] == [(3, "APPLE")]
    assert refused(void_line(basket, act(), 2)) == "basket.no-line"
    assert sell(basket, MUG).lines[-1].line == 4


def test_comments_and_customer() -> None:
    basket = sell(empty(), MUG)
    basket = done(note_line(basket, 1, "engrave: Élise"))
    basket = done(note_transaction(basket, "collect at 5"))
    basket = done(set_customer(basket, CustomerNumber("C-17")))
    assert (basket.lines[0].note, basket.note, basket.customer) == ("engrave: Élise", "collect at 5", "C-17")
    assert done(set_customer(basket, None)).customer is None
    for text in ("a\x00b", "line\nbreak", "\u2028", "\ud800", "\x9b"):
        assert refused(note_line(basket, 1, text)) == "text.unprintable"
        assert refused(note_transaction(basket, text)) == "text.unprintable"
        assert refused(set_customer(basket, CustomerNumber(text))) == "text.unprintable"
    assert refused(note_line(basket, 1, "x" * 201)) == "text.too-long"
    assert refused(set_customer(basket, CustomerNumber(""))) == "text.empty"


def test_at_most_so_many_lines() -> None:
    basket = empty()
    for _ in range(LINES_MAX):
        basket = sell(basket, MUG)
    answer = add_product(basket, act(), MUG, price_of(MUG), STANDARD)
    assert refused(answer) == "basket.full"
    assert "new one" in getattr(answer, "sentence", "")


def test_long_texts_fill_a_basket_before_the_journal_refuses_it() -> None:
    assert LINES_BYTES_MAX < MAX_ENTRY_BYTES
    wordy = msgspec.structs.replace(MUG, description='"' * 200)
    basket, code = empty(), ""
    while not code:
        grown = add_product(basket, act(), wordy, price_of(MUG), STANDARD)
        if isinstance(grown, Basket):
            grown = note_line(grown, len(grown.lines), "🍎" * 200)
        if isinstance(grown, Basket):
            basket = grown
        else:
            code = refused(grown)
    assert code == "basket.full"
    assert 500 < len(basket.lines) < LINES_MAX
    encoded = len(msgspec.json.encode(price(basket).lines))
    assert encoded <= LINES_BYTES_MAX
    assert refused(discount_total(basket, act(), percent_e2=1, reason="🍎" * 200)) == "basket.full"


def test_a_sales_tax_on_top() -> None:
    basket = done(add_product(empty(), act(), BOLT, price_of(BOLT), SALES_TAX, 100_000))
    priced = price(basket)
    assert (amounts(basket), priced.added_tax_minor, priced.total_minor) == ([3333], 275, 3608)
