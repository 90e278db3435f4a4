"""What a cashier does with stock: looks it up, counts, adjusts, sends and receives (ST1 to ST4)."""

from collections.abc import Callable

from holdfast.core.ids import Sku
from tests.sessions.acting import nothing
from tests.sessions.pencil import Pencil
from tests.sessions.shop import PRODUCTS
from tests.sessions.valuing import Valuing


class Stocking(Valuing):
    """The stockroom."""

    jumped = False
    """The clock was set: what was counted *later* is not what the till wrote later."""

    def _sku(self) -> Sku:
        return self.chance.choice(list(PRODUCTS))

    def look_up(self) -> None:
        """Of head office: what lies in this store, as far as documents arrived."""
        self.act("stock.look-up", "/stock/on-hand", how="get", sku=self._sku())

    def estimate(self) -> None:
        """As head office told it, and what was done here since."""
        sku = self._sku()
        self.act("stock.estimate", self.chance.choice(["/stock/", f"/stock/of?sku={sku}"]), how="get")
        found = self.shop.services.stock.estimate(sku)
        if found and not self.jumped:
            should = self.pencil.stockroom.level(sku)
            assert found.quantity_milli == should, f"the till guesses {found} of {sku}, and paper {should}"

    def refresh(self) -> None:
        """As the till asks by itself, now and then."""
        self.shop.services.stock.refresh()

    # ---- lists -------------------------------------------------------------------------------

    def count(self) -> None:
        def took(paper: Pencil, sku: str, milli: int) -> None:
            paper.stockroom.counted.append((sku, paper.now_ms, milli))

        self._list("stock.count", "count", took)

    def adjust(self) -> None:
        sign = self.chance.choice([-1, 1])
        fields = {"way": "on" if sign > 0 else "off", "reason": self.chance.choice(["broken", "broken", ""])}
        self._list("stock.adjust", "adjust", lambda p, sku, milli: p.moved_goods(sku, sign * milli), **fields)

    def transfer(self) -> None:
        kind, sign = self.chance.choice([("send", -1), ("receive", 1)])
        fields = {"other": self.chance.choice(["S2", "S2", "S2", self.shop.store, ""]), "transfer": "T-1"}
        self._list("stock.transfer", kind, lambda p, sku, milli: p.moved_goods(sku, sign * milli), **fields)

    def _list(
        self, operation: str, kind: str, each: Callable[[Pencil, str, int], None], **fields: str
    ) -> None:
        """From the start: some products, then all of it at once."""
        listed: dict[str, int] = {}
        self._approved(f"/stock/{kind}/drop", "post", {})
        for sku in self.chance.sample(list(PRODUCTS), self.chance.randint(1, 2)):
            times = self.chance.randint(1, 30)
            answer = self._approved(f"/stock/{kind}/add", "post", {"text": f"{times}*{sku}"})
            if not self._is_refused(answer):
                listed[sku] = times * 1_000
        self.compare("a list is nothing that happened")

        def plan(paper: Pencil) -> None:
            paper.stockroom.lists[paper.date] += 1
            paper.day.lists += 1
            for sku, milli in listed.items():
                each(paper, sku, milli)

        self.act(operation, f"/stock/{kind}", plan if listed else nothing, **fields)

    # ---- afterwards --------------------------------------------------------------------------

    def audit_stock(self) -> None:
        """Once head office has all."""
        assert self.at_office is not None, "there is one"
        found = self.at_office.levels(self.shop.store)
        levels = {str(sku): self.pencil.stockroom.level(sku) for sku in PRODUCTS}
        should = {sku: milli for sku, milli in levels.items() if milli}
        found = {sku: milli for sku, milli in found.items() if milli}
        assert found == should, f"head office has\n{found}\nand paper says\n{should}"
