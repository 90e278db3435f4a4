"""Customers from the till to head office, down again, merged and forgotten at every tier (PO7)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from holdfast.core.customers import CustomerRow, Details, seal_details, terms_of
from holdfast.core.ids import CustomerNumber, IncarnationId, OriginId
from holdfast.core.journal.bodies import CustomerChanged
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FeedPage, unpack
from holdfast.core.sync.person_keys import KeyOfPerson, PersonKeys
from holdfast.hq.catalogue import Catalogue
from holdfast.hq.customers.book import CustomerBook
from holdfast.hq.customers.views import find
from holdfast.hq.feeds import Feeds
from holdfast.hq.verify import verify_head_office
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.sync.catalogue import Catalogue as TillCatalogue
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.forgetting import Forgetting
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.till.database import read_till
from holdfast.register.verify import verify_register
from tests.hq_fixtures import HEAD_OFFICE_KEY, INCARNATION, HeadOfficeUnderTest
from tests.journal_samples import STAMP, SampleJournal
from tests.register_fixture import (
    CASHIER,
    ORIGIN,
    copy_data,
    make_register,
    refusal_of,
    restore_data,
    scan,
    selling,
)
from tests.sending import enrol, send_all
from tests.unit.core.shop import act, done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

EMMA = Details(name="Emmeline Quartzworth", email="emmeline@quartz.example", phone="+44 20 7946 0123")
SECRETS = ("Quartzworth", "quartzworth", "emmeline@quartz.example", "7946 0123", "2079460123", "emmeline")
"""What must be nowhere once she was forgotten."""
OTHER = "reg02"


class Tier:
    """One register as its two processes hold it, in this one; its line to head office is a call."""

    def __init__(self, home: RegisterHome, checkout: Checkout, book: CustomerBook, feeds: Feeds) -> None:
        self.home, self.checkout = home, checkout
        self._book, self._feeds = book, feeds
        self._key = DatabaseKey.load(home.database_key)
        self.origin = checkout.origin
        self.reference = open_reference(home, self._key)
        self.catalogue = TillCatalogue(self.reference, "EUR")

    def contact(self, office: HeadOfficeUnderTest, *, keys: bool = True) -> None:
        """As the sync process does it: entries, keys, feed, and what the feed asks of the till."""
        send_all(office, self.home, self.origin)
        self._book.settle()
        self._book.publish()
        self.pull()
        with closing(read_till(self.home, self._key, self.origin)) as till:
            forgetting = Forgetting(self.reference, till)
            message = forgetting.to_send(self.incarnation()) if keys else None
            if message is not None:
                forgetting.sent(self.incarnation(), message, self._book.take_keys(self.origin, message))
                assert forgetting.to_send(self.incarnation()) is None
            forgetting.bring_home(0)
        carry_out_all(Inbox(self.reference), self.checkout, 0)
        with closing(read_till(self.home, self._key, self.origin)) as till:
            Forgetting(self.reference, till).erase()
        self._book.settle()
        self._book.publish()
        self.pull()

    def incarnation(self) -> IncarnationId:
        return INCARNATION

    def pull(self) -> None:
        store = FeedStore(self.reference)
        since = store.since("customers", self.incarnation())
        data = self._feeds.page("customers", self.incarnation(), since.n)
        keys = {HEAD_OFFICE_KEY.key_id: HEAD_OFFICE_KEY.public_bytes}
        page = unpack(data, "feed", FeedPage, keys, verify)
        assert store.take(page, made_ms=1, now_ms=1) is None

    def revision(self, number: str) -> int:
        found = self.catalogue.customer(number)
        return 0 if found is None else found.revision

    def pages(self) -> bytes:
        """Both databases as SQLite has them once decrypted: every page, free ones and slack too."""
        found = b""
        for path in (self.home.till, self.home.reference):
            with closing(open_database(path, self._key, read_only=True)) as connection:
                found += connection.serialize("main")
        return found


@pytest.fixture
def feeds(hq_pool: Pool) -> Feeds:
    return Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock(STAMP.at_ms))


@pytest.fixture
def book(hq_pool: Pool, feeds: Feeds) -> CustomerBook:
    return CustomerBook(hq_pool, feeds, ManualClock(STAMP.at_ms))


@contextmanager
def register(
    folder: Path, office: HeadOfficeUnderTest, book: CustomerBook, feeds: Feeds, origin: str = ORIGIN
) -> Iterator[Tier]:
    series = "R01" if origin == ORIGIN else "R02"
    home = make_register(folder / origin, origin, series)
    enrol(office, home, origin, series)
    with selling(home) as checkout:
        yield Tier(home, checkout, book, feeds)


@pytest.fixture
def till(
    tmp_path: Path, postgres_hq: HeadOfficeUnderTest, book: CustomerBook, feeds: Feeds
) -> Iterator[Tier]:
    with register(tmp_path, postgres_hq, book, feeds) as tier:
        yield tier


def create(tier: Tier, details: Details = EMMA) -> CustomerRow:
    return done(tier.checkout.create_customer(details, act()))


def sell_to(tier: Tier, number: CustomerNumber) -> None:
    done(tier.checkout.begin(by=CASHIER))
    scan(tier.checkout)
    done(tier.checkout.change(lambda basket: msgspec.structs.replace(basket, customer=number)))
    done(tier.checkout.conclude(cash_given_minor=100_000))


def in_tables(pool: Pool) -> str:
    """All that head office's tables say, but for the entries themselves, which are sealed."""
    with pool.connection() as conn:
        tables = conn.execute(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        ).fetchall()
        return "\n".join(
            str(row) for (table,) in tables for row in conn.execute(f"select t::text from {table} t".encode())
        )


