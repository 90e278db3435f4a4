"""Every state of a sale, and the power cut at every write of the act that leads to it; then the program
killed in it. On return the basket is as it was or as the act left it, or the sale is complete once: never
half (P3).

The acts come over HTTP, as a browser sends them. `tests/browser/test_sale_states.py` has the browser's part.
"""

import html
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from httpx import Response

from holdfast.core.faults import Fault
from holdfast.core.ids import CustomerNumber, DocumentNumber
from holdfast.infra.config import RegisterHome
from holdfast.register.checkout import Checkout, checkout
from holdfast.register.till import writing
from holdfast.register.verify import verify_register
from tests.crash.crashvfs import CrashImage, crash_images
from tests.crash.test_checkout_crash_images import folder, lay_down
from tests.register_fixture import DATE, clone, open_checkout
from tests.sessions.acting import BARCODE, HEADERS
from tests.sessions.shop import PRODUCTS, Shop, opened_shop, rate
from tests.staffed_till import PIN

FIXTURES = (folder,)
MANAGER = {"manager": "manager", "manager_pin": PIN}


def post(path: str, **fields: str) -> Callable[[Shop], Response]:
    return lambda shop: shop.browser.post(path, data=fields, headers=HEADERS, follow_redirects=False)


def get(path: str) -> Callable[[Shop], Response]:
    return lambda shop: shop.browser.get(path, headers=HEADERS)


def recall(shop: Shop) -> Response:
    (kept,) = shop.checkout.suspended()
    return post(f"/suspended/{kept.basket.transaction}/recall")(shop)


def last(shop: Shop) -> DocumentNumber:
    return shop.checkout.documents(1)[0].document


class State(NamedTuple):
    """How it is reached, and what the page says to whoever comes back to it."""

    name: str
    act: Callable[[Shop], Response]
    page: tuple[str, ...]
    """Texts that it shows."""
    writes: bool = True
    status: int = 200
    first: int | None = None
    """Where it takes two transactions: what of the view the first one changes by itself."""


CUSTOMERS, DRILL = 9, 10
"""Their places in `view`."""
NOTHING = ("Scan the first product",)
BASKET = ("Mug, blue", "Apples")
STATES = (
    State(
        "empty",
        post("/day/open", date=DATE, float="100", **MANAGER),
        NOTHING,
        status=303,
    ),
    State("a line scanned", post("/scan", text=BARCODE), ("Mug, blue", "4.99")),
    State("more lines", post("/add", sku="APPLE", quantity="0.75"), (*BASKET, "7.23")),
    State("a line changed", post("/line/1/quantity", quantity="3"), (*BASKET, "17.21")),
    State("a dialog open", get("/ask/1/price"), (*BASKET, "17.21"), writes=False),
    State("an approval asked", post("/line/1/discount", discount="40%"), (*BASKET, "17.21"), writes=False),
    State("an approval given", post("/line/1/discount", discount="40%", **MANAGER), (*BASKET, "11.22")),
    State(
        "a customer made",
        post("/customers", name="Ada Quartz", email="ada@mail.example"),
        (*BASKET, "Ada Quartz"),
        first=CUSTOMERS,
    ),
    State("no customer chosen", post("/customers/none"), (*BASKET, "11.22")),
    State("a customer chosen", lambda shop: post(f"/customers/{made(shop)}/choose")(shop), ("Ada Quartz",)),
    State(
        "the customer changed",
        lambda shop: post(f"/customers/{made(shop)}", name="Ada Feldspar")(shop),
        ("Ada Feldspar",),
    ),
    State("a line voided", post("/line/2/void"), ("Mug, blue", "8.98")),
    State("a note on a line", post("/line/1/note", note="gift wrapped"), ("Mug, blue", "8.98")),
    State("suspended", post("/suspend", note="blue coat"), ("Recall (1)",)),
    State("the next customer", post("/add", sku="BOLT", quantity="5"), ("Bolt",)),
    State("concluded, its answer lost", post("/pay", amount="exact"), ("Recall (1)",)),
    State("recalled", recall, ("Mug, blue", "8.98")),
    State("about to pay", get("/pay"), ("Mug, blue", "8.98"), writes=False),
    State(
        "a card took a part", post("/pay/card", amount="3", reference="4711"), ("Mug, blue", "4711", "5.98")
    ),
    State("the card's part handed back", post("/pay/back"), ("Mug, blue", "8.98")),
    State("paid in part", post("/pay", amount="1"), ("Mug, blue", "7.98")),
    State(
        "foreign cash taken",
        post("/pay", amount="2", currency="USD", rate=str(rate("EUR").rate_e8)),
        ("Mug, blue", "6.15"),
    ),
    State("handed back", post("/pay/back"), ("Mug, blue", "8.98")),
    State("paid in dollars again", post("/pay", amount="5", currency="USD", rate="91537000"), ("4.40",)),
    State("paid with change", post("/pay", amount="20"), NOTHING),
    State(
        "its receipt printed again",
        lambda shop: post(f"/receipts/{last(shop)}/print")(shop),
        NOTHING,
    ),
    State(
        "a line scanned in a drill",
        lambda shop: practised(shop, post("/scan", text=BARCODE)),
        ("Mug, blue", "4.99"),
        first=DRILL,
    ),
    State(
        "concluded in a drill",
        lambda shop: practised(shop, post("/pay", amount="exact")),
        NOTHING,
        first=DRILL,
    ),
    State("a basket to void", post("/add", sku="MUG", quantity=""), ("Mug, blue", "4.99")),
    State("voided", post("/void", reason="left"), NOTHING),
    State(
        "a return begun",
        lambda shop: post("/returns", document=last(shop), line="1", **{"quantity-1": "1"})(shop),
        ("Mug, blue", "2.99"),
    ),
    State("the return paid out", post("/pay", amount="exact"), NOTHING),
    State("a return without a receipt", lambda shop: _without(shop), ("Bolt", "0.36")),
    State("that paid out", post("/pay", amount="exact"), NOTHING),
    State("cash dropped", post("/cash/move/drop", amount="50"), NOTHING),
    State("a count entered", post("/cash/count", **{"total-EUR": "50", "total-USD": "5"}), (), writes=False),
    State("counted", post("/cash/shift/close", **{"total-EUR": "50", "total-USD": "5"}), ("shift",)),
    State("about to close the day", get("/dialog/close-day"), ("shift",), writes=False),
    State("the day closed", post("/day/close"), ("Open the day",), status=201),
)


