"""What a register sells from: pulled page after page, whole or not at all, never an older one."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from holdfast.core.catalogue import Price, Product
from holdfast.core.connection import Mode as Link
from holdfast.core.customers import Details
from holdfast.core.faults import MalformedFault
from holdfast.core.ids import IncarnationId, OriginId, Sku
from holdfast.core.parameters import ParameterRow
from holdfast.core.sync.commands import CommandBatch, News
from holdfast.core.sync.feed import FeedPage, Snapshot, pack
from holdfast.core.sync.messages import Heartbeat, decode
from holdfast.core.sync.receiver import Refused
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey
from holdfast.register.snapshot import take_snapshot
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import Answer, HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.register_fixture import HEAD_OFFICE, ORIGIN
from tests.unit.core.shop import act, done


def version(till: Till, feed: str) -> tuple[str, int] | None:
    age = till.status().feeds.get(feed)
    return None if age is None else (age.incarnation, age.n)


def pulled(till: Till, feed: str, n: int, incarnation: str = "inc1") -> Callable[[], bool]:
    return lambda: version(till, feed) == (incarnation, n)


def sync_now(till: Till) -> None:
    assert till.process is not None
    till.process.wake("n")


def test_feeds_are_pulled_and_sold_from(till: Till, office: HeadOffice) -> None:
    office.publish_shop()
    till.start_sync()
    eventually(pulled(till, "prices", 20))
    assert version(till, "products") == ("inc1", 20)
    assert till.catalogue.search("mug 1", 50)
    price = till.catalogue.price(Sku("S7"), "2025-10-09")
    assert isinstance(price, Price)
    assert price.unit_price_e4 == 10_007
    office.publish("products", {"S3": None, "S4": Product(sku=Sku("S4"), description="Cup", tax_code="std")})
    sync_now(till)
    eventually(pulled(till, "products", 22))
    assert till.catalogue.product(Sku("S3")) is None
    assert [product.sku for product in till.catalogue.search("cup")] == ["S4"]


def test_a_line_that_breaks_in_between_goes_on_from_there(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    office.publish_shop(40)
    asked_since: list[int] = []
    page = office.page

    def note(feed: str, incarnation: str, since: int) -> FeedPage:
        if feed == "products":
            asked_since.append(since)
        return page(feed, incarnation, since)

    office.page = note  # pyright: ignore[reportAttributeAccessIssue]
    was_cut: list[str] = []

    def cut_after_the_second_page(path: str, body: bytes) -> bytes:
        if not was_cut and office.asked["/v1/sync/feeds/products"] == 2:
            was_cut.append(path)
            line.mode = Mode.CUT
        return body

    office.replay = cut_after_the_second_page
    till.start_sync()
    eventually(lambda: was_cut and till.status().mode is Link.OFFLINE)
    assert till.catalogue.product(Sku("S1")) is None, "nobody sells from half a catalogue"
    line.mode = Mode.OPEN
    eventually(pulled(till, "products", 40))
    assert asked_since.count(0) == 1, "what it had is not asked for again"
    assert asked_since == sorted(asked_since)


def test_an_older_page_is_refused(till: Till, office: HeadOffice) -> None:
    office.publish_shop()
    kept: dict[str, bytes] = {}

    def keep(path: str, body: bytes) -> bytes:
        kept.setdefault(path, body)
        return body

    office.replay = keep
    till.start_sync()
    eventually(pulled(till, "prices", 20))
    office.publish("products", {"S1": Product(sku=Sku("S1"), description="Now", tax_code="std")})
    office.replay = lambda path, body: kept[path] if path.endswith("/products") else body
    sync_now(till)
    eventually(lambda: till.status().problems.get("feeds"))
    assert till.status().problems["feeds"].code == "feed.replayed"
    assert version(till, "products") == ("inc1", 20)
    office.replay = lambda path, body: body
    eventually(pulled(till, "products", 21))
    eventually(lambda: "feeds" not in till.status().problems)


def test_a_page_of_another_feed_or_signer_is_refused(till: Till, office: HeadOffice) -> None:
    office.publish_shop()
    forger = SigningKey.generate()
    office.replay = lambda path, body: (
        pack("feed", office.page("products", "", 0), forger) if "/feeds/" in path else body
    )
    till.start_sync()
    eventually(lambda: till.status().problems.get("feeds"))
    assert till.status().problems["feeds"].code == "signature.invalid"
    office.replay = lambda path, body: (
        pack("feed", office.page("prices", "", 0), HEAD_OFFICE) if path.endswith("/products") else body
    )

    def is_refused() -> bool:
        trouble = till.status().problems.get("feeds")
        return trouble is not None and trouble.code == "feed.replayed"

    eventually(is_refused)
    assert version(till, "products") is None
    assert version(till, "prices") is None or till.catalogue.product(Sku("S1")) is None


def test_a_new_incarnation_replaces_everything_at_once(till: Till, office: HeadOffice) -> None:
    office.publish_shop()
    till.start_sync()
    eventually(pulled(till, "prices", 20))
    with office.store.transaction(None) as transaction:
        transaction.begin_incarnation(IncarnationId("inc1"), IncarnationId("inc2"), 0, "restored", "")
    office.feeds["products"] = []
    office.publish("products", {"S1": Product(sku=Sku("S1"), description="Alone", tax_code="std")})
    sync_now(till)
    eventually(pulled(till, "products", 1, "inc2"))
    assert till.catalogue.product(Sku("S2")) is None
    found = till.catalogue.product(Sku("S1"))
    assert found is not None
    assert found.description == "Alone"


def test_a_former_incarnation_is_not_believed_again(till: Till, office: HeadOffice) -> None:
    office.publish_shop()
    till.start_sync()
    eventually(pulled(till, "prices", 20))
    with office.store.transaction(None) as transaction:
        transaction.begin_incarnation(IncarnationId("inc1"), IncarnationId("inc2"), 0, "restored", "")
    sync_now(till)
    eventually(pulled(till, "prices", 20, "inc2"))
    office.store.tables.incarnations.pop()
    office.publish("prices", {})
    sync_now(till)
    eventually(lambda: till.status().problems.get("feeds"))
    assert version(till, "prices") == ("inc2", 20)


def test_one_bad_row_stops_no_other_and_is_told(till: Till, office: HeadOffice) -> None:
    class Odd(msgspec.Struct):
        sku: str

    bad = Product(sku=Sku("S9"), description="line\nbreak", tax_code="std")
    good = Product(sku=Sku("S1"), description="Good", tax_code="std")
    office.publish("products", {"S8": Odd("S8"), "S9": bad, "S7": good, "S1": good})
    till.start_sync()
    eventually(pulled(till, "products", 4))
    assert till.catalogue.product(Sku("S1")) == good
    assert till.catalogue.search("line") == []
    for sku in ("S7", "S8", "S9"):
        assert till.catalogue.product(Sku(sku)) is None
    sync_now(till)

    def told() -> bool:
        last = decode(office.heartbeats[-1].statement, Heartbeat)
        return sum("feed products, row S" in problem for problem in last.problems) == 3

    eventually(told)


def test_a_heartbeat_names_what_head_office_answered_last(till: Till, office: HeadOffice) -> None:
    kept = office.store.tables.heartbeats
    till.start_sync()
    eventually(lambda: ORIGIN in kept)
    first = kept[ORIGIN]
    sync_now(till)
    eventually(lambda: kept[ORIGIN] != first)
    stands = kept[ORIGIN]
    assert office.ingest.heartbeat(ORIGIN, first[1]).again, "an old word"
    assert kept[ORIGIN] == stands
    till.stop_sync()
    stands = kept[ORIGIN]
    till.start_sync()
    eventually(lambda: kept[ORIGIN] != stands)
    named = [decode(beat.statement, Heartbeat).nonce for beat in office.heartbeats]
    assert named.count("inc1") <= 2, "a process that begins anew says its first word twice, and no more"
    assert len(set(named)) >= len(named) - 1


def test_the_heartbeat_says_what_is_owed_and_what_is_sold_from(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    office.publish_shop()
    till.start_sync()
    eventually(pulled(till, "prices", 20))

    def settled() -> bool:
        last = decode(office.heartbeats[-1].statement, Heartbeat)
        head = till.checkout.head()
        return (
            last.head == head.position and last.owed_count == 0 and last.feeds.get("prices") == ("inc1", 20)
        )

    sync_now(till)
    eventually(settled)
    last = decode(office.heartbeats[-1].statement, Heartbeat)
    assert last.day_open
    assert last.disk_free_bytes > 0
    assert last.business_date == till.checkout.day().business_date
    assert till.status().skew_ms is not None


def snapshot_of(office: HeadOffice, incarnation: str, made_at_ms: int) -> bytes:
    def whole(feed: str) -> FeedPage:
        rows = tuple(row for since in range(0, 1000, 7) for row in office.page(feed, "inc1", since).rows)
        return FeedPage(
            feed=feed,
            incarnation=IncarnationId(incarnation),
            since_n=0,
            to_n=len(office.feeds[feed]),
            more=False,
            rows=rows,
        )

    pages = tuple(whole(feed) for feed in office.feeds)
    return pack(
        "snapshot",
        Snapshot(incarnation=IncarnationId(incarnation), made_at_ms=made_at_ms, pages=pages),
        HEAD_OFFICE,
    )


def test_a_snapshot_on_a_stick_serves_a_register_without_a_line(
    till: Till, office: HeadOffice, home: RegisterHome, tmp_path: Path
) -> None:
    office.publish_shop(30)
    stick = tmp_path / "feeds.snapshot"
    stick.write_bytes(snapshot_of(office, "inc1", 5_000))
    list(take_snapshot(home, stick))
    assert version(till, "products") == ("inc1", 30)
    assert till.catalogue.product(Sku("S29")) is not None
    list(take_snapshot(home, stick))
    assert version(till, "products") == ("inc1", 30), "the same again changes nothing"
    office.feeds["of-the-future"] = []
    stick.write_bytes(snapshot_of(office, "inc1", 5_000))
    assert "of-the-future: not known to this version, passed over" in list(take_snapshot(home, stick))
    del office.feeds["of-the-future"]

    office.publish("products", {"S1": None})
    stick.write_bytes(snapshot_of(office, "inc0", 4_000))
    with pytest.raises(MalformedFault, match="older"):
        list(take_snapshot(home, stick))
    assert till.catalogue.product(Sku("S1")) is not None
    till.start_sync()
    eventually(pulled(till, "products", 31))
    assert till.catalogue.product(Sku("S1")) is None


def test_news_of_a_feed_is_pulled_at_once_and_the_next_word_says_so(till: Till, office: HeadOffice) -> None:
    """GC8. A hint of what is not there yet leads to one look, and to no loop: who was told is told once."""
    office.publish("parameters", {"shifts": ParameterRow(value=True)})
    till.start_sync()
    eventually(pulled(till, "parameters", 1))
    known: list[int] = []
    newest = [1]
    answer = office._in_session

    def tell(origin: OriginId, path: str, query: dict[str, str], body: bytes) -> Answer:
        if path == "/v1/sync/commands":
            known.append(int(query["parameters"]))
            if known[-1] < newest[0]:
                news = News(incarnation=IncarnationId("inc1"), feeds={"parameters": newest[0]}, time_ms=5)
                return 200, pack("commands", CommandBatch(commands=(), news=news), HEAD_OFFICE)
        return answer(origin, path, query, body)

    office._in_session = tell  # pyright: ignore[reportAttributeAccessIssue]
    office.publish("parameters", {"shifts": ParameterRow(value=False)})
    newest[0] = 2
    eventually(pulled(till, "parameters", 2))
    eventually(lambda: decode(office.heartbeats[-1].statement, Heartbeat).feeds["parameters"][1] == 2)
    newest[0] = 9
    eventually(lambda: 9 in known)
    assert known == sorted(known)
    assert version(till, "parameters") == ("inc1", 2)


def test_a_head_office_that_knows_no_customers_is_not_asked_again_and_again(
    till: Till, office: HeadOffice
) -> None:
    """It answered 404 at each turn: a call more, a fault in the log, and *Sync now* that always failed."""
    done(till.checkout.create_customer(Details(name="Ada Quartz"), act()))
    office.refuse["/v1/sync/person-keys"] = Refused(404, "http.404", "Not Found")
    till.start_sync()
    eventually(lambda: office.asked["/v1/sync/person-keys"] == 1)
    for _ in range(2):
        beats = len(office.heartbeats)
        sync_now(till)
        eventually(lambda beats=beats: len(office.heartbeats) > beats)
    till.stop_sync()
    assert office.asked["/v1/sync/person-keys"] == 1
