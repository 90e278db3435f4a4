"""A line that comes and goes several times a second, in the middle of sales (SW2)."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from tests.browser.head_office_page import HeadOfficePage
from tests.browser.till_page import CHEDDAR, CRISPS, MILK, TillPage

TOGGLE_S = 0.3


@pytest.fixture
def toggling(chain: Chain) -> Iterator[threading.Event]:
    """R01's line goes up and down until the event is set; up afterwards."""
    stop = threading.Event()

    def toggle() -> None:
        modes = [LineMode.CUT, LineMode.UP, LineMode.BLACK_HOLE, LineMode.UP]
        while not stop.wait(TOGGLE_S):
            modes.append(modes.pop(0))
            chain.switch("R01", modes[-1])

    thread = threading.Thread(target=toggle, daemon=True)
    thread.start()
    yield stop
    stop.set()
    thread.join()


def test_sales_go_on_while_the_line_toggles(
    till: TillPage, chain: Chain, toggling: threading.Event, head_office: HeadOfficePage
) -> None:
    """SW2: no key is lost, each sale is there once, and in the end all is well without a press."""
    numbers: list[str] = []
    for _ in range(3):
        for code, name in ((MILK, "Milk"), (CHEDDAR, "cheddar"), (CRISPS, "crisps")):
            till.scan(code, name)
        numbers.append(till.pay_exact())
        till.press("F9", ".shelf")
    toggling.set()
    chain.switch("R01", LineMode.UP)
    till.expect_status("Online", "Nothing owed")
    expect(till.warning).to_have_count(0)
    assert len(set(numbers)) == 3
    for number in numbers:
        head_office.wait_stored(number)
        assert head_office.stored(number) == 1