def test_made_offline_found_at_head_office_and_known_to_the_other_register(
    till: Tier,
    tmp_path: Path,
    postgres_hq: HeadOfficeUnderTest,
    book: CustomerBook,
    feeds: Feeds,
    hq_pool: Pool,
) -> None:
    emma = create(till)
    segment = till.checkout.head().epoch[:5].upper()
    assert emma.number == f"R01-C-{segment}-000001"
    assert create(till, Details(name="Second")).number.endswith("-000002"), "gapless"
    assert refusal_of(till.checkout.create_customer(Details(name="Em\x00ma"), act())) == "text.unprintable"
    assert create(till, Details(name="Third")).number.endswith("-000003"), "a refusal takes no number"
    sell_to(till, emma.number)
    assert not named(till.pages()), "sealed wherever it lies"

    till.contact(postgres_hq, keys=False)
    page = book.one(emma.number)
    assert page is not None
    assert page.details is None, "the name is to come"
    till.contact(postgres_hq)
    page = book.one(emma.number)
    assert page is not None
    assert page.details == EMMA
    assert [sale.customer for sale in page.sales] == [emma.number]
    assert [row.name for row in find(hq_pool, "0123")[1]] == [EMMA.name]
    assert [row.name for row in find(hq_pool, "QUARTZ emme")[1]] == [EMMA.name]

    with register(tmp_path, postgres_hq, book, feeds, OTHER) as other:
        other.contact(postgres_hq)
        [found] = other.catalogue.customers(terms_of("quartzw"), 5)
        assert found.details == EMMA
        changed = msgspec.structs.replace(EMMA, note="prefers tea")
        done(other.checkout.change_customer(CustomerRow(number=emma.number, details=EMMA), changed, act()))
        other.contact(postgres_hq)
        till.contact(postgres_hq)
        heard = till.catalogue.customer(emma.number)
        assert heard is not None
        assert (heard.revision, heard.details) == (2, changed)
        assert verify_register(other.home).differences == ()
    assert verify_head_office(hq_pool, verify).differences == ()


def named(data: bytes) -> list[str]:
    """Which of the secrets stand in it."""
    return [secret for secret in SECRETS if secret.encode() in data]


