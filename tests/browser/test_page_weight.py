"""What the selling page weighs, and where its requests go: nowhere but to this machine."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser

from holdfast.demo.chain import Chain
from tests.browser.till_page import MILK, TillPage

BYTES_MAX = 300_000
_LOADED = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
    .map((one) => [one.name, Math.max(one.transferSize, one.encodedBodySize)])"""


def test_the_selling_page_is_light_and_stays_on_the_machine(browser: Browser, chain: Chain) -> None:
    with TillPage.open(browser, chain.registers["R02"].url) as till:
        asked: list[str] = []
        till.page.on("request", lambda request: asked.append(request.url))
        till.begin()
        till.page.reload()
        till.arrive("#scan")
        loaded = dict(till.page.evaluate(_LOADED))
        assert len(loaded) > 6, "the page, its styles and its scripts"
        assert sum(loaded.values()) <= BYTES_MAX, loaded
        till.scan(MILK, "Milk")
        till.pay_exact()
        assert {urlsplit(url).hostname for url in (*asked, *loaded)} == {"127.0.0.1"}
