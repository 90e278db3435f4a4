"""A cashier who does anything, in any order: one method an operation of the table (SW8).

Each act is first planned on paper, then done over HTTP. Afterwards the till is as planned, or, where it
refused, as it was before; and what its answer says is what happened.
"""

import functools
import random

from holdfast.core.connection import Mode
from tests.sessions.acting import DATES, HOUR_MS, MACHINE, ROLES, WAYS, WRONG, nothing, plain
from tests.sessions.audit import totals_of
from tests.sessions.pencil import Pencil
from tests.sessions.shop import Shop
from tests.sessions.stocking import Stocking
from tests.staffed_till import PIN


class Cashier(Stocking):
    """All that there is to do."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        super().__init__(shop, chance)
        self.operations = {name: getattr(self, method) for name, method in OPERATIONS.items()}

    def come(self) -> None:
        """In the morning: most sessions of value are none of somebody who cannot sign in."""
        for _ in range(10):
            if not self.who:
                self.sign_in()
            elif not self.pencil.is_open:
                self.open_day()
            elif not self.pencil.shift:
                self.open_shift()
            elif self.pencil.people.till:
                self.contact()
                return
            else:
                self.create()

    def step(self) -> None:
        """Something, rather than what a calm person would do."""
        name = self._chosen()
        self.told.append(name)
        if self.chance.random() < 0.06:
            self._until_power_goes(self.operations[name])
        else:
            self.operations[name]()
        if self.shop.wire:
            self._behind_the_scene()
        self.machine()

    def _behind_the_scene(self) -> None:
        """What the till does by itself while there is a line."""
        if self.shop.services.watch.mode() is not Mode.OFFLINE and self.chance.random() < 0.6:
            self.push()
            self.settle_doubts()
            if self.chance.random() < 0.2:
                self.shop.services.central.allowances.ask_ahead()
            if self.chance.random() < 0.1:
                self.refresh()
        self.shop.clock.advance(1)

    def _chosen(self) -> str:
        """What fits the moment, most times; else anything."""
        chance = self.chance
        names = [name for name in self.operations if self.takes_cards or name not in BY_CARD]
        if not self.shop.wire:
            names = [name for name in names if name not in OF_VALUE]
        if self.pencil.drill and self.pencil.drill.by == self.who and (ends := chance.random()) < 0.18:
            return "staff.sign-out" if ends < 0.06 else "drill.end"
        if chance.random() < (0.93 if self.shop.wire else 0.8):
            names = [name for name in names if self._fits(name)]
        weights = WEIGHTS | WITH_CARDS if self.takes_cards else WEIGHTS
        if self.shop.wire:
            weights = WEIGHTS | WITH_VALUE
        return chance.choices(names, [weights.get(name, 1) for name in names])[0]

    def _fits(self, name: str) -> bool:
        pencil = self.pencil
        if not self.who or not pencil.is_open:
            return name == ("day.open" if self.who else "staff.sign-in")
        basket = bool(pencil.basket and pencil.basket.lines)
        if name.startswith("line.") or name == "basket.discount":
            return basket
        if name == "drill.end":
            return pencil.drill is not None
        if name == "customer.edit":
            return bool(pencil.people.living())
        if name in ("basket.void", "basket.suspend", "pay.cash", "pay.hand-back", "card.standalone"):
            return basket
        if name in PAYING:
            return self.can_pay_by(PAYING[name])
        if name in HOLDING:
            return any(kind == HOLDING[name] for kind, _ in (pencil.basket.holds if pencil.basket else ()))
        if name in HAVING:
            return self.has_some(HAVING[name]) and (
                name == "gift.top-up" or basket != (name == "gift.cash-out")
            )
        if name == "memo.issue":
            return basket and pencil.basket.kind == "return"  # type: ignore[union-attr]
        if name == "loyalty.redeem":
            return basket and self.has_some("points") and bool(pencil.basket.customer)  # type: ignore[union-attr]
        if name in ("account.tender", "account.payment"):
            return self.may_owe() and (basket or name == "account.payment")
        if name in ("refund.card", "refund.cash-instead"):
            return bool(pencil.to_cards())
        if name == "link.enable-online" and self.shop.wire:
            return pencil.work == "offline"
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
            self.watch()
            return
        self.told.append(f"[{what}]")
        if what in ("kill", "restart"):
            shop.kill() if what == "kill" else shop.restart()
            self._forgotten()
            self.compare("after the program was started again")
        elif what == "line":
            often = [Mode.ONLINE] * 3 if shop.wire else []
            shop.work(chance.choice([*often, Mode.ONLINE, Mode.OFFLINE, Mode.DEGRADED]))
        elif what == "clock":
            shop.clock.advance(
                chance.choice(
                    [1, 5_000, 20_000, 60_000, 60_000, 120_000, 2 * HOUR_MS][: 4 if shop.wire else None]
                )
            )
        elif what == "jump":
            self.jumped = True
            shop.clock.jump_to(shop.clock.now_ms() + chance.choice([-3, -1, 1, 1, 2, 9]) * 24 * HOUR_MS)
        elif what == "contact":
            self._until_power_goes(self.contact) if chance.random() < 0.2 else self.contact()
        elif what == "office":
            self.head_office()
        else:
            shop.checkout.tidy()
        if chance.random() < 0.7:
            self.watch()

    # ---- people ------------------------------------------------------------------------------

    def sign_in(self) -> None:
        role, pin = self.chance.choice(ROLES), PIN if self.chance.random() < 0.96 else "0000"
        plan = functools.partial(self.leaves, to=role)
        answer = self.act("staff.sign-in", "/sign-in", plan, staff=role, pin=pin)
        if answer.status_code == 303:
            self.who = self.at_till = role
            self._ask("/start/continue", "post", {"told": "x"})
        else:
            self.shop.clock.advance(300_000)

    def sign_out(self) -> None:
        self.act("staff.sign-out", "/sign-out", self.leaves)
        self.who = ""

    def lock(self) -> None:
        self.act("staff.lock", "/lock")
        self.who = ""

    def look(self, name: str, path: str) -> None:
        self.act(name, path, how="get")

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
            paper.had_shift = has_shifts
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
            paper.shift = paper.had_shift = True
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
    "card.standalone": "card",
    "refund.card": "card_back",
    "refund.cash-instead": "instead",
    "return.receipt": "bring_back",
    "return.without": "without",
    "return.code": "by_code",
    "receipt.look": "see_receipts",
    "receipt.reprint": "print_again",
    "receipt.email": "mail",
    "receipt.resume": "try_now",
    "customer.find": "choose_or_find",
    "customer.create": "create",
    "customer.edit": "edit",
    "drill.start": "start_drill",
    "drill.end": "end_drill",
    "till.readiness": "see_readiness",
    "gift.sell": "sell_card",
    "gift.top-up": "top_up",
    "gift.balance": "balance",
    "gift.redeem": "hold_card",
    "gift.conclude": "pay_card",
    "gift.remove": "remove_card",
    "gift.cash-out": "cash_out",
    "memo.issue": "issue_memo",
    "memo.redeem": "hold_memo",
    "memo.conclude": "pay_memo",
    "memo.remove": "remove_memo",
    "loyalty.redeem": "by_points",
    "loyalty.disable": "disable_loyalty",
    "loyalty.enable": "enable_loyalty",
    "account.tender": "on_account",
    "account.payment": "pays_account",
    "stock.look-up": "look_up",
    "stock.estimate": "estimate",
    "stock.count": "count",
    "stock.adjust": "adjust",
    "stock.transfer": "transfer",
}
"""Each operation of the table that is built, and the method that does it."""

BY_CARD = frozenset({"card.standalone", "refund.card", "refund.cash-instead"})
OF_VALUE = frozenset(
    name for name in OPERATIONS if name.partition(".")[0] in ("gift", "memo", "loyalty", "account", "stock")
)
WEIGHTS = {
    "basket.add": 24, "pay.cash": 30, "line.quantity": 3, "line.discount": 3, "basket.discount": 3,
    "basket.suspend": 3, "basket.recall": 5, "basket.void-suspended": 2, "return.receipt": 12,
    "return.without": 3, "return.code": 3, "pay.hand-back": 1.5, "card.standalone": 8, "refund.card": 24,
    "refund.cash-instead": 6, "line.void": 2, "shift.close": 3,
    "day.close": 3, "line.price": 3, "staff.sign-out": 0.5, "staff.lock": 0.5, "till.see": 0.4,
    "till.operations": 0.4, "cash.see": 0.4, "link.status": 0.4, "link.continue": 0.4, "link.send-now": 0.4,
    "customer.find": 5, "customer.create": 3, "customer.edit": 2, "drill.start": 2, "till.readiness": 0.4,
    "receipt.look": 0.7, "receipt.resume": 0.4, "report.z": 0.5, "basket.look": 0.7,
}  # fmt: skip
PAYING = {"gift.conclude": "gift_card", "memo.conclude": "credit_memo"}
"""What the open transaction must hold to pay with."""
HOLDING = {"gift.remove": "gift_card", "memo.remove": "credit_memo"}
"""What the open transaction must hold for it."""
HAVING = {
    "gift.redeem": "gift_card", "gift.top-up": "gift_card", "gift.cash-out": "gift_card",
    "memo.redeem": "credit_memo",
}  # fmt: skip
"""What must have something on it."""
WITH_VALUE = {
    "gift.sell": 12, "gift.top-up": 8, "gift.balance": 2, "gift.redeem": 24, "gift.conclude": 40,
    "gift.remove": 3, "gift.cash-out": 6, "memo.issue": 40, "memo.redeem": 24, "memo.conclude": 40,
    "memo.remove": 3, "loyalty.redeem": 14, "loyalty.disable": 0.3, "loyalty.enable": 0.5,
    "account.tender": 20, "account.payment": 8, "stock.look-up": 1.5, "stock.estimate": 2, "stock.count": 3,
    "stock.adjust": 3, "stock.transfer": 3, "customer.find": 10, "link.enable-online": 12, "shift.open": 20,
    "drill.start": 0.5, "pay.cash": 24,
}  # fmt: skip
WITH_CARDS = {"card.standalone": 34, "pay.cash": 14, "return.receipt": 24, "basket.add": 20}
"""What a card paid in full has to come back before anything goes back to a card."""
