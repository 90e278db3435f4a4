"""Doing one act at a till: planned on paper, done over HTTP, and compared (`cashier.py` says which acts)."""

import html
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from httpx import Response

from holdfast.core.central.at_till import Stage
from holdfast.core.pricing import price
from holdfast.register.till.customers import revisions
from holdfast.register.web.sessions import COOKIE
from tests.sessions.pencil import Pencil
from tests.sessions.people import NEXT
from tests.sessions.shop import PRODUCTS, Shop
from tests.staffed_till import PIN

HEADERS = {"hx-request": "true", "hx-target": "work"}
ROLES = ("trainee", "cashier", "cashier", "cashier", "supervisor", "manager", "manager", "admin")
HOUR_MS = 3_600_000
WAYS = {"drop": -1, "bank": -1, "float": 1, "expense": -1, "income": 1}
BARCODE = "4006381333931"
WRONG = ("", "abc", "-1", "0", "99999999999999999", "1e3", "１２", "<b>", "3*", "0,0001", "%", "101%")
MACHINE = {
    "": 100, "kill": 2, "restart": 1, "line": 8, "clock": 8, "tidy": 3, "jump": 1, "contact": 3, "office": 3,
}  # fmt: skip
"""What happens to it between two acts, and how often."""
DATES = ("2025-10-10", "2025-10-12", "2031-01-01", "never")
DISCOUNTS = (("%", 333), ("%", 900), ("%", 2_500), ("%", 10_000), ("=", 7), ("=", 150))
Plan = Callable[[Pencil], None]


def nothing(paper: Pencil) -> None:
    """For what only looks."""
    del paper


def plain(minor: int) -> str:
    return f"{minor / 100:.2f}" if abs(minor) < 10**12 else f"{minor // 100}.{minor % 100:02}"


