"""A shop for the table of the switch: head office and tills as real processes, each till behind a proxy that
cuts its line at the very step; a cashier who does what each cell says, and eyes on both ends."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg

from holdfast.core.basket import Basket
from holdfast.core.central.accounts import Kind
from holdfast.core.central.numbers import number_end
from holdfast.core.parameters import Scope
from holdfast.core.sync.enrolment import CodeText, spell_code
from holdfast.demo.chain import Place, post, wait_supplied
from holdfast.demo.shop import STORE, found_shop
from holdfast.hq.parameters.book import Draft
from holdfast.hq.service import HeadOffice, database_folder
from holdfast.hq.web.process import home_in
from holdfast.infra.config import HeadOfficeHome, RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.postgres.launcher import running_dsn
from holdfast.register.enrolment import enrol
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.status import read_status
from holdfast.register.till import writing
from holdfast.register.till.database import read_till
from holdfast.register.till.suspended import count_suspended
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.office import free_port, holdfast

MANAGER = ("9", "9999")
MILK = "2000000010076"
CARD_EUROS, MEMO_PIECES = 500, 9
LIMIT_MINOR = 1_000_000
WAIT_S = 120.0
LOOK_S = 0.03
_MEMO = re.compile(r"\d{3}(?: \d{3}){5}")
_SOLD = re.compile(r"[A-Z0-9]+-[0-9A-HJKMNP-TV-Z]{5}-[0-9]{6,}")


def eventually(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, f"never: {why}"
        time.sleep(LOOK_S)


class Hold(NamedTuple):
    """As the till's disk has it."""

    key: str
    stage: str


class Shop:
    """Head office and its books."""

    def __init__(self, folder: Path, tills: int) -> None:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.folder = folder
        self.home = folder / "hq"
        self._lock = threading.Lock()
        self._enrolled = 0
        port = free_port()
        found_shop(self.home, port, [])
        self.place = Place("Head office", "hq", self.home, f"http://127.0.0.1:{port}", folder / "hq.log")
        self.place.start()
        self.place.wait_ready()
        self.port = port
        dsn = running_dsn(database_folder(HeadOfficeHome(self.home)))
        assert dsn is not None, "head office runs"
        self._dsn = dsn
        self._undo = contextlib.ExitStack()
        self.office = self._undo.enter_context(HeadOffice.open(home_in(self.home)))
        self.customers = [f"W-{n}" for n in range(1, tills + 1)]
        rows = "".join(f"{number},Customer {number},,,,\n" for number in self.customers)
        self._loaded("customers", f"number,name,email,phone,address,note\n{rows}")
        for number in self.customers:
            self.office.credit.set_limit(number, LIMIT_MINOR, "EUR", by="test", reason="Trusted")
        kept: list[bytes] = []
        self.office.cards.make(tills, "EUR", kept.append, with_pins=False, by="test")
        self.cards = [line.split(",")[0] for line in kept[0].decode().splitlines()[1:]]
        self.set("loyalty.in-use", True)
        self.set("loyalty.points-per-unit", 1_000)

    def close(self) -> None:
        self._undo.close()
        self.place.end()

    def _loaded(self, kind: str, text: str) -> None:
        report = self.office.catalogue.load(kind, text.encode(), by="test")
        assert getattr(report, "taken", False), report

    def set(self, name: str, value: bool | int) -> int:
        """A parameter for the chain; its version."""
        made = self.office.parameters.make(
            Draft(name=name, scope=Scope("chain"), value=value), by="test", reason="Test"
        )
        version = getattr(made, "version", None)
        assert isinstance(version, int), made
        return version

    def new_register(self) -> tuple[str, str]:
        """Series and enrolment code."""
        with self._lock:
            self._enrolled += 1
            series = f"R{self._enrolled:03}"
        code = self.office.enrolment.issue_code(STORE.store, series)
        assert isinstance(code, str), code
        return series, spell_code(CodeText(code, None))

    # ---- its books

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as conn:
            return conn.execute(statement.encode(), values).fetchall()

    def taken(self, kind: Kind, account: str) -> list[tuple[int, int, str]]:
        """Movements that took from an account: booked, difference, remark."""
        return self._query(
            "select booked, difference, remark from value_movement where kind = %s and account = %s "
            "and act in ('redeem', 'charge') order by number",
            kind.value,
            account,
        )

    def held(self, kind: Kind, account: str) -> list[str]:
        rows = self._query(
            "select key from value_hold where kind = %s and account = %s and ended = ''", kind.value, account
        )
        return [row[0] for row in rows]

    def account_of(self, kind: Kind, number: str) -> str:
        """By the last digits: there are few here."""
        rows = self._query(
            "select account from value_account where kind = %s and number_end = %s "
            "order by opened_at_ms desc",
            kind.value,
            number_end(number),
        )
        return rows[0][0]

    def release(self, key: str) -> None:
        """By an admin, as the owner was replaced (GC9)."""
        holdfast("hq", "locks", "release", key, "--home", self.home, "--reason", "replaced", "--yes")

    def unbalanced(self) -> str:
        """What the proof of the ledger says; empty: it holds."""
        try:
            holdfast("hq", "central", "check", "--home", self.home)
        except AssertionError as error:
            return str(error)
        return ""


