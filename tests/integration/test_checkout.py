"""Checkout against a real till: from an empty basket to a durable sale, and back."""

import threading
from pathlib import Path

import pytest

from holdfast.core.basket import add_return
from holdfast.core.ids import DocumentNumber, StaffId, TransactionId
from holdfast.core.journal.bodies import CommandDone
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.refusals import Refusal
from holdfast.core.sale import ExternalDocument, Sale, StockAdjusted, StockLine, Tender
from holdfast.core.tender import IMPORTED
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.register.checkout import AlreadyRecorded, Checkout
from holdfast.register.verify import verify_register
from tests.register_fixture import (
    CASHIER,
    DATE,
    MANAGER,
    make_register,
    open_checkout,
    refusal_of,
    scan,
    sell_one,
    selling,
)
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act, done, sell


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


def segment(checkout: Checkout) -> str:
    return checkout.head().epoch[:5].upper()


# ---- selling -----------------------------------------------------------------------------------


def test_a_sale_is_numbered_counted_and_there_again_after_a_restart(home: RegisterHome) -> None:
    with selling(home) as checkout:
        first, second = sell_one(checkout), sell_one(checkout, APPLES, count=2)
        assert first.document == f"R01-{segment(checkout)}-000001"
        assert second.document == f"R01-{segment(checkout)}-000002"
    with selling(home, seed=2) as again:
        assert again.document(first.document) == first
        assert again.document(second.document) == second
        assert again.stock_milli(MUG.sku) == -1_000
        assert again.stock_milli(APPLES.sku) == -3_000
        assert again.drawer_minor() == first.total_minor + second.total_minor
        assert again.totals(DATE).sales == 2
        assert again.basket() is None
        assert sell_one(again).document == f"R01-{segment(again)}-000003"
    assert verify_register(home).differences == ()


def test_the_basket_is_on_the_disk_at_each_step(home: RegisterHome) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
    with selling(home, seed=2) as again:
        assert again.basket() == basket
        priced = again.priced()
        assert priced is not None
        assert priced.total_minor == 499
        assert done(again.conclude(cash_given_minor=500)).tenders[-1].amount_minor == -1


def test_nothing_is_sold_without_a_day_and_one_basket_is_open_at_a_time(home: RegisterHome) -> None:
    checkout = open_checkout(home)
    assert refusal_of(checkout.begin(by=CASHIER)) == "day.not-open"
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    assert refusal_of(checkout.change(lambda basket: basket)) == "basket.none"
    assert refusal_of(checkout.conclude()) == "basket.none"
    assert refusal_of(checkout.void(reason="left", by=CASHIER)) == "basket.none"
    done(checkout.begin(by=CASHIER))
    assert refusal_of(checkout.conclude()) == "basket.empty"
    scan(checkout)
    assert refusal_of(checkout.begin(by=CASHIER)) == "basket.open"
    assert refusal_of(checkout.close_day(by=CASHIER)) == "day.basket-open"
    checkout.close()


def test_an_empty_basket_leaves_no_trace_and_is_in_nobodys_way(home: RegisterHome) -> None:
    with selling(home) as checkout:
        before = checkout.head()
        done(checkout.begin(by=CASHIER))
        assert done(checkout.begin(by=CASHIER, kind="return")).kind == "return"
        assert done(checkout.void(reason="", by=CASHIER)).lines == ()
        assert checkout.basket() is None
        assert checkout.head() == before
        done(checkout.begin(by=CASHIER))
        done(checkout.close_day(by=CASHIER))
        assert checkout.basket() is None


def test_a_refused_conclude_takes_no_number_and_keeps_the_basket(home: RegisterHome) -> None:
    with selling(home) as checkout:
        before = checkout.head()
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
        assert refusal_of(checkout.conclude(cash_given_minor=1)) == "tender.insufficient"
        assert checkout.basket() == basket
        assert checkout.head() == before
        paid = done(checkout.conclude([Tender(kind="card", amount_minor=499)]))
        assert paid.tenders == (Tender(kind="card", amount_minor=499),)
        assert checkout.drawer_minor() == 0


def test_a_void_is_on_record_without_a_number(home: RegisterHome) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        scan(checkout)
        voided = done(checkout.void(reason="customer left", by=CASHIER, approved_by=MANAGER))
        assert (voided.reason, voided.by, voided.approved_by) == ("customer left", CASHIER, MANAGER)
        assert checkout.basket() is None
        assert checkout.head().documents == 0
        assert checkout.totals(DATE).voids == 1
        assert sell_one(checkout).document.endswith("-000001")
    assert verify_register(home).differences == ()


