"""Two people give up an epoch, and backups are looked after, in a real browser: by keyboard, with axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.core.sync.messages import encode
from holdfast.hq.backup import note_failed
from tests.browser.test_hq_pages import assert_accessible, welcome
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

SIZES = [(1280, 800), (1920, 1080)]


@pytest.fixture(params=SIZES, ids=["1280", "1920"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture
def page(browser: Browser, office: ServedHeadOffice, size: tuple[int, int]) -> Iterator[Page]:
    context = browser.new_context(base_url=office.url, viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def burnt(office: ServedHeadOffice) -> tuple[SampleJournal, str]:
    """A register that came back from a backup, and the epoch before, which may owe."""
    journal = office.enrol(SampleJournal().open().sell(2))
    session = office.session(journal)
    session.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    lost = journal.epoch
    journal.open(2, "restored", claimed_seq=6).sell(1)
    session.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    session.post("/v1/sync/heartbeat", content=encode(office.beat(journal))).raise_for_status()
    return journal, lost


def test_an_epoch_is_given_up_by_two_people_by_keyboard(page: Page, office: ServedHeadOffice) -> None:
    journal, lost = burnt(office)
    welcome(page, office)
    page.goto(f"/registers/{journal.origin}")
    page.get_by_role("link", name=f"Declare lost… epoch {lost}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Declare it lost")).to_be_visible()
    assert_accessible(page, "an epoch that may owe")
    page.get_by_label("Reason").focus()
    page.keyboard.type("The till burnt out; its disk is ashes.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="admin proposes to declare it lost")).to_be_visible()
    expect(page.get_by_text("It takes two people")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    assert_accessible(page, "a proposal of one's own")

    page.goto(office.link("bob"))
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.goto(f"/registers/{journal.origin}")
    page.get_by_role("link", name="Confirm or withdraw").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="admin proposes")).to_be_visible()
    assert_accessible(page, "another's proposal")
    page.get_by_role("button", name="Confirm: declare it lost").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="The till burnt out")).to_contain_text("Confirmed by bob")
    page.goto(f"/registers/{journal.origin}")
    expect(page.get_by_role("row", name=lost)).to_contain_text("by admin and bob")
    assert_accessible(page, "a register with an epoch declared lost")


def test_backups_say_how_they_stand(page: Page, office: ServedHeadOffice) -> None:
    welcome(page, office)
    page.get_by_role("link", name="Last good backup").click()
    expect(page.get_by_role("heading", name="Backups", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="There is no backup yet")).to_be_visible()
    assert_accessible(page, "no backup")
    note_failed(office.services.pool, "storage.full", "The disk of /b is full. Make room for the backup.", 1)
    page.reload()
    expect(page.get_by_text("Make room for the backup.")).to_be_visible()
    assert_accessible(page, "a backup that failed")
    page.goto("/")
    expect(page.get_by_text("Make room for the backup.").first).to_be_visible()
    assert_accessible(page, "the overview with a failed backup")
