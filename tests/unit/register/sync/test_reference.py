"""The reference database: receipts that only go forward, feeds whole, requests once, damage set aside."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import apsw
import msgspec
import pytest

from holdfast.core.catalogue import Price, Product
from holdfast.core.faults import (
    DatabaseFault,
    Fault,
    KeyFault,
    NewerVersionFault,
    StorageFullFault,
    UnavailableFault,
)
from holdfast.core.foreign_cash import CurrencyRate, accepted_on
from holdfast.core.ids import CustomerNumber, EpochId, IncarnationId, OriginId, Sku
from holdfast.core.journal.bodies import CommandDone, ConnectionChanged
from holdfast.core.journal.chain import Position
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Head, Written
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.core.sync.messages import Receipt, sign_receipt
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.infra.sqlite import ReserveState
from holdfast.register.sync import keeper as keepers
from holdfast.register.sync.board import Board
from holdfast.register.sync.database import QUERIES
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.keeper import Keeper
from holdfast.register.sync.reference import Catalogue, Reference, open_reference, read_reference
from holdfast.register.sync.requests import (
    AT_ONCE_MAX,
    AppendRequest,
    Inbox,
    OpenEpochRequest,
    PurgeRequest,
    append_request,
    carry_out_all,
)
from holdfast.register.sync.status import read_status
from holdfast.register.till.purging import Purged

ORIGIN = OriginId("reg01")
EPOCH = EpochId("e" * 26)
OFFICE = SigningKey.generate()
KEY = DatabaseKey.generate()


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return RegisterHome(tmp_path / "r").create()


@pytest.fixture
def connection(home: RegisterHome) -> Iterator[apsw.Connection]:
    connection = open_reference(home, KEY)
    yield connection
    connection.close()


def receipt(seq: int, incarnation: str = "i1", level: str = "applied") -> Receipt:
    at = Position(EPOCH, seq, bytes([seq]) * 32)
    return sign_receipt(level, IncarnationId(incarnation), ORIGIN, at, OFFICE)


# ---- receipts ----------------------------------------------------------------------------------


def test_receipts_go_forward_within_an_incarnation(connection: apsw.Connection) -> None:
    reference = Reference(connection, ORIGIN)
    assert reference.see_incarnation(IncarnationId("i1"), 1)
    reference.keep([receipt(5), receipt(3, level="safe")], None, 1)
    reference.keep([receipt(4)], None, 2)
    assert reference.receipts() == (receipt(5),)
    assert reference.safe_receipts() == (receipt(3, level="safe"),)
    assert reference.applied() == {EPOCH: 5}


def test_a_new_incarnation_counts_alone_and_a_former_one_never_again(connection: apsw.Connection) -> None:
    reference = Reference(connection, ORIGIN)
    reference.see_incarnation(IncarnationId("i1"), 1)
    reference.keep([receipt(5), receipt(5, level="safe")], None, 1)
    assert reference.see_incarnation(IncarnationId("i2"), 2)
    assert reference.applied() == {}, "what the lost state had is owed until the new one says otherwise"
    assert reference.safe_receipts() == (), "and nothing may be deleted on its word"
    assert reference.receipts() == (receipt(5),), "it is still shown to head office"
    reference.keep([receipt(2, "i2")], None, 3)
    assert reference.applied() == {EPOCH: 2}
    assert not reference.see_incarnation(IncarnationId("i1"), 4)
    reference.keep([receipt(6, "i1")], None, 4)
    assert reference.receipts() == (receipt(2, "i2"),)


# ---- feeds -------------------------------------------------------------------------------------


def page(
    since: int, to: int, rows: Mapping[str, object], incarnation: str = "i1", more: bool = False
) -> FeedPage:
    return FeedPage(
        feed="products",
        incarnation=IncarnationId(incarnation),
        since_n=since,
        to_n=to,
        more=more,
        rows=tuple(FeedRow(key, msgspec.Raw(msgspec.json.encode(body))) for key, body in rows.items()),
    )


def mug(sku: str, *barcodes: str) -> Product:
    return Product(sku=Sku(sku), description=f"Blue Mug {sku}", tax_code="std", barcodes=barcodes)


def test_pages_join_without_a_gap_or_a_step_back(connection: apsw.Connection) -> None:
    store, catalogue = FeedStore(connection), Catalogue(connection)
    assert store.take(page(0, 2, {"A": mug("A", "111"), "B": mug("B")}), made_ms=1, now_ms=1) is None
    for wrong in (page(3, 4, {"C": mug("C")}), page(0, 2, {"A": mug("Z")}), page(0, 1, {})):
        refused = store.take(wrong, made_ms=2, now_ms=2)
        assert isinstance(refused, Refusal)
    assert store.take(page(2, 3, {"A": None}), made_ms=2, now_ms=2) is None
    assert catalogue.product(Sku("A")) is None
    assert catalogue.by_barcode("111") is None
    assert catalogue.search("blue mug") == [mug("B")]


def test_a_half_taken_generation_is_seen_by_nobody_and_goes_on(connection: apsw.Connection) -> None:
    store, catalogue = FeedStore(connection), Catalogue(connection)
    store.take(page(0, 1, {"A": mug("A")}), made_ms=1, now_ms=1)
    store.take(page(0, 4, {"B": mug("B")}, "i2", more=True), made_ms=2, now_ms=2)
    assert catalogue.product(Sku("A")) == mug("A")
    assert catalogue.product(Sku("B")) is None
    assert store.since("products", IncarnationId("i2")).n == 4
    store.take(page(4, 5, {"C": mug("C")}, "i2"), made_ms=2, now_ms=2)
    assert [product.sku for product in catalogue.search("mug")] == ["B", "C"]
    while store.sweep():
        pass
    assert connection.execute("select count(*) from feed_row").fetchall() == [(2,)]
    assert connection.execute("select count(*) from product").fetchall() == [(2,)]


def test_search_takes_whatever_is_typed(connection: apsw.Connection) -> None:
    store, catalogue = FeedStore(connection), Catalogue(connection)
    rows = {"85123A": mug("85123A", "0012345678905"), "M": mug("M"), "m": mug("m")}
    rows["É1"] = Product(sku=Sku("É1"), description="Café crème (250g)", tax_code="std")
    store.take(page(0, 4, rows), made_ms=1, now_ms=1)
    assert catalogue.search("cafe CREME")[0].sku == "É1"
    assert catalogue.search("8512")[0].sku == "85123A"
    assert catalogue.by_barcode("0012345678905") == rows["85123A"]
    assert catalogue.by_barcode("12345678905") is None, "leading zeros count"
    assert catalogue.search("m")[0].sku == "m", "an exact code comes first, and case counts there"
    for odd in ("", " ", '"', "a OR", "NEAR(", "x*", "\x00", "'; drop table", "🙂", "-" * 500):
        catalogue.search(odd)


def test_prices_go_by_business_date(connection: apsw.Connection) -> None:
    store, catalogue = FeedStore(connection), Catalogue(connection, "EUR")

    def price(valid_from: str, e4: int, currency: str = "EUR") -> Price:
        return Price(sku=Sku("A|1"), unit_price_e4=e4, currency=currency, valid_from=valid_from)

    prices = [price("2025-01-01", 1), price("2025-06-01", 2), price("2025-06-01", 9, "USD")]
    rows = {f"A|1|{p.valid_from}|{p.currency}": p for p in prices}
    store.take(msgspec.structs.replace(page(0, 3, rows), feed="prices"), made_ms=1, now_ms=1)
    assert isinstance(catalogue.price(Sku("A|1"), "2024-12-31"), Refusal)
    assert catalogue.price(Sku("A|1"), "2025-05-31") == prices[0]
    assert catalogue.price(Sku("A|1"), "2025-06-01") == prices[1]
    gone = msgspec.structs.replace(page(3, 4, {"A|1|2025-06-01|EUR": None}), feed="prices")
    store.take(gone, made_ms=1, now_ms=1)
    assert catalogue.price(Sku("A|1"), "2025-06-01") == prices[0]


def test_a_rate_that_cannot_be_used_stops_no_other(connection: apsw.Connection) -> None:
    """P10: it is kept with its fault, which the heartbeat tells."""
    store, catalogue = FeedStore(connection), Catalogue(connection, "EUR")
    dollar = CurrencyRate(
        currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=100, valid_from="2025-01-01"
    )
    free = msgspec.structs.replace(dollar, currency="GBP", rate_e8=0)
    rows = {dollar.key: dollar, free.key: free, "CHF|EUR|2025-01-01": dollar, "JPY": {"currency": "JPY"}}
    store.take(msgspec.structs.replace(page(0, 4, rows), feed="currencies"), made_ms=1, now_ms=1)
    assert catalogue.currencies("2025-01-01") == (dollar,)
    faults = connection.execute("select key from feed_row where fault is not null order by key").fetchall()
    assert faults == [("CHF|EUR|2025-01-01",), ("GBP|EUR|2025-01-01",), ("JPY",)]


def test_rates_go_by_business_date(connection: apsw.Connection) -> None:
    """As core says it, of any number of rows; other homes and later dates count for nothing."""
    store, catalogue = FeedStore(connection), Catalogue(connection, "EUR")
    assert catalogue.currencies("2025-01-01") == (), "before the first feed"
    rates = [
        CurrencyRate(
            currency=currency,
            home=home,
            rate_e8=1_000 * month,
            smallest_minor=100,
            valid_from=f"2025-{month:02}-01",
            accepted=(currency, month) != ("GBP", 6),
        )
        for currency in ("CHF", "GBP", "USD")
        for home in ("AUD", "EUR", "SEK")
        for month in range(1, 13)
    ]
    rows = {rate.key: rate for rate in rates}
    store.take(msgspec.structs.replace(page(0, 1, rows), feed="currencies"), made_ms=1, now_ms=1)
    for date in ("2024-12-31", "2025-01-01", "2025-05-31", "2025-06-01", "2025-07-15", "2026-01-01"):
        assert catalogue.currencies(date) == accepted_on(rates, "EUR", date)
    assert [rate.currency for rate in catalogue.currencies("2025-06-30")] == ["CHF", "USD"]


# ---- requests ----------------------------------------------------------------------------------


class FakeCheckout:
    """Says what it was asked; a checkout in memory."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.fault: Fault | None = None

    def append(self, type: str, version: int, body: msgspec.Struct) -> Written:
        if self.fault is not None:
            raise self.fault
        self.done.append(body)
        return Written(7, bytes(32), type, b"", Head(epoch=EPOCH, seq=7, hash=bytes(32), documents=0))

    def open_new_epoch(self, why: OpenEpoch, *, instead_of: EpochId | None = None) -> Written | None:
        self.done.append(why)
        return None

    def forget_customers(self, numbers: tuple[CustomerNumber, ...]) -> int:
        return len(numbers)

    def purge_part(self, through: Mapping[EpochId, int]) -> Purged:
        """In parts of five."""
        self.done.append(dict(through))
        left = sum(through.values()) - 5 * len([asked for asked in self.done if asked == through])
        return Purged(min(5, left + 5), int(left <= 0), 1 if left > 0 else None)


