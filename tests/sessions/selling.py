"""What a cashier does with a basket: fills it, changes it, is paid for it, takes goods back."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from holdfast.core.ids import Sku
from tests.sessions.acting import BARCODE, DISCOUNTS, WRONG, Acting, Plan, nothing, plain
from tests.sessions.pencil import Basket, Line, Paper, Pencil, half_up
from tests.sessions.shop import PRICES_E4, PRODUCTS, foreign_code, rate


class Selling(Acting):
    """The open transaction."""

    # ---- the basket --------------------------------------------------------------------------

    def see_basket(self) -> None:
        def plan(paper: Pencil) -> None:
            paper.returning, paper.against = False, ""

        self.act("basket.look", "/shelf", plan, how="get")

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
            basket = paper.open("return" if paper.returning else "sale")
            if basket.is_free:
                basket.against = paper.against
            basket.put(Line(sku, product.tax_code, product.department, milli, PRICES_E4[sku]))

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
            if paper.basket and number in paper.basket.lines:
                paper.basket.void(number)

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
            self._given(paper, basket)

        return plan

    def _given(self, paper: Pencil, basket: Basket) -> None:
        basket.given += 1
        left = basket.left(paper.coin)
        if basket.cash >= left if basket.total >= 0 else basket.cash == left:
            paper.conclude()

    def card(self) -> None:
        """On a terminal of its own."""
        basket = self.pencil.basket
        due = basket.card_due(self.pencil.coin) if basket else 0
        minor = self.chance.choice([due, due, due, due // 2, due + 1, 1])
        text = self.chance.choice(["exact", "exact", plain(minor), self.chance.choice(WRONG[1:])])
        slip = self.chance.choice(["4711", "4712", "4711", "A 12", "4111 1111 1111 1111", ""])
        paid = due if text == "exact" else minor

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.cards.append((paper.basket.given + 1, paid))
                self._given(paper, paper.basket)

        self.act("card.standalone", "/pay/card", plan, amount=text, reference=slip)

    def card_back(self) -> None:
        """To the card that paid, whichever is next."""
        pencil = self.pencil
        wanted, wrong = pencil.to_cards(), ("R01-ABCDE-000001", 1)
        card, minor = self.chance.choice([*wanted, *wanted, (wrong, 1)])
        if pencil.basket:
            minor = min(minor, -pencil.basket.open_minor)

        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.refunds.append((card, minor))
                self._given(paper, paper.basket)

        which = f"{card[0]}|{card[1]}"
        self.act("refund.card", "/pay/card/back", plan, which=which, reference="4712")

    def instead(self) -> None:
        """Cash for what a card paid."""
        basket = self.pencil.basket
        due = basket.due(self.pencil.coin) if basket else 0
        reason = self.chance.choice(["card was closed", "card was closed", ""])
        self._looks("/pay/instead")
        self.act("refund.cash-instead", "/pay/instead", self._gives(due), reason=reason)

    def hand_back(self) -> None:
        def plan(paper: Pencil) -> None:
            if paper.basket:
                paper.basket.hand_back()

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
            product = PRODUCTS.get(Sku(sku))
            if product is None:
                continue  # a gift card does not come back: it is refused
            back = Line(
                sku, product.tax_code, department, part, 0, of=(number, line), left=left, gave=paper.gave
            )
            brought.append((line, back))
        # What was charged for one unit stands on the receipt.
        sold = self.shop.checkout.document(number)  # type: ignore[arg-type]
        for line, kept in brought:
            kept.price_e4 = sold.lines[line - 1].unit_price_e4  # type: ignore[union-attr]

        def plan(pencil: Pencil) -> None:
            basket = pencil.open("return")
            if pencil.has_points and paper and not basket.customer:
                basket.customer = paper.customer
            for _, kept in brought:
                basket.put(kept)

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
