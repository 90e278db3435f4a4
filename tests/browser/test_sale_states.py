"""The browser closed, or the till program killed, in states of a sale: whoever comes back, in a browser of
his own, finds the sale where it was, or finds it done once (P3). Every state:
tests/crash/test_sale_states.py.
"""

import contextlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from tests.browser.till_page import CHEDDAR, MILK, TillPage


@pytest.fixture
def comes_back(browser: Browser, cut_chain: Chain) -> Iterator[Callable[..., TillPage]]:
    """Ends the browser that there is, and the program too if asked; then somebody signs in in another one."""
    place = cut_chain.registers["R01"]
    with contextlib.ExitStack() as opened:

        def again(killed: bool = False, *, begins: bool = False) -> TillPage:
            opened.close()
            if killed:
                place.kill()
                place.start()
                place.wait_ready()
            till = opened.enter_context(TillPage.open(browser, place.url))
            if begins:
                till.begin()
            else:
                till.sign_in()
            return till

        yield again


def test_a_sale_is_found_where_it_was_after_the_browser_or_the_program_died(
    comes_back: Callable[..., TillPage],
) -> None:
    till = comes_back(begins=True)
    till.scan(MILK, "Milk")
    till.scan(CHEDDAR, "cheddar")
    total = till.total.inner_text()
    till = comes_back(False)  # with lines
    expect(till.lines).to_have_count(2)
    expect(till.total).to_have_text(total)

    till.press("F2", "#dialog dialog[open]")
    till.type("3")
    till = comes_back(True)  # in a dialog, not answered
    expect(till.lines).to_have_count(2)
    expect(till.total).to_have_text(total)

    till.press("F9", "#amount")
    till = comes_back(False)  # about to pay
    expect(till.total).to_have_text(total)
    till.pay("1")
    given = till.page.locator(".payment__given")
    expect(given).to_contain_text("€1.00")
    due = till.page.locator("#due").inner_text()
    for killed in (False, True):  # paid in part: the page opens at the payment
        till = comes_back(killed)
        expect(till.page.locator(".payment__given")).to_contain_text("€1.00")
        expect(till.page.locator("#due")).to_have_text(due)

    till.press("F9", "#number")
    number = till.number()
    till = comes_back(True)  # concluded: once, and its receipt is there
    expect(till.lines).to_have_count(0)
    till.press("F10", "#seek")
    found = till.page.locator(".document__number", has_text=number)
    expect(found).to_have_count(1)
    expect(till.page.locator(".document__number").first).to_have_text(number)


def test_an_answer_that_no_browser_heard_is_no_second_sale(comes_back: Callable[..., TillPage]) -> None:
    till = comes_back(begins=True)
    till.press("F10", "#seek")
    before = till.page.locator(".document__number").all_inner_texts()
    till.page.keyboard.press("Escape")
    till.page.wait_for_selector(".shelf")
    till.scan(MILK, "Milk")
    till.press("F9", "#amount")
    with till.page.expect_request("**/pay"):
        till.page.keyboard.press("F9")
    till = comes_back(True)
    if till.lines.count():  # it was not heard: the sale waits as it was
        expect(till.lines).to_have_count(1)
        till.pay_exact()
    till.press("F10", "#seek")
    after = till.page.locator(".document__number").all_inner_texts()
    assert after[0] not in before
    assert after[1:] == before[: len(after) - 1], "one more, and the page shows the last ones alone"
