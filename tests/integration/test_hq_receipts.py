"""Head office knows whose codes to believe, and finds what came back twice on one receipt (PO8, PO3)."""

import msgspec
import pytest

from holdfast.core.ids import DocumentNumber, EpochId, KeyId, OriginId, StaffId
from holdfast.core.journal.bodies import ReceiptReprinted
from holdfast.core.receipt.code import ReceiptCode, ReceiptFacts, RegisterKey, sign_code
from holdfast.core.refusals import Refusal
from holdfast.core.sale import OriginalLine, Sale, Tender
from holdfast.hq.feeds import Feeds
from holdfast.hq.receipts.doubles import AGAIN_AFTER_MS, check_returns, returns_on
from holdfast.hq.receipts.keys import FEED, LATE_DAYS, RegisterKeys
from holdfast.infra.clock import ManualClock
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HEAD_OFFICE_KEY, HeadOfficeUnderTest
from tests.journal_samples import ORIGIN, STAMP, SampleJournal, sale, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

DAY_MS = 24 * 3_600_000
OTHER, THIRD = OriginId("reg02"), OriginId("reg03")


class Parameter(msgspec.Struct):
    value: object


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(STAMP.at_ms)


@pytest.fixture
def feeds(hq_pool: Pool, clock: ManualClock) -> Feeds:
    return Feeds(hq_pool, HEAD_OFFICE_KEY, clock)


@pytest.fixture
def keys(hq_pool: Pool, feeds: Feeds, clock: ManualClock) -> RegisterKeys:
    return RegisterKeys(hq_pool, feeds, clock)


@pytest.fixture
def hq(postgres_hq: HeadOfficeUnderTest) -> HeadOfficeUnderTest:
    postgres_hq.clock.jump_to(STAMP.at_ms)
    return postgres_hq


def row_of(feeds: Feeds, key_id: KeyId) -> RegisterKey | None:
    found = feeds.rows(FEED).get(key_id)
    return None if found is None else msgspec.json.decode(found, type=RegisterKey)


# ---- keys --------------------------------------------------------------------------------------


def test_every_registers_key_is_published_and_a_former_one_for_the_return_window(
    hq: HeadOfficeUnderTest, keys: RegisterKeys, feeds: Feeds, clock: ManualClock
) -> None:
    journal = SampleJournal().open()
    hq.enrol(journal)
    assert keys.publish() == 1
    assert keys.publish() == 0, "nothing changed"
    row = row_of(feeds, journal.key.key_id)
    assert row == RegisterKey(
        origin=ORIGIN, register="R01", series="R01", store="S1", public_key=journal.key.public_bytes
    )
    another = signing_key(9)
    with hq.store.transaction(ORIGIN) as transaction:
        transaction.give_key(ORIGIN, another.key_id, another.public_bytes, STAMP.at_ms)
    assert keys.publish() == 2
    former = row_of(feeds, journal.key.key_id)
    assert former is not None
    assert (former.until, row_of(feeds, another.key_id)) == (
        "2026-09-28",
        msgspec.structs.replace(former, public_key=another.public_bytes, until=""),
    )
    clock.advance((LATE_DAYS + 90) * DAY_MS)
    assert keys.publish() == 0
    clock.advance(DAY_MS)
    assert keys.publish() == 1
    assert row_of(feeds, journal.key.key_id) is None


def test_the_window_is_head_offices_parameter(
    hq: HeadOfficeUnderTest, keys: RegisterKeys, feeds: Feeds, clock: ManualClock
) -> None:
    journal = SampleJournal().open()
    hq.enrol(journal)
    text = sign_code(facts(journal), journal.key)
    clock.advance(31 * DAY_MS)
    assert isinstance(keys.look(text), ReceiptCode)
    feeds.put("parameters", {"return.window_days": Parameter(30)})
    refused = keys.look(text)
    assert isinstance(refused, Refusal)
    assert refused.code == "receipt-code.too-old"
    assert "30 days" in refused.sentence


