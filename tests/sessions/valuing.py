"""What a cashier does with central value, asked of head office over a line that loses calls (GC1 to GC7)."""

from holdfast.core.central.accounts import Act
from holdfast.core.central.holds import Held
from tests.sessions.accounts import AtOffice, Hold, Name
from tests.sessions.acting import plain
from tests.sessions.line import Line
from tests.sessions.pencil import NO_TURNOVER, Basket, Pencil
from tests.sessions.pencil import Line as Row
from tests.sessions.practising import Practising
from tests.sessions.wire import Call

SKUS = {"gift_card": ("GIFT-CARD", "Gift cards")}
LINES = {("sale", "issue"), ("sale", "top_up"), ("sale", "pay"), ("return", "cash_out")}
"""What is a line of such a transaction; else it pays, or is paid back."""


class Valuing(Practising):
    """Gift cards."""

    line: Line | None = None
    at_office: AtOffice | None = None

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
        calls = self._calls()
        calls.clear()
        answer = self._approved(path, "post", fields)
        self.done[operation] += not self._is_refused(answer)
        if calls:
            asks(self.pencil)
            self._learn(self.pencil)
        self._hear_all()
        self.compare(f"{operation} was asked: {self._said(answer)}")

    def _calls(self) -> list[Call]:
        return self.shop.wire.holds if self.shop.wire else []

    def _hear_all(self) -> None:
        """What became of each call."""
        for call in self._calls():
            self._hear(call)
        self._calls().clear()

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
        assert self.at_office is not None, "it said so"
        arrived = paper.wallet.balance(name, self.at_office.documents())
        assert said.balance == arrived, f"head office says {said.balance} of {name}, and paper {arrived}"
        hold.is_held, hold.available = True, said.available
        if (basket.kind, hold.act) in LINES:
            self._put_line(basket, name, hold)

    def _put_line(self, basket: Basket, name: Name, hold: Hold) -> None:
        sku, department = SKUS[name[0]]
        minor = hold.available if hold.act == "cash_out" else hold.asked
        basket.put(Row(sku, NO_TURNOVER, department, 1_000, minor * 100, hold=name))

    def settle_doubts(self) -> None:
        """As the till does by itself once the line is back."""
        central = self.shop.services.central
        self._calls().clear()
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

    # ---- gift cards --------------------------------------------------------------------------

    def _card(self) -> Name:
        return self.chance.choice([name for name in self.pencil.wallet.accounts if name[0] == "gift_card"])

    def _pin(self, name: Name) -> str:
        return "1" if self.chance.random() < 0.03 else self.pencil.wallet.pins.get(name, "")

    def sell_card(self) -> None:
        self._add_value("gift.sell", "/gift-cards/sell", Act.ISSUE)

    def top_up(self) -> None:
        self._add_value("gift.top-up", "/gift-cards/top-up", Act.TOP_UP)

    def _add_value(self, operation: str, path: str, act: Act) -> None:
        name, minor = self._card(), self.chance.choice([500, 2_500, 10_000])
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
        if not found:
            return (kind, ""), "no-such-key"
        hold = self.chance.choice(found)
        return (kind, hold.number or hold.account), hold.key

    def pay_card(self) -> None:
        self._pay_value("gift.conclude", "gift_card")

    def _pay_value(self, operation: str, kind: str) -> None:
        name, key = self._held(kind)

        def plan(paper: Pencil) -> None:
            basket = paper.basket
            hold = basket.holds.get(name) if basket else None
            if basket is None or hold is None:
                return
            due = basket.card_due(paper.coin)
            minor = due if due < 0 else min(max(0, due), hold.available, hold.asked or hold.available)
            basket.value.append((name, minor))
            self._given(paper, basket)

        self.act(operation, f"/held/{kind}/{key}/pay", plan)

    def remove_card(self) -> None:
        self._remove("gift.remove", "gift_card")

    def _remove(self, operation: str, kind: str) -> None:
        name, key = self._held(kind)

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.drop(name)

        self.act(operation, f"/held/{kind}/{key}/off", plan)

    # ---- afterwards --------------------------------------------------------------------------

    def audit_value(self) -> None:
        """Once head office has all: every balance, what stands on the report, and what is held."""
        office, paper = self.at_office, self.pencil
        assert office is not None, "there is one"
        wallet = paper.wallet
        found = {name: office.balance(name[0], account) for name, account in wallet.accounts.items()}
        should = {name: wallet.balance(name) for name in wallet.accounts}
        assert found == should, f"balances at head office:\n{found}\nand paper says\n{should}"
        assert not office.remarks(), office.remarks()
        open_ones = [basket for basket in (paper.basket, *paper.suspended.values()) if basket]
        may = {
            (name[0], wallet.accounts[name], basket.transaction): hold.is_held
            for basket in open_ones
            for name, hold in basket.holds.items()
        }
        held = set(office.held().values())
        must = {place for place, is_held in may.items() if is_held}
        assert must <= held <= set(may), f"head office holds\n{held}\nand paper says\n{may}"
