"""Head office's pages on a small office's screen and on a large one: with long names nothing overlaps."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.core.ids import OriginId
from holdfast.core.parameters import Scope
from holdfast.core.refusals import Refusal
from holdfast.core.sync.messages import encode
from holdfast.hq.parameters.book import Draft
from tests.browser.test_hq_pages import welcome
from tests.browser.till_page import WAIT_MS
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

LONG = "Customer service desk on the first floor, by the lifts to the car park"
_OVERLAPS = """
() => {
    const texts = ".table a, .table .sub, .table .tag, .tile__value, .tile__note";
    const boxes = [...document.querySelectorAll(texts)]
        .filter((found) => found.checkVisibility())
        .flatMap((found) => {
            const range = document.createRange();
            range.selectNodeContents(found);
            return [...range.getClientRects()].map((box) => [found, box]);
        });
    const wrong = [];
    for (const [one, a] of boxes) for (const [other, b] of boxes) {
        if (one === other || one.contains(other) || other.contains(one)) continue;
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && tall > 4) wrong.push([one.textContent.trim(), other.textContent.trim()]);
    }
    return wrong;
}
"""
_TOO_WIDE = """
() => [...document.querySelectorAll(".panel, .scroll, pre, .tile, .choice")]
    .filter((found) => found.scrollWidth > found.clientWidth + 1)
    .map((found) => found.outerHTML.slice(0, 80))
"""


@pytest.fixture(params=[(1280, 800), (1920, 1080)], ids=["1280", "1920"])
def page(request: pytest.FixtureRequest, browser: Browser, office: ServedHeadOffice) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(base_url=office.url, viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def test_with_long_names_and_every_state_nothing_overlaps(page: Page, office: ServedHeadOffice) -> None:
    journals = [SampleJournal(signing_key(n), OriginId(f"reg{n}")).open(n).sell(2) for n in range(1, 5)]
    for n, journal in enumerate(journals, 1):
        client = office.session(office.enrol(journal, f"R0{n}"))
        client.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
        owed = {"owed_count": n, "owed_minor": 10**9, "owed_oldest_ms": 1_790_000_000_000} if n % 2 else {}
        dates = {"owed_dates": ("2026-09-19", "2026-09-20", "2026-09-21")} if n % 2 else {}
        beat = encode(office.beat(journal.sell(n % 2), **owed, **dates))
        client.post("/v1/sync/heartbeat", content=beat).raise_for_status()
    with office.services.pool.connection() as conn:
        conn.execute("update origin set name = %s || series", (LONG,))
        conn.execute("update contact set blocked_code = 'key.unknown' where origin = 'reg2'")
        conn.execute("update feed set n = 4 where feed in ('products', 'prices', 'currencies')")
        conn.execute("update register_day set total_minor = 123456789012")
        conn.execute("update document set total_minor = 123456789012, customer = %s", ("C" * 40,))
        conn.execute(
            "insert into quarantine (chain, seq, cause, detail) values (1, 2, 'totals', %s)", ("x" * 300,)
        )
        conn.execute("insert into alert (kind, origin, detail) values ('clock', 'reg3', %s)", ("y" * 300,))
    office.services.retirements.declare(OriginId("reg4"), by="somebody.with.a.long.name", reason="z" * 400)
    office.services.head_office.enrolment.issue_code(
        "S1", "S" * 32, name=LONG, by="somebody.with.a.long.name"
    )
    long_head = Draft(name="receipt.header", scope=Scope("store", "S1"), value=["W" * 80, LONG])
    by, book = "somebody.with.a.long.name", office.services.head_office.parameters
    assert not isinstance(book.make(long_head, by=by, reason="z" * 200), Refusal)
    office.services.head_office.fleet.forget()
    welcome(page, office)
    for path in (
        "/", "/registers", "/registers/add", "/registers/reg1", "/registers/reg2", "/registers/reg4",
        "/registers/reg1/retire", "/registers/reg4/retire", "/sales", "/sales/1/2", "/closings", "/data",
        "/parameters", "/parameters/receipt.header", "/alerts", "/backups",
    ):  # fmt: skip
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert not page.evaluate(_TOO_WIDE), path
        assert not page.evaluate(_OVERLAPS), path
        width, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= shown, f"{path} is wider than the screen"