def test_an_operation_that_refuses_changes_nothing(home: RegisterHome) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        basket = scan(checkout)
        assert refusal_of(checkout.change(lambda _: Refusal("basket.no-line", "No."))) == "basket.no-line"
        assert checkout.basket() == basket


# ---- returns -----------------------------------------------------------------------------------


def bring_back(checkout: Checkout, document: DocumentNumber, quantity_milli: int) -> Sale | Refusal:
    found = checkout.returnable(document, 1)
    if isinstance(found, Refusal):
        return found
    done(checkout.begin(by=CASHIER, kind="return"))
    answer = checkout.change(lambda basket: add_return(basket, act(), found, quantity_milli))
    if isinstance(answer, Refusal):
        done(checkout.void(reason="refused", by=CASHIER))
        return answer
    priced = checkout.priced()
    assert priced is not None
    return checkout.conclude(cash_given_minor=priced.total_minor)


def test_a_line_comes_back_once_and_no_more_than_was_sold(home: RegisterHome) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        scan(checkout, MUG, 3_000)
        sold = done(checkout.conclude(cash_given_minor=2_000))
        back = done(bring_back(checkout, sold.document, 1_000))
        assert back.total_minor == -499
        assert done(bring_back(checkout, sold.document, 2_000)).total_minor == -998
        assert refusal_of(bring_back(checkout, sold.document, 1_000)) == "return.nothing-left"
        assert checkout.drawer_minor() == 0
        assert checkout.stock_milli(MUG.sku) == 0
        assert checkout.totals(DATE).returns == 2
        missing = checkout.returnable(DocumentNumber("R09-ABCDE-000001"), 1)
        assert refusal_of(missing) == "return.no-receipt"
    assert verify_register(home).differences == ()


def test_a_line_that_came_back_meanwhile_does_not_come_back_again(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sold = sell_one(checkout)
        found = done(checkout.returnable(sold.document, 1))
        assert done(bring_back(checkout, sold.document, 1_000)).total_minor == -499
        done(checkout.begin(by=CASHIER, kind="return"))
        done(checkout.change(lambda basket: add_return(basket, act(), found, 1_000)))
        assert refusal_of(checkout.conclude(cash_given_minor=-499)) == "return.nothing-left"


# ---- the business day --------------------------------------------------------------------------


def test_a_day_is_closed_with_its_totals_and_first_and_last_document(home: RegisterHome) -> None:
    with selling(home) as checkout:
        first, last = sell_one(checkout), sell_one(checkout)
        closed = done(checkout.close_day(by=CASHIER))
        assert (closed.first_document, closed.last_document) == (first.document, last.document)
        assert closed.totals.total_minor == 998
        assert closed.totals == checkout.totals(DATE)
        assert refusal_of(checkout.close_day(by=CASHIER)) == "day.not-open"
        assert refusal_of(checkout.begin(by=CASHIER)) == "day.not-open"


def test_the_business_date_never_goes_back(home: RegisterHome) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        sell_one(checkout)
        done(checkout.close_day(by=CASHIER))
        clock.jump_to(BEGAN_MS - 6 * 365 * 86_400_000)
        assert checkout.offered_date() == DATE
        assert refusal_of(checkout.open_day("2019-10-11", by=CASHIER, approved_by=MANAGER)) == "day.goes-back"
        assert refusal_of(checkout.open_day(by=CASHIER)) == "day.needs-manager"
        assert done(checkout.open_day(by=CASHIER, approved_by=MANAGER)).business_date == DATE
        assert sell_one(checkout).document.endswith("-000002")
        assert checkout.totals(DATE).sales == 2
    assert verify_register(home).differences == ()


@pytest.mark.parametrize("year_ms", [1_546_300_800_000, 4_070_908_800_000], ids=["2019", "2099"])
def test_a_wrong_clock_stops_no_sale_and_needs_a_manager_for_a_far_date(
    home: RegisterHome, year_ms: int
) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        clock.jump_to(year_ms)
        sale = sell_one(checkout)
        row = checkout.documents(1)[0]
        assert (row.document, row.business_date, row.at_ms) == (sale.document, DATE, year_ms)
        done(checkout.close_day(by=CASHIER))
        offered = checkout.offered_date(BEGAN_MS)
        if year_ms > BEGAN_MS:
            assert refusal_of(checkout.open_day(offered, by=CASHIER)) == "day.needs-manager"
            assert done(checkout.open_day(DATE, by=CASHIER, approved_by=MANAGER)).business_date == DATE
        else:
            assert offered == DATE
            opened = done(checkout.open_day(by=CASHIER, head_office_ms=BEGAN_MS))
            assert opened.business_date == DATE


def test_a_manager_leads_back_from_a_date_that_head_offices_clock_made(home: RegisterHome) -> None:
    clock, wrong_ms = ManualClock(BEGAN_MS), 4_070_908_800_000
    with selling(home, clock) as checkout:
        done(checkout.close_day(by=CASHIER))
        assert refusal_of(checkout.open_day(by=CASHIER, head_office_ms=wrong_ms)) == "day.needs-manager"
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER, head_office_ms=wrong_ms))
        sell_one(checkout)
        done(checkout.close_day(by=CASHIER))
    checkout = open_checkout(home, clock, seed=2)
    assert checkout.day().business_date == "2099-01-01"
    assert checkout.offered_date(BEGAN_MS) == DATE
    assert refusal_of(checkout.open_day(by=CASHIER, head_office_ms=BEGAN_MS)) == "day.needs-manager"
    opened = done(checkout.open_day(by=CASHIER, approved_by=MANAGER, head_office_ms=BEGAN_MS))
    assert (opened.business_date, opened.instead_of) == (DATE, "2099-01-01")
    sold = sell_one(checkout)
    checkout.close()
    again = open_checkout(home, clock, seed=3)
    assert (again.day().business_date, again.day().open) == (DATE, True)
    assert again.documents(1)[0].business_date == DATE
    assert sell_one(again).document > sold.document
    again.close()
    assert verify_register(home).differences == ()


