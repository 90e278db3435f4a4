"""Gift cards and credit memos in a browser, by keyboard: sold, looked at, paid with, and the line that drops
in between, with head office's parameter off and on (GC1 to GC7)."""

import contextlib
import csv
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from holdfast.core.central.accounts import Kind
from holdfast.core.central.sentences import BEGUN_OFFLINE, balance_later, not_offline
from holdfast.core.connection import Mode
from holdfast.core.operations.conditions import GIFT_CARDS_OFFLINE
from holdfast.core.parameters import Place
from holdfast.core.parameters.known import ALLOWANCE_GIFT_CARDS
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.sync.parameters import read_settings
from holdfast.register.sync.reference import open_reference
from tests.browser.conftest import wait_standing
from tests.browser.test_till_accessible import look
from tests.browser.till_page import MANAGER, MILK, WAIT_MS, TillPage

REGISTER = "R01"


def hq(chain: Chain, *words: str) -> None:
    """A command of head office."""
    command = [sys.executable, "-m", "holdfast", "hq", *words, "--home", str(chain.head_office.home)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def cards(running_chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Numbers that head office prepared."""
    file: Path = tmp_path_factory.mktemp("cards") / "cards.csv"
    hq(running_chain, "gift-cards", "make", "--count", "2", "--out", str(file))
    with file.open(encoding="utf-8") as rows:
        return [row["number"] for row in csv.DictReader(rows)]


@pytest.fixture
def till(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    with TillPage.open(browser, chain.registers[REGISTER].url) as page:
        page.sign_in(MANAGER)
        page.open_day()
        if page.page.locator("[data-line]").count():
            page.void()
        yield page


@pytest.fixture
def may_conclude(chain: Chain) -> Iterator[Callable[[], None]]:
    """Head office allows it, once this is called; until the test is over."""
    done: list[bool] = []

    def allow() -> None:
        _set(chain, GIFT_CARDS_OFFLINE, "yes")
        done.append(True)

    yield allow
    if done:
        _set(chain, GIFT_CARDS_OFFLINE, None)


def _set(chain: Chain, name: str, value: str | None) -> None:
    """Head office's parameter, and the register that has it."""
    words = ("set", name, value) if value else ("unset", name)
    hq(chain, "parameter", *words, "--register", REGISTER, "--reason", "Test")
    home = RegisterHome(chain.registers[REGISTER].home)
    config = load_config(home.config, RegisterConfig)
    deadline = time.monotonic() + WAIT_MS / 1_000
    with contextlib.closing(open_reference(home, DatabaseKey.load(home.database_key))) as reference:
        while True:
            place = Place(config.store, config.series)
            found = read_settings(reference, [name], place, lambda: "2026-11-23")
            if (name in found) == bool(value):
                return
            assert time.monotonic() < deadline
            time.sleep(0.1)


def line(till: TillPage, chain: Chain, mode: LineMode) -> None:
    """Cut or mended, and the register knows it; its warning is read."""
    chain.switch(REGISTER, mode)
    known = Mode.ONLINE if mode is LineMode.UP else Mode.OFFLINE
    wait_standing(chain, REGISTER, lambda standing: standing.mode == known.value)
    till.expect_status("Online" if mode is LineMode.UP else "Offline")
    if mode is not LineMode.UP:
        expect(till.warning).to_have_count(1)
        till.go_on()


def hold(till: TillPage, number: str, way: str = "Gift card") -> None:
    """To pay with it: locked, and what it would pay is said."""
    till.press("F9", "#amount")
    till.page.click(f".currency:has-text('{way}')")
    till.page.wait_for_selector("#held-number")
    till.type(number + "\r")
    expect(till.page.locator(".held__row button").first).to_be_focused()


def test_a_card_through_an_outage(
    till: TillPage, chain: Chain, cards: list[str], may_conclude: Callable[[], None]
) -> None:
    page, [number, _] = till.page, cards
    page.click("button:has-text('Gift cards')")
    page.wait_for_selector("#card-number")
    look(till, "gift cards")
    till.type(number + "\r")
    page.wait_for_selector("#card-amount")
    look(till, "a card")
    page.click(".chip:has-text('€25.00')")
    page.click("#work button:has-text('Sell')")
    expect(till.lines.first).to_contain_text("Balance €0.00, then €25.00")
    till.pay_exact()
    expect(page.locator("#balances")).to_contain_text("the new balance is €25.00")
    look(till, "sold")

    page.keyboard.press("Escape")
    till.scan(MILK, "Milk")
    hold(till, number)
    expect(page.locator(".held__row")).to_contain_text("Balance €25.00")
    look(till, "held")
    line(till, chain, LineMode.CUT)
    page.click(".held__row button:has-text('Take')")
    expect(page.locator("#notice")).to_contain_text(not_offline("gift card"))
    expect(page.locator("#due")).to_be_visible()  # still where it is paid otherwise
    look(till, "refused")
    expect(page.locator("button:has-text('Take off')")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".held__row")).to_have_count(0)
    till.press("F9", "#number")
    page.click("button:has-text('Gift cards')")
    expect(page.locator("#notice")).to_contain_text(BEGUN_OFFLINE[Kind.GIFT_CARD])

    line(till, chain, LineMode.UP)
    may_conclude()
    till.scan(MILK, "Milk")
    hold(till, number)
    line(till, chain, LineMode.CUT)
    page.click(".held__row button:has-text('Take')")
    expect(page.locator("#number")).to_be_visible()
    for place in ("#balances", ".paper"):
        expect(page.locator(place)).to_contain_text(balance_later("gift card"))
    line(till, chain, LineMode.UP)
    expect(page.locator("#balances")).to_contain_text(re.compile(r"the new balance is €2\d\.\d\d"))


def test_a_memo_for_goods_that_come_back(till: TillPage) -> None:
    page = till.page
    till.scan(MILK, "Milk")
    sold = till.pay_exact()
    till.press("F10", ".document")
    page.locator(f".document:has-text('{sold}')").click()
    page.wait_for_selector("input[name=line]")
    page.locator("input[name=line]").first.check()
    page.click("text=Bring back")
    till.press("F9", "text=Refund to a credit memo")
    look(till, "refund")
    page.click("text=Refund to a credit memo")
    expect(page.locator(".paper")).to_contain_text("Credit memo over")
    memo = re.search(r"(\d{3} ){5}\d{3}", page.inner_text(".paper"))
    assert memo is not None
    expect(page.locator("#balances")).to_contain_text("the new balance is")
    page.keyboard.press("Escape")
    till.scan(MILK, "Milk")
    hold(till, memo[0].replace(" ", ""), "Credit memo")
    page.keyboard.press("Enter")
    expect(page.locator(".paper")).to_contain_text("balance €0.00")


@pytest.fixture
def allowance(chain: Chain) -> Iterator[None]:
    """Head office grants the register ten euros ahead, until the test is over."""
    _set(chain, ALLOWANCE_GIFT_CARDS, "10")
    yield
    _set(chain, ALLOWANCE_GIFT_CARDS, None)


@pytest.mark.usefixtures("allowance")
def test_a_card_begun_offline_within_an_allowance(till: TillPage, chain: Chain, cards: list[str]) -> None:
    """GC10: what can be taken stands on the page Status; no more of it is taken, and it is booked later."""
    page, [_, number] = till.page, cards
    page.click("button:has-text('Gift cards')")
    page.wait_for_selector("#card-number")
    till.type(number + "\r")
    page.wait_for_selector("#card-amount")
    page.click(".chip:has-text('€25.00')")
    page.click("#work button:has-text('Sell')")
    till.pay_exact()
    expect(page.locator("#balances")).to_contain_text("the new balance is €25.00")
    page.keyboard.press("Escape")
    page.click("summary")
    page.click(".menu__items >> text=Status")
    expect(page.locator("#overview")).to_contain_text("€10.00 of €10.00")
    look(till, "allowance")
    page.keyboard.press("Escape")
    till.scan(MILK, "Milk")
    line(till, chain, LineMode.CUT)
    hold(till, number)
    expect(page.locator(".held__row")).to_contain_text("Offline: up to €10.00")
    look(till, "allowed")
    page.keyboard.press("Enter")
    for place in ("#balances", ".paper"):
        expect(page.locator(place)).to_contain_text(balance_later("gift card"))
    line(till, chain, LineMode.UP)
    expect(page.locator("#balances")).to_contain_text("head office has booked it")
