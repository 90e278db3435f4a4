"""A receipt's code at a till: its own by its journal, another's by its signature, no forged one (PO8)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from holdfast.core.basket import UNLIMITED, Act, Basket, Limits
from holdfast.core.ids import DocumentNumber, IncarnationId, KeyId, OriginId, StaffId
from holdfast.core.receipt.code import (
    RETURN_WINDOW_DAYS,
    RegisterKey,
    facts_of,
    sign_code,
)
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalLine, Sale
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.checkout import Checkout
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference import open_reference
from holdfast.register.sync.reference_file import ReferenceFile
from holdfast.register.verify import verify_register
from holdfast.register.web.desk import ComesBack, Desk, ShowReceipt
from holdfast.register.web.shelf import Shelf
from tests.register_fixture import CASHIER, DATE, make_register, refusal_of, sell_one, selling
from tests.unit.core.shop import BEGAN_MS, CASHIER_LIMITS, MUG, STANDARD, done, price_of

INCARNATION = IncarnationId("i1")


def publish(home: RegisterHome, feed: str, rows: dict[str, msgspec.Struct]) -> None:
    """As head office's feed brings them."""
    reference = open_reference(home, DatabaseKey.load(home.database_key))
    store = FeedStore(reference)
    known = store.current(feed)
    since_n = known.n if known else 0
    page = FeedPage(
        feed=feed,
        incarnation=INCARNATION,
        since_n=since_n,
        to_n=since_n + 1,
        more=False,
        rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(row))) for key, row in rows.items()),
    )
    assert store.take(page, made_ms=1, now_ms=1) is None
    reference.close()


class Parameter(msgspec.Struct):
    value: object


def key_row(home: RegisterHome, register: str, until: str = "") -> dict[str, msgspec.Struct]:
    key = SigningKey.load(home.signing_key)
    return {
        key.key_id: RegisterKey(
            origin=OriginId(register.lower()),
            register=register,
            series=register,
            store="S1",
            public_key=key.public_bytes,
            until=until,
        )
    }


@contextmanager
def till(home: RegisterHome, checkout: Checkout) -> Iterator[Desk]:
    """What the page of a register calls, over what its feeds brought."""
    with ExitStack() as undo:
        file = ReferenceFile(home, DatabaseKey.load(home.database_key))
        undo.callback(file.close)
        shelf = Shelf(file, "EUR")
        codes = ReceiptCodes(
            home,
            checkout.config,
            key_of=shelf.register_key,
            window_days=lambda: shelf.parameter(RETURN_WINDOW_DAYS, 90),
        )
        yield Desk(checkout, shelf, lambda: None, lambda: None, codes)


class TwoTills:
    """R02 sold two mugs; R01 stands beside it and knows its key."""

    def __init__(self, folder: Path) -> None:
        self.here = make_register(folder / "r1", "reg01", "R01")
        self.there = make_register(folder / "r2", "reg02", "R02")
        self.others_key = SigningKey.load(self.there.signing_key)
        with selling(self.there, seed=7) as checkout:
            sold = sell_one(checkout, count=2)
            issued = checkout.issued(sold.document)
        assert issued is not None
        self.facts = facts_of(issued)
        self.code = sign_code(self.facts, self.others_key)
        publish(self.here, "products", {MUG.sku: MUG})
        publish(self.here, "prices", {f"{MUG.sku}|2020-01-01|EUR": price_of(MUG)})
        publish(self.here, "taxes", {f"{STANDARD.code}|{STANDARD.valid_from}": STANDARD})

    def know(self, until: str = "") -> None:
        publish(self.here, "register_keys", key_row(self.there, "R02", until))


@pytest.fixture
def tills(tmp_path: Path) -> TwoTills:
    return TwoTills(tmp_path)


@pytest.fixture
def desk(tills: TwoTills) -> Iterator[Desk]:
    tills.know()
    with selling(tills.here) as checkout, till(tills.here, checkout) as desk:
        yield desk


