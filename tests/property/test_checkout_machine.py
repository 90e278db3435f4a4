"""Random lives of a till, with restarts, restores and new epochs in between: what it keeps always equals
what was sold, numbers are gapless in each segment, and the journal verifies."""

import re
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.core.basket import add_return, discount_total, void_line
from holdfast.core.basket.limits import UNLIMITED
from holdfast.core.catalogue import Product
from holdfast.core.ids import DocumentNumber, Sku
from holdfast.core.journal.bodies import CommandDone
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.money import CURRENCIES
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, StockAdjusted, StockLine
from holdfast.core.tender import Till, due
from holdfast.infra.clock import ManualClock
from holdfast.register.checkout import AlreadyRecorded, Document
from holdfast.register.verify import verify_register
from tests.register_fixture import (
    CASHIER,
    MANAGER,
    copy_data,
    make_register,
    open_checkout,
    restore_data,
    scan,
)
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act

PRODUCTS = st.sampled_from([MUG, APPLES])
DAY_MS = 86_400_000
Life = dict[DocumentNumber, Document]


class TillLife(RuleBasedStateMachine):
    """The model is the list of documents that checkout answered; a restore takes back those of later."""

    @initialize()
    def enrol(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.home = make_register(self.folder / "register")
        self.clock = ManualClock(BEGAN_MS)
        self.openings = 0
        self.documents: Life = {}
        self.numbers_ever: set[DocumentNumber] = set()
        self.backup: Life | None = None
        self._open()

    def _open(self) -> None:
        self.openings += 1
        self.checkout = open_checkout(self.home, self.clock, seed=self.openings)

    def _keep(self, document: Document) -> None:
        assert document.document not in self.numbers_ever, "a number was used again"
        self.numbers_ever.add(document.document)
        self.documents[document.document] = document

    # ---- the day -----------------------------------------------------------------------------

    @rule(days=st.integers(-2, 3))
    def open_day(self, days: int) -> None:
        self.clock.jump_to(self.clock.now_ms() + days * DAY_MS)
        before = self.checkout.day()
        answer = self.checkout.open_day(by=CASHIER, approved_by=MANAGER)
        assert isinstance(answer, Refusal) == before.open
        assert (before.business_date or "") <= (self.checkout.day().business_date or "")

    @rule()
    def close_day(self) -> None:
        waiting = self.checkout.suspended_count()
        answer = self.checkout.close_day(by=CASHIER)
        assert not waiting or isinstance(answer, Refusal), "no suspended basket is forgotten"

    # ---- baskets -----------------------------------------------------------------------------

    @rule(kind=st.sampled_from(["sale", "sale", "return"]))
    def begin(self, kind: str) -> None:
        self.checkout.begin(by=CASHIER, kind="return" if kind == "return" else "sale")

    @precondition(lambda self: (basket := self.checkout.basket()) is not None and basket.kind == "sale")
    @rule(product=PRODUCTS, quantity=st.integers(1, 9))
    def add(self, product: Product, quantity: int) -> None:
        scan(self.checkout, product, quantity * (1_000 if product.unit == "each" else 137))

    @precondition(lambda self: (basket := self.checkout.basket()) is not None and basket.kind == "return")
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        sales = [document for document in self.documents.values() if isinstance(document, Sale)]
        if not sales:
            return
        found = self.checkout.returnable(data.draw(st.sampled_from(sales)).document, 1)
        if not isinstance(found, Refusal):
            self.checkout.change(lambda basket: add_return(basket, act(), found))

    @rule(line=st.integers(1, 3))
    def void_line(self, line: int) -> None:
        self.checkout.change(lambda basket: void_line(basket, act(), line))

    @rule(percent_e2=st.integers(1, 9_999))
    def discount(self, percent_e2: int) -> None:
        self.checkout.change(lambda basket: discount_total(basket, act(UNLIMITED), percent_e2=percent_e2))

    @rule(over_minor=st.sampled_from([0, 0, 1, 500]))
    def conclude(self, over_minor: int) -> None:
        basket, priced = self.checkout.basket(), self.checkout.priced()
        if basket is None or priced is None:
            return
        till = Till.of(CURRENCIES[basket.currency], basket.rounding_rule)
        cash_minor = due(priced.total_minor, (), till).cash_minor
        cash_minor += over_minor if cash_minor > 0 else 0
        answer = self.checkout.conclude(cash_given_minor=cash_minor)
        if isinstance(answer, Sale):
            assert answer.total_minor == priced.total_minor
            self._keep(answer)
        else:
            assert self.checkout.basket() == basket

    @rule()
    def void(self) -> None:
        self.checkout.void(reason="left", by=CASHIER)

    # ---- suspended baskets -------------------------------------------------------------------

    @rule(note=st.sampled_from(["", "blue coat"]))
    def suspend(self, note: str) -> None:
        basket, before = self.checkout.basket(), self.checkout.suspended()
        answer = self.checkout.suspend(act(), note)
        if isinstance(answer, Refusal):
            assert (self.checkout.basket(), self.checkout.suspended()) == (basket, before)
        else:
            assert answer.basket == basket
            assert self.checkout.basket() is None
            after = self.checkout.suspended()
            assert len(after) == len(before) + 1
            assert all(kept in after for kept in (*before, answer))

    @rule(data=st.data(), voids=st.booleans())
    def recall(self, data: st.DataObject, voids: bool) -> None:
        waiting = self.checkout.suspended()
        if not waiting:
            return
        kept = data.draw(st.sampled_from(waiting))
        if voids:
            self.checkout.void_suspended(kept.basket.transaction, act(), "nobody came")
            assert kept not in self.checkout.suspended()
        elif not isinstance(self.checkout.recall(kept.basket.transaction), Refusal):
            assert self.checkout.basket() == kept.basket, "as it was"
            assert kept not in self.checkout.suspended()

    # ---- other entries -----------------------------------------------------------------------

    @rule(reference=st.sampled_from(["A1", "A2", None]), milli=st.integers(-5_000, 5_000))
    def adjust(self, reference: str | None, milli: int) -> None:
        def make(number: DocumentNumber) -> StockAdjusted:
            line = StockLine(line=1, sku=MUG.sku, quantity_milli=milli)
            return StockAdjusted(document=number, reason="count", lines=(line,), at_ms=0)

        answer = self.checkout.record("stock_adjusted", make, reference=reference)
        if isinstance(answer, AlreadyRecorded):
            assert isinstance(self.documents[answer.document], StockAdjusted)
        elif not isinstance(answer, Refusal):
            self._keep(answer)

    @rule()
    def command(self) -> None:
        self.checkout.append("command_done", 1, CommandDone(command="1", kind="report", outcome="done"))

    @rule(share=st.floats(0, 1))
    def purge(self, share: float) -> None:
        head = self.checkout.head()
        self.checkout.purge({head.epoch: int(head.seq * share)})

    # ---- what happens to a machine -----------------------------------------------------------

    @rule()
    def restart(self) -> None:
        before = self.checkout.head(), self.checkout.day(), self.checkout.basket(), self.checkout.suspended()
        self.checkout.close()
        self._open()
        checkout = self.checkout
        assert (checkout.head(), checkout.day(), checkout.basket(), checkout.suspended()) == before

    @rule()
    def tidy(self) -> None:
        self.checkout.tidy()

    @rule()
    def meet_a_twin(self) -> None:
        self.checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin was met"))

    @rule()
    def back_up(self) -> None:
        self.checkout.close()
        shutil.rmtree(self.folder / "backup", ignore_errors=True)
        copy_data(self.home, self.folder / "backup")
        self.backup = dict(self.documents)
        self._open()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        assert self.backup is not None
        before = self.checkout.head()
        date = self.checkout.day().business_date or ""
        self.checkout.close()
        restore_data(self.home, self.folder / "backup")
        self.documents = dict(self.backup)
        self._open()
        restored = self.checkout.head()
        assert restored == before or restored.epoch != before.epoch
        assert (self.checkout.day().business_date or "") >= date

    # ---- what always holds -------------------------------------------------------------------

    @invariant()
    def keeps_what_was_sold(self) -> None:
        if not hasattr(self, "checkout"):
            return
        sales = [document for document in self.documents.values() if isinstance(document, Sale)]
        cash = sum(tender.amount_minor for sale in sales for tender in sale.tenders)
        assert self.checkout.drawer_minor() == cash
        stock: Counter[Sku] = Counter()
        for document in self.documents.values():
            sign = -1 if isinstance(document, Sale) else 1
            for line in document.lines:
                stock[line.sku] += sign * line.quantity_milli
        assert all(self.checkout.stock_milli(sku) == stock[sku] for sku in (MUG.sku, APPLES.sku))

    def teardown(self) -> None:
        if not hasattr(self, "checkout"):
            return
        rows = self.checkout.documents(1_000)
        self.checkout.close()
        assert {row.document for row in rows} == set(self.documents)
        segments: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            match = re.fullmatch(r"(R01-.{5})-(\d{6})", row.document)
            assert match is not None
            segments[match[1]].append(int(match[2]))
        for numbers in segments.values():
            assert numbers == list(range(len(numbers), 0, -1)), "gapless within a segment"
        assert verify_register(self.home).differences == ()
        shutil.rmtree(self.folder)


TestTillLife = TillLife.TestCase
TestTillLife.settings = settings(max_examples=25, stateful_step_count=40)


def test_the_day_is_not_told_by_a_journal_whose_last_word_of_it_was_purged() -> None:
    """Found by the machine above: an epoch that was purged whole, after one that was not."""
    life = TillLife()
    life.enrol()
    life.open_day(days=0)
    life.close_day()
    life.meet_a_twin()
    life.open_day(days=0)
    life.purge(share=1.0)
    life.teardown()
