"""Any sequence of operations on a basket: never a fault, always inside the bounds, always adding up."""

from collections.abc import Callable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.basket import (
    UNLIMITED,
    Act,
    Basket,
    Kind,
    Returnable,
    add_product,
    add_return,
    add_return_without_receipt,
    change_quantity,
    discount_line,
    discount_total,
    note_line,
    note_transaction,
    override_price,
    remove_line_discounts,
    remove_total_discounts,
    returnable,
    set_customer,
    void_line,
)
from holdfast.core.bounds import AMOUNT_MINOR_MAX, LINES_BYTES_MAX
from holdfast.core.catalogue import Price, Product
from holdfast.core.ids import CustomerNumber, DocumentNumber, Sku, StaffId
from holdfast.core.invariants import broken_invariants
from holdfast.core.pricing import conclude, price, void_transaction
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender, TransactionVoided
from holdfast.core.tax import TaxRate
from holdfast.core.tender import Till, due
from tests.unit.core.shop import (
    CASHIER_LIMITS,
    MUG,
    STANDARD,
    act,
    done,
    empty,
    pay_in_cash,
    price_of,
    sell,
)

Operation = Callable[[Basket], Basket | Refusal]

numbers = st.one_of(
    st.integers(1, 600),
    st.sampled_from([1_000, 3_000, 10_000]),
    st.sampled_from([1_000, 3_000, 10_000]),
    st.integers(-3, 6),
    st.integers(),
)
wild = st.one_of(st.text(max_size=8), st.sampled_from(["", "x" * 201, "a\x00", "\ud800"]))
texts = st.one_of(st.just("ok"), st.just("größer"), st.just("🍎"), wild)
lines = st.integers(1, 5)
acts = st.builds(
    Act,
    by=st.sampled_from([StaffId("c1"), StaffId("c1"), StaffId("c2"), StaffId("\x07")]),
    at_ms=st.integers(),
    limits=st.sampled_from([UNLIMITED, CASHIER_LIMITS]),
    approved_by=st.sampled_from([StaffId(""), StaffId("m1")]),
)
products = st.builds(
    Product,
    sku=texts.map(Sku),
    description=texts,
    tax_code=st.sampled_from(["A", "B"]),
    unit=st.sampled_from(["each", "kg"]),
)
SOLD = pay_in_cash(sell(sell(empty(), MUG, 3_000), MUG))


@st.composite
def offers(draw: st.DrawFn) -> tuple[Product, Price, TaxRate]:
    product = draw(products)
    cost = draw(st.one_of(st.integers(0, 10**7), numbers))
    row = Price(sku=product.sku, unit_price_e4=cost, currency="EUR", valid_from="")
    rate = draw(st.sampled_from([0, 70_000, 200_000, 200_000, -1, 10**8]))
    tax = TaxRate(
        code=product.tax_code, name="", rate_e6=rate, inclusive=product.tax_code == "A", valid_from=""
    )
    return product, row, tax


def found() -> st.SearchStrategy[Returnable]:
    return st.builds(
        lambda line, milli, minor: done(returnable(SOLD, line, milli, minor)),
        st.integers(1, 2),
        st.sampled_from([0, 500]),
        st.integers(0, 2_000),
    )


def _add(who: Act, offer: tuple[Product, Price, TaxRate], quantity_milli: int | None) -> Operation:
    product, row, tax = offer
    return lambda basket: add_product(basket, who, product, row, tax, quantity_milli)


def _bring(
    who: Act, offer: tuple[Product, Price, TaxRate], quantity_milli: int | None, reason: str
) -> Operation:
    product, row, tax = offer
    return lambda basket: add_return_without_receipt(
        basket, who, product, row, tax, quantity_milli, reason=reason
    )


quantities = st.one_of(st.none(), st.integers(1, 5).map(lambda pieces: pieces * 1_000), numbers)

operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(_add, acts, offers(), quantities),
    st.builds(_add, acts, offers(), quantities),
    st.builds(
        _bring,
        acts,
        offers(),
        quantities,
        texts,
    ),
    st.builds(lambda a, f, q: lambda b: add_return(b, a, f, q), acts, found(), quantities),
    st.builds(lambda a, n, q: lambda b: change_quantity(b, a, n, q), acts, lines, numbers),
    st.builds(lambda a, n, p, t: lambda b: override_price(b, a, n, p, t), acts, lines, numbers, texts),
    st.builds(
        lambda a, n, p, m, t: lambda b: discount_line(b, a, n, percent_e2=p, amount_minor=m, reason=t),
        acts,
        lines,
        st.one_of(st.just(0), numbers),
        st.one_of(st.just(0), numbers),
        texts,
    ),
    st.builds(
        lambda a, p, m, t: lambda b: discount_total(b, a, percent_e2=p, amount_minor=m, reason=t),
        acts,
        st.one_of(st.just(0), numbers),
        st.one_of(st.just(0), numbers),
        texts,
    ),
    st.builds(lambda a, n: lambda b: remove_line_discounts(b, a, n), acts, lines),
    st.just(remove_total_discounts),
    st.builds(lambda n, t: lambda b: note_line(b, n, t), lines, texts),
    st.builds(lambda t: lambda b: note_transaction(b, t), texts),
    st.builds(lambda t: lambda b: set_customer(b, CustomerNumber(t)), texts),
    st.builds(lambda a, n: lambda b: void_line(b, a, n), acts, lines),
)


def check(basket: Basket) -> None:
    """What holds after every operation."""
    priced = price(basket)
    sold = basket.kind == "sale"
    ids = sorted(line.line for line in (*basket.lines, *basket.voided_lines))
    assert ids == list(range(1, len(ids) + 1))
    for line in priced.lines:
        assert (line.quantity_milli > 0) == sold
        assert abs(line.amount_minor) <= AMOUNT_MINOR_MAX
        assert line.amount_minor >= 0 if sold else line.amount_minor <= 0
    assert (priced.total_minor >= 0) if sold else (priced.total_minor <= 0)
    encoded = len(msgspec.json.encode(priced.lines + priced.voided_lines))
    assert encoded <= LINES_BYTES_MAX
    if not basket.total_reductions:
        assert encoded <= basket.lines_bytes + 2
    assert msgspec.json.decode(msgspec.json.encode(basket), type=Basket) == basket


def begun(kind: Kind) -> Basket:
    """Two lines to work on, and one voided."""
    basket = empty(kind)
    for line in (1, 2, 2):
        if kind == "sale":
            basket = sell(basket, MUG, line * 1_000)
        elif line == 1:
            basket = done(add_return(basket, act(), done(returnable(SOLD, line)), 2_000))
        else:
            basket = done(add_return_without_receipt(basket, act(), MUG, price_of(MUG), STANDARD, reason="x"))
    return done(void_line(basket, act(), 3))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(["sale", "return"]), st.lists(operations, max_size=12))
def test_any_operations_keep_a_basket_in_order(kind: Kind, todo: list[Operation]) -> None:
    basket = begun(kind)
    for operation in todo:
        answer = operation(basket)
        if isinstance(answer, Refusal):
            assert answer.sentence
            assert answer.sentence.endswith(".")
            msgspec.json.encode(answer)
        else:
            basket = answer
            check(basket)
    end(basket)


def end(basket: Basket) -> None:
    """Conclude it, and void it."""
    number = DocumentNumber("N")
    if not basket.lines:
        assert isinstance(conclude(basket, (), number), Refusal)
        return
    total = price(basket).total_minor
    cash = due(total, (), Till.of(basket.money, basket.rounding_rule)).cash_minor
    if abs(cash) <= AMOUNT_MINOR_MAX:
        sale = done(conclude(basket, [Tender(kind="cash", amount_minor=cash)] if cash else [], number))
        assert broken_invariants(sale) == []
        assert msgspec.json.decode(msgspec.json.encode(sale), type=Sale) == sale
    voided = done(void_transaction(basket, act(), "left"))
    assert len(voided.lines) == len(basket.lines) + len(basket.voided_lines)
    assert msgspec.json.decode(msgspec.json.encode(voided), type=TransactionVoided) == voided