def test_head_office_tells_a_genuine_code_from_a_forged_one(
    hq: HeadOfficeUnderTest, keys: RegisterKeys
) -> None:
    journal = SampleJournal().open().sell()
    hq.enrol(journal)
    found = keys.look(sign_code(facts(journal), journal.key))
    assert isinstance(found, ReceiptCode)
    assert found.facts == facts(journal)
    stranger = keys.look(sign_code(facts(journal), signing_key(8)))
    assert isinstance(stranger, Refusal)
    assert stranger.code == "receipt-code.unknown-key"


def facts(journal: SampleJournal) -> ReceiptFacts:
    return ReceiptFacts(
        series="R01",
        epoch=EpochId(journal.epoch),
        number=1,
        date=STAMP.date,
        total_minor=250,
        currency="GBP",
    )


# ---- what came back twice ----------------------------------------------------------------------


def alerts(pool: Pool) -> list[tuple[str, str]]:
    with pool.connection() as conn:
        return [
            (origin, detail)
            for origin, detail in conn.execute(
                "select origin, detail from alert where kind = 'returned-twice' order by id"
            ).fetchall()
        ]


def returned(number: str, of: DocumentNumber, *, line: int, quantity_milli: int, amount_minor: int) -> Sale:
    """One line comes back; `line` 0: on the receipt's code alone."""
    whole = sale(number, total_minor=amount_minor + 100)
    back = msgspec.structs.replace(
        whole.lines[1],
        line=1,
        quantity_milli=-quantity_milli,
        amount_minor=-amount_minor,
        original=OriginalLine(document=of, line=line),
    )
    tax = amount_minor // 6
    total = msgspec.structs.replace(whole.taxes[0], net_minor=-amount_minor + tax, tax_minor=-tax)
    return msgspec.structs.replace(
        whole,
        lines=(back,),
        taxes=(total,),
        tenders=(Tender(kind="cash", amount_minor=-amount_minor),),
        total_minor=-amount_minor,
    )


class Chain:
    """Three registers of one chain; the first one sold, the others were offline from each other."""

    def __init__(self, hq: HeadOfficeUnderTest) -> None:
        self.hq = hq
        self.seller = SampleJournal(origin=ORIGIN).open(1).sell()
        self.number = DocumentNumber(f"R01-{self.seller.epoch[:5].upper()}-000001")
        self.takers = [
            SampleJournal(key=signing_key(n), origin=origin).open(n) for n, origin in ((2, OTHER), (3, THIRD))
        ]
        for journal, series in zip((self.seller, *self.takers), ("R01", "R02", "R03"), strict=True):
            hq.enrol(journal, series=series)

    def send(self, journal: SampleJournal) -> None:
        self.hq.ingest.receive_batch(journal.origin, journal.batch())

    def bring_back(self, journal: SampleJournal, *, line: int, quantity_milli: int, amount_minor: int) -> str:
        assert journal.head is not None
        number = journal.head.next_document("R01")
        journal.append(
            "return",
            1,
            returned(
                number, self.number, line=line, quantity_milli=quantity_milli, amount_minor=amount_minor
            ),
        )
        return number


@pytest.mark.parametrize("line", [0, 2], ids=["by-code", "by-line"])
@pytest.mark.parametrize("seller_comes", ["first", "last"])
def test_a_receipt_used_at_two_registers_is_told_once_naming_both(
    hq: HeadOfficeUnderTest, hq_pool: Pool, clock: ManualClock, line: int, seller_comes: str
) -> None:
    chain = Chain(hq)
    numbers = [
        chain.bring_back(taker, line=line, quantity_milli=2_000, amount_minor=150) for taker in chain.takers
    ]
    order = [chain.seller, *chain.takers] if seller_comes == "first" else [*chain.takers, chain.seller]
    for journal in order:
        chain.send(journal)
        check_returns(hq_pool, clock)
    clock.advance(AGAIN_AFTER_MS + 1)
    check_returns(hq_pool, clock)
    [(_, told)] = alerts(hq_pool)
    for named in (chain.number, *numbers, "GBP 2.50", "GBP 3.00", "register R02", "register R03"):
        assert named in told, named
    check_returns(hq_pool, clock)
    assert len(alerts(hq_pool)) == 1
    assert hq.verify().differences == ()


