"""What the Stock area shows."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Response

from holdfast.core.ids import Sku
from holdfast.core.operations import refusal_of
from holdfast.core.refusals import Refusal
from holdfast.core.stock.services import Availability, RegisterOwing, StoreStock
from holdfast.register.stock.draft import ADJUST, COUNT, RECEIVE, SEND, Draft, DraftLine
from holdfast.register.web.messages import say
from holdfast.register.web.screen import Screen


class Words(NamedTuple):
    """Keys of what is said of one kind of list."""

    title: str
    hint: str
    do: str
    done: str


WORDS: Mapping[str, Words] = {
    COUNT: Words("stock.count", "stock.count.hint", "stock.do.count", "stock.done.count"),
    ADJUST: Words("stock.adjust", "stock.adjust.hint", "stock.do.adjust", "stock.done.adjust"),
    SEND: Words("stock.send", "stock.send.hint", "stock.do.send", "stock.done.send"),
    RECEIVE: Words("stock.receive", "stock.receive.hint", "stock.do.receive", "stock.done.receive"),
}


class StockScreen(Screen):
    """Answers of the Stock area for one signed-in person."""

    def menu(self, text: str, *, said: str = "") -> Response[str]:
        """A search with what it found, and what can be done."""
        services = self._services
        product = services.shelf.by_code(text) if text else None
        if product is not None:
            return self.of(product.sku)
        found = services.shelf.search(text, services.desk.offered_date()) if text else []
        return self._answer(self._frame("stock", said=said, asked=text, products=found, acts=WORDS))

    def of(self, sku: str) -> Response[str]:
        """One product. Head office is asked by the page itself, so that nothing waits for it."""
        services = self._services
        product = services.shelf.by_code(sku)
        if product is None:
            refusal = Refusal("stock.none", say("stock.none", text=sku[:40]))
            return self._answer(self._frame("stock", refusal=refusal, asked="", products=[], acts=WORDS))
        look_up = services.operations["stock.look-up"]
        away = refusal_of(look_up, services.situation(look_up))
        return self._answer(
            self._frame(
                "stock_of",
                product=product,
                estimate=self._estimate(product.sku, product.unit),
                away=away.sentence if away else "",
            )
        )

    def stores(self, sku: Sku, told: Availability | None, trouble: str = "") -> Response[str]:
        """The part of a product's page that head office answers."""
        product = self._services.shelf.by_code(sku)
        unit = product.unit if product else "each"
        fmt, now_ms = self._services.fmt, self._services.clock.now_ms()
        own = self._services.desk.checkout.config.store
        rows = [self._store_row(stock, unit, own) for stock in told.stores] if told else []
        as_of = say("stock.now", time=fmt.moment(told.at_ms, now_ms)) if told else ""
        return self.part("work/stock_stores.html", sku=sku, rows=rows, as_of=as_of, trouble=trouble)

    def draft(
        self,
        draft: Draft,
        form: Mapping[str, str],
        *,
        refusal: Refusal | None = None,
        said: str = "",
    ) -> Response[str]:
        """A list that is being written."""
        stock, shown = self._services.stock, form.get("shown") == "yes" and draft.kind == COUNT
        return self._answer(
            self._frame(
                "stock_list",
                refusal=refusal,
                said=said,
                draft=draft,
                words=WORDS[draft.kind],
                lines=[self._line(line, shown=shown) for line in draft.lines],
                shown=shown,
                typed=form,
                reasons=say("stock.reasons").split(", "),
                stores=[
                    each for each in stock.stores() if each.store != self._services.desk.checkout.config.store
                ]
                if draft.kind in (SEND, RECEIVE)
                else [],
                incoming=stock.incoming() if draft.kind == RECEIVE and not draft.lines else (),
            )
        )

    # ---- parts -------------------------------------------------------------------------------

    def _estimate(self, sku: Sku, unit: str) -> str:
        """`About 12, as of 14:02`; empty where there is none."""
        fmt, found = self._services.fmt, self._services.stock.estimate(sku)
        if found is None:
            return ""
        time = fmt.moment(found.as_of_ms, self._services.clock.now_ms())
        return say("stock.estimate", quantity=fmt.quantity(found.quantity_milli, unit), time=time)

    def _line(self, line: DraftLine, *, shown: bool) -> dict[str, Any]:
        fmt, known = self._services.fmt, self._services.stock.estimate(line.sku) if shown else None
        expected = "" if known is None else fmt.quantity(known.quantity_milli, line.unit)
        whole, rest = divmod(line.quantity_milli, 1_000)
        return {
            "sku": line.sku,
            "description": line.description,
            "quantity": f"{whole}.{rest:03d}" if rest else str(whole),
            "expected": expected or say("stock.expected.none"),
        }

    def _store_row(self, stock: StoreStock, unit: str, own: str) -> dict[str, Any]:
        fmt = self._services.fmt
        return {
            "name": stock.name or stock.store,
            "store": stock.store,
            "is_own": stock.store == own,
            "on_hand": fmt.quantity(stock.on_hand_milli, unit),
            "coming": fmt.quantity(stock.in_transit_milli, unit) if stock.in_transit_milli else "",
            "owing": [self._owing(each) for each in stock.owing],
        }

    def _owing(self, owing: RegisterOwing) -> str:
        fmt, now_ms = self._services.fmt, self._services.clock.now_ms()
        if owing.since_ms is None:
            return say("stock.current.never", name=owing.name)
        time = fmt.moment(owing.since_ms, now_ms)
        if not owing.count:
            return say("stock.current.may", name=owing.name, time=time)
        return say("stock.current.owes", name=owing.name, count=fmt.count(owing.count), time=time)
