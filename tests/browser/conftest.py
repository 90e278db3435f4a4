"""What the browser tests share: one running chain, a Chromium, and the pages in it."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from holdfast.core.connection import Mode
from holdfast.demo.chain import Chain, scratch_folder
from holdfast.demo.line import LineMode
from holdfast.infra.config import RegisterHome
from holdfast.register.standing import Standing, read_standing
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import WAIT_MS, TillPage

expect.set_options(timeout=WAIT_MS)  # its own 5 s are none to a busy machine


@pytest.fixture(scope="session")
def running_chain() -> Iterator[Chain]:
    """Head office, two registers and their lines, as `holdfast demo` starts them."""
    with scratch_folder() as folder, Chain(folder) as chain:
        yield chain


@pytest.fixture
def chain(running_chain: Chain) -> Iterator[Chain]:
    """The chain with all lines up, before and after; its registers know it, or no outage could begin."""
    _mend(running_chain)
    for name in running_chain.registers:
        wait_standing(running_chain, name, lambda standing: standing.mode == Mode.ONLINE.value)
    yield running_chain
    _mend(running_chain)


@pytest.fixture(scope="module")
def cut_chain(running_chain: Chain) -> Iterator[Chain]:
    """The chain with every register offline, until the module's last test.

    On a busy machine a probe may come too late, and the warning of an outage would take a key that a test
    presses. Of an outage that began before the transaction nobody is warned.
    """
    for name in running_chain.registers:
        running_chain.switch(name, LineMode.CUT)
    for name in running_chain.registers:
        wait_standing(running_chain, name, lambda standing: standing.mode == Mode.OFFLINE.value)
    yield running_chain
    _mend(running_chain)


def wait_standing(chain: Chain, name: str, wanted: Callable[[Standing], bool]) -> None:
    """Until a register stands so, whether a page of it is open or not."""
    place = chain.registers[name]
    deadline = time.monotonic() + WAIT_MS / 1_000
    while not wanted(standing := read_standing(RegisterHome(place.home))):
        assert time.monotonic() < deadline, standing.as_text()
        time.sleep(0.1)


def _mend(chain: Chain) -> None:
    for name, line in chain.lines.items():
        if line.mode is not LineMode.UP:
            chain.switch(name, LineMode.UP)


# Not for the session: Playwright's event loop would run on under the async tests of other folders.
@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A container's root has no sandbox to run Chromium in.
        started = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def till(browser: Browser, chain: Chain) -> Iterator[TillPage]:
    """Register R01, a cashier signed in, the day open and no transaction."""
    with TillPage.open(browser, chain.registers["R01"].url) as page:
        page.begin()
        yield page


@pytest.fixture
def head_office(browser: Browser, running_chain: Chain) -> Iterator[HeadOfficePage]:
    """Head office's pages, an administrator signed in."""
    with HeadOfficePage.open(browser, running_chain) as page:
        yield page