def test_what_comes_back_once_is_nobodys_business(
    hq: HeadOfficeUnderTest, hq_pool: Pool, clock: ManualClock
) -> None:
    chain = Chain(hq)
    chain.bring_back(chain.takers[0], line=1, quantity_milli=1_000, amount_minor=100)
    chain.bring_back(chain.takers[1], line=2, quantity_milli=2_000, amount_minor=150)
    for journal in (chain.seller, *chain.takers):
        chain.send(journal)
    assert check_returns(hq_pool, clock) == 1
    assert alerts(hq_pool) == []
    assert check_returns(hq_pool, clock) == 0


def test_a_third_use_of_it_is_told_again(hq: HeadOfficeUnderTest, hq_pool: Pool, clock: ManualClock) -> None:
    chain = Chain(hq)
    for taker in chain.takers:
        chain.bring_back(taker, line=0, quantity_milli=2_000, amount_minor=150)
    for journal in (chain.seller, *chain.takers):
        chain.send(journal)
    check_returns(hq_pool, clock)
    third = chain.bring_back(chain.takers[1], line=0, quantity_milli=1_000, amount_minor=75)
    chain.send(chain.takers[1])
    check_returns(hq_pool, clock)
    told = alerts(hq_pool)
    assert len(told) == 2
    assert third in told[1][1]
    assert third not in told[0][1]


def test_a_return_whose_receipt_never_arrived_waits(
    hq: HeadOfficeUnderTest, hq_pool: Pool, clock: ManualClock
) -> None:
    chain = Chain(hq)
    chain.bring_back(chain.takers[0], line=0, quantity_milli=2_000, amount_minor=150)
    chain.send(chain.takers[0])
    assert check_returns(hq_pool, clock) == 1
    assert check_returns(hq_pool, clock) == 0, "not again at once"
    clock.advance(AGAIN_AFTER_MS + 1)
    assert check_returns(hq_pool, clock) == 1
    assert alerts(hq_pool) == []


def test_both_stores_keep_what_came_back_on_which_receipt(
    hq: HeadOfficeUnderTest, memory_hq: HeadOfficeUnderTest
) -> None:
    for store in (hq, memory_hq):
        chain = Chain(store)
        chain.bring_back(chain.takers[0], line=2, quantity_milli=1_000, amount_minor=75)
        chain.send(chain.takers[0])
    wanted = memory_hq.dump()["document_return"]
    assert len(wanted) == 1
    assert hq.dump()["document_return"] == wanted


def test_what_is_known_of_a_receipt_is_told_line_by_line(hq: HeadOfficeUnderTest, hq_pool: Pool) -> None:
    chain = Chain(hq)
    number = chain.bring_back(chain.takers[0], line=0, quantity_milli=2_000, amount_minor=150)
    chain.send(chain.takers[0])
    known = returns_on(hq_pool, chain.number)
    assert (known.is_here, [back.document for back in known.returns]) == (False, [number])
    chain.send(chain.seller)
    assert returns_on(hq_pool, chain.number).is_here


def test_a_copy_is_an_entry_that_head_office_keeps_and_counts_nowhere(hq: HeadOfficeUnderTest) -> None:
    journal = SampleJournal().open().sell()
    hq.enrol(journal)
    number = DocumentNumber(f"R01-{journal.epoch[:5].upper()}-000001")
    journal.append("receipt_reprinted", 1, ReceiptReprinted(of=number, by=StaffId("c1")))
    hq.ingest.receive_batch(journal.origin, journal.batch())
    assert len(hq.dump()["document"]) == 1
    verified = hq.verify()
    assert (verified.entries, verified.waiting, verified.differences) == (3, 0, ())
