"""Feeds at head office: versions, pages and snapshots as a register takes them."""

import msgspec
import pytest
from argon2 import PasswordHasher

from holdfast.core.catalogue import Price, Product
from holdfast.core.faults import SignatureFault
from holdfast.core.ids import IncarnationId, KeyId, Sku
from holdfast.core.sync import feed as protocol
from holdfast.core.sync.feed import FeedPage, Snapshot, is_newer
from holdfast.core.sync.limits import FEED_PAGE_ROWS
from holdfast.hq.catalogue import Catalogue, LoadReport, StaffRow
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import ManualClock
from holdfast.infra.keys import verify
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HEAD_OFFICE_KEY, INCARNATION
from tests.journal_samples import signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def feeds(hq_pool: Pool) -> Feeds:
    return Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock())


def product(sku: str, description: str = "Tea") -> Product:
    return Product(sku=Sku(sku), description=description, tax_code="S")


def page(feeds: Feeds, since_n: int, feed: str = "products", incarnation: str = INCARNATION) -> FeedPage:
    packed = feeds.page(feed, IncarnationId(incarnation), since_n)
    return protocol.unpack(packed, "feed", FeedPage, KEYS, verify)


def loaded(report: object) -> LoadReport:
    assert isinstance(report, LoadReport), report
    return report


def pulled(feeds: Feeds, feed: str = "products") -> dict[str, bytes]:
    """As a register does it: page by page, in order."""
    rows: dict[str, bytes] = {}
    have: tuple[IncarnationId, int] | None = None
    while have is None or have[1] < feeds.versions()[feed]:
        got = page(feeds, 0 if have is None else have[1], feed)
        assert is_newer(have, got)
        assert len(got.rows) <= FEED_PAGE_ROWS
        for row in got.rows:
            if row.deleted:
                rows.pop(row.key, None)
            else:
                rows[row.key] = bytes(row.body)
        have = (got.incarnation, got.to_n)
    return rows


def test_a_load_is_one_version_and_what_says_the_same_keeps_its_own(feeds: Feeds) -> None:
    assert feeds.put("products", {"A1": product("A1"), "B2": product("B2")}) == (2, 1)
    assert feeds.put("products", {"A1": product("A1"), "B2": product("B2", "Cake")}) == (1, 2)
    assert feeds.put("products", {"A1": product("A1"), "B2": product("B2", "Cake")}) == (0, 2)
    assert feeds.put("products", {"A1": None}) == (1, 3)
    assert feeds.put("products", {"A1": None}) == (0, 3)
    assert [row.key for row in page(feeds, 1).rows] == ["B2", "A1"]
    assert [row.deleted for row in page(feeds, 2).rows] == [True]
    assert [row.key for row in page(feeds, 0).rows] == ["B2"]
    assert feeds.put("products", {"A1": product("A1")}) == (1, 4)
    assert sorted(pulled(feeds)) == ["A1", "B2"]


def test_a_large_load_comes_in_bounded_pages(feeds: Feeds) -> None:
    count = 2 * FEED_PAGE_ROWS + 7
    rows: dict[str, msgspec.Struct | None] = {f"{n:06}": product(f"{n:06}") for n in range(count)}
    assert feeds.put("products", rows) == (count, 3)
    assert feeds.put("products", {"000001": product("000001", "Cake")}) == (1, 4)
    first = page(feeds, 0)
    assert first.more
    assert len(pulled(feeds)) == count
    snapshot = protocol.unpack(feeds.snapshot(), "snapshot", Snapshot, KEYS, verify)
    assert sum(len(part.rows) for part in snapshot.pages) == count
    assert {part.feed for part in snapshot.pages} == set(protocol.FEEDS)
    products = [part for part in snapshot.pages if part.feed == "products"]
    assert [part.since_n for part in products] == [0, *(part.to_n for part in products[:-1])]
    assert products[-1].to_n == 4


def test_another_incarnation_begins_anew(feeds: Feeds) -> None:
    feeds.put("products", {"A1": product("A1")})
    feeds.put("products", {"B2": product("B2")})
    got = page(feeds, 1, incarnation="another life")
    assert (got.incarnation, got.since_n, got.to_n) == (INCARNATION, 0, 2)
    assert len(got.rows) == 2


def test_nothing_new_is_an_empty_page(feeds: Feeds) -> None:
    feeds.put("products", {"A1": product("A1")})
    got = page(feeds, 1)
    assert (got.rows, got.since_n, got.to_n, got.more) == ((), 1, 1, False)
    assert page(feeds, 0, "taxes").to_n == 0


def test_only_head_office_signs(feeds: Feeds) -> None:
    packed = feeds.page("products", INCARNATION, 0)
    stranger = signing_key(5)
    with pytest.raises(SignatureFault):
        protocol.unpack(packed, "feed", FeedPage, {stranger.key_id: stranger.public_bytes}, verify)
    with pytest.raises(SignatureFault):
        protocol.unpack(packed, "snapshot", Snapshot, KEYS, verify)


def test_a_file_is_taken_whole_or_what_is_good_of_it_when_told_to(feeds: Feeds) -> None:
    catalogue = Catalogue(feeds, CHEAP)
    data = b"sku,price,currency,valid_from\nA1,1.25,GBP,\nB2,x,GBP,\nC3,0.0001,GBP,2027-01-01\n"
    assert not loaded(catalogue.load("prices", data)).taken
    assert feeds.versions()["prices"] == 0
    report = loaded(catalogue.load("prices", data, take_good=True))
    assert (report.taken, report.rows, report.good, report.changed, report.version) == (True, 3, 2, 2, 1)
    rows = {key: msgspec.json.decode(body, type=Price) for key, body in pulled(feeds, "prices").items()}
    assert rows["A1|0001-01-01|GBP"].unit_price_e4 == 12_500
    assert rows["C3|2027-01-01|GBP"].unit_price_e4 == 1


def test_pins_are_hashed_and_the_same_pin_keeps_its_hash(feeds: Feeds) -> None:
    catalogue = Catalogue(feeds, CHEAP)
    told: list[tuple[int, int]] = []
    data = b"id,name,role,pin\n1,Ann,manager,1234\n2,Bob,,4321\n"
    assert loaded(catalogue.load("staff", data, progress=lambda *done: told.append(done))).changed == 2
    assert told == [(1, 2), (2, 2)]
    assert b"1234" not in b"".join(pulled(feeds, "staff").values())
    assert loaded(catalogue.load("staff", data)).changed == 0
    assert loaded(catalogue.load("staff", data.replace(b"4321", b"9999"))).changed == 1
    bob = msgspec.json.decode(pulled(feeds, "staff")["2"], type=StaffRow)
    assert CHEAP.verify(bob.pin_hash, "9999")
    assert (bob.role, bob.active) == ("cashier", True)
