"""A shop over a served head office: two tills, a gift card of 500 and a customer's account."""

from dataclasses import dataclass

from holdfast.core.central.accounts import Account, AccountId, Act, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.holds import Held
from holdfast.core.central.numbers import NUMBER_KEY, new_number, number_end, number_mac
from holdfast.core.sync.messages import encode
from holdfast.hq.central.locks import LockBook, Standing
from holdfast.hq.ingest import Ingest
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.postgres import PostgresStore
from tests.central_till import CentralTill
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal

NUMBER = new_number(Kind.GIFT_CARD, b"\x07" * 16)
DAY_MS = 24 * 3_600_000


@dataclass
class Hq:
    """What a till of the tests needs of head office."""

    office: ServedHeadOffice
    ingest: Ingest

    def enrol(self, journal: SampleJournal, series: str) -> None:
        self.office.enrol(journal, series)


class Shop:
    """Two tills over a served head office, and a card of 500."""

    def __init__(self, office: ServedHeadOffice) -> None:
        self.office, head_office = office, office.services.head_office
        self.locks: LockBook = head_office.locks
        mac = number_mac(head_office.signer.derive(NUMBER_KEY), Kind.GIFT_CARD, NUMBER)
        card = Account(
            kind=Kind.GIFT_CARD, account=AccountId("card1"), currency="GBP", number_end=number_end(NUMBER)
        )
        buyer = Account(kind=Kind.ON_ACCOUNT, account=AccountId("C-1"), currency="GBP", limit=500)
        with PostgresStore(head_office.ingest_pool).transaction(None) as transaction:
            transaction.central.open([Numbered(account=card, number_mac=mac), Numbered(account=buyer)], 0)
        hq = Hq(office, head_office.ingest)
        self.tills = [CentralTill(hq, head_office.central.desk, n=n) for n in (1, 2)]  # type: ignore[arg-type]
        top_up = ValueMovement(kind=Kind.GIFT_CARD, act=Act.TOP_UP, account=AccountId("card1"), amount=500)
        self.tills[0].write([top_up])

    def hold(self, till: int = 0) -> Standing:
        """That till takes the card, and its line drops; the lock is as old as a day and an hour."""
        held = self.tills[till].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER)
        assert isinstance(held, Held), held
        self.tills[till].online = False
        with self.office.services.pool.connection() as conn:
            conn.execute("update value_hold set since_ms = since_ms - %s", (DAY_MS + 3_600_000,))
        return self.standing()

    def standing(self) -> Standing:
        [found] = self.locks.locks()
        fresh = self.locks.one(found.lock.key)
        assert fresh is not None
        return fresh

    def speaks(self, till: int = 0) -> None:
        """Its journal comes, and its signed word."""
        acting = self.tills[till]
        acting.online = True
        acting.sync()
        feeds = self.office.services.head_office.feeds
        runs_on = {
            "parameters": (
                self.office.services.head_office.ingest.incarnation(),
                feeds.newest_change("parameters")[0],
            )
        }
        statement = encode(self.office.beat(acting.journal, feeds=runs_on))
        self.office.session(acting.journal).post("/v1/sync/heartbeat", content=statement).raise_for_status()
        self.office.services.head_office.fleet.forget()
