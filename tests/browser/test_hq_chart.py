"""The overview's chart really draws the totals that its table lists: what counts is the picture's points."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.core.sale import ExternalDocument
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice
from tests.journal_samples import SampleJournal, sale

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

TOTALS_MINOR = {"2026-09-14": 60_000, "2026-09-15": 120_000, "2026-09-16": 30_000, "2026-09-18": 90_000}
POINTS_OFF_MAX = 2
"""A bar's edge lies between two points of the screen."""

_BARS = """
(canvas, accent) => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = accent;
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
    const { width, height } = canvas;
    const points = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    const isBar = (x, y) => {
        const at = 4 * (y * width + x);
        return points[at] === red && points[at + 1] === green && points[at + 2] === blue;
    };
    const bars = [];
    let inBar = false;
    for (let x = 0; x < width; x += 1) {
        let tall = 0;
        for (let y = 0; y < height; y += 1) tall += isBar(x, y);
        if (tall && !inBar) bars.push({ left: x, tall: 0 });
        if (tall) Object.assign(bars.at(-1), { right: x, tall: Math.max(bars.at(-1).tall, tall) });
        inBar = tall > 0;
    }
    return bars;
}
"""


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    context = browser.new_context(
        base_url=office.url, viewport={"width": 1280, "height": 800}, color_scheme=request.param
    )
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def test_each_bar_is_as_tall_as_its_days_total(page: Page, office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    for date, total_minor in TOTALS_MINOR.items():
        sold_on(journal, date, total_minor)
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    page.goto(office.link())
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    chart = page.get_by_role("img", name="Bars of the totals that the table below lists, in GBP")
    canvas = chart.locator("canvas")
    expect(canvas).to_be_visible()
    accent = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()")
    bars = canvas.evaluate(_BARS, accent)
    assert len(bars) == len(TOTALS_MINOR), f"one bar a day with documents: {bars}"
    highest = max(bar["tall"] for bar in bars)
    for bar, (date, total_minor) in zip(bars, TOTALS_MINOR.items(), strict=True):
        wanted = highest * total_minor / max(TOTALS_MINOR.values())
        assert abs(bar["tall"] - wanted) <= POINTS_OFF_MAX, f"{date}: {bar} of {bars}"
    middles = [(bar["left"] + bar["right"]) / 2 for bar in bars]
    day = middles[1] - middles[0]
    assert middles[3] - middles[2] == pytest.approx(2 * day, abs=POINTS_OFF_MAX), (
        "a day without sales is a gap"
    )
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("row", name="2026-09-15")).to_contain_text("1,200.00 GBP")


def sold_on(journal: SampleJournal, date: str, total_minor: int) -> None:
    """A sale of that business date, entered later."""
    assert journal.head is not None, "the journal is open"
    body = sale(journal.head.next_document("R01"), total_minor=total_minor)
    dated = ExternalDocument(reference=f"till roll {date}", business_date=date)
    journal.append("sale", 1, msgspec.structs.replace(body, external=dated))
