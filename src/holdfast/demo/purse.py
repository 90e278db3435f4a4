"""What a visitor of the demo finds in the purse: gift cards, a credit memo, a customer's points, and stock.

Nothing of it is made by hand in a database. Head office prepares the cards and sets the limit; the rest is
bought, brought back and counted at a till's page, by a person who signs in there.
"""

import re
import time
from pathlib import Path

import httpx
import msgspec

from holdfast.core.connection import Mode
from holdfast.core.faults import UnavailableFault
from holdfast.infra.config import RegisterHome
from holdfast.register.standing import read_standing

FILE = "purse.json"
POINTS_CUSTOMER, ACCOUNT_CUSTOMER = "C-1001", "C-1002"
MANAGER = ("9", "9999")
FIRST_CARD, SECOND_CARD, PIN_CARD = "50.00", "25.00", "30.00"
COUNTED = ("24*MILK1", "40*CRISP", "12*COFF2")
READY_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 30.0
_MEMO = re.compile(r"(?:\d{3} ){5}\d{3}")
_RECEIPT = re.compile(r"[A-Z0-9]+-[0-9A-HJKMNP-TV-Z]{5}-[0-9]{6,}")
_DATE = re.compile(r'id="date"[^>]*value="([0-9-]+)"')


class Card(msgspec.Struct, frozen=True):
    """A number as it is printed on the card."""

    number: str
    pin: str = ""


class Purse(msgspec.Struct, frozen=True):
    """Numbers in full, for the page of the demo: a chain that is none would never keep them."""

    cards: tuple[Card, ...]
    """Two with value on them, then the ones that nobody has sold yet."""
    pin_card: Card
    memo: str = ""


def fill(purse: Purse, home: RegisterHome, url: str) -> Purse:
    """Sell value, bring goods back and count stock at a till; the purse with the memo that came of it."""
    _wait_online(home)
    with httpx.Client(base_url=url, timeout=CALL_TIMEOUT_S, follow_redirects=True, trust_env=False) as client:
        till = _Till(client)
        till.begin()
        till.count(COUNTED)
        till.sell_cards(purse)
        till.sell_points()
        memo = till.bring_back_to_memo()
        till.act("/sign-out")
    return msgspec.structs.replace(purse, memo=memo)


def keep(purse: Purse, folder: Path) -> None:
    """Beside the chain, for the next run with it."""
    (folder / FILE).write_bytes(msgspec.json.encode(purse))


def kept(folder: Path) -> Purse | None:
    """None: this chain was founded without one."""
    file = folder / FILE
    return msgspec.json.decode(file.read_bytes(), type=Purse) if file.exists() else None


class _Till:
    """Someone at a till's page, one act after the other."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def begin(self) -> None:
        staff, pin = MANAGER
        page = self.act("/sign-in", staff=staff, pin=pin)
        if found := _DATE.search(page):
            self.act("/day/open", date=found[1], float="100")

    def count(self, codes: tuple[str, ...]) -> None:
        for code in codes:
            self.act("/stock/count/add", text=code)
        self.act("/stock/count")

    def sell_cards(self, purse: Purse) -> None:
        first, second, *_ = purse.cards
        for card, amount in ((first, FIRST_CARD), (second, SECOND_CARD), (purse.pin_card, PIN_CARD)):
            self.act("/gift-cards/sell", number=card.number, pin=card.pin, amount=amount)
        self._pay()

    def sell_points(self) -> None:
        self.act(f"/customers/{POINTS_CUSTOMER}/choose")
        self.act("/scan", text="10*COFF2")
        self._pay()

    def bring_back_to_memo(self) -> str:
        self.act("/scan", text="5*CHEDD")
        document = self._pay()
        self.act("/returns", document=document, line="1", **{"quantity-1": "5"})
        return _found(_MEMO, self.act("/pay/memo"), "a credit memo").replace(" ", "")

    def act(self, path: str, **form: str) -> str:
        """The page that answers. UnavailableFault where it is none."""
        answer = self._client.post(path, data=form)
        if not answer.is_success:
            raise UnavailableFault(f"The till answered {path} with {answer.status_code}: {answer.text[:300]}")
        return answer.text

    def _pay(self) -> str:
        return _found(_RECEIPT, self.act("/pay", amount="exact"), "a receipt")


def _found(pattern: re.Pattern[str], page: str, what: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise UnavailableFault(f"The till did not give {what}: {page[:2_000]}")
    return found[0]


def _wait_online(home: RegisterHome) -> None:
    """Cards are asked for in real time."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while read_standing(home).mode != Mode.ONLINE.value:
        if time.monotonic() > deadline:
            raise UnavailableFault(f"{home.path} did not reach head office within {READY_TIMEOUT_S:.0f} s.")
        time.sleep(0.03)
