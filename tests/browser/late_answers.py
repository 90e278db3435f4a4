"""Answers held back by hand, so that a person is faster than the program on any machine."""

import contextlib
import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Page, Request, Route

from tests.browser.till_page import WAIT_MS


class Held:
    """The first such request goes no further until it is let go; others pass."""

    def __init__(self, page: Page, path: str, wanted: Callable[[Request], bool]) -> None:
        self._page = page
        self._path = path
        self._wanted = wanted
        self._route: Route | None = None
        self._is_over = False

    def take(self, route: Route) -> None:
        if self._is_over or self._route is not None or not self._wanted(route.request):
            route.continue_()
        else:
            self._route = route

    def wait(self) -> Route:
        """Until it was made."""
        deadline = time.monotonic() + WAIT_MS / 1_000
        while self._route is None:
            assert time.monotonic() < deadline, f"nothing is asked of {self._path}"
            self._page.wait_for_timeout(10)
        return self._route

    def let_go(self) -> None:
        """Returns when its answer was shown. A second time changes nothing."""
        if self._is_over:
            return
        route = self.wait()
        self._is_over = True
        with self._page.expect_event("requestfinished"):
            route.continue_()
        self._page.evaluate("() => new Promise(requestAnimationFrame)")


@contextlib.contextmanager
def held_back(page: Page, path: str, wanted: Callable[[Request], bool] = lambda _: True) -> Iterator[Held]:
    """What is pressed in the block is pressed before the program hears of the request to `path`."""
    held = Held(page, path, wanted)
    page.route(f"**{path}", held.take)
    yield held
    held.let_go()
    page.unroute(f"**{path}")