def test_who_is_forgotten_is_nowhere_and_the_chains_stay_whole(
    till: Tier,
    tmp_path: Path,
    postgres_hq: HeadOfficeUnderTest,
    book: CustomerBook,
    feeds: Feeds,
    hq_pool: Pool,
) -> None:
    """Keys and names are gone at every tier, also where a backup is put back; sales keep the bare number."""
    emma = create(till)
    for place in range(60):
        create(till, Details(name=f"Person {place:03d} Oakhollow", email=f"p{place}@oak.example"))
    sell_to(till, emma.number)
    till.contact(postgres_hq)
    with register(tmp_path, postgres_hq, book, feeds, OTHER) as other:
        other.contact(postgres_hq)
        changed = msgspec.structs.replace(EMMA, note="twice")
        done(other.checkout.change_customer(CustomerRow(number=emma.number, details=EMMA), changed, act()))
        other.contact(postgres_hq)
        till.contact(postgres_hq)
        assert named(till.pages()), "the feed has her"
        assert named(in_tables(hq_pool).encode())

        assert refusal_of(book.forget(emma.number, "She asked.", "R01", "admin")) == "customer.typed"
        assert refusal_of(book.forget(emma.number, " ", emma.number, "admin")) == "text.reason-needed"
        assert book.forget(emma.number, "She asked.", emma.number, "admin") is None
        assert refusal_of(book.forget(emma.number, "Again.", emma.number, "admin")) == "customer.gone"
        late = msgspec.structs.replace(EMMA, note="offline meanwhile")
        row = CustomerRow(number=emma.number, revision=9, details=EMMA)
        done(other.checkout.change_customer(row, late, act()))
        for tier in (till, other):
            tier.contact(postgres_hq)
            assert not named(tier.pages())
            assert tier.checkout.customer_here(emma.number) is None
            assert tier.checkout.customers_here(terms_of("emmeline"), 5) == []
            assert refusal_of(tier.checkout.change_customer(row, late, act())) == "customer.forgotten"
            assert tier.catalogue.customer(emma.number) == CustomerRow(
                number=emma.number, revision=tier.revision(emma.number), forgotten=True
            )
            assert tier.checkout.erase_forgotten()
            assert verify_register(tier.home).differences == ()
        assert not named(in_tables(hq_pool).encode())
        assert verify_head_office(hq_pool, verify).differences == ()
        with hq_pool.connection() as conn:
            left = conn.execute(
                "select count(*) from person_key where customer = %s", [emma.number]
            ).fetchone()
            assert left == (0,)
            sold = conn.execute("select customer from document where customer is not null").fetchall()
            assert sold == [(emma.number,)]
        page = book.one(emma.number)
        assert page is not None
        assert (page.details, page.forgotten_by, page.forgotten_reason) == (None, "admin", "She asked.")


def test_a_till_that_is_put_back_from_a_backup_forgets_again_and_so_does_head_office(
    tmp_path: Path, postgres_hq: HeadOfficeUnderTest, book: CustomerBook, feeds: Feeds, hq_pool: Pool
) -> None:
    home = make_register(tmp_path / "till")
    enrol(postgres_hq, home, ORIGIN, "R01")
    with selling(home) as checkout:
        tier = Tier(home, checkout, book, feeds)
        emma = create(tier)
        tier.contact(postgres_hq)
        tier.reference.close()
    copy_data(home, tmp_path / "backup")
    with hq_pool.connection() as conn:  # what a backup of head office keeps
        keys = conn.execute("select person, origin, customer, key, arrived_at_ms from person_key").fetchall()
    with selling(home, seed=2) as checkout:
        tier = Tier(home, checkout, book, feeds)
        assert book.forget(emma.number, "She asked.", emma.number, "admin") is None
        tier.contact(postgres_hq)
        assert not named(tier.pages())
        tier.reference.close()
    restore_data(home, tmp_path / "backup")
    with selling(home, seed=3) as checkout:
        tier = Tier(home, checkout, book, feeds)
        assert checkout.customer_here(emma.number) is not None, "the backup knows her"
        tier.contact(postgres_hq)
        assert checkout.customer_here(emma.number) is None
        assert not named(tier.pages())
        assert verify_register(home).differences == ()

        # Head office is put back too: another life of it, which does not know that she was forgotten.
        with hq_pool.connection() as conn:
            conn.execute("update customer set forgotten_at_ms = null")
            conn.execute("update customer_entry set state = 'new'")
            conn.execute("update customer set arrival = 0")
            for row in keys:
                conn.execute("insert into person_key values (%s, %s, %s, %s, %s)", row)
        book.settle()
        again = book.one(emma.number)
        assert again is not None
        assert again.details == EMMA
        with closing(read_till(home, DatabaseKey.load(home.database_key), OriginId(ORIGIN))) as reads:
            message = Forgetting(tier.reference, reads).to_send(IncarnationId("life2"))
        assert message is not None
        assert message == PersonKeys(forgotten=(emma.number,))
        assert book.take_keys(OriginId(ORIGIN), message).forgotten == ()
        book.publish()
        assert not named(in_tables(hq_pool).encode())
        tier.reference.close()


def test_the_sales_of_a_customer_are_found_by_an_index(hq_pool: Pool) -> None:
    """All documents were looked through."""
    query = "select 1 from document d where d.customer = any(array['a', 'b']) order by at_ms desc limit 5"
    with hq_pool.connection() as conn:
        conn.execute("set local enable_seqscan = off")
        plan = conn.execute(f"explain {query}".encode()).fetchall()
    assert "document_customer" in str(plan), plan