def by(limits: Limits = UNLIMITED, approved_by: str = "") -> Act:
    return Act(by=CASHIER, at_ms=BEGAN_MS, limits=limits, approved_by=StaffId(approved_by))


def conclude_return(desk: Desk) -> Sale:
    return done_sale(desk.pay("exact", by()))


def done_sale(answer: object) -> Sale:
    assert isinstance(answer, Sale), answer
    return answer


def test_a_code_of_ones_own_register_shows_the_receipt_and_its_lines(desk: Desk, tills: TwoTills) -> None:
    sold = sell_one(desk.checkout, count=2)
    issued = desk.receipt(sold.document)
    assert issued is not None
    text = sign_code(facts_of(issued), SigningKey.load(tills.here.signing_key))
    shown = desk.scan(text, by())
    assert shown == ShowReceipt(sold.document)
    done(desk.bring_back(sold.document, {1: "1", 2: "1"}, by()))
    conclude_return(desk)
    again = desk.scan(text, by())
    assert isinstance(again, ShowReceipt)
    assert again.refusal is not None
    assert again.refusal.code == "receipt-code.used"


def test_goods_come_back_on_another_registers_code_never_more_than_was_paid(
    desk: Desk, tills: TwoTills
) -> None:
    found = desk.scan(tills.code.lower(), by())
    assert found == ComesBack(tills.facts, 998)
    assert desk.is_returning
    assert isinstance(desk.scan("4006381333931", by()), Basket)
    assert isinstance(desk.scan(MUG.sku, by()), Basket)
    assert refusal_of(desk.scan(MUG.sku, by())) == "return.more-than-paid"
    sale = conclude_return(desk)
    assert sale.total_minor == -998
    assert {line.original for line in sale.lines} == {OriginalLine(document=tills.facts.document, line=0)}
    assert not desk.is_returning
    assert refusal_of(desk.scan(tills.code, by())) == "receipt-code.used"
    assert verify_register(tills.here).differences == ()


def test_what_came_back_before_is_taken_off(desk: Desk, tills: TwoTills) -> None:
    desk.scan(tills.code, by())
    desk.scan(MUG.sku, by())
    conclude_return(desk)
    assert desk.scan(tills.code, by()) == ComesBack(tills.facts, 499)
    desk.scan(MUG.sku, by())
    assert refusal_of(desk.scan(MUG.sku, by())) == "return.more-than-paid"


def test_the_return_survives_a_restart_of_the_till(tills: TwoTills) -> None:
    tills.know()
    with selling(tills.here) as checkout, till(tills.here, checkout) as desk:
        desk.scan(tills.code, by())
        desk.scan(MUG.sku, by())
    with selling(tills.here, seed=3) as checkout, till(tills.here, checkout) as desk:
        desk.scan(MUG.sku, by())
        assert refusal_of(desk.scan(MUG.sku, by())) == "return.more-than-paid"
        assert conclude_return(desk).total_minor == -998


def test_much_of_it_needs_a_manager(desk: Desk, tills: TwoTills) -> None:
    limits = msgspec.structs.replace(CASHIER_LIMITS, return_without_receipt_minor_max=499)
    desk.scan(tills.code, by())
    assert isinstance(desk.scan(MUG.sku, by(limits)), Basket)
    assert refusal_of(desk.scan(MUG.sku, by(limits))) == "basket.needs-manager"
    assert isinstance(desk.scan(MUG.sku, by(limits, "m1")), Basket)


FORGERIES: dict[str, Callable[[TwoTills], str]] = {
    "a total that was never paid": lambda tills: resigned(tills, total_minor=99_800),
    "another date": lambda tills: resigned(tills, date="2025-10-10"),
    "another document": lambda tills: resigned(tills, number=2),
    "one letter": lambda tills: tills.code[:-3] + ("0" if tills.code[-3] != "0" else "1") + tills.code[-2:],
}


