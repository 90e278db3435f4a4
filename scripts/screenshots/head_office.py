"""The pictures of head office and of the demo's board, while R01 is in an outage."""

import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable

from playwright.sync_api import Browser, Page

from holdfast.demo.board import create_board
from holdfast.demo.chain import Chain
from holdfast.infra.web import Wakeups, free_port, serve
from scripts.screenshots.camera import Camera
from scripts.screenshots.central import photograph_central
from scripts.screenshots.driver import WAIT_MS, page_of
from scripts.screenshots.stock import photograph_stock_pages

PASSWORD = "a quiet harbour at dawn"
# A code is another one each time, and no picture of a secret should be in a repository.
_COVER_CODE = """
() => {
    const code = document.getElementById("code").textContent.trim();
    for (const found of document.querySelectorAll("#code, pre"))
        found.textContent = found.textContent.replace(code, "xxxx-xxxx-xxxx-xxxx");
}
"""
PRICES = b"sku,price,currency,valid_from\nMILK1,1.55,EUR,2027-01-01\nBREAD,3.30,EUR,2027-01-01\n"


def photograph_head_office(browser: Browser, chain: Chain, camera: Camera) -> None:
    """Each page of an administrator."""
    url = chain.head_office.url
    backup = [sys.executable, "-m", "holdfast", "hq", "backup", "--home", str(chain.head_office.home)]
    subprocess.run(backup, check=True, capture_output=True)
    with page_of(browser, chain.sign_in_url) as page:
        camera.take(page, "hq-welcome")
        page.fill("#password", PASSWORD)
        page.fill("#again", PASSWORD)
        page.click("button:has-text('Set the password')")
        page.wait_for_selector(".nav")
        _plain_pages(page, url, camera)
        _registers(page, url, camera)
        _documents(page, url, camera)
        _customers(page, url, camera)
        _data(page, url, camera)
        _parameters(page, url, camera)
        photograph_central(page, chain, camera)
        photograph_stock_pages(page, chain, camera)
        page.goto(f"{url}/nothing")
        camera.take(page, "hq-nothing")
        page.goto(url)
        page.click("text=Sign out")
        page.wait_for_selector("#name")
        camera.take(page, "hq-sign-in")
    with page_of(browser, chain.sign_in_url) as page:
        camera.take(page, "hq-used-link")


def _go(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("h1")


def _plain_pages(page: Page, url: str, camera: Camera) -> None:
    for path, name in (
        ("/", "hq-overview"),
        ("/registers", "hq-registers"),
        ("/readiness", "hq-readiness"),
        ("/sales", "hq-sales"),
        ("/closings", "hq-closings"),
        ("/customers", "hq-customers"),
        ("/data", "hq-data"),
        ("/alerts", "hq-alerts"),
        ("/backups", "hq-backups"),
    ):
        _go(page, url + path)
        camera.take(page, name)
    page.emulate_media(color_scheme="dark")
    _go(page, url)
    camera.take(page, "hq-overview-dark")
    page.emulate_media(color_scheme="light")


def _registers(page: Page, url: str, camera: Camera) -> None:
    _go(page, f"{url}/registers")
    path = page.locator("a[href^='/registers/']:has-text('R01')").first.get_attribute("href")
    _go(page, f"{url}{path}")
    camera.take(page, "hq-register")
    epoch = re.search(r"epochs/([^\"/?]+)", page.content())
    for part in ("key", "recover", "retire"):
        _go(page, f"{url}{path}/{part}")
        camera.take(page, f"hq-register-{part}")
    if epoch:
        _go(page, f"{url}{path}/epochs/{epoch[1]}")
        camera.take(page, "hq-epoch")
    _go(page, f"{url}/registers/add")
    page.select_option("#store", "Harbour")
    page.fill("#series", "R03")
    page.fill("#name", "Front left")
    camera.take(page, "hq-register-add")
    page.keyboard.press("Enter")
    page.wait_for_selector("#code")
    page.evaluate(_COVER_CODE)
    camera.take(page, "hq-register-code")


def _documents(page: Page, url: str, camera: Camera) -> None:
    _go(page, f"{url}/sales")
    page.click("tbody a >> nth=3")
    page.wait_for_selector(".crumb")
    camera.take(page, "hq-sale")
    _go(page, f"{url}/closings")
    page.click("tbody a[href^='/closings/']")
    page.wait_for_selector("h1:has-text('Z report')")
    camera.take(page, "hq-closing")


def _customers(page: Page, url: str, camera: Camera) -> None:
    _go(page, f"{url}/customers/C-1001")
    camera.take(page, "hq-customer")
    _go(page, f"{url}/customers/C-1004/merge?into=C-1002")
    camera.take(page, "hq-customer-merge")


def _parameters(page: Page, url: str, camera: Camera) -> None:
    _go(page, f"{url}/parameters/offline.gift-cards?value=yes&kind=store&code=Harbour")
    page.click("text=Look at what it does")
    page.fill("#reason", "Pilot in Harbour Street")
    page.keyboard.press("Enter")
    page.wait_for_selector("#reach-line:has-text('1 of 2 registers run')")  # R01's line is cut
    camera.take(page, "hq-parameter")
    page.click("text=Undo…")
    page.wait_for_selector("#reason")
    camera.take(page, "hq-parameter-undo")
    _go(page, f"{url}/parameters")
    camera.take(page, "hq-parameters")


def _data(page: Page, url: str, camera: Camera) -> None:
    _go(page, f"{url}/data")
    page.check("[name=kind][value=prices]")
    page.set_input_files("#file", {"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES})
    page.click("text=Check the file")
    page.wait_for_selector(".crumb, table")
    camera.take(page, "hq-data-preview")


def photograph_board(browser: Browser, chain: Chain, camera: Camera) -> None:
    """The switches of the demo's lines."""
    ready: queue.Queue[str] = queue.Queue()
    ends: list[Callable[[], None]] = []
    server = threading.Thread(
        target=serve,
        args=(create_board(chain),),
        kwargs={
            "host": "127.0.0.1",
            "port": free_port(),
            "wakeups": Wakeups(),
            "on_ready": ready.put,
            "hand_stop": ends.append,
        },
    )
    server.start()
    try:
        with page_of(browser, ready.get(timeout=WAIT_MS / 1_000)) as page:
            page.wait_for_selector(".wire")
            camera.take(page, "demo-board")
    finally:
        ends[0]()
        server.join(WAIT_MS / 1_000)
