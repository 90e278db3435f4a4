"""Central value in browser tests: cards, parameters and holds at head office, and a line that drops."""

import contextlib
import csv
import io
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
from playwright.sync_api import expect

from holdfast.core.central.accounts import Kind
from holdfast.core.central.numbers import NUMBER_KEY, number_mac
from holdfast.core.connection import Mode
from holdfast.core.parameters import Place, Scope, Value
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.demo.shop import STORE, taken
from holdfast.hq.parameters.book import Draft
from holdfast.hq.service import HeadOffice, database_folder
from holdfast.hq.web.process import home_in
from holdfast.infra.config import HeadOfficeHome, RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.postgres.launcher import running_dsn
from holdfast.register.sync.parameters import read_settings
from holdfast.register.sync.reference import open_reference
from tests.browser.conftest import wait_standing
from tests.browser.till_page import WAIT_MS, TillPage

LOOK_S = 0.05
BY = "test"


class Card(NamedTuple):
    """A prepared gift card, and its account's name at head office."""

    number: str
    pin: str
    account: str


@contextlib.contextmanager
def beside(chain: Chain) -> Iterator[HeadOffice]:
    """What a command of head office would do, without a process of its own."""
    with HeadOffice.open(home_in(chain.head_office.home)) as office:
        yield office


def make_cards(chain: Chain, count: int, *, with_pins: bool = False) -> list[Card]:
    """Numbers that head office prepared."""
    files: list[bytes] = []
    with beside(chain) as office:
        taken(office.cards.make(count, STORE.currency, files.append, with_pins=with_pins, by=BY))
        key = office.signer.derive(NUMBER_KEY)
    rows = csv.DictReader(io.StringIO(files[0].decode()))
    cards = [(row["number"], row.get("pin") or "") for row in rows]
    with contextlib.closing(Books(chain)) as books:
        return [
            Card(number, pin, books.account(number_mac(key, Kind.GIFT_CARD, number))) for number, pin in cards
        ]


def set_parameters(chain: Chain, register: str, **values: Value | None) -> None:
    """At head office, for one register, and it has them. None: as though never set. `a__b_c` is `a.b-c`."""
    named = {name.replace("__", ".").replace("_", "-"): value for name, value in values.items()}
    with beside(chain) as office:
        for name, value in named.items():
            draft = Draft(name=name, scope=Scope("register", register), value=value)
            taken(office.parameters.make(draft, by=BY, reason="Test"))
    home = RegisterHome(chain.registers[register].home)
    config = load_config(home.config, RegisterConfig)
    with contextlib.closing(open_reference(home, DatabaseKey.load(home.database_key))) as reference:
        place = Place(config.store, config.series)
        wanted = {name: value for name, value in named.items() if value is not None}

        def has_them() -> bool:
            found = read_settings(reference, list(named), place, lambda: "2026-11-23")
            return {name: setting.value for name, setting in found.items()} == wanted

        wait(has_them, f"{register} has {named}")


def wait(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + WAIT_MS / 1_000
    while not what():
        assert time.monotonic() < deadline, f"never: {why}"
        time.sleep(LOOK_S)


class Books:
    """Head office's books of one card or customer, and a way to keep it from answering."""

    def __init__(self, chain: Chain) -> None:
        dsn = running_dsn(database_folder(HeadOfficeHome(chain.head_office.home)))
        assert dsn, "head office runs"
        self._dsn = dsn
        self._connection = psycopg.connect(dsn, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def account(self, mac: bytes) -> str:
        """Of a number, which head office does not keep."""
        row = self._connection.execute(
            "select account from value_account where number_mac = %s", (mac,)
        ).fetchone()
        assert row is not None, "the number was prepared"
        return row[0]

    def holds(self, account: str) -> list[tuple[str, str]]:
        """What was ever held of it: what for, and how it ended; empty: it has not."""
        return self._connection.execute(
            "select act, ended from value_hold where account = %s order by since_ms", (account,)
        ).fetchall()

    def movements(self, account: str) -> list[tuple[str, int]]:
        """What was booked."""
        return self._connection.execute(
            "select act, booked from value_movement where account = %s order by number", (account,)
        ).fetchall()

    def wait_free(self, account: str) -> None:
        """Until nobody's transaction holds it."""
        wait(lambda: all(ended for _, ended in self.holds(account)), f"{account} is free")

    @contextlib.contextmanager
    def busy(self, account: str) -> Iterator[None]:
        """What is asked of it waits: the answer leaves head office after the block, if anybody listens."""
        with psycopg.connect(self._dsn) as other:
            other.execute("select 1 from value_account where account = %s for update", (account,))
            yield
            other.rollback()

    def wait_asked(self) -> None:
        """In such a block: until head office has a question on its desk that waits."""
        asked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'value_account'"
        wait(lambda: self._connection.execute(asked).fetchone(), "head office is asked")


# ---- at the till ---------------------------------------------------------------------------------


def line(till: TillPage, chain: Chain, register: str, mode: LineMode) -> None:
    """Cut or mended, and the register knows it; its warning is read."""
    chain.switch(register, mode)
    known = Mode.ONLINE if mode is LineMode.UP else Mode.OFFLINE
    wait_standing(chain, register, lambda standing: standing.mode == known.value)
    till.expect_status("Online" if mode is LineMode.UP else "Offline")
    if mode is not LineMode.UP:
        expect(till.warning).to_have_count(1)
        till.go_on()


def choose(till: TillPage, name: str) -> None:
    """The customer, who is known here."""
    till.press("F11", "#who")
    till.page.fill("#who", name)
    till.page.keyboard.press("Enter")
    expect(till.page.locator(".customer .button--primary")).to_be_focused()
    till.page.keyboard.press("Enter")
    expect(till.page.locator("#ticket-head")).to_contain_text(name)


def show_card(till: TillPage, card: Card) -> None:
    """What is on it: the page of a gift card, by its number and where it has one its PIN."""
    till.page.click("button:has-text('Gift cards')")
    till.page.wait_for_selector("#card-number")
    till.page.fill("#card-pin", card.pin)
    till.page.fill("#card-number", card.number)
    till.page.press("#card-number", "Enter")
    till.page.wait_for_selector("#card-amount")


def put_on(till: TillPage, amount: str, act: str = "Sell") -> None:
    """On the card that is shown; what comes of it is not waited for."""
    till.page.fill("#card-amount", amount)
    till.page.click(f"#work button:has-text('{act}')")


def ask_to_pay(till: TillPage, number: str, way: str = "Gift card") -> None:
    """By that card or memo; what comes of it is not waited for."""
    till.press("F9", "#due")
    till.page.click(f".currency:has-text('{way}')")
    till.page.wait_for_selector("#held-number")
    till.type(number + "\r")


def hold(till: TillPage, number: str, way: str = "Gift card") -> None:
    """To pay with it: locked, and what it would pay is said."""
    ask_to_pay(till, number, way)
    expect(till.page.locator(".held__row .button--primary")).to_be_focused()
