"""What a cashier does with central value, asked of head office over a line that loses calls (GC1 to GC7)."""

from dataclasses import replace
from typing import Any

from holdfast.core.central.accounts import Account, Act
from holdfast.core.central.holds import Held
from holdfast.hq.loyalty.credit import CreditBook
from tests.sessions.accounts import AtOffice, Hold, Name, Paid
from tests.sessions.acting import nothing, plain
from tests.sessions.line import Line
from tests.sessions.pencil import NO_TURNOVER, Basket, Pencil
from tests.sessions.pencil import Line as Row
from tests.sessions.practising import Practising
from tests.sessions.wire import Call

SKUS = {"gift_card": ("GIFT-CARD", "Gift cards"), "on_account": ("ON-ACCOUNT", "Payments on account")}
POINTS_FOR_UNIT = 10
LIMITS = (2_000, 10_000)
NEXT_MEMO = ("credit_memo", "next")
"""One whose number the till has not drawn yet."""
LINES = {("sale", "issue"), ("sale", "top_up"), ("sale", "pay"), ("return", "cash_out")}
"""What is a line of such a transaction; else it pays, or is paid back."""


class Valuing(Practising):
    """Gift cards, credit memos, points, and what is bought on account."""

    line: Line | None = None
    at_office: AtOffice | None = None
    credit: CreditBook | None = None

    # ---- asking ------------------------------------------------------------------------------

    def _ask_hold(
        self,
        operation: str,
        path: str,
        kind: str,
        act: str,
        fields: dict[str, str],
        name: Name,
        asked: int = 0,
    ) -> None:
        """It is asked for, and whatever comes of it is on paper too. `kind`: of the transaction."""

        def asks(paper: Pencil) -> None:
            paper.open(kind).holds[name] = Hold(act, asked)

        self.may_stop_at(asks)
        answer = self._approved(path, "post", fields)
        self.done[operation] += not self._is_refused(answer)
        if self._is_asked():
            asks(self.pencil)
            self._learn(self.pencil)
        self._hear_all()
        self._begun_alone(name, kind, act)
        self.compare(f"{operation} was asked: {self._said(answer)}")

    def _begun_alone(self, name: Name, kind: str, act: str) -> None:
        """Head office was not asked, or knew nothing: a memo of this till's own, or what an allowance lets
        through. The till says how much; what of it was not there is on the report."""
        basket = self.shop.checkout.basket()
        found = next((hold for hold in basket.holds if _name(hold) == name), None) if basket else None
        if found is None or not (found.is_own or found.grant):
            return
        paper = self.pencil.open(kind)
        if name not in paper.holds:
            left = self.pencil.wallet.balance(name)
            assert found.grant or found.available <= left, f"{found.available} of {name}, which has {left}"
            paper.holds[name] = Hold(act, 0, True, found.available, is_alone=True)
            self._learn(self.pencil)

    def _calls(self) -> list[Call]:
        return self.shop.wire.holds if self.shop.wire else []

    def _is_asked(self) -> bool:
        """Something that is not on paper yet."""
        return any(not call.is_on_paper for call in self._calls())

    def _hear_all(self) -> None:
        """What became of each call."""
        for call in self._calls():
            if not call.is_on_paper:
                call.is_on_paper = True
                self._hear(call)

    def _hear(self, call: Call) -> None:
        paper, said = self.pencil, call.answer
        waiting = [basket for basket in (paper.basket, *paper.suspended.values()) if basket]
        basket = next((one for one in waiting if one.transaction == call.request.transaction), None)
        name = (call.request.kind.value, call.request.number or call.request.account)
        hold = basket.holds.get(name) if basket else None
        if basket is None or hold is None or said is None:
            return
        if not isinstance(said, Held):
            basket.drop(name)
            return
        if hold.is_held:
            return
        assert self.at_office is not None, "it said so"
        arrived = paper.wallet.balance(name, self.at_office.documents())
        assert said.balance == arrived, f"head office says {said.balance} of {name}, and paper {arrived}"
        hold.is_held, hold.available = True, said.available
        if (basket.kind, hold.act) in LINES:
            self._put_line(basket, name, hold)

    def _put_line(self, basket: Basket, name: Name, hold: Hold) -> None:
        sku, department = SKUS[name[0]]
        minor = hold.available if hold.act == "cash_out" else hold.asked
        if not minor:
            basket.drop(name)  # nothing to sell
            return
        basket.put(Row(sku, NO_TURNOVER, department, 1_000, minor * 100, hold=name))

    def settle_doubts(self) -> None:
        """As the till does by itself once the line is back."""
        central = self.shop.services.central
        if central._may_doubt and central.is_there() and central._asking_again.acquire(blocking=False):
            central._settle_doubts()
        self._hear_all()
        self.compare("after the till asked again what was in doubt")

    def _never_left(self) -> None:
        for call in self._calls():
            if call.written > self.shop.cut_at and self.at_office:
                self.at_office.never_heard(call.request.key)
        self._calls().clear()

    def push(self) -> None:
        """What the till wrote is sent at once."""
        if self.line:
            self.line.send(self.chance, 0.05)
            self._told_how_far()

    # ---- gift cards --------------------------------------------------------------------------

    def _card(self, is_sold: bool = True) -> Name:
        """One that somebody bought, or that nobody did; now and then any."""
        wallet = self.pencil.wallet
        cards = [name for name in wallet.accounts if name[0] == "gift_card"]
        fitting = [name for name in cards if bool(wallet.balance(name)) == is_sold]
        return self.chance.choice(fitting if fitting and self.chance.random() < 0.9 else cards)

    def can_pay_by(self, kind: str) -> bool:
        return any(name[0] == kind for name in self._to_pay_with())

    def has_some(self, kind: str) -> bool:
        """An account of that kind with something on it."""
        wallet = self.pencil.wallet
        return any(name[0] == kind and wallet.balance(name) > 0 for name in wallet.accounts)

    def may_owe(self) -> bool:
        return self._account("on_account") in self.pencil.wallet.limits

    def _pin(self, name: Name) -> str:
        return "1" if self.chance.random() < 0.03 else self.pencil.wallet.pins.get(name, "")

    def sell_card(self) -> None:
        self._add_value("gift.sell", "/gift-cards/sell", Act.ISSUE)

    def top_up(self) -> None:
        self._add_value("gift.top-up", "/gift-cards/top-up", Act.TOP_UP)

    def _add_value(self, operation: str, path: str, act: Act) -> None:
        name, minor = self._card(act is Act.TOP_UP), self.chance.choice([500, 2_500, 10_000])
        text = self.chance.choice([plain(minor)] * 9 + ["0"])
        self._ask_hold(
            operation, path, "sale", act.value, {**self._fields(name), "amount": text}, name, minor
        )

    def _fields(self, name: Name) -> dict[str, str]:
        return {"number": name[1], "pin": self._pin(name)}

    def cash_out(self) -> None:
        name = self._card()
        path = "/gift-cards/cash-out"
        self._ask_hold("gift.cash-out", path, "return", "cash_out", self._fields(name), name)

    def balance(self) -> None:
        name = self._card()
        answer = self.act("gift.balance", "/gift-cards/balance", **self._fields(name))
        minor = self.pencil.wallet.balance(name, self.at_office.documents()) if self.at_office else 0
        if minor and not self._is_refused(answer):  # of one that nobody bought it says so
            told = self.shop.services.fmt.money(minor)
            assert told in answer.text, f"{told} is on {name}, and the till does not say so"

    def hold_card(self) -> None:
        """To pay with it; of a return, to pay back on it."""
        name = self._card()
        if self.pencil.basket and self.pencil.basket.kind == "return":
            fields = self._fields(name)
            self._ask_hold("gift.redeem", "/pay/held/back", "return", "top_up", fields, name)
            return
        fields = {"kind": name[0], **self._fields(name)}
        self._ask_hold("gift.redeem", "/pay/held", "sale", "redeem", fields, name)

    def _held(self, kind: str) -> tuple[Name, str]:
        """One that the open transaction holds, and its key at the till."""
        basket = self.shop.checkout.basket()
        found = [hold for hold in basket.holds if hold.kind.value == kind] if basket else []
        if self.chance.random() < 0.85:
            found = [hold for hold in found if _name(hold) in self._to_pay_with()] or found
        if not found:
            return (kind, ""), "no-such-key"
        hold = self.chance.choice(found)
        return (kind, hold.number or hold.account), hold.key

    def _to_pay_with(self) -> set[Name]:
        """What is held, and pays nothing yet."""
        basket = self.pencil.basket
        if basket is None:
            return set()
        used = {paid.name for paid in basket.value}
        return {
            name
            for name, hold in basket.holds.items()
            if hold.is_held and name not in used and (basket.kind, hold.act) not in LINES
        }

    def pay_card(self) -> None:
        self._pay_value("gift.conclude", "gift_card")

    def _pay_value(self, operation: str, kind: str) -> None:
        name, key = self._held(kind)

        def plan(paper: Pencil) -> None:
            basket = paper.basket
            hold = basket.holds.get(name) if basket else None
            if basket is None or hold is None:
                return
            self._paid(paper, basket, name, hold)

        self.act(operation, f"/held/{kind}/{key}/pay", plan)

    def _paid(self, paper: Pencil, basket: Basket, name: Name, hold: Hold) -> None:
        """As much as is due, or as there is."""
        due = basket.card_due(paper.coin)
        minor = moved = due if due < 0 else min(max(0, due), hold.available, hold.asked or hold.available)
        if name[0] == "points":
            minor = min(due, hold.available * 100 // POINTS_FOR_UNIT)
            moved = -(-minor * POINTS_FOR_UNIT // 100)
        basket.value.append(Paid(name, minor, moved))
        self._given(paper, basket)

    def remove_card(self) -> None:
        self._remove("gift.remove", "gift_card")

    def _remove(self, operation: str, kind: str) -> None:
        name, key = self._held(kind)

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.drop(name)

        self.act(operation, f"/held/{kind}/{key}/off", plan)

    # ---- credit memos ------------------------------------------------------------------------

    def issue_memo(self) -> None:
        """What is to be paid out, on a memo of the till's own number."""

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.holds[NEXT_MEMO] = Hold("issue", 0, True, is_alone=True)
                self._paid(paper, paper.basket, NEXT_MEMO, paper.basket.holds[NEXT_MEMO])

        self._looks("/pay")
        self.act("memo.issue", "/pay/memo", plan)

    def _learn(self, planned: Pencil) -> None:
        super()._learn(planned)
        wallet = planned.wallet
        for move in wallet.moves:
            if move.name == NEXT_MEMO:
                sale = self.shop.checkout.document(move.document)  # type: ignore[arg-type]
                made = next(one for one in sale.values if one.number)  # type: ignore[union-attr]
                move.name = ("credit_memo", made.number)
                wallet.accounts[move.name] = made.account

    def hold_memo(self) -> None:
        known = [name for name in self.pencil.wallet.accounts if name[0] == "credit_memo"]
        known = [name for name in known if self.pencil.wallet.balance(name)] or known
        name = self.chance.choice(known) if known else ("credit_memo", "92")
        fields = {"kind": name[0], "number": name[1]}
        self._ask_hold("memo.redeem", "/pay/held", self._kind(), "redeem", fields, name)

    def _kind(self) -> str:
        return self.pencil.basket.kind if self.pencil.basket else "sale"

    def pay_memo(self) -> None:
        self._pay_value("memo.conclude", "credit_memo")

    def remove_memo(self) -> None:
        self._remove("memo.remove", "credit_memo")

    # ---- customers' accounts -----------------------------------------------------------------

    def _account(self, kind: str) -> Name:
        basket = self.pencil.basket
        return (kind, basket.customer if basket else "")

    def on_account(self) -> None:
        """What is due; of a return back on the account."""
        act = "charge" if self._kind() == "sale" else "pay"
        self._pay_by("account.tender", "/pay/account", "on_account", act)

    def by_points(self) -> None:
        self._pay_by("loyalty.redeem", "/pay/points", "points", "redeem")

    def _pay_by(self, operation: str, path: str, kind: str, act: str) -> None:
        """Held first, unless it is already, and then paid with: two transactions of the till."""
        name, paper = self._account(kind), self.pencil
        due = abs(paper.basket.card_due(paper.coin)) if paper.basket else 0
        hold = Hold(act, due if kind == "on_account" else 0)

        def asks(state: Pencil) -> None:
            if state.basket and name not in state.basket.holds:
                state.basket.holds[name] = replace(hold)

        paper.now_ms = self.shop.clock.now_ms()
        self.may_stop_at(asks)
        answer = self._approved(path, "post", {})
        if self._is_asked():
            asks(paper)
            self._learn(paper)
            self._hear_all()
            self.may_stop_at(nothing)
        self._begun_alone(name, "sale", act)
        if not self._is_refused(answer):
            self.done[operation] += 1
            basket = paper.basket
            assert basket is not None, "it was paid with"
            if name not in basket.holds:  # of an allowance, and all was paid by it
                basket.holds[name] = Hold(act, 0, True, self._paid_last(kind), is_alone=True)
            self._paid(paper, basket, name, basket.holds[name])
            self._learn(paper)
        self.compare(f"{operation} was tried: {self._said(answer)}")

    def _paid_last(self, kind: str) -> int:
        """What the newest document says of it."""
        newest = self.shop.checkout.documents(1)[0].document
        sale: Any = self.shop.checkout.document(newest)
        return next(tender.amount_minor for tender in sale.tenders if tender.kind == kind)

    def pays_account(self) -> None:
        name, minor = self._account("on_account"), self.chance.choice([500, 1_000, 2_500])
        text = self.chance.choice([plain(minor)] * 9 + ["0", "x"])
        fields = {"amount": text}
        asked = minor if text == plain(minor) else 0
        self._ask_hold("account.payment", "/account/payment", "sale", "pay", fields, name, asked)

    def disable_loyalty(self) -> None:
        self.act("loyalty.disable", "/loyalty/off", lambda paper: setattr(paper, "loyalty_off", True))

    def enable_loyalty(self) -> None:
        self.act("loyalty.enable", "/loyalty/on", lambda paper: setattr(paper, "loyalty_off", False))

    def contact(self) -> None:
        super().contact()
        self._told_how_far()
        wallet, book = self.pencil.wallet, self.credit
        for number in self.pencil.people.mergeable():
            name = ("on_account", number)
            if book and name not in wallet.limits and self.chance.random() < 0.8:
                limit = self.chance.choice(LIMITS)
                done = book.set_limit(number, limit, self.shop.currency, by="admin", reason="asked")
                assert isinstance(done, Account), done
                wallet.limits[name], wallet.accounts[name] = limit, number

    def _told_how_far(self) -> None:
        if self.line and self.shop.wire:
            self.shop.applied = self.line.applied()
            self.shop.work(self.shop.mode)

    # ---- afterwards --------------------------------------------------------------------------

    def audit_value(self) -> None:
        """Once head office has all: every balance, what stands on the report, and what is held."""
        office, paper = self.at_office, self.pencil
        assert office is not None, "there is one"
        wallet = paper.wallet
        found = {name: office.balance(name[0], account) for name, account in wallet.accounts.items()}
        should = {name: wallet.balance(name) for name in wallet.accounts}
        assert found == should, f"balances at head office:\n{found}\nand paper says\n{should}"
        beyond = [
            (name[0], account, "overspent", minor)
            for name, account in sorted(wallet.accounts.items(), key=lambda one: (one[0][0], one[1]))
            for minor in wallet.settled(name)[1]
        ]
        assert office.remarks() == beyond, f"on the report:\n{office.remarks()}\nand paper says\n{beyond}"
        open_ones = [basket for basket in (paper.basket, *paper.suspended.values()) if basket]
        may = {
            (name[0], wallet.accounts[name], basket.transaction): hold.is_held
            for basket in open_ones
            for name, hold in basket.holds.items()
            if not hold.is_alone
        }
        held = set(office.held().values())
        must = {place for place, is_held in may.items() if is_held}
        assert must <= held <= set(may), f"head office holds\n{held}\nand paper says\n{may}"


def _name(hold: Any) -> Name:
    return (hold.kind.value, hold.number or hold.account)
