"""Going offline and back: warned once, nothing entered again, no press needed, always on screen (SW)."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.conftest import wait_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CHEDDAR, CLOCK, CRISPS, MILK, TillPage


@pytest.mark.parametrize("mode", [LineMode.CUT, LineMode.BLACK_HOLE])
def test_an_outage_in_mid_sale_warns_once_and_the_same_sale_goes_on(
    till: TillPage, chain: Chain, mode: LineMode
) -> None:
    """SW1."""
    till.expect_status("Online", "Nothing owed")
    till.scan(MILK, "Milk")
    chain.switch("R01", mode)
    till.warning.wait_for()
    expect(till.page.locator("#warning dialog")).to_have_count(1)
    # A customer's next product is scanned while the warning is still up: it counts.
    # Slowly, as a worn scanner or a person does: the Enter is the product's, not *Continue*'s.
    till.type(CHEDDAR)
    till.keys("\r", 200)
    expect(till.lines).to_have_count(2)
    expect(till.warning).to_be_visible()
    till.page.keyboard.press("Enter")
    expect(till.warning).to_have_count(0)
    till.scan(CRISPS, "crisps")
    assert re.findall(r"Milk|cheddar|crisps", till.page.inner_text("#lines")) == ["Milk", "cheddar", "crisps"]
    till.page.wait_for_timeout(1_500)  # three probes that fail: no second warning
    expect(till.warning).to_have_count(0)
    till.page.reload()
    expect(till.lines).to_have_count(3)
    expect(till.warning).to_have_count(0)
    till.pay_exact()
    till.expect_status("Offline since", "1 sale")


def test_the_warning_waits_for_a_pause_in_the_typing(till: TillPage, chain: Chain) -> None:
    """SW1: an Enter that is meant for a product does not say *Continue* to what nobody has read."""
    till.expect_status("Online")  # or there would be nothing to warn of
    till.scan(MILK, "Milk")
    clock = till.page.clock
    clock.install(time=0)
    clock.pause_at(3_600)  # from here on the page's time passes as this test says
    till.page.keyboard.press("Shift")
    chain.switch("R01", LineMode.CUT)
    expect(till.page.locator("#warning dialog")).to_have_count(1)
    for _ in range(3):
        clock.run_for(1_000)
        expect(till.warning).to_have_count(0)
        till.page.keyboard.press("Shift")
    clock.run_for(1_500)
    till.warning.wait_for()
    till.go_on()
    expect(till.page.locator("#scan")).to_be_focused()  # the next key is where it belongs
    till.void()


def test_the_warning_does_not_wait_for_ever(till: TillPage, chain: Chain) -> None:
    """SW1: also under the fingers of one who never pauses it opens, within seconds."""
    till.expect_status("Online")
    till.scan(MILK, "Milk")
    clock = till.page.clock
    clock.install(time=0)
    clock.pause_at(3_600)
    till.page.keyboard.press("Shift")
    chain.switch("R01", LineMode.CUT)
    expect(till.page.locator("#warning dialog")).to_have_count(1)
    for _ in range(6):
        clock.run_for(1_000)
        till.page.keyboard.press("Shift")
    till.warning.wait_for()
    till.go_on()
    till.void()


def test_an_outage_without_an_open_sale_needs_no_press(till: TillPage, chain: Chain) -> None:
    """SW2: to offline, to online and owed sales on their way, and nobody presses anything."""
    till.expect_status("Online", "Nothing owed")
    chain.switch("R01", LineMode.BLACK_HOLE)
    till.expect_status("Offline since")
    expect(till.warning).to_have_count(0)
    till.scan(MILK, "Milk")
    till.pay_exact()
    till.expect_status("1 sale")
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online", "Nothing owed")


def test_a_head_office_that_dies_is_one_more_outage(till: TillPage, chain: Chain, browser: Browser) -> None:
    """SW2: for any layer, here head office itself, killed as by a power cut; the line is up all the time."""
    till.expect_status("Online", "Nothing owed")
    chain.head_office.kill()
    try:
        till.expect_status("Offline since")
        till.scan(MILK, "Milk")
        number = till.pay_exact()
        till.expect_status("1 sale")
    finally:
        chain.head_office.start()
        chain.head_office.wait_ready()
    till.expect_status("Online", "Nothing owed")
    with HeadOfficePage.open(browser, chain) as head_office:
        assert head_office.stored(number) == 1


def test_a_line_that_flaps_in_one_sale_loses_nothing(
    till: TillPage, chain: Chain, head_office: HeadOfficePage
) -> None:
    """SW2: at any moment, there and back."""
    for mode in (LineMode.CUT, LineMode.UP, LineMode.BLACK_HOLE, LineMode.UP, LineMode.SLOW, LineMode.UP):
        chain.switch("R01", mode)
        till.send_code(MILK)
    expect(till.lines).to_have_count(6)
    till.expect_status("Online")
    expect(till.warning).to_have_count(0)  # a warning that nobody pressed goes with its outage
    number = till.pay_exact()
    till.expect_status("Online", "Nothing owed")
    assert head_office.stored(number) == 1


def test_a_slow_line_is_shown_as_degraded(till: TillPage, chain: Chain) -> None:
    """SW6: not only dead, slow too."""
    till.expect_status("Online")
    chain.switch("R01", LineMode.SLOW)
    till.expect_status("Degraded since|Offline since")
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online")


def test_the_mode_and_what_is_owed_are_always_on_screen(
    browser: Browser, till: TillPage, chain: Chain
) -> None:
    """SW6: on every screen, also before anybody has signed in."""
    with TillPage.open(browser, chain.registers["R01"].url) as other:
        other.expect_status("Online", "Nothing owed to head office")
        chain.switch("R01", LineMode.CUT)
        other.expect_status(rf"Offline since {CLOCK}")
        for owed in (r"1 sale, €1\.45, oldest (under )?\d+ min", r"2 sales, €2\.90, oldest (under )?\d+ min"):
            till.scan(MILK, "Milk")
            till.pay_exact()
            till.expect_status(owed)
        other.expect_status(r"2 sales, €2\.90")
        for key, sight in (("F10", ".documents"), ("Escape", ".shelf")):
            till.page.keyboard.press(key)
            till.page.wait_for_selector(sight)
            expect(till.status).to_be_visible()
    chain.switch("R01", LineMode.UP)
    till.expect_status("Nothing owed to head office")


@pytest.fixture
def stopped_register(chain: Chain) -> Iterator[str]:
    """Register R02, owing nothing, not running and its line cut; running again afterwards."""
    place = chain.registers["R02"]
    wait_standing(chain, "R02", lambda standing: standing.owed_count == 0)
    place.end()
    chain.switch("R02", LineMode.BLACK_HOLE)
    yield "R02"
    place.end()
    chain.switch("R02", LineMode.UP)
    place.start()
    place.wait_ready()


def test_start_sign_in_and_open_the_day_offline(
    browser: Browser, chain: Chain, stopped_register: str, head_office: HeadOfficePage
) -> None:
    """SW4: from a cold start to a receipt without a line; and what was sold arrives later."""
    place = chain.registers[stopped_register]
    place.start()
    place.wait_ready()
    with TillPage.open(browser, place.url) as till:
        till.expect_status("Offline")
        till.page.fill("#staff", "1")
        till.page.fill("#pin", "2222")
        till.page.keyboard.press("Enter")
        expect(till.page.get_by_role("alert").first).to_contain_text("do not belong together")
        till.sign_in()
        till.open_day()
        till.scan(MILK, "Milk")
        number = till.pay_exact()
        till.expect_status("Offline", "1 sale")
        chain.switch(stopped_register, LineMode.UP)
        till.expect_status("Online", "Nothing owed")
    assert head_office.stored(number) == 1


def test_closing_the_browser_stops_nothing(
    browser: Browser, chain: Chain, head_office: HeadOfficePage
) -> None:
    """What is owed is sent with nobody looking."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        till.begin()
        chain.switch("R01", LineMode.CUT)
        till.scan(MILK, "Milk")
        number = till.pay_exact()
    chain.switch("R01", LineMode.UP)
    head_office.wait_stored(number)
    assert head_office.stored(number) == 1


def test_a_register_killed_in_mid_sale_goes_on_with_the_same_basket(browser: Browser, chain: Chain) -> None:
    """SW1, the harder way: the till program itself dies."""
    place = chain.registers["R01"]
    with TillPage.open(browser, place.url) as till:
        till.begin()
        till.scan(MILK, "Milk")
        till.scan(CHEDDAR, "cheddar")
        place.kill()
        expect(till.page.locator("#stopped")).to_be_visible()
        place.start()
        place.wait_ready()
        till.page.goto(place.url)
        till.sign_in()
        expect(till.lines).to_have_count(2)
        till.pay_exact()
        till.expect_status("Online", "Nothing owed")