def _without(shop: Shop) -> Response:
    post("/returns/without", reason="broken")(shop)
    return post("/add", sku="BOLT", quantity="1")(shop)


def made(shop: Shop) -> CustomerNumber:
    (customer,) = shop.checkout.customers_here((), 2)
    return customer.number


def practised(shop: Shop, act: Callable[[Shop], Response]) -> Response:
    """In a drill, which the state begins with: whoever comes back finds none, and that it was one."""
    begun = post("/drill", reason="practice", minutes="15", **MANAGER)(shop)
    assert shop.checkout.drill(), begun.text
    return act(shop)


def view(checkout: Checkout) -> tuple[Any, ...]:
    """Everything that a person could see; an empty basket is none."""
    basket = checkout.basket()
    rows = checkout.documents(1_000)
    numbers = [int(row.document[-6:]) for row in reversed(rows)]
    assert numbers == list(range(1, len(rows) + 1)), "gapless"
    return (
        basket if basket and (basket.lines or basket.voided_lines) else None,
        checkout.suspended(),
        checkout.day(),
        checkout.shift(),
        checkout.drawer(),
        [row.report for row in checkout.z_reports()],
        {sku: checkout.stock_milli(sku) for sku in PRODUCTS},
        checkout.totals(DATE),
        [(row.document, row.total_minor, customer_of(checkout, row.document)) for row in rows],
        checkout.customers_here((), 10),
        checkout.drill(),
    )


