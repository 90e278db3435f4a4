"""Points and credit at head office: tiers, expiry, limits, merged customers; it always adds up (P8)."""

import msgspec
import pytest

from holdfast.core.central.accounts import AccountId, Act, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.customers import CustomerRow, Details
from holdfast.core.ids import CustomerNumber, OriginId
from holdfast.core.journal import writer
from holdfast.core.loyalty.parameters import EXPIRY_MONTHS, TIERS
from holdfast.core.parameters import Scope
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.central.proof import ProofBook
from holdfast.hq.central.views import AccountBook
from holdfast.hq.customers.book import CustomerBook
from holdfast.hq.feeds import Feeds
from holdfast.hq.loyalty.credit import CreditBook
from holdfast.hq.loyalty.points import PointsBook
from holdfast.hq.parameters.book import Draft, ParameterBook
from holdfast.infra.clock import ManualClock
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HEAD_OFFICE_KEY, HeadOfficeUnderTest
from tests.journal_samples import STAMP, SampleJournal, sale, signing_key
from tests.unit.core.shop import done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

ADA, BEN = CustomerNumber("C1"), CustomerNumber("C2")
DAY_MS = 86_400_000


class Office:
    """Head office with one register and two customers, and its books over one clock."""

    def __init__(self, hq: HeadOfficeUnderTest, pool: Pool) -> None:
        self.hq, self.pool = hq, pool
        self.clock = ManualClock(STAMP.at_ms)
        feeds = Feeds(pool, HEAD_OFFICE_KEY, self.clock)
        self.parameters = ParameterBook(pool, feeds, self.clock)
        self.customers = CustomerBook(pool, feeds, self.clock)
        self.points = PointsBook(pool, self.clock, self.parameters.today)
        self.credit = CreditBook(pool, self.clock)
        self.accounts = AccountBook(pool, bytes(32))
        self.journals = [
            SampleJournal(key=signing_key(n), origin=OriginId(f"reg{n:02}")).open(n) for n in (1, 2)
        ]
        for n, journal in enumerate(self.journals, 1):
            hq.enrol(journal, series=f"R{n:02}")
        rows = {
            str(number): CustomerRow(number=number, revision=1, details=Details(name=f"Customer {number}"))
            for number in (ADA, BEN)
        }
        self.customers.load(rows)
        self.sold = 0

    def set(self, name: str, value: int | list[str]) -> None:
        draft = Draft(name=name, scope=Scope("chain"), value=value)
        done(self.parameters.make(draft, by="a", reason="because"))

    def earns(self, customer: str, points: int, date: str, register: int = 1) -> None:
        """A sale of that date, or a return where it is negative."""
        move = ValueMovement(kind=Kind.POINTS, act=Act.EARN, account=AccountId(customer), amount=points)
        journal = self.journals[register - 1]
        assert journal.head is not None
        self.sold += 1
        body = sale(f"R{register:02}-00001-{self.sold:06}", total_minor=1_000)
        body = msgspec.structs.replace(body, customer=CustomerNumber(customer), values=(move,))
        stamp = msgspec.structs.replace(STAMP, date=date)
        journal._store(writer.write(journal.origin, journal.head, "sale", 1, body, stamp))
        self.hq.ingest.receive_batch(journal.origin, journal.batch(1, 10_000))

    def balance(self, customer: str, kind: Kind = Kind.POINTS) -> int:
        found = self.credit.standing(kind, customer)
        return 0 if found is None else found.account.balance

    def expire(self) -> int:
        after, points = self.points.expire()
        assert not after, "few enough for one turn"
        return points

    def prove(self) -> None:
        """Σ balances = Σ movements, and each movement comes to nothing."""
        run = ProofBook(self.pool, self.clock).run(lambda _: None)
        assert run is not None
        assert run.faults == 0, run.first_faults
        assert not self.hq.verify().differences


@pytest.fixture
def office(postgres_hq: HeadOfficeUnderTest, hq_pool: Pool) -> Office:
    return Office(postgres_hq, hq_pool)


