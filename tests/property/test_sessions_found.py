"""What random sessions found, each told by itself."""

import re
from pathlib import Path

from holdfast.core.refusals import Refusal
from tests.register_fixture import CASHIER
from tests.staffed_till import staffed_till
from tests.unit.core.shop import MUG

PART = {"hx-request": "true", "hx-target": "work"}


def test_after_a_suspended_return_the_next_customer_buys(tmp_path: Path) -> None:
    """The till went on taking goods back: the next scan opened another return."""
    with staffed_till(tmp_path / "register") as till, till.browser("manager") as client:
        till.ready()
        client.post("/void", data={"reason": "left"}, headers=PART)
        client.post("/returns/without", data={"reason": "broken"}, headers=PART)
        client.post("/add", data={"sku": MUG.sku}, headers=PART)
        brought = till.checkout.basket()
        assert brought is not None
        assert brought.kind == "return"
        client.post("/suspend", data={"note": "fetches the bill"}, headers=PART)
        client.post("/add", data={"sku": MUG.sku}, headers=PART)
        sold = till.checkout.basket()
    assert sold is not None
    assert sold.kind == "sale"


def test_whoever_comes_back_to_a_sale_paid_in_part_sees_what_was_given(tmp_path: Path) -> None:
    """After a reload the page showed the basket alone, and the whole sum as if nothing had been taken."""
    with staffed_till(tmp_path / "register") as till, till.browser("manager") as client:
        till.ready()
        client.post("/pay", data={"amount": "1"}, headers=PART)
        client.post("/start/continue", data={"told": "x"}, headers=PART)
        page = client.get("/").text
    assert re.search(r'<strong id="due">\D*3\.99</strong>', page), page


def test_a_void_that_is_refused_ends_no_return(tmp_path: Path) -> None:
    """Sessions 134 and 147: nothing was open to void, and what was scanned next was sold, not taken back."""
    with staffed_till(tmp_path / "register") as till, till.browser("manager") as client:
        till.ready()
        client.post("/void", data={"reason": "left"}, headers=PART)
        client.post("/returns/without", data={"reason": "broken"}, headers=PART)
        client.post("/void", data={"reason": "left"}, headers=PART)
        client.post("/add", data={"sku": MUG.sku}, headers=PART)
        brought = till.checkout.basket()
    assert brought is not None
    assert brought.kind == "return"


def test_whoever_is_created_before_a_shift_begins_is_told_so(tmp_path: Path) -> None:
    """Session 21: the customer was made, the form said that it could not be done, and it was tried again."""
    fields = {"name": "Ada Quartz", "email": "ada@mail.example"}
    with staffed_till(tmp_path / "register") as till, till.browser("manager") as client:
        said = client.post("/customers", data=fields, headers=PART).text
        assert "Ada Quartz was created as R01-C-" in said
        assert 'role="alert"' not in said
        assert len(till.journalled("customer_created")) == 1


def test_a_customer_who_is_chosen_first_brings_goods_back(tmp_path: Path) -> None:
    """He was a transaction without lines, and no return could begin; nobody chosen was one that none saw."""
    with staffed_till(tmp_path / "register") as till, till.browser("manager") as client:
        till.ready()
        client.post("/void", data={"reason": "left"}, headers=PART)
        client.post("/customers/none", headers=PART)
        assert till.checkout.basket() is None
        client.post("/customers", data={"name": "Ada Quartz"}, headers=PART)
        client.post("/returns/without", data={"reason": "broken"}, headers=PART)
        client.post("/add", data={"sku": MUG.sku}, headers=PART)
        brought = till.checkout.basket()
        assert brought is not None
        assert (brought.kind, len(brought.lines)) == ("return", 1)
        assert [brought.customer] == [row.number for row in till.checkout.customers_here((), 2)]


def test_what_is_refused_opens_no_transaction(tmp_path: Path) -> None:
    """It was opened in a transaction of its own: after a power cut one without lines lay there, and what was
    scanned next came back, where a return had been begun."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        till.checkout.void(reason="left", by=CASHIER)
        found = till.checkout.begin(by=CASHIER, first=lambda _: Refusal("no", "No."))
        assert isinstance(found, Refusal)
        assert till.checkout.basket() is None