def resigned(tills: TwoTills, **changed: object) -> str:
    """Facts changed by somebody who knows the form, and has not the key; its id is stated all the same."""

    class Pretender:
        key_id: KeyId = tills.others_key.key_id

        def sign(self, statement: bytes, /) -> bytes:
            return SigningKey(bytes([66]) * 32).sign(statement)

    return sign_code(msgspec.structs.replace(tills.facts, **changed), Pretender())


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_code_is_refused_with_a_sentence(desk: Desk, tills: TwoTills, forgery: str) -> None:
    refused = desk.scan(FORGERIES[forgery](tills), by())
    assert isinstance(refused, Refusal)
    assert refused.code == "receipt-code.forged"
    assert "forged" in refused.sentence
    assert not desk.is_returning
    assert desk.checkout.basket() is None


def test_a_forged_code_of_ones_own_receipt_is_refused_too(desk: Desk, tills: TwoTills) -> None:
    sold = sell_one(desk.checkout)
    issued = desk.receipt(sold.document)
    assert issued is not None
    facts = msgspec.structs.replace(facts_of(issued), total_minor=99_900)
    own = SigningKey.load(tills.here.signing_key)
    assert refusal_of(desk.scan(sign_code(facts, own), by())) == "receipt-code.forged"
    stranger = SigningKey(bytes([66]) * 32)
    assert refusal_of(desk.scan(sign_code(facts, stranger), by())) == "receipt-code.forged"


def test_a_register_that_nobody_published_is_not_believed(tills: TwoTills) -> None:
    with selling(tills.here) as checkout, till(tills.here, checkout) as desk:
        assert refusal_of(desk.scan(tills.code, by())) == "receipt-code.unknown-key"
        tills.know()
        assert isinstance(desk.scan(tills.code, by()), ComesBack)


def test_a_former_key_vouches_for_the_return_window(tills: TwoTills) -> None:
    tills.know(until=DATE)
    with selling(tills.here) as checkout, till(tills.here, checkout) as desk:
        assert isinstance(desk.scan(tills.code, by()), ComesBack)
        desk.end_return()
        tills.know(until="2025-10-08")
        assert refusal_of(desk.scan(tills.code, by())) == "receipt-code.former-key"
        tills.know()
        publish(tills.here, "parameters", {RETURN_WINDOW_DAYS: Parameter(0)})
        assert isinstance(desk.scan(tills.code, by()), ComesBack), "on the day itself"


def test_an_open_transaction_is_not_mixed_with_it(desk: Desk, tills: TwoTills) -> None:
    desk.scan(MUG.sku, by())
    assert refusal_of(desk.scan(tills.code, by())) == "basket.open"
    basket = desk.checkout.basket()
    assert basket is not None
    assert basket.kind == "sale"


def test_a_code_that_was_not_read_whole_is_no_product(desk: Desk, tills: TwoTills) -> None:
    assert refusal_of(desk.scan(tills.code[:100], by())) == "receipt-code.not-whole"


def test_a_till_without_a_signing_key_prints_its_number_and_finds_it(tills: TwoTills) -> None:
    with selling(tills.here) as checkout, till(tills.here, checkout) as desk:
        sold = sell_one(checkout)
        issued = desk.receipt(sold.document)
        assert issued is not None
        codes = ReceiptCodes(tills.here, checkout.config, key_of=lambda _: None, window_days=lambda: 90)
        assert codes.code_of(issued).startswith("HF1")
        tills.here.signing_key.unlink()
        assert codes.code_of(issued) == sold.document
        assert desk.scan(sold.document, by()) == ShowReceipt(sold.document)


def test_a_copy_is_journalled_with_who_asked_for_it(desk: Desk, tills: TwoTills) -> None:
    """PO4: whoever has two papers can try to bring the same goods back twice."""
    sold = sell_one(desk.checkout)
    before = desk.checkout.head().seq
    assert desk.print_again(sold.document, by()) is None
    assert desk.checkout.head().seq == before + 1
    assert refusal_of(desk.print_again(DocumentNumber("R01-00000-000099"), by())) == "receipt.unknown"
    assert desk.checkout.head().seq == before + 1
    assert verify_register(tills.here).differences == ()
