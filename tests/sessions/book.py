"""Head office's book of customers for one session, and how a till and it hear of each other (PO7)."""

import random
from contextlib import closing
from typing import Any

from holdfast.core.customers import CustomerRow, Details
from holdfast.core.ids import CustomerNumber
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FeedPage, unpack
from holdfast.hq.customers.book import CustomerBook
from holdfast.hq.feeds import Feeds
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.sqlite import open_database
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.forgetting import Forgetting
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.till.database import read_till
from tests.hq_fixtures import HEAD_OFFICE_KEY, INCARNATION, HeadOfficeUnderTest
from tests.sessions.audit import same
from tests.sessions.line import Line
from tests.sessions.people import People, Person
from tests.sessions.shop import Shop

_KEYS = {HEAD_OFFICE_KEY.key_id: HEAD_OFFICE_KEY.public_bytes}
_PERSONAL = (
    "select t::text from customer t where number = any(%(numbers)s)",
    "select t::text from customer_word t where number = any(%(numbers)s)",
    "select t::text from person_key t where customer = any(%(numbers)s)",
    "select t::text from feed_row t where feed = 'customers' and key = any(%(numbers)s)",
)


class Book:
    """The book that ships, over PostgreSQL; the till's sync process is a call."""

    def __init__(self, office: HeadOfficeUnderTest, pool: Pool, shop: Shop, line: Line) -> None:
        self._pool, self._shop, self._line = pool, shop, line
        self._feeds = Feeds(pool, HEAD_OFFICE_KEY, office.clock)
        self._book = CustomerBook(pool, self._feeds, office.clock)
        # What other sessions left there is nothing to this till.
        newest = self._feeds.versions()["customers"]
        page = FeedPage(
            feed="customers", incarnation=INCARNATION, since_n=0, to_n=newest, more=False, rows=()
        )
        self._take(page)

    def _take(self, page: FeedPage) -> None:
        assert FeedStore(self._shop.reference).take(page, made_ms=1, now_ms=1) is None

    # ---- contact -----------------------------------------------------------------------------

    def contact(self, chance: random.Random) -> None:
        """As the sync process does it; answers get lost on the way, and what was asked is asked again."""
        assert self._line.send(chance, 0.2), "head office never got it all"
        self._turn()
        for _ in range(20):
            if not self._tell_keys(chance):
                break
        carry_out_all(Inbox(self._shop.reference), self._shop.checkout, 0)
        with self._forgetting() as forgetting:
            forgetting.erase()
        self._turn()

    def _turn(self) -> None:
        while self._book.settle() or self._book.publish():
            pass
        more = True
        while more:
            since = FeedStore(self._shop.reference).since("customers", INCARNATION)
            data = self._feeds.page("customers", INCARNATION, since.n)
            page = unpack(data, "feed", FeedPage, _KEYS, verify)
            self._take(page)
            more = page.more

    def _tell_keys(self, chance: random.Random) -> bool:
        """Whether there may be more to tell."""
        with self._forgetting() as forgetting:
            message = forgetting.to_send(INCARNATION)
            if message is not None:
                reply = self._book.take_keys(self._shop.origin, message)
                if chance.random() < 0.8:
                    forgetting.sent(INCARNATION, message, reply)
            forgetting.bring_home(0)
        return message is not None

    def _forgetting(self) -> "_Reading":
        return _Reading(self._shop)

    # ---- what people do there ----------------------------------------------------------------

    def load(self, number: str, person: Person) -> None:
        row = CustomerRow(number=CustomerNumber(number), details=Details(**vars(person)))
        self._book.load({number: row})

    def change(self, number: str, person: Person) -> None:
        _done(self._book.change(number, Details(**vars(person)), self._revision(number), "admin"))

    def merge(self, number: str, into: str) -> None:
        revisions = (self._revision(number), self._revision(into))
        _done(self._book.merge(number, into, revisions, "admin"))

    def forget(self, number: str) -> None:
        _done(self._book.forget(number, "asked", number, "admin"))

    def _revision(self, number: str) -> int:
        page = self._book.one(number)
        assert page is not None, f"head office does not know {number}"
        return page.revision

    # ---- afterwards --------------------------------------------------------------------------

    def audit(self, people: People) -> None:
        """Head office knows everybody as paper does; of the forgotten nothing is left at any tier."""
        for number, card in people.office.items():
            page = self._book.one(number)
            assert page is not None, f"head office lost {number}"
            found = page.details and Person(**{key: getattr(page.details, key) for key in vars(Person(""))})
            said = (page.forgotten_at_ms is not None, page.into or "", found)
            same(f"customer {number} at head office", said, (card.gone, card.into, card.person))
        gone = people.forgotten()
        with self._pool.connection() as conn:
            left = conn.execute("select customer from person_key where customer = any(%s)", [gone]).fetchall()
            same("keys of forgotten people at head office", left, [])
            numbers = {"numbers": [*people.office]}
            rows = [row for query in _PERSONAL for row in conn.execute(query.encode(), numbers)]
            text = "\n".join(str(row) for (row,) in rows)
        same("words of forgotten people at head office", _within(text.lower(), people), [])
        same("words of forgotten people at the till", _within(self._pages(), people), [])
        same("keys of forgotten people at the till", self._keys_left(gone), [])

    def _pages(self) -> str:
        """Both databases once decrypted: every page, free ones and slack too."""
        key, found = DatabaseKey.load(self._shop.home.database_key), b""
        for path in (self._shop.home.till, self._shop.home.reference):
            with closing(open_database(path, key, read_only=True)) as connection:
                found += connection.serialize("main")
        return found.decode("latin-1").lower()

    def _keys_left(self, gone: list[str]) -> list[Any]:
        with closing(
            open_database(self._shop.home.till, DatabaseKey.load(self._shop.home.database_key))
        ) as file:
            rows = file.execute("select customer from person_key where key <> zeroblob(32)").fetchall()
        return [number for (number,) in rows if number in gone]


class _Reading:
    """A look of the sync process at the till."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def __enter__(self) -> Forgetting:
        shop = self._shop
        self._till = read_till(shop.home, DatabaseKey.load(shop.home.database_key), shop.origin)
        return Forgetting(shop.reference, self._till)

    def __exit__(self, *_: object) -> None:
        self._till.close()


def _within(text: str, people: People) -> list[str]:
    return sorted(word for word in people.secrets() if word in text)


def _done(refusal: Refusal | None) -> None:
    assert refusal is None, refusal
