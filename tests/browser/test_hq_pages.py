"""Head office's pages in a real browser: what an administrator does, with a keyboard too, and with axe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from holdfast.core.ids import OriginId
from holdfast.core.sync.messages import encode
from tests.browser.late_answers import held_back
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

NUMBER = "R01-040G2-000001"


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    """A page that fails the test where a script or the policy complains."""
    yield from _page(browser, office, "light")


def _page(browser: Browser, office: ServedHeadOffice, scheme: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=office.url,
        viewport={"width": 1280, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert not [text for text in complaints if "Content Security" in text or "Error" in text], complaints


def welcome(page: Page, office: ServedHeadOffice) -> None:
    """Follow the one-time link and choose a password."""
    page.goto(office.link())
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    page.wait_for_load_state()


def sold(office: ServedHeadOffice) -> SampleJournal:
    """A register that sent three sales and said that it owes two; and a twin of it that sold too."""
    journal = office.enrol(SampleJournal().open().sell(3))
    silent = office.enrol(SampleJournal(signing_key(2), OriginId("reg02")).open(2).sell(1), "R02")
    assert silent.origin
    client = office.session(journal)
    twin = journal.copy().sell(1, description="Other")
    journal.sell(1)
    for copy in (journal, twin):
        client.post("/v1/sync/entries", content=copy.batch()).raise_for_status()
    journal.sell(2)
    beat = office.beat(journal, owed_count=2, owed_minor=500, owed_oldest_ms=1_790_000_000_000)
    client.post("/v1/sync/heartbeat", content=encode(beat)).raise_for_status()
    return journal


def test_from_the_link_to_signing_out_and_in(page: Page, office: ServedHeadOffice) -> None:
    welcome(page, office)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/sales")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sales", level=1)).to_be_visible()


def test_what_arrives_shows_by_itself(page: Page, office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    welcome(page, office)
    page.get_by_role("link", name="Sales").click()
    expect(page.get_by_role("heading", name="No sale has arrived yet")).to_be_visible()
    client = office.session(journal)
    client.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    expect(page.get_by_role("link", name=NUMBER)).to_be_visible()
    journal.sell(1)
    client.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    expect(page.get_by_role("row", name="R01-040G2-000002")).to_contain_text("2.50 GBP")
    page.get_by_role("link", name=NUMBER).click()
    expect(page.get_by_role("heading", name=f"Sale {NUMBER}")).to_be_visible()
    expect(page.get_by_role("row", name="Cake")).to_contain_text("1.50 GBP")


def test_sales_are_filtered_as_one_types(page: Page, office: ServedHeadOffice) -> None:
    sold(office)
    welcome(page, office)
    page.get_by_role("link", name="Sales").click()
    rows = page.locator("#sales tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_label("Number").fill(NUMBER)
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    page.get_by_label("Number").fill("")
    page.get_by_label("From").fill("2026-09-22")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("link", name="Show all sales").click()
    expect(rows).to_have_count(5)


def test_a_register_is_told_to_sync_after_a_word_of_confirmation(
    page: Page, office: ServedHeadOffice
) -> None:
    journal = sold(office)
    welcome(page, office)
    page.get_by_role("link", name="Registers", exact=True).click()
    expect(page.get_by_role("row", name="Till R02")).to_contain_text("never heard")
    expect(page.get_by_role("row", name="Till R01")).to_contain_text("Owes 2")
    page.get_by_role("link", name="Till R01").click()
    expect(page.get_by_text(journal.epoch).first).to_be_visible()
    book = office.services.head_office.command_book
    page.get_by_role("button", name="Sync now").click()
    page.get_by_role("button", name="Cancel").click()
    assert not book.latest(journal.origin)
    page.get_by_role("button", name="Sync now").click()
    page.get_by_role("dialog").get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("row", name="Sync now")).to_contain_text("Waiting for the register")
    assert [command.issued_by for command in book.latest(journal.origin)] == ["admin"]


def test_prices_are_checked_then_taken(page: Page, office: ServedHeadOffice, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("sku,price,currency\nA1,1.50,GBP\nA2,much,GBP\n")
    welcome(page, office)
    page.get_by_role("link", name="Data").click()
    page.get_by_role("radio", name="Prices").check()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("row", name="3 price")).to_contain_text("not a number")
    page.get_by_role("button", name="Take the good row only").click()
    expect(page.get_by_role("status")).to_contain_text("1 of 1 rows")
    expect(page.get_by_role("row", name="Prices")).to_contain_text("1")


def test_an_alert_is_acknowledged_in_place(page: Page, office: ServedHeadOffice) -> None:
    sold(office)
    welcome(page, office)
    page.get_by_role("navigation").get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts", level=1)).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="Acknowledge Two copies sold").click()
    expect(page.get_by_role("heading", name="Nothing to look at")).to_be_visible()
    expect(page.locator(".nav .badge")).to_be_hidden()


def test_the_keyboard_reaches_everything(page: Page, office: ServedHeadOffice) -> None:
    sold(office)
    welcome(page, office)
    page.goto("/registers")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Add a register")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("R02")
    expect(page.locator("#registers tbody tr")).to_have_count(1)


def test_a_live_part_stays_under_the_focus(page: Page, office: ServedHeadOffice) -> None:
    """Also when its answer was on its way already: what somebody is about to press does not go."""
    sold(office)
    welcome(page, office)
    with held_back(page, "/registers*", lambda request: "hx-request" in request.headers) as live:
        page.goto("/registers")
        live.wait()
        link = page.get_by_role("link", name="Till R01")
        link.focus()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Till R01", level=1)).to_be_visible()


def test_every_page_is_accessible(browser: Browser, office: ServedHeadOffice, scheme: str) -> None:
    journal = sold(office)
    for page in _page(browser, office, scheme):
        link = office.link("second")
        for path in ("/login", link):
            page.goto(path)
            assert_accessible(page, path)
        welcome(page, office)
        places = (
            "/",
            "/registers",
            f"/registers/{journal.origin}",
            "/sales",
            "/sales/1/2",
            "/closings",
            "/data",
            "/alerts",
            "/backups",
        )
        for path in (*places, "/nothing", "/sales?from=2031-01-01"):
            page.goto(path)
            assert_accessible(page, path)
        page.goto(f"/registers/{journal.origin}")
        page.get_by_role("button", name="Report").click()
        assert_accessible(page, "the dialog")


def test_an_empty_head_office_says_how_to_begin(page: Page, office: ServedHeadOffice) -> None:
    welcome(page, office)
    for path in ("/", "/registers", "/sales", "/data", "/alerts", "/backups"):
        page.goto(path)
        assert_accessible(page, path)
        assert not page.evaluate(_CUT_OFF), f"{path} cuts a command off"
    page.goto("/")
    expect(page.get_by_text("holdfast register init")).to_be_visible()
    page.get_by_role("link", name="Load products, prices, taxes and staff").click()
    expect(page.get_by_role("heading", name="Load a file")).to_be_visible()


def test_the_registers_fit_beside_the_navigation(page: Page, office: ServedHeadOffice) -> None:
    """Each column on the screen of a small office, whatever the states."""
    sold(office)
    welcome(page, office)
    page.goto("/registers")
    expect(page.locator("#registers tbody tr")).to_have_count(2)
    assert not page.evaluate(_CUT_OFF)


_CUT_OFF = """
[...document.querySelectorAll(".scroll, pre")]
    .filter((found) => found.scrollWidth > found.clientWidth + 1)
    .map((found) => found.outerHTML.slice(0, 80))
"""


def assert_accessible(page: Page, what: str) -> None:
    """WCAG 2.2 A and AA, as far as axe can tell."""
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
    assert not page.evaluate(_SMALL_TARGETS), f"{what}: a finger misses them"
    width, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= shown, f"{what} is wider than the screen"


_SMALL_TARGETS = """
[...document.querySelectorAll("button, .button, select, .row-link, nav a, .choice, input.input")]
    .filter((found) => found.checkVisibility())
    .map((found) => [found.outerHTML.slice(0, 80), found.getBoundingClientRect().height])
    .filter(([, height]) => height < 44)
"""
