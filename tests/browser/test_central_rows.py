"""What a cashier reads of central value beyond an outage: a card in use elsewhere, an answer that was lost, a
slow line, and numbers that somebody guesses (GC2, GC3, GC11, SW5, SW10)."""

import contextlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.core.central.accounts import Kind
from holdfast.core.central.attempts import BY_REGISTER
from holdfast.core.central.numbers import new_number, number_end
from holdfast.core.central.sentences import BEGUN_OFFLINE, in_doubt
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.central import (
    Books,
    Card,
    ask_to_pay,
    hold,
    make_cards,
    put_on,
    show_card,
)
from tests.browser.till_page import CLOCK, MILK, WAIT_MS, TillPage

TRIES = 10
"""Of what a till refuses at once for some seconds only: a busy machine may come too late for them."""
LOOK_MS = 300


@pytest.fixture(scope="module")
def books(running_chain: Chain) -> Iterator[Books]:
    with contextlib.closing(Books(running_chain)) as books:
        yield books


@pytest.fixture
def other(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    """Register R02, as `till` is R01."""
    with TillPage.open(browser, chain.registers["R02"].url) as page:
        page.begin()
        yield page


def sold_card(till: TillPage, chain: Chain) -> Card:
    """With €25.00 on it, as head office has it."""
    [card] = make_cards(chain, 1)
    show_card(till, card)
    put_on(till, "25")
    till.pay_exact()
    expect(till.page.locator("#balances")).to_contain_text("the new balance is €25.00")
    till.press("F9", ".shelf")
    return card


def in_use(register: str) -> re.Pattern[str]:
    return re.compile(rf"This gift card is in use at [^.]*\b{register} since {CLOCK}\.")


def notice(till: TillPage, said: str | re.Pattern[str]) -> None:
    expect(till.page.locator("#notice")).to_contain_text(said)


def test_a_card_is_locked_at_one_register_and_refused_at_the_other(
    till: TillPage, other: TillPage, chain: Chain, books: Books
) -> None:
    """GC2, GC3: as soon as it is added, by name and time; free once it is removed, voided or concluded."""
    [card] = make_cards(chain, 1)
    show_card(till, card)
    put_on(till, "25")
    expect(till.lines).to_contain_text("Balance €0.00, then €25.00")
    show_card(other, card)
    put_on(other, "25")
    notice(other, in_use("R01"))
    till.page.click("[data-line-action=void]")
    expect(till.lines).to_have_count(0)
    books.wait_free(card.account)
    other.page.press("#card-number", "Enter")
    put_on(other, "25")
    expect(other.lines).to_contain_text("Balance €0.00, then €25.00")
    other.pay_exact()
    expect(other.page.locator("#balances")).to_contain_text("the new balance is €25.00")

    other.press("F9", ".shelf")
    for each in (till, other):
        each.scan(MILK, "Milk")
    hold(till, card.number)
    expect(till.page.locator(".held__row")).to_contain_text(
        re.compile(rf"Balance €25\.00 · Locked for this transaction since {CLOCK}")
    )
    ask_to_pay(other, card.number)
    notice(other, in_use("R01"))
    till.page.click("button:has-text('Take off')")
    notice(till, "Taken off. It is free again as soon as head office knows.")
    books.wait_free(card.account)
    hold(other, card.number)
    ask_to_pay(till, card.number)
    notice(till, in_use("R02"))
    other.press("Escape", ".shelf")
    other.void()
    books.wait_free(card.account)
    hold(till, card.number)
    till.press("F9", "#number")
    expect(till.page.locator("#balances")).to_contain_text("the new balance is €23.55")
    show_card(other, card)
    expect(other.page.locator("#card-balance")).to_have_text("€23.55")
    other.press("Escape", ".shelf")


def test_an_answer_that_is_lost_is_in_doubt_and_settles_once(
    till: TillPage, chain: Chain, books: Books
) -> None:
    """SW10: the line drops when head office has the question; once it is back the same key is asked again."""
    page, row, card = till.page, till.page.locator(".held__row"), sold_card(till, chain)
    till.scan(MILK, "Milk")
    with books.busy(card.account):
        ask_to_pay(till, card.number)
        books.wait_asked()
        chain.switch("R01", LineMode.CUT)
    till.warning.wait_for()
    till.go_on()
    notice(till, in_doubt(f"gift card …{number_end(card.number)}"))
    expect(row).to_contain_text("Head office did not answer")
    assert not till.violations()
    assert not till.small_targets()
    till.press("Escape", ".shelf")
    chain.switch("R01", LineMode.UP)
    expect(row).to_contain_text("Balance €25.00")  # nobody pressed anything
    till.press("F9", "#due")
    till.press("F9", "#number")
    expect(page.locator("#balances")).to_contain_text("the new balance is €23.55")
    assert books.movements(card.account) == [("issue", 2_500), ("redeem", -145)]
    assert books.holds(card.account) == [("issue", "settled"), ("redeem", "settled")]


def test_a_slow_line_is_told_before_anything_times_out(till: TillPage, chain: Chain, books: Books) -> None:
    """SW5: slow answers degrade the till while they still come; after the first lost one nobody waits."""
    page, card = till.page, sold_card(till, chain)
    page.add_locator_handler(till.warning, till.go_on)  # what a busy machine takes for an outage
    chain.switch("R01", LineMode.SLOW)
    till.expect_status(rf"Degraded since {CLOCK}")
    page.click("summary")
    page.click(".menu__items >> text=What works offline")
    expect(page.locator("#work")).to_contain_text("while this register is online and slow")
    till.press("Escape", ".shelf")
    show_once_answered(till, card)
    expect(page.locator("#card-balance")).to_have_text("€25.00")
    till.press("Escape", ".shelf")
    till.scan(MILK, "Milk")
    till.press("F9", "#due")
    for _ in range(TRIES):
        if loses_an_answer(till, books, card) and is_refused_at_once(till):
            break
    expect(page.locator("#work")).to_contain_text(BEGUN_OFFLINE[Kind.GIFT_CARD])
    till.press("Escape", ".shelf")
    till.pay_exact()
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online")
    show_once_answered(till, card)


def show_once_answered(till: TillPage, card: Card) -> None:
    """A call has two seconds, and a busy machine may take them for itself: then it is asked anew."""
    page = till.page
    refused, number, shown = (
        page.locator(each) for each in ("#notice :text('Gift')", "#card-number", "#card-amount")
    )
    for _ in range(WAIT_MS // LOOK_MS):
        page.click("button:has-text('Gift cards')")
        expect(refused.or_(number).first).to_be_visible()
        if number.count():
            number.fill(card.number)
            number.press("Enter")
            expect(refused.or_(shown).first).to_be_visible()
        if shown.count():
            break
        page.wait_for_timeout(LOOK_MS)
        page.reload()


def loses_an_answer(till: TillPage, books: Books, card: Card) -> bool:
    """To pay with the card is asked, and the answer comes after the deadline; the card is taken off again."""
    page = till.page
    doubt = page.locator("#notice :text('Head office did not answer')")
    refused = page.locator(f":text('{BEGUN_OFFLINE[Kind.GIFT_CARD]}')")
    with books.busy(card.account):
        if is_refused_at_once(till):
            page.wait_for_timeout(LOOK_MS)
            return False
        till.type(card.number + "\r")
        expect(doubt.or_(refused).first).to_be_visible()
    if not doubt.count():
        return False
    notice(till, in_doubt(f"gift card …{number_end(card.number)}"))
    page.click("button:has-text('Take off')")
    expect(page.locator(".held__row")).to_have_count(0)
    return True


def is_refused_at_once(till: TillPage) -> bool:
    """A gift card among the ways to pay; else its number may be typed."""
    page = till.page
    refused, number = page.locator("#work .notice--warn"), page.locator("#held-number")
    with page.expect_response("**/pay?currency=gift_card"):
        page.click(".currency:has-text('Gift card')")
    expect(page.locator(".currency:has-text('Gift card')")).to_have_attribute("aria-pressed", "true")
    expect(refused.or_(number).first).to_be_visible()
    return refused.count() > 0


def test_numbers_cannot_be_guessed(other: TillPage, chain: Chain) -> None:
    """GC11: random, with a check digit, a PIN where wanted, and few tries."""
    page = other.page
    [card, second] = make_cards(chain, 2, with_pins=True)
    assert abs(int(card.number) - int(second.number)) > 10**6, "one says nothing of the next"
    page.click("button:has-text('Gift cards')")
    page.wait_for_selector("#card-number")

    def show(number: str, pin: str = "") -> None:
        page.fill("#card-pin", pin)
        page.fill("#card-number", number)
        with page.expect_response("**/gift-cards/balance"):
            page.press("#card-number", "Enter")

    swapped = next(n for n in range(2, 16) if card.number[n] != card.number[n + 1])
    mistyped = (
        card.number[:swapped] + card.number[swapped + 1] + card.number[swapped] + card.number[swapped + 2 :]
    )
    show(mistyped, card.pin)
    notice(other, "This number is mistyped. Type it again.")
    show(new_number(Kind.GIFT_CARD, b"\x09" * 16))
    notice(other, "Head office knows no such gift card. Check the number.")
    show(card.number)
    notice(other, "This gift card has a PIN. Ask for it, and type it below the number.")
    show(card.number, card.pin)
    page.wait_for_selector("#card-amount")
    page.click("button:has-text('Another card')")
    page.wait_for_selector("#card-number")
    limited = "Too many wrong numbers came from there. Wait a little."
    for _ in range(4 * BY_REGISTER.tries):
        show(card.number, "no")
        expect(page.locator("#notice")).to_contain_text(
            re.compile(rf"The PIN is wrong\. Ask for it again\.|{limited}")
        )
        if limited in page.inner_text("#notice"):
            break
    notice(other, limited)
