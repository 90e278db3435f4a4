"""Beginning to work with no connection: one page that names the cause and is never in the way (SW12, SW7)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from holdfast.core.connection import Mode
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.register.sync.reference_file import open_reference
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CASHIER, MILK, TillPage

DAYS_AGO_MS = 3 * 86_400_000


@pytest.fixture
def stopped(chain: Chain) -> Iterator[str]:
    """Register R02, owing nothing and not running, its line cut; running again afterwards."""
    place = chain.registers["R02"]
    wait_standing(chain, "R02", lambda standing: standing.owed_count == 0)
    place.end()
    chain.switch("R02", LineMode.CUT)
    yield "R02"
    place.end()
    chain.switch("R02", LineMode.UP)
    place.start()
    place.wait_ready()


def start(chain: Chain, name: str) -> str:
    """The register's page, once it knows that its line is cut, and where."""
    place = chain.registers[name]
    place.start()
    place.wait_ready()
    wait_standing(chain, name, lambda standing: standing.mode == Mode.OFFLINE.value and bool(standing.where))
    return place.url


def sign_in(till: TillPage) -> None:
    """By keyboard, up to what is told."""
    till.page.fill("#staff", CASHIER[0])
    till.page.fill("#pin", CASHIER[1])
    till.page.keyboard.press("Enter")
    till.arrive("#start")


def without_contact_for_days(folder: Path) -> None:
    """As if the last exchange with head office were three days ago."""
    home = RegisterHome(folder)
    with contextlib.closing(open_reference(home, DatabaseKey.load(home.database_key))) as reference:
        reference.execute("update feed_version set checked_ms = checked_ms - ?", (DAYS_AGO_MS,))


def test_one_page_names_the_cause_and_selling_goes_on(
    browser: Browser, chain: Chain, stopped: str, head_office: HeadOfficePage
) -> None:
    """SW12: by keyboard alone from a cold start to a receipt."""
    with TillPage.open(browser, start(chain, stopped)) as till:
        sign_in(till)
        told = till.page.locator(".gate__card")
        expect(told).to_contain_text("There is no connection to head office")
        expect(told).to_contain_text("Head office: its machine answers, but Holdfast does not run there")
        expect(told.locator(".layer--broken")).to_have_text("Head officedoes not work")
        expect(told).to_contain_text("everything is saved on this register, and synchronises by itself")
        expect(told).not_to_contain_text("sales do not reach")
        assert not till.violations()
        assert not till.small_targets()
        expect(till.page.locator("button:has-text('Continue')")).to_be_focused()
        till.page.keyboard.press("Enter")
        till.arrive("#date, #scan")
        expect(till.warning).to_have_count(0)  # one page, not a row of them
        till.open_day()
        expect(till.warning).to_have_count(0)
        till.scan(MILK, "Milk")
        number = till.pay_exact()
        till.page.reload()
        till.arrive("#scan")  # told once
        chain.switch(stopped, LineMode.UP)
        till.expect_status("Online", "Nothing owed")
    assert head_office.stored(number) == 1


def test_after_days_without_an_exchange_the_same_page_says_what_to_do(
    browser: Browser, chain: Chain, stopped: str
) -> None:
    """SW7."""
    without_contact_for_days(chain.registers[stopped].home)
    viewport: ViewportSize = {"width": 1024, "height": 768}
    with TillPage.open(browser, start(chain, stopped), viewport=viewport, dark=True) as till:
        sign_in(till)
        told = till.page.locator(".gate__card")
        expect(told).to_contain_text("3 d ago. Until this is solved, sales do not reach head office.")
        expect(told).to_contain_text("Head office is down: nothing has to be done here.")
        assert not till.violations()
        till.page.click("button:has-text('Close')")
        till.arrive("#date, #scan")


def test_the_page_says_when_the_line_is_back(browser: Browser, chain: Chain, stopped: str) -> None:
    """SW12: nobody has to reload anything."""
    with TillPage.open(browser, start(chain, stopped)) as till:
        sign_in(till)
        chain.switch(stopped, LineMode.UP)
        expect(till.page.locator("#start")).to_contain_text("Head office answers again")
        till.read_start()
        till.open_day()