# ---- history and other entries -----------------------------------------------------------------


def imported(number: DocumentNumber, reference: str) -> Sale:
    return Sale(
        document=number,
        transaction=TransactionId(f"t{reference}"),
        currency="EUR",
        lines=(),
        taxes=(),
        tenders=(Tender(kind=IMPORTED, amount_minor=0),),
        total_minor=0,
        began_at_ms=BEGAN_MS,
        external=ExternalDocument(reference=reference, business_date="2011-05-03"),
    )


def written_off(number: DocumentNumber, milli: int = -2_000) -> StockAdjusted:
    line = StockLine(line=1, sku=MUG.sku, quantity_milli=milli)
    return StockAdjusted(document=number, reason="broken", lines=(line,), at_ms=BEGAN_MS, by=CASHIER)


def test_a_document_of_history_is_entered_once_for_ever(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sale = checkout.record("sale", lambda number: imported(number, "536365"), reference="536365")
        assert isinstance(sale, Sale)
        again = checkout.record("sale", lambda number: imported(number, "536365"), reference="536365")
        assert again == AlreadyRecorded(type="sale", reference="536365", document=sale.document)
        other_type = checkout.record("return", lambda number: imported(number, "536365"), reference="536365")
        assert isinstance(other_type, Sale)
        row = checkout.documents(2)[1]
        assert (row.document, row.business_date) == (sale.document, "2011-05-03")
    with selling(home, seed=2) as reopened:
        assert isinstance(
            reopened.record("sale", lambda number: imported(number, "536365"), reference="536365"),
            AlreadyRecorded,
        )
        assert reopened.head().documents == 2
    assert verify_register(home).differences == ()


def test_an_adjustment_moves_stock_and_no_money(home: RegisterHome) -> None:
    with selling(home) as checkout:
        assert isinstance(checkout.record("stock_adjusted", written_off, reference=None), StockAdjusted)
        assert checkout.stock_milli(MUG.sku) == -2_000
        assert checkout.drawer_minor() == 0
        done(checkout.close_day(by=CASHIER))
        assert refusal_of(checkout.record("stock_adjusted", written_off, reference=None)) == "day.not-open"
    assert verify_register(home).differences == ()


def test_a_maker_that_refuses_or_fails_takes_no_number(home: RegisterHome) -> None:
    def fails(number: DocumentNumber) -> Sale:
        raise LookupError(number)

    with selling(home) as checkout:
        before = checkout.head()
        no = Refusal("import.bad", "No.")
        assert checkout.record("sale", lambda _: no, reference="1") == no
        with pytest.raises(LookupError):
            checkout.record("sale", fails, reference="1")
        large = checkout.record(
            "stock_adjusted",
            lambda number: StockAdjusted(document=number, reason="x" * (1 << 20), lines=(), at_ms=0),
            reference="1",
        )
        assert refusal_of(large) == "document.too-large"
        assert checkout.head() == before
        assert isinstance(checkout.record("stock_adjusted", written_off, reference="1"), StockAdjusted)


def test_entries_without_trade_take_no_number(home: RegisterHome) -> None:
    with selling(home) as checkout:
        before = checkout.head()
        written = checkout.append("command_done", 1, CommandDone(command="7", kind="report", outcome="done"))
        assert (written.seq, checkout.head().documents) == (before.seq + 1, before.documents)


# ---- reading back ------------------------------------------------------------------------------


def test_documents_are_listed_newest_first_page_by_page(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sold = [sell_one(checkout).document for _ in range(5)]
        first = checkout.documents(3)
        rest = checkout.documents(3, before=first[-1].document)
        assert [row.document for row in (*first, *rest)] == sold[::-1]
        assert checkout.documents(3, before=DocumentNumber("nonsense")) == []
        assert checkout.document(DocumentNumber("R01-00000-000001")) is None
        assert checkout.document(DocumentNumber(sold[0][:-6] + "000099")) is None


def test_owed_is_what_is_above_the_applied_cursor(home: RegisterHome) -> None:
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        sell_one(checkout)
        applied = checkout.head()
        assert checkout.owed({applied.epoch: applied.seq}).count == 0
        done(checkout.close_day(by=CASHIER))
        clock.advance(86_400_000)
        done(checkout.open_day(by=CASHIER))
        sell_one(checkout)
        sell_one(checkout, count=2)
        owed = checkout.owed({applied.epoch: applied.seq})
        assert (owed.count, owed.value_minor) == (2, 499 + 998)
        assert owed.oldest_at_ms == BEGAN_MS + 86_400_000
        assert owed.dates == ("2025-10-10",)
        assert checkout.owed({}).count == 3
        assert checkout.owed({}).dates == (DATE, "2025-10-10")
        assert checkout.owed({applied.epoch: 1 << 60}).count == 0
        head = checkout.head()
        checkout.record("sale", lambda number: imported(number, "1"), reference="1")
        assert checkout.owed({head.epoch: head.seq}).dates == ("2011-05-03", "2025-10-10")
        checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin"))
        applied = checkout.head()
        assert checkout.owed({head.epoch: head.seq + 1}).dates == ()
        sell_one(checkout)
        assert checkout.owed({head.epoch: head.seq + 1, applied.epoch: 1}).dates == ("2025-10-10",)


def test_a_purge_keeps_hashes_numbers_and_sums(home: RegisterHome) -> None:
    with selling(home) as checkout:
        old = sell_one(checkout)
        checkout.record("sale", lambda number: imported(number, "1"), reference="1")
        head = checkout.head()
        kept = sell_one(checkout)
        assert checkout.purge({head.epoch: head.seq}) == head.seq
        assert checkout.purge({head.epoch: head.seq}) == 0
        assert checkout.document(old.document) is None
        assert checkout.document(kept.document) == kept
        assert checkout.documents(1)[0].document == kept.document
        assert checkout.owed({}).count == 3
        again = checkout.record("sale", lambda number: imported(number, "1"), reference="1")
        assert isinstance(again, AlreadyRecorded)
        sell_one(checkout)
    verified = verify_register(home)
    assert (verified.differences, verified.purged) == ((), head.seq)


# ---- several at once ---------------------------------------------------------------------------


def test_two_checkouts_on_one_till_never_take_the_same_number(home: RegisterHome) -> None:
    numbers: list[DocumentNumber] = []
    each = 40

    def enter(checkout: Checkout) -> None:
        for _ in range(each):
            answer = checkout.record("stock_adjusted", written_off, reference=None)
            assert isinstance(answer, StockAdjusted)
            numbers.append(answer.document)

    with selling(home) as one, selling(home, seed=2) as other:
        assert one.head() == other.head()
        threads = [threading.Thread(target=enter, args=(checkout,)) for checkout in (one, other, one)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers) == [f"R01-{segment(one)}-{n:06d}" for n in range(1, 3 * each + 1)]
        assert one.head() == other.head()
    assert verify_register(home).differences == ()
    with selling(home, seed=3) as again:
        assert again.head().documents == 3 * each, "no mark disagrees, so no new epoch was opened"


def test_a_new_epoch_numbers_in_a_segment_of_its_own_and_is_opened_once(home: RegisterHome) -> None:
    with selling(home) as checkout:
        first = sell_one(checkout)
        before = checkout.head()
        why = OpenEpoch("forked", before.seq, "head office holds another entry")
        assert checkout.open_new_epoch(why, instead_of=before.epoch) is not None
        assert checkout.open_new_epoch(why, instead_of=before.epoch) is None
        second = sell_one(checkout)
        assert second.document[:-6] != first.document[:-6]
        assert second.document.endswith("-000001")
        assert [row.document for row in checkout.documents()] == [second.document, first.document]
        assert checkout.day().open
        assert checkout.owed({before.epoch: before.seq}).count == 1
    assert verify_register(home).differences == ()


def test_staff_ids_are_kept(home: RegisterHome) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=StaffId("anna")))
        done(checkout.change(lambda basket: sell(basket, MUG)))
        assert done(checkout.conclude(cash_given_minor=500)).by == "anna"
