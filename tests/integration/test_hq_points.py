"""Points and credit at head office: tiers, expiry, limits, merged customers; it always adds up (P8)."""

import msgspec
import pytest

from holdfast.core.central.accounts import AccountId, Act, HoldKey, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.holds import Held, HoldRequest
from holdfast.core.customers import CustomerRow, Details
from holdfast.core.ids import CustomerNumber, OriginId, TransactionId
from holdfast.core.journal import writer
from holdfast.core.loyalty.parameters import EXPIRY_MONTHS, TIERS
from holdfast.core.parameters import Scope
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Tender
from holdfast.hq.central.audit import acts
from holdfast.hq.central.desk import CentralDesk
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

ADA, BEN, CEM = CustomerNumber("C1"), CustomerNumber("C2"), CustomerNumber("C0")
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
        self.sells(move, date=date, register=register)

    def pays(self, customer: str, kind: Kind, amount: int, key: str = "") -> None:
        """A sale of that amount, by points or on account."""
        act = Act.REDEEM if kind is Kind.POINTS else Act.CHARGE
        move = ValueMovement(
            kind=kind, act=act, account=AccountId(customer), amount=amount, tender=1, key=HoldKey(key)
        )
        self.sells(move, tenders=(Tender(kind=kind, amount_minor=amount),), total_minor=amount)

    def sells(
        self, move: ValueMovement, *, date: str = STAMP.date, register: int = 1, total_minor: int = 1_000,
        tenders: tuple[Tender, ...] | None = None,
    ) -> None:  # fmt: skip
        journal = self.journals[register - 1]
        assert journal.head is not None
        self.sold += 1
        number = f"R{register:02}-00001-{self.sold:06}"
        body = sale(number, total_minor=total_minor, tenders=tenders)
        body = msgspec.structs.replace(body, customer=CustomerNumber(move.account), values=(move,))
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
    office.earns(BEN, 100, "2026-05-03")
    assert office.customers.merge(ADA, BEN, (1, 1), "a") is None
    for _ in range(2):
        assert office.points.tier(BEN) == "Silver", "at a till as on the page: by what each of the two earned"
        standing = office.points.standing(BEN)
        assert standing is not None
        assert (standing.tier, standing.counted, standing.balance) == ("Silver", 500, 2_400)
        office.points.follow_merges()
    office.set(EXPIRY_MONTHS, 6)
    office.earns(ADA, -2_300, "2026-09-01")
    standing = office.points.standing(BEN)
    assert standing is not None
    assert standing.expiry == ("2027-03-21", 100), "what was booked over counts from that day"


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


def test_who_gave_within_a_batch_is_given_to_by_others_of_the_same_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However batches are cut, nothing that is there is told as overspent."""
    office.earns(ADA, 100, "2026-08-01")
    assert office.customers.merge(BEN, ADA, (1, 1), "a") is None
    with monkeypatch.context() as patch:
        patch.setattr(office.hq.ingest, "receive_batch", lambda *_: None)
        office.earns(BEN, -100, "2026-08-02")  # what ADA has goes there
        office.earns(BEN, 200, "2026-08-03")
        office.pays(ADA, Kind.POINTS, 100)
    journal = office.journals[0]
    office.hq.ingest.receive_batch(journal.origin, journal.batch(1, 10_000))
    assert (office.balance(ADA), office.balance(BEN)) == (0, 100)
    with office.pool.connection() as conn:
        assert conn.execute("select remark from value_movement where remark <> ''").fetchall() == []


def test_what_a_merged_number_lacks_is_taken_from_who_remains_whichever_came_first(office: Office) -> None:
    """A receipt names the number that its customer had then; nothing is overspent that is there (LY4, P8)."""
    office.customers.load({CEM: CustomerRow(number=CEM, revision=1, details=Details(name="Cem"))})
    office.earns(ADA, 100, "2026-08-01")
    office.earns(BEN, 200, "2026-08-01")
    done(office.credit.set_limit(ADA, 2_000, "GBP", by="a", reason="knows them"))
    desk = CentralDesk(office.hq.store, office.clock, bytes(32))
    request = HoldRequest(
        key=HoldKey("held-before-the-merge"), kind=Kind.POINTS, act=Act.REDEEM, account=AccountId(ADA),
        transaction=TransactionId("t-R01-00001-000004"),
    )  # fmt: skip
    assert isinstance(desk.hold(office.journals[0].origin, request), Held)
    assert office.customers.merge(ADA, BEN, (1, 1), "a") is None
    assert office.customers.merge(BEN, CEM, (2, 1), "a") is None
    office.earns(ADA, -30, "2026-08-02")
    assert office.balance(ADA) == 70, "its own points first: they wait for the sale that holds them"
    office.pays(ADA, Kind.POINTS, 100, request.key)
    assert (office.balance(ADA), office.balance(BEN)) == (0, 170), (
        "what was not booked over yet is theirs too"
    )
    assert office.points.follow_merges() == 2, "points, and credit"
    office.earns(ADA, 5, "2026-08-03")
    office.earns(ADA, -30, "2026-08-03")
    office.pays(BEN, Kind.POINTS, 40)
    assert [office.balance(number) for number in (ADA, BEN, CEM)] == [0, 0, 105]
    office.pays(ADA, Kind.ON_ACCOUNT, 1_500)
    assert office.balance(CEM, Kind.ON_ACCOUNT) == -1_500, (
        "a sale of an allowance: the limit is theirs by now"
    )
    office.earns(ADA, 7, "2026-08-04")
    office.earns(CEM, -10, "2026-08-04")
    office.earns(CEM, -110, "2026-08-04")
    assert [office.balance(number) for number in (ADA, BEN, CEM)] == [0, 0, 0]
    with office.pool.connection() as conn:
        said = conn.execute("select remark, difference from value_movement where remark <> ''").fetchall()
    assert said == [("overspent", -8)], "what nobody has, and nothing else"
    office.prove()
    assert office.points.follow_merges() == 0, "nothing is left behind"


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
