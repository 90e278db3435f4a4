"""The page *Parameters* in a real browser, down to the till that goes by what was set (GC8)."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.test_status_page import open_status
from tests.browser.till_page import MILK, TillPage

NAME = "limits.halve-when-prices-older-h"


@pytest.fixture
def page(head_office: HeadOfficePage, chain: Chain) -> Page:
    head_office.page.goto(f"{chain.head_office.url}/parameters")
    return head_office.page


def accessible(page: Page) -> None:
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def version_of(page: Page) -> int:
    """That was made just now."""
    text = page.locator(".notice--ok").inner_text()
    return int(re.search(r"Version (\d+) is made", text)[1])  # type: ignore[index]


def test_a_value_reaches_the_tills_between_two_sales_with_the_keyboard_alone(
    page: Page, till: TillPage, chain: Chain
) -> None:
    """Looked at, set, shown as run by both registers, and undone; an open sale keeps what it began with."""
    till.scan(MILK, "Milk")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        accessible(page)
    page.get_by_role("link", name=NAME).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    page.get_by_label("Value", exact=True).fill("a day")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is no whole number")
    expect(page.get_by_label("Value", exact=True)).to_have_value("a day")
    page.get_by_label("Value", exact=True).fill("24")
    page.get_by_label("For whom").select_option("store")
    store = load_config(RegisterHome(chain.registers["R01"].home).config, RegisterConfig).store
    page.get_by_label("Which group, store or register").fill(store)
    accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Set it to “24” for Store {store}?")
    accessible(page)
    page.keyboard.type("Two days without prices")  # the reason has the focus
    page.keyboard.press("Enter")
    version = version_of(page)
    expect(page.locator("#reach-line")).to_contain_text(
        re.compile(rf"^(\d+) of \1 registers run version {version}\.$")
    )
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        accessible(page)
    till.pay_exact()
    open_status(till)
    expect(till.page.locator(".facts--ages")).to_contain_text(f"version {version}")
    page.get_by_role("link", name="Undo…").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo change")
    page.get_by_label("Reason").fill("Only for the test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"Version {version + 1} is made")
    expect(page.get_by_role("region", name="History")).to_contain_text(re.compile(r"change \d+ undone"))
    expect(page.get_by_role("region", name="What is set", exact=True)).not_to_contain_text(store)


def test_who_is_away_is_behind_until_it_is_back(page: Page, chain: Chain) -> None:
    """Head office names it with since when, and it needs nobody."""
    chain.switch("R02", LineMode.CUT)
    wait_standing(chain, "R02", lambda standing: standing.mode == "offline")
    page.goto(f"{chain.head_office.url}/parameters/shifts?value=yes")
    page.get_by_role("button", name="Look at what it does").click()
    page.get_by_label("Reason").fill("As it is")
    page.keyboard.press("Enter")
    version = version_of(page)
    expect(page.locator("#reach-line")).to_contain_text(re.compile(r"behind: \S* ?R02 \("))
    page.goto(f"{chain.head_office.url}/parameters")
    expect(page.locator("#behind")).to_be_visible()
    accessible(page)
    chain.switch("R02", LineMode.UP)
    expect(page.locator("#said")).to_have_text(
        re.compile(rf"^(\d+) of \1 registers run version {version}\.$")
    )
