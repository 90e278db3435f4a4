"""Head office's pages and database, as far as the tills' tests look at them."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
from playwright.sync_api import Browser, Page

from holdfast.core.journal.entry import decode_entry
from holdfast.demo.chain import Chain
from holdfast.demo.shop import new_sign_in_path
from holdfast.hq.service import database_folder
from holdfast.infra.config import HeadOfficeHome
from holdfast.infra.postgres.launcher import running_dsn
from tests.browser.till_page import WAIT_MS

PASSWORD = "a quiet harbour at dawn"
LOOK_EVERY_S = 0.005


class HeadOfficePage:
    """An administrator's browser, and a connection beside it."""

    def __init__(self, page: Page, chain: Chain, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.page = page
        self._chain = chain
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def open(cls, browser: Browser, chain: Chain) -> Iterator["HeadOfficePage"]:
        """Signed in by a one-time link."""
        dsn = running_dsn(database_folder(HeadOfficeHome(chain.head_office.home)))
        assert dsn, "head office runs"
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        with psycopg.connect(dsn, autocommit=True) as connection:
            try:
                page.goto(chain.head_office.url + new_sign_in_path(chain.head_office.home))
                page.fill("#password", PASSWORD)
                page.fill("#again", PASSWORD)
                page.click("button:has-text('Set the password')")
                page.wait_for_selector(".nav")
                page.wait_for_load_state()
                yield cls(page, chain, connection)
            finally:
                context.close()

    def stored(self, number: str) -> int:
        """How often a document is in the database."""
        row = self._connection.execute(
            "select count(*) from document where number = %s", (number,)
        ).fetchone()
        assert row is not None, "a count is a row"
        return row[0]

    def wait_stored(self, number: str) -> float:
        """Seconds until the document is there."""
        began = time.monotonic()
        while not self.stored(number):
            assert time.monotonic() - began < WAIT_MS / 1_000, f"{number} is not at head office"
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - began

    def heard_last(self, series: str, ago_ms: int) -> None:
        """As though a register that is cut off had been silent for so much longer."""
        self._connection.execute(
            "update heartbeat h set received_at_ms = received_at_ms - %s "
            "from origin o where o.origin = h.origin and o.series = %s",
            (ago_ms, series),
        )

    def entries(self, type: str) -> list[dict[str, Any]]:
        """Bodies of the entries of a type, of all registers, in order of arrival."""
        rows = self._connection.execute(
            "select data from entry where type = %s order by received_at, chain, seq", (type,)
        ).fetchall()
        return [msgspec.json.decode(decode_entry(bytes(row[0])).body) for row in rows]

    def shown(self, number: str) -> int:
        """How often the page of sales lists a document."""
        self.page.goto(f"{self._chain.head_office.url}/sales")
        self.page.wait_for_selector("table")
        return self.page.get_by_role("link", name=number, exact=True).count()
