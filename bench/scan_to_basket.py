"""From the scanner's Enter to the line on the screen, in a real browser, while packets to head office vanish.

The page itself takes the time: from when the Enter came in until the line is in the document. Baskets get
long, so that the first lines of a sale and those after the hundredth are measured side by side.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright

from bench.figure import Figure, Size, figure, percentile
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.hq.service import HeadOffice
from holdfast.hq.web.process import home_in
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.register.standing import read_standing
from holdfast.register.sync.reference_file import open_reference

TILL = "R01"
CASHIER = ("1", "1111")
FEW_LINES, MANY_LINES, LAST_LINE = 20, 100, 120
_WAIT_S = 300.0
_ROOT = Path(__file__).resolve().parent.parent
_COUNT = """select
    (select count(*) from product
     where generation = (select generation from feed_version where feed = 'products' and is_current = 1)),
    (select count(*) from price
     where generation = (select generation from feed_version where feed = 'prices' and is_current = 1))"""
_AISLES = 40
_WATCH = """
(() => {
    const taken = (window.taken = []);
    let began = null;
    addEventListener("keydown", (event) => {
        const lines = document.querySelectorAll("[data-line]").length;
        if (event.key === "Enter") began = { at: event.timeStamp, lines };
    }, true);
    new MutationObserver(() => {
        if (!began || document.querySelectorAll("[data-line]").length <= began.lines) return;
        const { at } = began;
        const found = { in_document: performance.now() - at, in_frame: null };
        began = null;
        taken.push(found);
        requestAnimationFrame(() => setTimeout(() => { found.in_frame = performance.now() - at; }));
    }).observe(document, { childList: true, subtree: true });
})();
"""


class Taken(NamedTuple):
    """Milliseconds of one scan."""

    lines: int
    """That the basket had before."""
    in_document_ms: float
    in_frame_ms: float


def run(folder: Path, size: Size) -> list[Figure] | str:
    """A string: why it was skipped."""
    found = subprocess.run([_ROOT / "scripts" / "ensure-chromium"], capture_output=True, text=True)
    if found.returncode:
        return f"no Chromium: {found.stderr.strip()[-200:]}"
    with Chain(folder / "chain") as chain:
        home = RegisterHome(chain.registers[TILL].home)
        barcodes = _load(chain, size.products)
        _until(lambda: _products(home) >= size.products, "the register has the catalogue")
        chain.switch(TILL, LineMode.BLACK_HOLE)
        _until(lambda: read_standing(home).mode == "offline", "the register knows of the outage")
        with _till(found.stdout.strip(), chain.registers[TILL].url) as page:
            _basket(page, barcodes[:MANY_LINES])  # all is warm, as after the first customer
            taken = [
                one
                for turn in range(size.baskets)
                for one in _basket(page, _some(barcodes, turn * LAST_LINE, LAST_LINE))
            ]
    return _figures(taken, size.products)


def _figures(taken: list[Taken], products: int) -> list[Figure]:
    few = [one.in_document_ms for one in taken if one.lines < FEW_LINES]
    many = [one.in_document_ms for one in taken if one.lines >= MANY_LINES]
    name = f"scan to basket on screen, packets dropped, {products:,} products"
    every = [one.in_document_ms for one in taken]
    return [
        figure(f"{name} ({len(taken)} scans), p99", percentile(every, 99), "ms", at_most=50),
        figure(f"{name}, p50", percentile(every, 50), "ms"),
        figure(f"{name}, to the frame, p99", percentile([one.in_frame_ms for one in taken], 99), "ms"),
        figure(
            f"the same in a basket of {MANY_LINES} lines, p50",
            percentile(many, 50),
            "ms",
            limit=(f"in one of under {FEW_LINES}", percentile(few, 50)),
            ratio_at_most=1.25,
        ),
        figure(
            f"the same in a basket of {MANY_LINES} lines, p99",
            percentile(many, 99),
            "ms",
            limit=(f"in one of under {FEW_LINES}", percentile(few, 99)),
            at_most=50,
        ),
    ]


# ---- the catalogue -------------------------------------------------------------------------------


def _load(chain: Chain, products: int) -> list[str]:
    """A supermarket's catalogue at head office, beside the demo's; the barcodes."""
    barcodes = [f"40{number:011d}" for number in range(products)]
    rows = [
        f"P{number:05d},Article {number} of {number % 977},B,each,Aisle {number % _AISLES},{code}"
        for number, code in enumerate(barcodes)
    ]
    prices = [f"P{number:05d},{number % 50}.95,EUR,2025-01-01" for number in range(products)]
    with HeadOffice.open(home_in(chain.head_office.home)) as office:
        for kind, header, lines in (
            ("prices", "sku,price,currency,valid_from", prices),
            ("products", "sku,description,tax_code,unit,department,barcodes", rows),
        ):
            report = office.catalogue.load(kind, "\n".join((header, *lines)).encode())
            assert getattr(report, "taken", False), f"the {kind} are in order: {report}"
    return barcodes


def _products(home: RegisterHome) -> int:
    """That it has with their prices: the two come one after the other."""
    with contextlib.closing(open_reference(home, DatabaseKey.load(home.database_key))) as connection:
        found: Any = connection.execute(_COUNT).fetchone()
        return min(found)


def _some(barcodes: list[str], first: int, count: int) -> list[str]:
    """From all over the catalogue, no two of one basket the same."""
    step = max(1, len(barcodes) // count)
    return [barcodes[(first * 7 + place * step) % len(barcodes)] for place in range(count)]


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


# ---- the cashier ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _till(chromium: str, url: str) -> Iterator[Page]:
    """A cashier signed in, the day open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(_WAIT_S * 1_000)
        page.add_init_script(_WATCH)
        page.goto(url)
        page.fill("#staff", CASHIER[0])
        page.fill("#pin", CASHIER[1])
        page.keyboard.press("Enter")
        while page.locator("#scan").count() == 0:
            page.wait_for_selector("#start, #date, #scan")
            if page.locator("#start").count():
                page.keyboard.press("Enter")
            elif page.locator("#date").count():
                page.click("button:has-text('Open the day')")
            page.wait_for_timeout(200)
        yield page
        browser.close()


def _basket(page: Page, barcodes: list[str]) -> list[Taken]:
    """Scan them all, then void the transaction."""
    page.evaluate("() => { window.taken.length = 0; }")
    for place, code in enumerate(barcodes):
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        page.wait_for_function(f"() => window.taken[{place}]?.in_frame")
    taken = page.evaluate("() => window.taken.map((one) => [one.in_document, one.in_frame])")
    assert len(taken) == len(barcodes), "each scan is one line"
    page.click("[hx-get='/dialog/void']")
    page.click("#dialog >> text=Void transaction")
    page.wait_for_function("() => !document.querySelector('[data-line]')")
    return [Taken(lines, *each) for lines, each in enumerate(taken)]