class Acting:
    """Drives one shop; `told` is the session as it went."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        self.shop, self.chance = shop, chance
        self.pencil = Pencil(shop.currency)
        self.who = ""
        self.takes_cards = False
        """Whether there is a terminal beside the till."""
        self.told: list[str] = []
        self.done: Counter[str] = Counter()
        self._between: list[Pencil] = []

    # ---- one act -----------------------------------------------------------------------------

    def _forgotten(self) -> None:
        """What lay in the program's memory alone."""
        self.who, self.pencil.returning, self.pencil.against = "", False, ""
        self.pencil.loyalty_off = False

    def _until_power_goes(self, act: Callable[[], None]) -> None:
        before = self.pencil.copy()
        start, beside = self.shop.before_power_cut()
        self._between = []
        act()
        when = self.shop.power_cut(start, beside)
        self._never_left()
        self.told.append(f"[power cut, {when}]")
        for state in (self.pencil, *self._between, before):
            self.pencil = state
            self._forgotten()
            self._learn_customer(state)
            if self.seen() == state.view():
                break
        opened = self.shop.checkout.basket()
        if self.pencil.basket and opened:
            self.pencil.basket.transaction = opened.transaction
        self.compare("after a power cut, neither as before nor done")

    def _never_left(self) -> None:
        """What was asked of head office after the moment the power went was not asked."""

    def may_stop_at(self, plan: Plan) -> None:
        """An act of two transactions: where the power goes between them, this is what was done."""
        state = self.pencil.copy()
        plan(state)
        self._between.append(state)

    def act(self, act: str, path: str, plan: Plan = nothing, /, how: str = "post", **fields: Any) -> Response:
        """Plan it, do it, compare."""
        self.pencil.now_ms = self.shop.clock.now_ms()
        planned = self.pencil.copy()
        plan(planned)
        answer = self._approved(path, how, fields)
        if self._is_refused(answer):
            self.compare(f"{act} was refused: {self._said(answer)}")
            return answer
        self.done[act] += 1
        self._learn(planned)
        self.pencil = planned
        self.compare(f"{act} was done")
        return answer

    def _learn(self, planned: Pencil) -> None:
        """Names that the till alone gives: of a new document, of a new transaction."""
        checkout = self.shop.checkout
        if planned.papers and next(reversed(planned.papers)).startswith("next "):
            number = checkout.documents(1)[0].document
            assert int(number[-6:]) == planned.numbered, f"{number} is not the next number"
            planned.name(number)
        opened = checkout.basket()
        if planned.basket is not None and opened is not None:
            planned.basket.transaction = opened.transaction
        self._learn_customer(planned)

    def _learn_customer(self, planned: Pencil) -> None:
        """The number of whoever was made; none is given twice, none left out."""
        people = planned.people
        if NEXT not in people.till:
            return
        with self.shop.checkout._till.reading() as connection:
            made = {str(number) for number in revisions(connection)} - {*people.till}
        assert len(made) <= 1, f"one was made, not {made}"
        for number in made:
            head = self.shop.checkout.head()
            own = f"{self.shop.origin.upper()}-C-{head.epoch[:5].upper()}-"
            before = sum(known.startswith(own) for known in people.till)
            assert number == f"{own}{before + 1:06}", f"{number} is not the next number"
            people.name(number)
            if planned.basket and planned.basket.customer == NEXT:
                planned.basket.customer = number

    def known(self) -> dict[str, object]:
        """Customers, as `People.view`."""
        raise NotImplementedError

    def _ask(self, path: str, method: str, fields: dict[str, Any]) -> Response:
        browser = self.shop.browser
        if method == "get":
            answer = browser.get(path, params=fields, headers=HEADERS, follow_redirects=False)
        else:
            answer = browser.post(path, data=fields, headers=HEADERS, follow_redirects=False)
        assert answer.status_code < 500, f"{path} with {fields}: {answer.status_code} {answer.text[:200]}"
        return answer

    def _looks(self, path: str) -> None:
        """At the question first, now and then: it changes nothing."""
        if self.chance.random() < 0.3:
            self._ask(path, "get", {})

    def _approved(self, path: str, method: str, fields: dict[str, Any]) -> Response:
        """With the PIN of somebody who may, most times; now and then of one who may not, or a wrong one."""
        answer = self._ask(path, method, fields)
        for _ in range(2):
            if 'name="manager_pin"' not in answer.text or self.chance.random() < 0.15:
                break
            who = self.chance.choice(["manager", "manager", "admin", "supervisor", "cashier", "nobody"])
            pin = PIN if self.chance.random() < 0.9 else "9999"
            answer = self._ask(path, method, {**fields, "manager": who, "manager_pin": pin})
        return answer

    def _is_refused(self, answer: Response) -> bool:
        if answer.status_code >= 400 or 'name="manager_pin"' in answer.text:
            return True
        if answer.headers.get("hx-redirect") == "/" and not self._is_signed_in():
            self.who = ""
            return True
        bad = '<p class="notice notice--bad" role="alert">'
        return bad in answer.text

    def _is_signed_in(self) -> bool:

        return self.shop.services.sessions.find(self.shop.browser.cookies.get(COOKIE)) is not None

    def _said(self, answer: Response) -> str:
        text = html.unescape(answer.text)
        begun = text.find('class="notice notice--bad"')
        return f"{answer.status_code} {text[begun : begun + 200] if begun >= 0 else text[:80]!r}"

    # ---- what there is to see ----------------------------------------------------------------

    def seen(self) -> tuple[object, ...]:
        """As `Pencil.view`."""
        checkout = self.shop.checkout
        basket, day = checkout.basket(), checkout.day()
        date, drill = day.business_date or "", checkout.drill()
        stock = {sku: checkout.stock_milli(sku) for sku in PRODUCTS}
        return (
            _view(basket) if basket and not _is_nothing(basket) else None,
            {kept.basket.transaction: _view(kept.basket) for kept in checkout.suspended()},
            (day.open, date, bool(day.shift)),
            {code: minor for code, minor in checkout.drawer().items() if minor},
            len(checkout.documents(1_000)),
            self._voids() if day.open else 0,
            {sku: milli for sku, milli in stock.items() if milli},
            len(checkout.z_reports(1_000)),
            checkout.work_mode().work,
            self.known(),
            drill.by if drill else "",
            [ended.cause for _, ended in self.shop.ended_drills()],
            self.shop.services.loyalty.is_off,
        )

    def _voids(self) -> int:
        report = self.shop.checkout.x_report()
        return report.figures.totals.voids  # type: ignore[union-attr]

    def compare(self, when: str) -> None:
        found, should = self.seen(), self.pencil.view()
        assert found == should, f"{when}: the till has\n{found}\nand paper says\n{should}"


def _view(basket: Any) -> tuple[object, ...]:
    lines = tuple((line.line, line.sku, line.quantity_milli, line.unit_price_e4) for line in basket.lines)
    given = sum(tender.amount_minor for tender in basket.tenders)
    holds = sorted(
        (hold.kind.value, hold.number or hold.account, hold.act.value, hold.stage is Stage.HELD)
        for hold in basket.holds
    )
    return (basket.kind, lines, price(basket).total_minor, given, basket.customer or "", tuple(holds))


def _is_nothing(basket: Any) -> bool:
    return not (basket.lines or basket.voided_lines or basket.holds or basket.customer)
