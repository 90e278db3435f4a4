"""A cashier who does anything, in any order: one method an operation of the table (SW8).

Each act is first planned on paper, then done over HTTP. Afterwards the till is as planned, or, where it
refused, as it was before; and what its answer says is what happened.
"""

import html
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from httpx import Response

from holdfast.core.connection import Mode
from holdfast.core.ids import Sku
from holdfast.core.pricing import price
from holdfast.register.web.sessions import COOKIE
from tests.sessions.audit import totals_of
from tests.sessions.pencil import Basket, Line, Paper, Pencil, half_up
from tests.sessions.shop import PRICES_E4, PRODUCTS, Shop, foreign_code, rate
from tests.staffed_till import PIN

HEADERS = {"hx-request": "true", "hx-target": "work"}
ROLES = ("trainee", "cashier", "cashier", "cashier", "supervisor", "manager", "manager", "admin")
HOUR_MS = 3_600_000
WAYS = {"drop": -1, "bank": -1, "float": 1, "expense": -1, "income": 1}
BARCODE = "4006381333931"
WRONG = ("", "abc", "-1", "0", "99999999999999999", "1e3", "１２", "<b>", "3*", "0,0001", "%", "101%")
MACHINE = {"": 100, "kill": 2, "restart": 1, "line": 8, "clock": 8, "tidy": 3, "jump": 1}
"""What happens to it between two acts, and how often."""
DATES = ("2025-10-10", "2025-10-12", "2031-01-01", "never")
DISCOUNTS = (("%", 333), ("%", 900), ("%", 2_500), ("%", 10_000), ("=", 7), ("=", 150))
Plan = Callable[[Pencil], None]


def nothing(paper: Pencil) -> None:
    """For what only looks."""
    del paper


def plain(minor: int) -> str:
    return f"{minor / 100:.2f}" if abs(minor) < 10**12 else f"{minor // 100}.{minor % 100:02}"