class Till:
    """One register's process behind its line, and the cashier at it."""

    def __init__(self, shop: Shop, number: int) -> None:
        self.shop = shop
        self.number = number
        self.customer = shop.customers[number]
        self.card = shop.cards[number]
        self.memo = ""
        self.memo_left = 0
        self.begin_anew()
        self._prepare()

    def begin_anew(self) -> None:
        """A register that was never here before."""
        series, code = self.shop.new_register()
        self.line = LineProxy(self.shop.port)
        port = free_port()
        home = enrol(
            self.shop.folder / series.lower(), f"http://127.0.0.1:{self.line.port}", code, post,
            listen_port=port,
        )  # fmt: skip
        self.home = RegisterHome(home.path)
        self.place = Place(
            series, "register", home.path, f"http://127.0.0.1:{port}", self.shop.folder / f"{series}.log"
        )
        self.client = httpx.Client(
            base_url=self.place.url, timeout=30, follow_redirects=True, trust_env=False,
            headers={"hx-request": "true", "hx-target": "work"},
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        self.place.start()
        self.place.wait_ready()
        wait_supplied(self.home)
        self.sign_in()

    def sign_in(self) -> None:
        self.client.post("/sign-in", data={"staff": MANAGER[0], "pin": MANAGER[1]})
        page = self._page()
        if "/start/continue" in page:
            page = self.client.post("/start/continue").text
        if 'id="date"' in page:
            found = re.search(r'id="date"[^>]*value="([0-9-]+)"', page)
            self.post("/day/open", date=found[1] if found else "", float="0")

    def gone(self) -> None:
        """Its machine does not come back."""
        self.place.kill()
        self.client.close()
        self.line.close()

    def close(self) -> None:
        self.place.end()
        self.client.close()
        self.line.close()

    # ---- the line

    def cut(self) -> None:
        self.line.mode = Mode.CUT
        self.wait_mode("offline")

    def heal(self) -> None:
        self.line.mode = Mode.OPEN
        self.wait_mode("online")

    def wait_mode(self, mode: str) -> None:
        """By the sync process's word, and by the page that looked at it."""
        eventually(lambda: f"status__mode--{mode}" in self._page(), f"the till is {mode}")

    def wait_parameters(self, version: int) -> None:
        key = DatabaseKey.load(self.home.database_key)
        with contextlib.closing(open_reference(self.home, key)) as reference:

            def has() -> bool:
                feed = read_status(reference).feeds.get("parameters")
                return feed is not None and feed.n >= version

            eventually(has, "the parameters arrive")

    def wait_sent(self) -> None:
        eventually(lambda: "Nothing owed" in self._page(), "all is sent")

    def _page(self) -> str:
        return self.client.get("/", headers={"hx-request": "false"}).text

    # ---- the page

    def post(self, path: str, **fields: str) -> str:
        answer = self.client.post(path, data=fields)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def _prepare(self) -> None:
        """Value on every account, by entries of its own."""
        self.post("/gift-cards/sell", number=self.card, amount=str(CARD_EUROS))
        self.post("/pay", amount="exact")
        self.post("/scan", text=MILK)
        self.choose()
        self.post("/pay", amount="exact")
        self.wait_sent()

    def choose(self) -> None:
        def chosen() -> bool:
            self.post(f"/customers/{self.customer}/choose")
            basket = self.basket()
            return basket is not None and basket.customer == self.customer

        eventually(chosen, "the customer is known here")

    def give_memo(self) -> None:
        """Goods come back for a memo that pays some of the next sales."""
        for _ in range(MEMO_PIECES):
            self.post("/scan", text=MILK)
        sold = _SOLD.search(self.post("/pay", amount="exact"))
        assert sold is not None
        document = sold[0]
        lines = {f"quantity-{n}": "1" for n in range(1, MEMO_PIECES + 1)}
        self.post("/returns", document=document, line=[str(n) for n in range(1, MEMO_PIECES + 1)], **lines)  # type: ignore[arg-type]
        found = _MEMO.search(re.sub(r"<[^>]+>", " ", self.post("/pay/memo")))
        assert found is not None, "the memo's number is on the receipt"
        self.memo, self.memo_left = found[0].replace(" ", ""), MEMO_PIECES
        self.wait_sent()

    def ask(self, kind: Kind) -> str:
        """What a cashier does to pay by it."""
        match kind:
            case Kind.POINTS:
                return self.post("/pay/points")
            case Kind.ON_ACCOUNT:
                return self.post("/pay/account")
            case Kind.GIFT_CARD | Kind.CREDIT_MEMO:
                number = self.card if kind is Kind.GIFT_CARD else self.memo
                return self.post("/pay/held", kind=kind.value, number=number)

    def look_up_a_balance(self) -> None:
        assert "€" in self.post("/gift-cards/balance", number=self.card), "head office answers"

    def account(self, kind: Kind) -> str:
        if kind in (Kind.POINTS, Kind.ON_ACCOUNT):
            return self.customer
        return self.shop.account_of(kind, self.card if kind is Kind.GIFT_CARD else self.memo)

    # ---- its disk

    @contextlib.contextmanager
    def _disk(self) -> Iterator[Any]:
        origin = load_config(self.home.config, RegisterConfig).origin
        with contextlib.closing(
            read_till(self.home, DatabaseKey.load(self.home.database_key), origin)
        ) as connection:
            yield connection

    def basket(self) -> Basket | None:
        with self._disk() as connection:
            return writing.read_basket(connection.cursor())

    def suspended(self) -> int:
        with self._disk() as connection:
            return count_suspended(connection)

    def holds(self) -> list[Hold]:
        basket = self.basket()
        return [] if basket is None else [Hold(hold.key, hold.stage.value) for hold in basket.holds]

    def suspended_transaction(self) -> str:
        """The only one that was laid aside."""
        with self._disk() as connection:
            [(transaction,)] = connection.execute("select transaction_id from suspended").fetchall()
        return transaction
