"""From a draft and a form to an entry of stock."""

from collections.abc import Callable, Mapping

from holdfast.core.basket import Act
from holdfast.core.bounds import id_refusal, text_refusal
from holdfast.core.ids import DocumentNumber, StoreId
from holdfast.core.refusals import Refusal
from holdfast.core.sale import StockAdjusted, StockLine
from holdfast.core.stock.entries import CountedLine, StockCounted, StockTransferred, Way
from holdfast.register.checkout import Document
from holdfast.register.stock.draft import ADJUST, COUNT, SEND, Draft
from holdfast.register.web.messages import say
from holdfast.register.web.services import Services
from holdfast.register.web.stock.lists import Concluded, StockLists, type_of

Make = Callable[[DocumentNumber], Document | Refusal]


class StockActs:
    """What one person does."""

    def __init__(self, services: Services, act: Act) -> None:
        self._services = services
        self._act = act

    def conclude(self, kind: str, form: Mapping[str, str]) -> tuple[Draft, Concluded | Refusal]:
        """Journal the list that the form shows, once however often it is sent; then nothing of it is left."""
        lists = StockLists(self._services)
        with self._services.stock.writing:
            draft, concluded = lists.current(kind)
            shown = form.get("list", "") or (concluded.list if concluded else draft.id)
            done = lists.concluded(kind, shown)
            if done is not None:
                return draft, done
            if shown != draft.id:
                return draft, Refusal("stock.other-list", say("stock.other-list"))
            return draft, self._journal(lists, draft, form)

    def _journal(self, lists: StockLists, draft: Draft, form: Mapping[str, str]) -> Concluded | Refusal:
        make = self._maker(draft, form)
        if isinstance(make, Refusal):
            return make
        done = self._services.desk.record_stock(type_of(draft.kind), make, draft.id)
        if isinstance(done, Refusal):
            return done
        self._services.stock.drop_draft(draft.kind)
        concluded = lists.concluded(draft.kind, draft.id)
        assert concluded is not None, "what was just recorded is known by its list"
        return concluded

    def _maker(self, draft: Draft, form: Mapping[str, str]) -> Make | Refusal:
        refusal = _lines_refusal(draft) or text_refusal("The note", form.get("note", ""))
        if refusal is not None:
            return refusal
        if draft.kind == COUNT:
            return self._count(draft, form)
        return self._adjust(draft, form) if draft.kind == ADJUST else self._transfer(draft, form)

    def _count(self, draft: Draft, form: Mapping[str, str]) -> Make:
        estimates = {line.sku: self._services.stock.estimate(line.sku) for line in draft.lines}
        lines = tuple(
            CountedLine(
                line=number,
                sku=line.sku,
                quantity_milli=line.quantity_milli,
                description=line.description,
                expected_milli=None if (known := estimates[line.sku]) is None else known.quantity_milli,
            )
            for number, line in enumerate(draft.lines, 1)
        )
        return lambda number: StockCounted(
            document=number, lines=lines, at_ms=self._act.at_ms, blind=form.get("shown") != "yes",
            note=form.get("note", "").strip(), by=self._act.by, approved_by=self._act.approved_by,
        )  # fmt: skip

    def _adjust(self, draft: Draft, form: Mapping[str, str]) -> Make | Refusal:
        reason = form.get("reason", "").strip()
        if not reason:
            return Refusal("stock.no-reason", say("stock.no-reason"))
        if refusal := text_refusal("The reason", reason):
            return refusal
        lines = _moved(draft, 1 if form.get("way") == "on" else -1)
        return lambda number: StockAdjusted(
            document=number, reason=reason, lines=lines, at_ms=self._act.at_ms,
            note=form.get("note", "").strip(), by=self._act.by, approved_by=self._act.approved_by,
        )  # fmt: skip

    def _transfer(self, draft: Draft, form: Mapping[str, str]) -> Make | Refusal:
        way: Way = "sent" if draft.kind == SEND else "received"
        other = form.get("other", draft.other).strip()
        transfer = form.get("transfer", draft.transfer).strip()
        refusal = self._store_refusal(other)
        if refusal is None and way == "received" and id_refusal("The number", transfer):
            refusal = Refusal("stock.no-transfer", say("stock.no-transfer"))
        if refusal is not None:
            return refusal
        lines = _moved(draft, -1 if way == "sent" else 1)
        return lambda number: StockTransferred(
            document=number, way=way, transfer=transfer if way == "received" else number,
            other=StoreId(other), lines=lines, at_ms=self._act.at_ms,
            note=form.get("note", "").strip(), by=self._act.by, approved_by=self._act.approved_by,
        )  # fmt: skip

    def _store_refusal(self, other: str) -> Refusal | None:
        """Where head office told of no stores yet, any code is believed: it is shown there if it is none."""
        if id_refusal("The store", other):
            return Refusal("stock.no-store", say("stock.no-store"))
        if other == self._services.desk.checkout.config.store:
            return Refusal("stock.own-store", say("stock.own-store"))
        known = {each.store for each in self._services.stock.stores()}
        if known and other not in known:
            return Refusal("stock.no-such-store", say("stock.no-such-store", store=other[:32]))
        return None


def _moved(draft: Draft, sign: int) -> tuple[StockLine, ...]:
    return tuple(
        StockLine(
            line=number, sku=line.sku, description=line.description, quantity_milli=sign * line.quantity_milli
        )
        for number, line in enumerate(draft.lines, 1)
    )


def _lines_refusal(draft: Draft) -> Refusal | None:
    if not draft.lines:
        return Refusal("stock.no-lines", say("stock.no-lines"))
    if draft.kind == COUNT:  # a product of which nothing is there is counted as zero
        return None
    empty = next((line for line in draft.lines if not line.quantity_milli), None)
    return (
        None
        if empty is None
        else Refusal("stock.no-quantity", say("stock.no-quantity", name=empty.description))
    )