def test_points_expire_oldest_first_once_and_late_ones_too(office: Office) -> None:
    today = office.points.today()
    assert today == "2026-09-21", "the dates below are seen from it"
    office.set(EXPIRY_MONTHS, 12)
    office.earns(ADA, 100, "2025-03-01")
    office.earns(ADA, 50, "2026-08-01")
    office.earns(ADA, -30, "2026-08-02")
    standing = office.points.standing(ADA)
    assert standing is not None
    assert standing.expiry == ("2026-03-01", 70), "what came back was taken from the oldest"
    assert office.expire() == 70
    assert office.expire() == 0, "once"
    assert office.balance(ADA) == 50
    office.earns(ADA, 40, "2025-04-01", register=2)
    assert office.expire() == 40, "a sale that comes late brings no points back to life"
    assert office.expire() == 0
    standing = office.points.standing(ADA)
    assert standing is not None
    assert (standing.balance, standing.expiry) == (50, ("2027-08-01", 50))
    office.prove()


def test_a_tier_goes_by_what_was_earned_lately(office: Office) -> None:
    office.set(TIERS, ["Gold 2000", "Silver 500", "nonsense"])
    assert office.points.standing(ADA) is None
    office.earns(ADA, 1_900, "2025-01-01")
    office.earns(ADA, 600, "2026-05-01")
    assert office.points.tier(ADA) == "Silver", "what is older than a year counts no more"
    standing = office.points.standing(ADA)
    assert standing is not None
    assert (standing.tier, standing.counted, standing.balance) == ("Silver", 600, 2_500)
    assert standing.next_tier == ("Gold", 2_000)
    office.earns(ADA, -200, "2026-05-02")
    assert office.points.tier(ADA) == "", "what came back counts against it"


def test_of_two_customers_who_are_one_points_and_debts_follow(office: Office) -> None:
    """Booked over by balanced movements, again where a register that did not know brings more."""
    office.earns(ADA, 100, "2026-08-01")
    office.earns(BEN, 30, "2026-08-01")
    done(office.credit.set_limit(ADA, 50_000, "GBP", by="a", reason="knows them"))
    assert office.customers.merge(ADA, BEN, (1, 1), "a") is None
    assert office.points.follow_merges() == 2, "points, and credit"
    assert office.points.follow_merges() == 0, "once"
    assert (office.balance(ADA), office.balance(BEN)) == (0, 130)
    credit = office.credit.standing(Kind.ON_ACCOUNT, BEN)
    assert credit is not None
    assert credit.account.limit == 50_000, "who had none has it from the other"
    gone = office.credit.standing(Kind.ON_ACCOUNT, ADA)
    assert gone is not None
    assert gone.account.limit == 0
    office.earns(ADA, 7, "2026-08-03")
    assert office.points.follow_merges() == 1
    assert (office.balance(ADA), office.balance(BEN)) == (0, 137)
    booked = office.accounts.one("points", BEN)
    assert booked is not None
    assert [move.act for move in booked.movements].count("move") == 2, "one for each time"
    office.prove()


def test_a_limit_is_set_by_somebody_with_a_reason(office: Office) -> None:
    set_limit = office.credit.set_limit
    assert isinstance(set_limit(ADA, -1, "GBP", by="a", reason="r"), Refusal)
    assert isinstance(set_limit(ADA, 1, "XXX", by="a", reason="r"), Refusal)
    assert isinstance(set_limit(ADA, 1, "GBP", by="a", reason=" "), Refusal)
    assert isinstance(set_limit("nobody", 1, "GBP", by="a", reason="r"), Refusal)
    done(set_limit(ADA, 20_000, "GBP", by="mia", reason="new contract"))
    assert isinstance(set_limit(ADA, 1, "EUR", by="a", reason="r"), Refusal), "an account has one currency"
    done(set_limit(ADA, 5_000, "GBP", by="tom", reason="late payer"))
    found = office.credit.standing(Kind.ON_ACCOUNT, ADA)
    assert found is not None
    assert (found.account.limit, found.owed, found.left) == (5_000, 0, 5_000)
    said = acts(office.pool, kind="on_account", account=ADA)
    assert [(each.by, each.detail, each.reason) for each in said] == [
        ("tom", "200.00 to 50.00 GBP", "late payer"),
        ("mia", "0.00 to 200.00 GBP", "new contract"),
    ]
    office.prove()