def one_changed(before: tuple[Any, ...], after: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return (*before[:place], after[place], *before[place + 1 :])


def customer_of(checkout: Checkout, number: DocumentNumber) -> CustomerNumber | None:
    sale = checkout.document(number)
    return None if sale is None else sale.customer


class Recorded(NamedTuple):
    """What was on the disk before an act, and every image that a cut within it can leave."""

    images: list[CrashImage]
    marks: tuple[bytes, bytes]
    counters: bytes | None


def acted(shop: Shop, state: State, seed: int) -> Recorded:
    """Do it, and keep what a power cut could have left at each of its writes."""
    start, beside = shop.before_power_cut()
    answer = state.act(shop)
    assert answer.status_code == state.status, (state.name, answer.status_code, answer.text[:300])
    log = shop.written()
    assert bool(log) == state.writes, f"{state.name}: it wrote {len(log)} times"
    different: dict[int, CrashImage] = {}
    for image in (start, *crash_images(log, seed, start)):
        different.setdefault(hash(tuple(sorted(image.files.items()))), image)
    assert len(different) > 2 or not state.writes, f"{state.name}: too few images to tell anything"
    mark = beside[shop.home.mark]
    assert mark is not None, "a register has its mark"
    return Recorded([*different.values()], (mark, shop.home.mark.read_bytes()), beside[shop.home.counters])


def half(home: RegisterHome, recorded: Recorded, allowed: Sequence[Any]) -> str:
    """What a till that wakes up with one of the images has that is neither; or nothing."""
    home.counters.unlink(missing_ok=True)
    if recorded.counters is not None:
        home.counters.write_bytes(recorded.counters)
    for number, image in enumerate(recorded.images):
        lay_down(home, image, recorded.marks[0])
        try:
            woken = open_checkout(home, seed=1_000)
        except Fault as fault:
            return f"point {image.point}, {image.fate}: does not open: {fault}"
        found = view(woken)
        woken.close()
        if found not in allowed:
            return f"point {image.point}, {image.fate}: neither before nor after: {found}"
        if number == len(recorded.images) - 1:
            differences = verify_register(home).differences
            if differences:
                return f"point {image.point}, {image.fate}: {differences[0]}"
    return ""


@contextmanager
def till(folder: Path) -> Iterator[tuple[Shop, RegisterHome]]:
    """A till with a cashier, and a second home to wake up in."""
    with opened_shop(folder / "register", "r01", "EUR", random.Random(3)) as shop:
        sign_in(shop)
        yield shop, clone(shop.home, folder / "woken")


def sign_in(shop: Shop) -> str:
    """What the page says to a cashier who comes back: its text."""
    shop.browser.post("/sign-in", data={"staff": "cashier", "pin": PIN}, headers=HEADERS)
    shop.browser.post("/start/continue", data={"told": "x"}, headers=HEADERS)
    page = html.unescape(shop.browser.get("/").text)
    return " ".join(re.sub(r"<(script|style|template).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def causes(folder: Path, states: tuple[State, ...] = STATES, seed: int = 1) -> list[str]:
    """What is wrong, up to the first state in which something is."""
    with till(folder) as (shop, woken):
        for state in states:
            before = view(shop.checkout)
            recorded = acted(shop, state, seed)
            after = view(shop.checkout)
            if state.writes and before == after and state.name != "its receipt printed again":
                return [f"{state.name}: nothing was done"]
            between = [] if state.first is None else [one_changed(before, after, state.first)]
            if cause := half(woken, recorded, (before, *between, after)):
                return [f"{state.name}: {cause}"]
            drills = len(shop.ended_drills()) + (shop.checkout.drill() is not None)
            shop.kill()
            if len(shop.ended_drills()) != drills:
                return [f"{state.name}: killed, its drill is not over"]
            if view(shop.checkout) != (*after[:-1], None):
                return [f"{state.name}: killed, the till is not as it was"]
            page = sign_in(shop)
            if missing := [text for text in state.page if text not in page]:
                return [f"{state.name}: the page does not say {missing} but {page}"]
    return []


def test_in_every_state_of_a_sale_it_is_there_or_complete_never_half(folder: Path) -> None:
    assert not causes(folder)


def test_a_sale_whose_answer_was_lost_is_not_sold_again(folder: Path) -> None:
    """The browser died, or the program: whoever comes back presses *Pay* once more."""
    with till(folder) as (shop, _):
        for state in STATES[:2]:
            state.act(shop)
        post("/pay", amount="exact")(shop)
        sold = view(shop.checkout)
        post("/pay", amount="exact")(shop)
        assert view(shop.checkout) == sold
        shop.kill()
        sign_in(shop)
        post("/pay", amount="exact")(shop)
        assert view(shop.checkout) == sold
        assert last(shop) in get("/receipts")(shop).text


def test_a_sale_stored_in_two_steps_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the basket goes in a transaction of its own, after the sale's."""
    conclude = Checkout._conclude

    def in_two(self: Checkout, *arguments: Any) -> Any:
        kept = writing.write_basket
        with monkeypatch.context() as patch:
            patch.setattr(writing, "write_basket", lambda *_: None)
            done = conclude(self, *arguments)
        self._later = (kept, done)  # type: ignore[attr-defined]
        return done

    def take(self: Checkout, tender: Any, **more: Any) -> Any:
        taken = taking(self, tender, **more)
        kept, done = self._later  # type: ignore[attr-defined]
        if isinstance(done, checkout.Sale):
            self._till.transact(lambda: kept(self._till.cursor, None), finishing=True)
        return taken

    taking = Checkout.take
    monkeypatch.setattr(Checkout, "_conclude", in_two)
    monkeypatch.setattr(Checkout, "take", take)
    sold = (STATES[0], STATES[1], State("sold", post("/pay", amount="exact"), ()))
    (cause,) = causes(folder, sold)
    assert "neither before nor after" in cause