def test_two_of_one_person_are_merged_and_the_old_number_answers_with_the_other(
    till: Tier, postgres_hq: HeadOfficeUnderTest, book: CustomerBook, hq_pool: Pool
) -> None:
    one = create(till, Details(name="E. Quartzworth", address="1 Mill Lane", email="other@quartz.example"))
    other = create(till)
    sell_to(till, one.number)
    till.contact(postgres_hq)
    preview = book.preview(one.number, other.number)
    assert not isinstance(preview, Refusal)
    assert preview.details == msgspec.structs.replace(EMMA, address="1 Mill Lane"), (
        "what one lacks, the other gives"
    )
    assert refusal_of(book.preview(one.number, one.number)) == "customer.unknown"
    assert refusal_of(book.merge(one.number, other.number, (1, 7), "admin")) == "customer.stale"
    assert book.merge(one.number, other.number, (1, 1), "admin") is None
    assert refusal_of(book.merge(one.number, other.number, (1, 1), "admin")) == "customer.gone", "once"
    till.contact(postgres_hq)
    found = till.catalogue.customer(one.number)
    assert found is not None
    assert (found.number, found.details) == (other.number, preview.details)
    page = book.one(other.number)
    assert page is not None
    assert (page.merged, len(page.sales)) == ((one.number,), 1)
    assert [row.number for row in till.catalogue.customers(terms_of("mill quartz"), 9)] == []
    assert book.separate(one.number, "admin") is None
    till.contact(postgres_hq)
    back = till.catalogue.customer(one.number)
    assert back is not None
    assert back.number == one.number

    assert book.merge(one.number, other.number, (back.revision, 2), "admin") is None
    assert book.forget(other.number, "Both are her.", other.number, "admin") is None
    till.contact(postgres_hq)
    assert till.checkout.customer_here(one.number) is None, "under every number"
    assert "Quartzworth" not in in_tables(hq_pool)


def test_a_file_is_taken_as_other_files_are(
    feeds: Feeds, book: CustomerBook, till: Tier, postgres_hq: HeadOfficeUnderTest
) -> None:
    catalogue = Catalogue(feeds, customers=book)
    data = b"number,name,email,phone\nC-1,Anna Berg,anna@berg.example,\nC-2,Bo Lind,,020 7946 0999\n"
    report = catalogue.load("customers", data)
    assert not isinstance(report, Refusal)
    assert (report.taken, report.changed) == (True, 2)
    again = catalogue.load("customers", data)
    assert not isinstance(again, Refusal)
    assert (again.changed, again.version) == (0, report.version)
    wrong = catalogue.load("customers", b"number,name,email\nC-3,,x\nC-4,Ann,not an address\n")
    assert not isinstance(wrong, Refusal)
    assert [(bad.line, bad.column) for bad in wrong.bad] == [(2, "name"), (3, "email")]
    till.contact(postgres_hq)
    assert [row.number for row in till.catalogue.customers(terms_of("berg"), 9)] == ["C-1"]
    assert book.forget("C-1", "Asked.", "C-1", "admin") is None
    gone = catalogue.load("customers", data)
    assert not isinstance(gone, Refusal)
    assert gone.changed == 0, "a file brings nobody back"


def test_what_no_key_opens_stops_nothing(
    postgres_hq: HeadOfficeUnderTest, book: CustomerBook, hq_pool: Pool
) -> None:
    """P10: an entry whose number is no number waits in quarantine; one that no key opens has no name."""
    journal = SampleJournal().open()
    postgres_hq.enrol(journal)
    sealed = seal_details("p1", b"k" * 32, b"n" * 12, EMMA)
    for number, nonce in (("C" * 65, b"n" * 12), ("C1", b"short"), ("C2", b"n" * 12)):
        body = CustomerChanged(
            customer=number, sealed=msgspec.structs.replace(sealed, nonce=nonce), revision=2
        )
        journal.append("customer_changed", 1, body)
    postgres_hq.ingest.receive_batch(OriginId(journal.origin), journal.batch())
    wrong = KeyOfPerson(person="p1", customer=CustomerNumber("C2"), key=b"x" * 32)
    nul = KeyOfPerson(person="p\x00", customer=CustomerNumber("C\x00"), key=b"x" * 32)
    sent = PersonKeys(keys=(nul, wrong), forgotten=(CustomerNumber("C\x00"),))
    assert book.take_keys(OriginId(journal.origin), sent).forgotten == ()
    book.settle()
    page = book.one("C2")
    assert page is not None
    assert page.details is None
    assert (book.one("C1"), book.one("C" * 65)) == (None, None)
    with hq_pool.connection() as conn:
        assert conn.execute("select count(*) from quarantine").fetchone() == (2,)
        assert conn.execute("select state from customer_entry").fetchall() == [("unreadable",)]