class Cashier:
    """Drives one shop; `told` is the session as it went."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        self.shop, self.chance = shop, chance
        self.pencil = Pencil(shop.currency)
        self.who = ""
        self.told: list[str] = []
        self.done: Counter[str] = Counter()
        self._codes: dict[str, int] = {}
        self.operations = {name: getattr(self, method) for name, method in OPERATIONS.items()}

    # ---- one act -----------------------------------------------------------------------------

    def step(self) -> None:
        """Something, rather than what a calm person would do."""
        name = self._chosen()
        self.told.append(name)
        if self.chance.random() < 0.06:
            self._until_power_goes(self.operations[name])
        else:
            self.operations[name]()
        self.machine()

    def _chosen(self) -> str:
        """What fits the moment, most times; else anything."""
        chance = self.chance
        names = list(self.operations)
        if chance.random() < 0.8:
            names = [name for name in names if self._fits(name)]
        return chance.choices(names, [WEIGHTS.get(name, 1) for name in names])[0]

    def _fits(self, name: str) -> bool:
        pencil = self.pencil
        if not self.who or not pencil.is_open:
            return name == ("day.open" if self.who else "staff.sign-in")
        basket = bool(pencil.basket and pencil.basket.lines)
        if name.startswith("line.") or name == "basket.discount":
            return basket
        if name in ("basket.void", "basket.suspend", "pay.cash", "pay.hand-back"):
            return basket
        if name == "shift.open":
            return not pencil.shift
        if name in ("return.receipt", "receipt.reprint", "receipt.email"):
            return bool(pencil.papers) and not basket
        if name in ("basket.recall", "basket.void-suspended"):
            return bool(pencil.suspended) and not basket
        if name in ("return.without", "return.code", "shift.close"):
            return not basket
        if name == "day.close":
            return not (basket or pencil.suspended or pencil.shift)
        return name != "staff.sign-in" and not name.startswith("day.")

    def machine(self) -> None:
        """What happens to a register between two acts."""
        chance, shop = self.chance, self.shop
        what = chance.choices(list(MACHINE), list(MACHINE.values()))[0]
        if not what:
            return
        self.told.append(f"[{what}]")
        if what in ("kill", "restart"):
            shop.kill() if what == "kill" else shop.restart()
            self._forgotten()
            self.compare("after the program was started again")
        elif what == "line":
            shop.work(chance.choice([Mode.ONLINE, Mode.OFFLINE, Mode.DEGRADED]))
        elif what == "clock":
            shop.clock.advance(chance.choice([1, 5_000, 20_000, 60_000, 60_000, 120_000, 2 * HOUR_MS]))
        elif what == "jump":
            shop.clock.jump_to(shop.clock.now_ms() + chance.choice([-3, -1, 1, 1, 2, 9]) * 24 * HOUR_MS)
        else:
            shop.checkout.tidy()

    def _forgotten(self) -> None:
        """What lay in the program's memory alone."""
        self.who, self.pencil.returning, self.pencil.against = "", False, ""

    def _until_power_goes(self, act: Callable[[], None]) -> None:
        before = self.pencil.copy()
        start, beside = self.shop.before_power_cut()
        act()
        when = self.shop.power_cut(start, beside)
        self.told.append(f"[power cut, {when}]")
        after, found = self.pencil, self.seen()
        self._forgotten()
        if found != after.view():
            self.pencil = before
            self._forgotten()
        self.compare("after a power cut, neither as before nor done")

    def act(
        self, name: str, path: str, plan: Plan = nothing, method: str = "post", **fields: Any
    ) -> Response:
        """Plan it, do it, compare."""
        planned = self.pencil.copy()
        plan(planned)
        answer = self._approved(path, method, fields)
        if self._is_refused(answer):
            self.compare(f"{name} was refused: {self._said(answer)}")
            return answer
        self.done[name] += 1
        self._learn(planned)
        self.pencil = planned
        self.compare(f"{name} was done")
        return answer

    def _learn(self, planned: Pencil) -> None:
        """Names that the till alone gives: of a new document, of a new transaction."""
        checkout = self.shop.checkout
        if planned.papers and next(reversed(planned.papers)).startswith("next "):
            number = checkout.documents(1)[0].document
            assert int(number[-6:]) == len(planned.papers), f"{number} is not the next number"
            planned.name(number)
        opened = checkout.basket()
        if planned.basket is not None and opened is not None:
            planned.basket.transaction = opened.transaction

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
        date = day.business_date or ""
        stock = {sku: checkout.stock_milli(sku) for sku in PRODUCTS}
        return (
            _view(basket) if basket and (basket.lines or basket.voided_lines) else None,
            {kept.basket.transaction: _view(kept.basket) for kept in checkout.suspended()},
            (day.open, date, bool(day.shift)),
            {code: minor for code, minor in checkout.drawer().items() if minor},
            len(checkout.documents(1_000)),
            self._voids() if day.open else 0,
            {sku: milli for sku, milli in stock.items() if milli},
            len(checkout.z_reports(1_000)),
            checkout.work_mode().work,
        )

    def _voids(self) -> int:
        report = self.shop.checkout.x_report()
        return report.figures.totals.voids  # type: ignore[union-attr]

    def compare(self, when: str) -> None:
        found, should = self.seen(), self.pencil.view()
        assert found == should, f"{when}: the till has\n{found}\nand paper says\n{should}"

    # ---- people ------------------------------------------------------------------------------

    def sign_in(self) -> None:
        role, pin = self.chance.choice(ROLES), PIN if self.chance.random() < 0.96 else "0000"
        answer = self.act("staff.sign-in", "/sign-in", staff=role, pin=pin)
        if answer.status_code == 303:
            self.who = role
            self._ask("/start/continue", "post", {"told": "x"})
        else:
            self.shop.clock.advance(300_000)

    def sign_out(self) -> None:
        self.act("staff.sign-out", "/sign-out")
        self.who = ""

    def lock(self) -> None:
        self.act("staff.lock", "/lock")
        self.who = ""

    def look(self, name: str, path: str) -> None:
        self.act(name, path, method="get")

    def see(self) -> None:
        self.look("till.see", "/")

    def see_operations(self) -> None:
        self.look("till.operations", "/operations")

    # ---- the day -----------------------------------------------------------------------------

    def open_day(self) -> None:
        desk, chance = self.shop.services.desk, self.chance
        offered = desk.offered_date()
        chosen = chance.choice(["", offered, offered, offered, *DATES])
        float_minor = chance.choice([0, 10_000, 10_005, 33_335])
        typed = chance.choice([plain(float_minor)] * 6 + ["", "much"])
        has_shifts = bool(self.shop.services.shelf.parameter("shifts", True))

        def plan(paper: Pencil) -> None:
            paper.is_open, paper.date, paper.shift = True, chosen or offered, has_shifts
            if has_shifts:
                paper.drawer[paper.home] = float_minor

        fields = {"date": chosen, "float": typed}
        if chance.random() < 0.5:
            fields |= {"sure": chosen}
        name = "day.open-doubtful" if chosen not in ("", offered) else "day.open"
        self.act(name, "/day/open", plan, **fields)

    def open_doubtful(self) -> None:
        """A date that nothing speaks for."""
        self.open_day()

    def close_day(self) -> None:
        self.act("day.close", "/day/close", Pencil.close)

    def open_shift(self) -> None:
        minor = self.chance.choice([0, 5_000, 12_345])

        def plan(paper: Pencil) -> None:
            paper.shift = True
            paper.drawer[paper.home] = minor

        self.act("shift.open", "/cash/shift", plan, float=self.chance.choice([plain(minor)] * 5 + ["", "x"]))

    def close_shift(self) -> None:
        chance = self.chance
        held = {code: minor for code, minor in self.pencil.drawer.items() if minor}
        home = self.pencil.home
        counted = {code: max(0, minor) for code, minor in held.items()}
        counted[home] = max(0, counted.get(home, 0) + chance.choice([0, 0, 5, -5, 100]))
        if chance.random() < 0.1:
            counted.popitem()
        fields = {f"total-{code}": plain(minor) for code, minor in counted.items()}
        self._looks("/cash/count")
        self._ask("/cash/count", "post", fields)

        def plan(paper: Pencil) -> None:
            paper.shift = False
            paper.basket = None
            for code, minor in counted.items():
                paper.drawer[code] = minor

        self.act("shift.close", "/cash/shift/close", plan, **fields)

    def move(self, kind: str) -> None:
        currency = self.chance.choice([self.pencil.home] * 4 + ["USD"])
        minor = self.chance.randint(1, 9_999)

        def plan(paper: Pencil) -> None:
            paper.drawer[currency] += WAYS[kind] * minor
            paper.moved[kind, currency] += WAYS[kind] * minor

        reason = self.chance.choice(["because", "because", ""])
        text = self.chance.choice([plain(minor)] * 5 + [self.chance.choice(WRONG)])
        if text != plain(minor):
            plan = nothing
        self.act(f"cash.{kind}", f"/cash/move/{kind}", plan, amount=text, currency=currency, reason=reason)

    def drop(self) -> None:
        self.move("drop")

    def bank(self) -> None:
        self.move("bank")

    def put_in(self) -> None:
        self.move("float")

    def expense(self) -> None:
        self.move("expense")

    def income(self) -> None:
        self.move("income")

    def no_sale(self) -> None:
        self.act("drawer.open", "/cash/no-sale", reason=self.chance.choice(["change", ""]))

    def see_cash(self) -> None:
        self.look("cash.see", "/cash/")

    def x(self) -> None:
        self.act("report.x", "/cash/x")
        report = self.shop.checkout.x_report()
        if self.pencil.is_open:
            assert totals_of(report.figures.totals) == self.pencil.day.totals()  # type: ignore[union-attr]

    def z(self) -> None:
        self.act("report.z", f"/cash/z/{self.chance.randint(1, 3)}")

    # ---- the basket --------------------------------------------------------------------------

    def see_basket(self) -> None:
        def plan(paper: Pencil) -> None:
            paper.returning, paper.against = False, ""

        self.act("basket.look", "/shelf", plan, method="get")

    def add(self) -> None:
        chance, choice = self.chance, self.chance.random()
        sku = chance.choice(list(PRODUCTS))
        unit = PRODUCTS[sku].unit
        milli = chance.randint(1, 4_000) if unit == "kg" else 1_000 * chance.randint(1, 5)
        if choice < 0.15:
            self.act("basket.add", "/scan", text=chance.choice([*WRONG, "blue", "4006381333932"]))
        elif choice < 0.5:
            times = chance.choice(["", "3*", "2 x "])
            milli = 1_000 * int(times[:1] or 1)
            self.act("basket.add", "/scan", self._adds("MUG", milli), text=times + BARCODE)
        elif choice < 0.6:
            self.act("basket.add", "/add", sku=sku, quantity=chance.choice(WRONG[1:]))
        elif choice < 0.65 and unit == "kg":
            self.act("basket.add", "/add", sku=sku, quantity="")  # it is weighed
        else:
            self.act("basket.add", "/add", self._adds(sku, milli), sku=sku, quantity=f"{milli / 1_000:.3f}")

    def _adds(self, sku: str, milli: int) -> Plan:
        product = PRODUCTS[Sku(sku)]

        def plan(paper: Pencil) -> None:
            kind = "return" if paper.returning else "sale"
            basket = paper.basket
            if basket is None or not (basket.lines or basket.voided):
                basket = Basket(kind, against=paper.against)
            basket.put(Line(sku, product.tax_code, product.department, milli, PRICES_E4[sku]))
            paper.basket = basket

        return plan

    def _line(self) -> int:
        basket = self.pencil.basket
        known = [*basket.lines] if basket else []
        return self.chance.choice([*known, *known, *known, 99]) if known else 1

    def _changes(self, number: int, change: Callable[[Line], None]) -> Plan:
        def plan(paper: Pencil) -> None:
            if paper.basket and number in paper.basket.lines:
                change(paper.basket.lines[number])

        return plan

    def quantity(self) -> None:
        number, milli = self._line(), self.chance.choice([1, 2, 3, 7]) * 1_000
        text = self.chance.choice([str(milli // 1_000)] * 5 + [self.chance.choice(WRONG)])
        plan = self._changes(number, lambda line: setattr(line, "milli", milli))
        self._looks(f"/ask/{number}/quantity")
        self.act("line.quantity", f"/line/{number}/quantity", plan, quantity=text)

    def price(self) -> None:
        number, minor = self._line(), self.chance.choice([498, 480, 450, 300, 30, 1_000, 1])
        reason = self.chance.choice(["scratched", "scratched", ""])
        plan = self._changes(number, lambda line: setattr(line, "price_e4", minor * 100))
        self.act("line.price", f"/line/{number}/price", plan, price=plain(minor), reason=reason)

    def _discount(self) -> tuple[str, tuple[str, int] | None]:
        kind, value = self.chance.choice(DISCOUNTS)
        if self.chance.random() < 0.15:
            return "", None
        return (f"{value / 100:g}%" if kind == "%" else plain(value)), (kind, value)

    def discount(self) -> None:
        number, (text, given) = self._line(), self._discount()
        plan = self._changes(number, lambda line: line.off.append(given) if given else line.off.clear())
        self.act("line.discount", f"/line/{number}/discount", plan, discount=text, reason="loyal")

    def discount_total(self) -> None:
        text, given = self._discount()

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.off = [*paper.basket.off, given] if given else []

        self.act("basket.discount", "/line/1/discount", plan, discount=text, of="total", reason="loyal")

    def note(self) -> None:
        note = self.chance.choice(["gift", "", "x" * 5_000])
        self.act("line.note", f"/line/{self._line()}/note", note=note)

    def void_line(self) -> None:
        number = self._line()

        def plan(paper: Pencil) -> None:
            if paper.basket and paper.basket.lines.pop(number, None):
                paper.basket.voided += 1

        self.act("line.void", f"/line/{number}/void", plan)

    def void(self) -> None:
        self._looks("/dialog/void")

        def plan(paper: Pencil) -> None:
            paper.day.voids += bool(paper.basket and (paper.basket.lines or paper.basket.voided))
            paper.basket = None
            paper.returning, paper.against = False, ""

        self.act("basket.void", "/void", plan, reason=self.chance.choice(["left", ""]))

    def suspend(self) -> None:
        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.suspended[paper.basket.transaction] = paper.basket
            paper.basket = None
            paper.returning, paper.against = False, ""

        self.act("basket.suspend", "/suspend", plan, note=self.chance.choice(["blue coat", ""]))

    def _waiting(self) -> str:
        return self.chance.choice([*self.pencil.suspended, *self.pencil.suspended, "T0"])

    def recall(self) -> None:
        self._looks("/suspended")
        which = self._waiting()

        def plan(paper: Pencil) -> None:
            paper.basket = paper.suspended.pop(which, None)
            paper.returning, paper.against = False, ""

        self.act("basket.recall", f"/suspended/{which}/recall", plan)

    def void_suspended(self) -> None:
        which = self._waiting()

        def plan(paper: Pencil) -> None:
            paper.day.voids += 1
            paper.suspended.pop(which, None)

        self.act("basket.void-suspended", f"/suspended/{which}/void", plan, reason="nobody came")

    # ---- paying ------------------------------------------------------------------------------

    def pay(self) -> None:
        chance, pencil = self.chance, self.pencil
        basket = pencil.basket
        due = basket.due(pencil.coin) if basket else 0
        self._looks("/pay")
        if chance.random() < 0.3:
            self._pay_in_dollars(basket, due)
            return
        minor = chance.choice([due, due, due + 5, due + 500, due // 2, 100, 5, 1])
        text = chance.choice(["exact"] * 4 + [plain(minor)] * 5 + [chance.choice(WRONG[1:])])
        given = {"exact": due, plain(minor): minor, "0": 0}  # 0: nothing is due any more
        plan = self._gives(given[text]) if text in given else nothing
        self.act("pay.cash", "/pay", plan, amount=text)

    def _pay_in_dollars(self, basket: Basket | None, due: int) -> None:
        worth = rate(self.pencil.home).rate_e8
        exact = -(-due * 10**8 // (100 * worth)) * 100 if due > 0 else 0
        minor = self.chance.choice([exact, exact, exact + 500, 100, 500, 10_000, 150])
        text = self.chance.choice(["exact", plain(minor)])
        given = exact if text == "exact" else minor
        value = half_up(Fraction(given * worth, 10**8))
        known = self.chance.choice([worth] * 8 + [worth + 1, 0])
        self.act("pay.cash", "/pay", self._gives(value, given), amount=text, currency="USD", rate=str(known))

    def _gives(self, minor: int, dollars: int = 0) -> Plan:
        def plan(paper: Pencil) -> None:
            basket = paper.basket
            if basket is None:
                return
            if dollars:
                basket.foreign.append(("USD", dollars, minor))
            else:
                basket.cash += minor
            left = basket.left(paper.coin)
            if basket.cash >= left if basket.total >= 0 else basket.cash == left:
                paper.conclude()

        return plan

    def hand_back(self) -> None:
        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.cash, paper.basket.foreign = 0, []

        self.act("pay.hand-back", "/pay/back", plan)

    # ---- what comes back ---------------------------------------------------------------------

    def _receipt(self) -> Paper | None:
        return self.chance.choice([*self.pencil.papers.values(), None])

    def bring_back(self) -> None:
        paper = self._receipt()
        number = paper.number if paper else "R01-ABCDE-000001"
        count = len(paper.lines) if paper else 1
        lines = sorted(self.chance.sample(range(1, count + 2), k=min(count, self.chance.randint(1, 2))))
        fields: dict[str, Any] = {"document": number, "line": [str(line) for line in lines]}
        brought: list[tuple[int, Line]] = []
        for line in lines:
            if paper is None or line > count:
                continue
            sku, milli, amount, department = paper.lines[line - 1]
            gone_milli, gone = self.pencil.back.get((number, line), (0, 0))
            part = self.chance.choice([milli - gone_milli, 1_000, 500])
            left = (milli - gone_milli, amount - gone)
            fields[f"quantity-{line}"] = f"{part / 1_000:.3f}"
            product = PRODUCTS[Sku(sku)]
            back = Line(sku, product.tax_code, department, part, 0, of=(number, line), left=left)
            brought.append((line, back))
        # What was charged for one unit stands on the receipt.
        sold = self.shop.checkout.document(number)  # type: ignore[arg-type]
        for line, kept in brought:
            kept.price_e4 = sold.lines[line - 1].unit_price_e4  # type: ignore[union-attr]

        def plan(pencil: Pencil) -> None:
            pencil.basket = Basket("return")
            for _, kept in brought:
                pencil.basket.put(kept)

        self.act("return.receipt", "/returns", plan, **fields)

    def without(self) -> None:
        reason = self.chance.choice(["broken", "broken", "broken", ""])

        def plan(paper: Pencil) -> None:
            paper.returning = bool(reason) or bool(paper.against)

        self.act("return.without", "/returns/without", plan, reason=reason)

    def by_code(self) -> None:
        chance, pencil = self.chance, self.pencil
        own = self._receipt()
        if own and chance.random() < 0.4:
            issued = self.shop.checkout.issued(own.number)  # type: ignore[arg-type]
            assert issued is not None, "this register has it"
            self.act("return.code", "/scan", text=self.shop.services.codes.code_of(issued))
            return
        number, code = foreign_code(pencil.home, chance.randint(1, 3), 2_500, "2025-10-08")
        if chance.random() < 0.15:
            wrong = code[:-10] + ("A" if code[-10] != "A" else "B") + code[-9:]
            self.act("return.code", "/scan", text=wrong)
            return

        def plan(paper: Pencil) -> None:
            paper.returning, paper.against = True, number

        self.act("return.code", "/scan", plan, text=code)

    # ---- receipts ----------------------------------------------------------------------------

    def _number(self) -> str:
        paper = self._receipt()
        return paper.number if paper else "R01-ABCDE-000001"

    def see_receipts(self) -> None:
        number = self._number()
        paths = ["/receipts", f"/receipts/{number}", f"/receipts/{number}/code.svg", "/journal?text=mug"]
        self.look("receipt.look", self.chance.choice(paths))

    def print_again(self) -> None:
        self.act("receipt.reprint", f"/receipts/{self._number()}/print")

    def mail(self) -> None:
        self.act("receipt.email", f"/receipts/{self._number()}/mail", address="a@example.org")

    def try_now(self) -> None:
        self.act("receipt.resume", "/printer/try-now")

    # ---- the line ----------------------------------------------------------------------------

    def send_now(self) -> None:
        self.act("link.send-now", self.chance.choice(["/send-now", "/status/sync"]))

    def go_on(self) -> None:
        self.act("link.continue", "/outage/1/continue")

    def see_status(self) -> None:
        self.look("link.status", self.chance.choice(["/status", "/status/now"]))

    def _works(self, name: str, to: str) -> None:
        def plan(paper: Pencil) -> None:
            paper.work = to

        self.act(name, f"/work-mode/{to}", plan, reason=self.chance.choice(["the line is bad", ""]))
        self.shop.work(self.shop.mode)

    def work_offline(self) -> None:
        self._works("link.work-offline", "offline")

    def enable_online(self) -> None:
        self._works("link.enable-online", "online")


def _view(basket: Any) -> tuple[object, ...]:
    lines = tuple((line.line, line.sku, line.quantity_milli, line.unit_price_e4) for line in basket.lines)
    given = sum(tender.amount_minor for tender in basket.tenders)
    return (basket.kind, lines, price(basket).total_minor, given)


OPERATIONS = {
    "till.see": "see",
    "staff.sign-in": "sign_in",
    "staff.sign-out": "sign_out",
    "staff.lock": "lock",
    "till.operations": "see_operations",
    "day.open": "open_day",
    "day.open-doubtful": "open_doubtful",
    "day.close": "close_day",
    "report.x": "x",
    "report.z": "z",
    "cash.see": "see_cash",
    "shift.open": "open_shift",
    "shift.close": "close_shift",
    "cash.drop": "drop",
    "cash.bank": "bank",
    "cash.float": "put_in",
    "cash.expense": "expense",
    "cash.income": "income",
    "drawer.open": "no_sale",
    "link.send-now": "send_now",
    "link.continue": "go_on",
    "link.status": "see_status",
    "link.work-offline": "work_offline",
    "link.enable-online": "enable_online",
    "basket.look": "see_basket",
    "basket.add": "add",
    "line.quantity": "quantity",
    "line.price": "price",
    "line.discount": "discount",
    "basket.discount": "discount_total",
    "line.note": "note",
    "line.void": "void_line",
    "basket.void": "void",
    "basket.suspend": "suspend",
    "basket.recall": "recall",
    "basket.void-suspended": "void_suspended",
    "pay.cash": "pay",
    "pay.hand-back": "hand_back",
    "return.receipt": "bring_back",
    "return.without": "without",
    "return.code": "by_code",
    "receipt.look": "see_receipts",
    "receipt.reprint": "print_again",
    "receipt.email": "mail",
    "receipt.resume": "try_now",
}
"""Each operation of the table that is built, and the method that does it."""

WEIGHTS = {
    "basket.add": 14, "pay.cash": 10, "line.quantity": 3, "line.discount": 3, "basket.discount": 3,
    "basket.suspend": 3, "basket.recall": 4, "basket.void-suspended": 2, "return.receipt": 5,
    "return.without": 3,
    "return.code": 3, "pay.hand-back": 2, "line.void": 2, "shift.close": 3, "day.close": 3, "line.price": 3,
    "staff.sign-out": 0.6, "staff.lock": 0.6,
}  # fmt: skip
