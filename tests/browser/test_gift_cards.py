"""Gift cards and credit memos in a browser, by keyboard: sold, topped up, looked at, paid with, paid out, and
the line that drops in between, with head office's parameters off and on (GC1 to GC7, GC10)."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.core.central.accounts import Kind
from holdfast.core.central.sentences import BEGUN_OFFLINE, balance_later, not_offline
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser import central
from tests.browser.central import Card, ask_to_pay, hold, make_cards, put_on, set_parameters, show_card
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.test_stock import approve, until
from tests.browser.test_till_accessible import look
from tests.browser.till_page import CLOCK, MANAGER, MILK, TillPage

REGISTER = "R01"
CUT, UP = LineMode.CUT, LineMode.UP


@pytest.fixture(scope="module")
def cards(running_chain: Chain) -> Iterator[Card]:
    """Numbers that head office prepared, one after the other."""
    return iter(make_cards(running_chain, 4))


@pytest.fixture
def till(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    with TillPage.open(browser, chain.registers[REGISTER].url) as page:
        page.sign_in(MANAGER)
        page.open_day()
        if page.page.locator("[data-line]").count():
            page.void()
        yield page


@pytest.fixture
def other(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    """Register R02, in the same shop."""
    with TillPage.open(browser, chain.registers["R02"].url) as page:
        page.begin()
        yield page


@pytest.fixture
def parameters(chain: Chain) -> Iterator[Callable[..., None]]:
    """Sets the register's at head office, until the test is over."""
    done: dict[str, None] = {}

    def set_them(**values: bool | int) -> None:
        set_parameters(chain, REGISTER, **values)
        done.update(dict.fromkeys(values))

    yield set_them
    chain.switch(REGISTER, UP)
    if done:
        set_parameters(chain, REGISTER, **done)


def line(till: TillPage, chain: Chain, mode: LineMode) -> None:
    central.line(till, chain, REGISTER, mode)


def says(till: TillPage, *texts: str | re.Pattern[str], places: tuple[str, ...] = ("#balances",)) -> None:
    """After concluding; by itself where it has to wait for head office."""
    for place in places:
        for text in texts:
            expect(till.page.locator(place)).to_contain_text(text)


SCREEN_AND_PAPER = ("#balances", ".paper")
TAKE = ".held__row .button--primary"


def sell(till: TillPage, card: Card, amount: str) -> None:
    """Its first value, in a transaction of its own."""
    show_card(till, card)
    put_on(till, amount)
    till.pay_exact()
    says(till, f"the new balance is €{amount}.00")
    till.press("Escape", ".shelf")


def bring_back(till: TillPage, sold: str) -> None:
    """All of a sale, up to how it is paid out."""
    page = till.page
    till.press("F10", ".document")
    page.locator(f".document:has-text('{sold}')").click()
    page.wait_for_selector("input[name=line]")
    page.locator("input[name=line]").first.check()
    page.click("text=Bring back")
    till.press("F9", "text=Refund to a credit memo")


def refund_to_memo(till: TillPage) -> str:
    """The new memo's number, which stands on its paper alone."""
    till.page.click("text=Refund to a credit memo")
    expect(till.page.locator(".paper")).to_contain_text("Credit memo over")
    memo = re.search(r"(\d{3} ){5}\d{3}", till.page.inner_text(".paper"))
    assert memo is not None
    return memo[0].replace(" ", "")