def test_requests_are_carried_out_in_order_and_once(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    change = ConnectionChanged(before="online", after="offline", cause="cut")
    why = OpenEpoch("forked", 9, "head office holds more")
    first = inbox.file(append_request("connection_changed", 1, change), 1)
    opening = inbox.file(OpenEpochRequest(epoch=EPOCH, open=why), 1)
    assert inbox.file(OpenEpochRequest(epoch=EPOCH, open=why), 2) == opening
    assert inbox.file(append_request("connection_changed", 1, change), 2) != first, "each change is a fact"
    purge = inbox.file(PurgeRequest(through={EPOCH: 5}), 3)
    assert carry_out_all(inbox, checkout, 4) == 4
    assert checkout.done == [change, why, change, {EPOCH: 5}]
    assert inbox.outcome(purge) == ("done", "5 entries purged; what cannot be read stays (places: 1)")
    assert carry_out_all(inbox, checkout, 5) == 0


def test_a_request_that_cannot_be_read_stops_no_other(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    odd = inbox.file(AppendRequest(type="unheard_of", version=1, body=msgspec.Raw(b"{}")), 1)
    bad = inbox.file(AppendRequest(type="command_done", version=1, body=msgspec.Raw(b"[]")), 1)
    good = CommandDone(command="1", kind="report", outcome="done")
    inbox.file(append_request("command_done", 1, good), 1)
    carry_out_all(inbox, checkout, 2)
    assert checkout.done == [good]
    for number in (odd, bad):
        outcome = inbox.outcome(number)
        assert outcome is not None
        assert outcome[0] == "failed"


def note(number: int = 1) -> AppendRequest:
    return append_request("command_done", 1, CommandDone(command=str(number), kind="x", outcome="done"))


def test_a_request_waits_for_a_checkout_that_is_busy(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    checkout.fault = UnavailableFault("busy")
    inbox.file(note(), 1)
    assert carry_out_all(inbox, checkout, 2) == 0
    checkout.fault = None
    assert carry_out_all(inbox, checkout, 3) == 1


def test_what_a_full_disk_refuses_waits_and_the_purge_behind_it_runs(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    checkout.fault = StorageFullFault("full")
    numbers = [inbox.file(note(number), 1) for number in range(AT_ONCE_MAX + 1)]
    purge = inbox.file(PurgeRequest(through={EPOCH: 5}), 1)
    assert carry_out_all(inbox, checkout, 2) == 1
    assert (checkout.done, inbox.outcome(purge) is not None) == ([{EPOCH: 5}], True)
    checkout.fault = None
    while carry_out_all(inbox, checkout, 3):
        pass
    assert [inbox.outcome(number) is not None for number in numbers] == [True] * len(numbers)
    journalled = [body.command for body in checkout.done if isinstance(body, CommandDone)]
    assert journalled == [str(number) for number in range(AT_ONCE_MAX + 1)], "in order, each once"


def test_what_is_asked_of_a_failed_till_waits_until_it_is_opened_anew(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    checkout.fault = DatabaseFault("the disk reported an error; restart")
    number = inbox.file(note(), 1)
    assert carry_out_all(inbox, checkout, 2) == 0
    assert inbox.outcome(number) is None
    checkout.fault = None
    assert carry_out_all(inbox, checkout, 3) == 1
    assert checkout.done != []


def test_a_long_purge_is_done_in_parts_between_which_others_come(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    purge = inbox.file(PurgeRequest(through={EPOCH: 12}), 1)
    assert carry_out_all(inbox, checkout, 2) == 1
    assert inbox.outcome(purge) is None
    inbox.file(note(), 3)
    assert carry_out_all(inbox, checkout, 4) == 2, "another part, and the note"
    assert carry_out_all(inbox, checkout, 5) == 1
    assert inbox.outcome(purge) == ("done", "12 entries purged; what cannot be read stays (places: 1)")
    assert carry_out_all(inbox, checkout, 6) == 0


def test_a_request_of_another_version_stops_no_other(connection: apsw.Connection) -> None:
    inbox, checkout = Inbox(connection), FakeCheckout()
    QUERIES.add_request(connection, kind="unheard_of", payload=b'{"kind":"unheard_of"}', at_ms=1)
    inbox.file(note(), 1)
    assert carry_out_all(inbox, checkout, 2) == 2
    assert len(checkout.done) == 1


# ---- the file ----------------------------------------------------------------------------------


def test_a_damaged_reference_is_set_aside_and_begun_anew(home: RegisterHome) -> None:
    connection = open_reference(home, KEY)
    Reference(connection, ORIGIN).see_incarnation(IncarnationId("i1"), 1)
    connection.close()
    home.reference.write_bytes(b"\xff" * 20_000)
    again = open_reference(home, KEY)
    assert Reference(again, ORIGIN).incarnation() is None
    again.close()
    assert home.reference.with_name("reference.db.damaged").exists()


def test_a_wrong_key_and_a_newer_version_are_said(home: RegisterHome) -> None:
    connection = open_reference(home, KEY)
    connection.execute("insert into migration (number, name, sha256) values (99, 'later', '')")
    connection.close()
    with pytest.raises(NewerVersionFault):
        open_reference(home, KEY)
    with pytest.raises(KeyFault):
        open_reference(home, DatabaseKey.generate())
    assert not home.reference.with_name("reference.db.damaged").exists()


def test_reading_needs_a_database(home: RegisterHome) -> None:
    with pytest.raises(DatabaseFault):
        read_reference(home, KEY)


# ---- the keeper --------------------------------------------------------------------------------


def test_the_board_is_written_with_its_requests(home: RegisterHome) -> None:
    clock = ManualClock()
    keeper = Keeper(home, KEY, clock)
    board = Board(clock, keeper.state())
    board.answered(5)
    board.block("key.unknown", "not enrolled")
    assert keeper.keep(board, 0)
    keeper.close()
    connection = open_reference(home, KEY)
    status = read_status(connection)
    assert (status.mode.value, status.blocked_code) == ("online", "key.unknown")
    assert len(Inbox(connection).open()) == 1
    connection.close()
    again = Keeper(home, KEY, clock)
    assert again.state().connection.mode.value == "online", "a restart is no change of the line"
    again.close()


def test_a_locked_database_delays_the_writing_and_loses_nothing(
    home: RegisterHome, connection: apsw.Connection
) -> None:
    clock = ManualClock()
    keeper = Keeper(home, KEY, clock)
    keeper.connection.set_busy_timeout(10)
    board = Board(clock, keeper.state())
    board.answered(5)
    connection.execute("begin immediate")
    assert not keeper.keep(board, 0)
    assert board.problems["storage"].code == "unavailable"
    connection.execute("rollback")
    assert keeper.keep(board, 0)
    assert keeper.keep(board, 0)
    status = read_status(connection)
    assert (status.mode.value, dict(status.problems)) == ("online", {})
    assert len(Inbox(connection).open()) == 1
    keeper.close()


def test_a_full_disk_gives_up_the_reserve_so_that_it_can_be_said(
    home: RegisterHome, connection: apsw.Connection
) -> None:
    clock = ManualClock()
    keeper = Keeper(home, KEY, clock)
    assert keeper.reserve.state is ReserveState.HELD
    pages = keeper.connection.pragma("page_count")
    keeper.connection.pragma("max_page_count", pages)
    board = Board(clock, keeper.state())
    for number in range(keepers.RESERVE_BYTES // 4096):
        board.trouble(f"part{number}", "storage.full", "x" * 4096)
    assert not keeper.keep(board, 0)
    assert keeper.reserve.state is ReserveState.SPENT
    assert board.problems["storage"].code == "storage.full"
    keeper.connection.pragma("max_page_count", 1 << 30)
    assert keeper.keep(board, 0)
    assert keeper.keep(board, 0)
    assert "storage" not in read_status(connection).problems
    keeper.close()
