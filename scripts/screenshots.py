"""Take the pictures of the README from a running chain: `.venv/bin/python scripts/screenshots.py`.

It starts the demo's chain, sells a little on both registers, and shows one of them during an outage.
"""

import os
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from holdfast.demo.chain import Chain, scratch_folder
from holdfast.demo.line import LineMode

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "img"
PASSWORD = "a quiet harbour at dawn"
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Write docs/img/till.png and docs/img/head-office.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    chromium = subprocess.run(
        [ROOT / "scripts" / "ensure-chromium"], check=True, capture_output=True, text=True
    )
    with scratch_folder() as folder, Chain(folder, say=print) as chain, sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium.stdout.strip(), args=arguments)
        for name in chain.registers:
            _sell(browser, chain, name)
        _till(browser, chain)
        _head_office(browser, chain)
        browser.close()


def _signed_in(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport=SIZE).new_page()  # pyright: ignore[reportArgumentType]
    page.goto(url)
    page.fill("#staff", "1")
    page.fill("#pin", "1111")
    page.keyboard.press("Enter")
    page.wait_for_selector("#date, #scan")
    if page.locator("#date").count():
        page.click("button:has-text('Open the day')")
    page.wait_for_selector("#scan")
    return page


def _scan(page: Page, *codes: str) -> None:
    for code in codes:
        before = page.locator("[data-line]").count()
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        page.locator("[data-line]").nth(before).wait_for()


def _pay(page: Page) -> None:
    page.keyboard.press("F9")
    page.wait_for_selector("#amount")
    page.keyboard.press("F9")
    page.wait_for_selector("#change")


def _sell(browser: Browser, chain: Chain, name: str) -> None:
    page = _signed_in(browser, chain.registers[name].url)
    for basket in (
        ["MILK1", "BREAD"],
        ["FLAT", "SCONE", "2*CHOCB"],
        ["0.8*BANAN", "CHEDD", "OLIVE"],
        ["STOUT"],
    ):
        _scan(page, *basket)
        _pay(page)
    page.wait_for_selector("text=Nothing owed")
    page.context.close()


def _till(browser: Browser, chain: Chain) -> None:
    """A basket in the middle of an outage, with a few sales owed."""
    page = _signed_in(browser, chain.registers["R01"].url)
    page.wait_for_selector(".status__mode--online")
    chain.switch("R01", LineMode.CUT)
    page.wait_for_selector(".status__mode--offline")
    for basket in (["MILK2", "SOURD"], ["6*WATER", "ROLL"], ["AMER"]):
        _scan(page, *basket)
        _pay(page)
    _scan(page, "MILK1", "CHEDD", "2*SCONE", "0.642*APPLE", "FLAT")
    page.keyboard.press("F6")
    page.wait_for_selector("dialog[open]")
    page.fill("#discount", "10%")
    page.fill("#reason", "Loyal customer")
    page.click("text=Set discount")
    page.wait_for_selector(".line__extra")
    page.screenshot(path=PICTURES / "till.png")
    page.context.close()


def _head_office(browser: Browser, chain: Chain) -> None:
    """Every sale that arrived, of both registers."""
    page = browser.new_context(viewport=SIZE).new_page()  # pyright: ignore[reportArgumentType]
    page.goto(chain.sign_in_url)
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("button:has-text('Set the password')")
    page.wait_for_selector(".nav")
    page.goto(f"{chain.head_office.url}/sales")
    page.wait_for_selector("table")
    page.screenshot(path=PICTURES / "head-office.png")
    page.context.close()


if __name__ == "__main__":
    main()