def test_a_card_and_a_memo_through_an_outage(
    till: TillPage, chain: Chain, cards: Iterator[Card], parameters: Callable[..., None]
) -> None:
    page, card, second, third = till.page, next(cards), next(cards), next(cards)
    page.click("button:has-text('Gift cards')")
    page.wait_for_selector("#card-number")
    look(till, "gift cards")
    till.type(card.number + "\r")
    page.wait_for_selector("#card-amount")
    look(till, "a card")
    page.click(".chip:has-text('€25.00')")
    page.click("#work button:has-text('Sell')")
    expect(till.lines.first).to_contain_text("Balance €0.00, then €25.00")
    till.pay_exact()
    says(till, "the new balance is €25.00")
    look(till, "sold")

    page.keyboard.press("Escape")
    till.scan(MILK, "Milk")
    bring_back(till, till.pay_exact())
    memo = refund_to_memo(till)
    says(till, "the new balance is €1.45")
    page.keyboard.press("Escape")

    # Not allowed offline: both come off, and it is paid otherwise.
    rows = page.locator(".held__row")
    till.scan(f"2*{MILK}", "Milk")
    hold(till, memo, "Credit memo")
    till.press("F9", ".payment__given")
    hold(till, card.number)
    expect(rows.last).to_contain_text("Balance €25.00")
    look(till, "held")
    line(till, chain, CUT)
    page.click(TAKE)
    expect(page.locator("#notice")).to_contain_text(not_offline("gift card"))
    expect(page.locator("#due")).to_be_visible()  # still where it is paid otherwise
    look(till, "refused")
    expect(rows.last.locator("button:has-text('Take off')")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    page.click(".currency:has-text('Gift card')")
    expect(page.locator("#work")).to_contain_text(BEGUN_OFFLINE[Kind.GIFT_CARD])
    page.click(".currency:has-text('EUR')")
    page.keyboard.press("F9")
    expect(page.locator("#notice")).to_contain_text(not_offline(f"credit memo …{memo[-4:]}"))
    rows.locator("button:has-text('Take off')").click()
    expect(rows).to_have_count(0)
    till.press("Escape", ".shelf")
    sold = till.pay_exact()
    page.click("button:has-text('Gift cards')")
    expect(page.locator("#notice")).to_contain_text(BEGUN_OFFLINE[Kind.GIFT_CARD])
    bring_back(till, sold)
    page.click("text=Refund to a credit memo")
    expect(page.locator("#notice")).to_contain_text(BEGUN_OFFLINE[Kind.CREDIT_MEMO])
    till.press("Escape", ".shelf")
    till.void()

    # Allowed: one is sold, one topped up, one redeemed as the line drops, and the memo with them.
    line(till, chain, UP)
    sell(till, second, "10")
    parameters(offline__gift_cards=True, offline__credit_memos=True)
    show_card(till, second)
    put_on(till, "5", "Top up")
    expect(till.lines).to_have_count(1)
    show_card(till, third)
    put_on(till, "20")
    expect(till.lines).to_have_count(2)
    till.scan(MILK, "Milk")
    hold(till, memo, "Credit memo")
    till.press("F9", ".payment__given")
    hold(till, card.number)
    line(till, chain, CUT)
    page.click(TAKE)
    later = (balance_later("gift card"), balance_later("credit memo"))
    says(till, *later, places=SCREEN_AND_PAPER)
    bring_back(till, sold)
    refund_to_memo(till)
    says(till, balance_later("credit memo"), places=SCREEN_AND_PAPER)
    line(till, chain, UP)
    says(till, "the new balance is €2.90")
    page.keyboard.press("Escape")
    show_card(till, second)
    expect(page.locator("#card-balance")).to_have_text("€15.00")
    page.click("button:has-text('Pay out €15.00 in cash')")
    expect(till.lines).to_contain_text("Balance €15.00, then €0.00")
    till.press("F9", "#due")
    page.click("button:has-text('Pay out €15.00')")
    says(till, "the new balance is €0.00")


def test_a_memo_for_goods_that_come_back(till: TillPage, other: TillPage) -> None:
    """GC6: issued, locked and redeemed."""
    page = till.page
    till.scan(MILK, "Milk")
    bring_back(till, till.pay_exact())
    look(till, "refund")
    memo = refund_to_memo(till)
    says(till, "the new balance is €1.45")
    page.keyboard.press("Escape")
    till.scan(MILK, "Milk")
    hold(till, memo, "Credit memo")
    other.scan(MILK, "Milk")
    ask_to_pay(other, memo, "Credit memo")
    expect(other.page.locator("#notice")).to_contain_text(
        re.compile(rf"This credit memo is in use at [^.]*\bR01 since {CLOCK}\.")
    )
    other.press("Escape", ".shelf")
    other.void()
    till.press("F9", "#number")
    says(till, "balance €0.00", places=(".paper",))


def test_a_card_begun_offline_within_an_allowance(
    till: TillPage,
    other: TillPage,
    chain: Chain,
    cards: Iterator[Card],
    parameters: Callable[..., None],
    head_office: HeadOfficePage,
) -> None:
    """GC10: what can be taken stands on the page Status; no more of it is taken, it is booked later, and what
    the card had no more of stands on a report."""
    page, office, card = till.page, head_office.page, next(cards)
    parameters(allowance__gift_cards=10)
    sell(till, card, "25")
    page.click("summary")
    page.click(".menu__items >> text=Status")
    expect(page.locator("#overview")).to_contain_text("€10.00 of €10.00")
    look(till, "allowance")
    page.keyboard.press("Escape")
    office.goto(f"{chain.head_office.url}/exposure")
    until(office, office.locator("tbody tr:has-text('R01')"), "The register has it")
    expect(office.locator("tbody tr:has-text('R01')")).to_contain_text("10.00 EUR")
    till.scan(f"8*{MILK}", "Milk")
    line(till, chain, CUT)
    show_card(other, card)
    other.page.click("button:has-text('Pay out €25.00 in cash')")
    approve(other)
    expect(other.lines).to_contain_text("Balance €25.00, then €0.00")
    other.press("F9", "#due")
    other.page.click("button:has-text('Pay out €25.00')")
    says(other, "the new balance is €0.00")
    hold(till, card.number)
    expect(page.locator(".held__row")).to_contain_text(
        "Offline: up to €10.00 of it can be taken, and its balance updates later · €1.60 stays due"
    )
    look(till, "allowed")
    page.keyboard.press("Enter")
    expect(page.locator("#due")).to_have_text("€1.60")
    ask_to_pay(till, card.number)
    expect(page.locator("#notice")).to_contain_text(BEGUN_OFFLINE[Kind.GIFT_CARD])
    till.press("Escape", ".shelf")
    number = till.pay_exact()
    says(till, balance_later("gift card"), places=SCREEN_AND_PAPER)
    line(till, chain, UP)
    says(till, "head office has booked it")
    office.goto(f"{chain.head_office.url}/differences")
    expect(office.locator(f"tbody tr:has-text('{number}')")).to_contain_text("10.00 EUR")
