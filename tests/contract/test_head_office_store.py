"""The port's contract: both stores answer alike and end in the same state, whatever comes in."""

from collections.abc import Callable

import msgspec
import pytest

from holdfast.core.faults import MalformedFault, SignatureFault, TooLargeFault
from holdfast.core.ids import CustomerNumber, EpochId, IncarnationId, OriginId, Sku, epoch_id
from holdfast.core.journal.bodies import RETIRED, EpochClosed, EpochOpened, KeyRotated, Parent
from holdfast.core.journal.chain import link
from holdfast.core.journal.writer import Head
from holdfast.core.sale import Sale, SaleLine, StockAdjusted, StockLine, Tender
from holdfast.core.sync.batch import StoredEntry
from holdfast.core.sync.messages import Ack, HeartbeatReply, OfferReply, encode
from holdfast.core.sync.receiver import Refused
from holdfast.hq.store.port import SKEWS_KEPT
from tests.hq_fixtures import INCARNATION, HeadOfficeUnderTest, memory_head_office
from tests.hq_messages import HEARD, heartbeat_of, offer_of
from tests.journal_samples import STAMP, SampleJournal, sale, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

Scenario = Callable[[HeadOfficeUnderTest], list[object]]
SCENARIOS: list[Scenario] = []


def scenario(function: Scenario) -> Scenario:
    """Both stores go through it."""
    SCENARIOS.append(function)
    return function


# ---- helpers -----------------------------------------------------------------------------------


def another(n: int) -> SampleJournal:
    return SampleJournal(key=signing_key(n), origin=OriginId(f"reg{n:02}"))


def send(
    hq: HeadOfficeUnderTest, journal: SampleJournal, first_seq: int = 1, count: int = 1_000
) -> Ack | Refused:
    return hq.ingest.receive_batch(journal.origin, journal.batch(first_seq, count))


def offer(hq: HeadOfficeUnderTest, journal: SampleJournal) -> OfferReply | Refused:
    return hq.ingest.receive_offer(journal.origin, encode(offer_of(journal)))


def beat(
    hq: HeadOfficeUnderTest, journal: SampleJournal, clock_ms: int | None = None, **fields: object
) -> HeartbeatReply:
    at_ms = hq.clock.now_ms() if clock_ms is None else clock_ms
    return hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, at_ms, **fields))


def append_raw(journal: SampleJournal, data: bytes, *, readable: bool = True) -> None:
    """Bytes that no writer of ours makes."""
    head = journal.head
    assert head is not None
    hash = link(head.hash, data) if readable else link(head.hash, b"what it was")
    journal.epochs[head.epoch].append(StoredEntry(head.seq + 1, hash, data, readable))
    journal.head = Head(epoch=head.epoch, seq=head.seq + 1, hash=hash, documents=head.documents)


def of_type(journal: SampleJournal, type: str, version: int) -> None:
    journal.append(type, version, sale(f"X-{type}-{version}"))


# ---- scenarios ---------------------------------------------------------------------------------


@scenario
def nothing(hq: HeadOfficeUnderTest) -> list[object]:
    return []


@scenario
def a_journal_in_pieces(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(25)
    hq.enrol(journal)
    return [send(hq, journal, seq, 7) for seq in range(1, 27, 7)]


@scenario
def the_same_again_and_overlapping(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(10)
    hq.enrol(journal)
    return [send(hq, journal, first, count) for first, count in ((1, 5), (1, 5), (3, 6), (2, 3), (1, 11))]


@scenario
def copies_that_end_equally_high(hq: HeadOfficeUnderTest) -> list[object]:
    """Neither is ahead of the other, so that only a question tells each that there are two (P4)."""
    journal = SampleJournal().open().sell(5)
    hq.enrol(journal)
    twin = journal.copy()
    journal.sell(1)
    twin.sell(1, total_minor=700)
    answers: list[object] = [send(hq, journal)]
    alone = beat(hq, journal)
    answers += [alone, send(hq, twin), beat(hq, twin), beat(hq, journal)]
    assert [reply.offer for reply in answers if isinstance(reply, HeartbeatReply)] == [False, True, True]
    return answers


@scenario
def a_gap(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(10)
    hq.enrol(journal)
    return [send(hq, journal, 4, 3), send(hq, journal, 1, 3), send(hq, journal, 6, 3), offer(hq, journal)]


@scenario
def two_copies_that_both_sell(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(5)
    hq.enrol(journal)
    twin = journal.copy()
    journal.sell(3)
    twin.sell(4, total_minor=700)
    answers: list[object] = [send(hq, journal), send(hq, twin), send(hq, twin), send(hq, journal)]
    twin.sell(2)
    journal.sell(1)
    answers += [send(hq, twin, 11, 10), send(hq, journal, 10, 10), offer(hq, twin), offer(hq, journal)]
    third = journal.copy()
    third.epochs[third.epoch] = third.epochs[third.epoch][:7]
    third.head = Head(epoch=journal.epoch, seq=7, hash=third.epochs[third.epoch][-1].hash, documents=6)
    third.sell(2, description="Coffee")
    return [*answers, offer(hq, third), send(hq, third), send(hq, third, 8, 9), offer(hq, third)]


@scenario
def what_cannot_be_read_waits(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(2)
    hq.enrol(journal)
    of_type(journal, "gift_card_sold", 1)
    of_type(journal, "sale", 9)
    append_raw(journal, b"\x00\xff not an entry \\N\t\n")
    append_raw(journal, journal.epochs[journal.epoch][1].data)
    append_raw(journal, b"what remains", readable=False)
    journal.append("sale", 1, EpochClosed(cause="a body of another type"))
    journal.sell(2)
    return [send(hq, journal), send(hq, journal, 8), hq.ingest.retry_quarantine()]


@scenario
def what_a_database_cannot_hold_waits(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(1)
    hq.enrol(journal)
    journal.sell(1, description="Tea \x00 with NUL")
    journal.sell(1, total_minor=1 << 63)
    journal.sell(1, description="x" * 5_000)
    whole = sale("R01-LINES", total_minor=500)
    journal.append("sale", 1, msgspec.structs.replace(whole, lines=whole.lines[1:]))
    journal.append("sale", 1, msgspec.structs.replace(whole, tenders=()))
    journal.sell(1, description='back\\slash\ttab\nline\r "quoted" {brace} None \\N é 漢')
    return [send(hq, journal)]


@scenario
def what_no_index_holds_waits(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open()
    hq.enrol(journal)
    long = "漢" * 3_000
    journal.append("sale", 1, sale(long)).sell(1, reference=long).sell(1)
    line = SaleLine(
        line=1, sku=Sku(long), description="", quantity_milli=1, unit_price_e4=0, amount_minor=0, tax_code="S"
    )
    journal.append(
        "sale", 1, msgspec.structs.replace(sale("R01-1"), lines=(line,), taxes=(), tenders=(), total_minor=0)
    )
    huge = Parent(epoch=epoch_id(bytes(16)), seq=1 << 70, hash=bytes(32), claimed_seq=1 << 80)
    body = EpochOpened(cause="restored", series="R01", segment="x\x00", software="", key_id="")
    journal.append("epoch_opened", 1, msgspec.structs.replace(body, segment="S", parent=huge))
    journal.append("epoch_opened", 1, body)
    return [send(hq, journal), offer(hq, journal)]


@scenario
def names_that_are_no_names(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open()
    hq.enrol(journal)
    answers: list[object] = []
    for epoch in ("a\x00b", "", "É" * 26, "x" * 100_000):
        odd = SampleJournal()
        odd.epochs[EpochId(epoch)] = list(journal.epochs[journal.epoch])
        odd.head = Head(epoch=EpochId(epoch), seq=1, hash=journal.position.hash, documents=0)
        answers += [hq.ingest.receive_batch(journal.origin, odd.batch()), offer(hq, odd)]
        with pytest.raises(MalformedFault):
            beat(hq, odd)
    answers.append(hq.ingest.receive_batch(OriginId("no\x00body"), journal.batch()))
    with pytest.raises(SignatureFault):
        hq.ingest.heartbeat(OriginId("no\x00body"), heartbeat_of(journal, 1))
    with pytest.raises(TooLargeFault):
        beat(hq, journal, software="x" * 100_000)
    forged = journal.copy()
    forged.key = signing_key(8)
    with pytest.raises(SignatureFault):
        beat(hq, forged)
    return answers


@scenario
def customers_and_codes_that_look_like_nothing(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open()
    hq.enrol(journal)
    for number, customer in enumerate(("None", "\\N", "null", "", "a\tb", 'x"y\\z,{}'), 1):
        line = SaleLine(
            line=1, sku=Sku(customer or " "), description=customer, quantity_milli=1000, unit_price_e4=0,
            amount_minor=0, tax_code=customer,
        )  # fmt: skip
        body = Sale(
            document=sale(f"R01-{number}").document, transaction=sale("t").transaction, currency="GBP",
            lines=(line,), taxes=(), tenders=(Tender(kind="cash", amount_minor=0, reference=customer),),
            total_minor=0, began_at_ms=STAMP.at_ms, customer=CustomerNumber(customer), note=customer,
        )  # fmt: skip
        journal.append("sale", 1, body)
    return [send(hq, journal)]


@scenario
def references_stand_once_in_the_chain(hq: HeadOfficeUnderTest) -> list[object]:
    first, second = another(1).open(), another(2).open(2)
    hq.enrol(first, "R01")
    hq.enrol(second, "R02", store="S2")
    first.sell(1, reference="536365").sell(1, reference="536366").sell(1, reference="536365")
    second.sell(1, reference="536366").sell(1, reference="536365", description="Something else")
    second.sell(1, reference="A\\B\tC")
    return [send(hq, first), send(hq, second), send(hq, first), hq.ingest.retry_quarantine()]


@scenario
def a_restored_register_opens_an_epoch(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(4)
    hq.enrol(journal)
    answers: list[object] = [send(hq, journal), offer(hq, journal)]
    journal.open(2, "restored", claimed_seq=9).sell(2)
    answers += [offer(hq, journal), send(hq, journal), offer(hq, journal)]
    journal.open(3, "restored", claimed_seq=3).sell(1)
    journal.append("epoch_closed", 1, EpochClosed(cause="replaced"))
    return [*answers, send(hq, journal), offer(hq, journal)]


@scenario
def a_register_that_retires_makes_room_in_its_series(hq: HeadOfficeUnderTest) -> list[object]:
    journal, other = another(1).open().sell(2), another(2).open(2).sell(1)
    hq.enrol(journal)
    journal.append("epoch_closed", 1, EpochClosed(cause=RETIRED))
    answers: list[object] = [send(hq, journal)]
    with hq.store.transaction(None) as transaction:
        known = transaction.known(OriginId(journal.origin), "R01")
    assert (known.retired, known.series_of) == (True, None)
    hq.enrol(other, "R01")
    return [*answers, send(hq, other), offer(hq, journal)]


@scenario
def a_parent_that_never_came(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(4)
    hq.enrol(journal)
    journal.open(2, "restored", claimed_seq=12).sell(1)
    answers: list[object] = [send(hq, journal), offer(hq, journal)]
    first = next(iter(journal.epochs))
    answers.append(hq.ingest.receive_batch(journal.origin, journal.batch(1, 100, first)))
    return [*answers, offer(hq, journal)]


@scenario
def movements_of_stock_and_accounts(hq: HeadOfficeUnderTest) -> list[object]:
    journal, other = another(1).open(), another(2).open(2)
    hq.enrol(journal)
    hq.enrol(other, "R02")
    for number in (1, 2):
        journal.append(
            "stock_adjusted",
            1,
            StockAdjusted(
                document=sale(f"R01-A-{number}").document,
                reason="broken",
                at_ms=STAMP.at_ms,
                lines=(
                    StockLine(line=1, sku=Sku("A1"), quantity_milli=-3_000, description="Tea"),
                    StockLine(line=2, sku=Sku("a1"), quantity_milli=500, unit_price_e4=-7),
                ),
            ),
        )
    journal.sell(3)
    other.sell(2)
    return [send(hq, journal), send(hq, other)]


@scenario
def keys_rotate(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(1)
    hq.enrol(journal)
    fresh = signing_key(9)
    journal.append("key_rotated", 1, KeyRotated(key_id=fresh.key_id, public_key=fresh.public_bytes))
    answers: list[object] = [send(hq, journal)]
    journal.key = fresh
    journal.sell(2)
    return [*answers, send(hq, journal, 4, 10), beat(hq, journal)]


@scenario
def sums_beyond_all_bounds_wait(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(1)
    hq.enrol(journal)
    most = (1 << 63) - 1
    journal.sell(1, total_minor=most).sell(1).sell(1, total_minor=most).sell(3)
    return [send(hq, journal), send(hq, journal), hq.ingest.retry_quarantine()]


@scenario
def heartbeats_and_claims(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(3)
    hq.enrol(journal)
    answers: list[object] = [beat(hq, journal)]
    for sales in range(1, 25):
        journal.sell(1)
        if sales % 4 == 0:
            hq.clock.advance(7_000)
        answers.append(beat(hq, journal, owed_dates=("2026-09-21",)))
    answers += [send(hq, journal, 1, 20), offer(hq, journal), send(hq, journal, 21, 50), offer(hq, journal)]
    hq.clock.jump_to(4_070_000_000_000)
    return [*answers, beat(hq, journal)]


@scenario
def an_old_word_said_again(hq: HeadOfficeUnderTest) -> list[object]:
    """It is the register's own, signed by its key, and it was true: it refreshes nothing."""
    journal = SampleJournal().open().sell(3)
    hq.enrol(journal)
    old = heartbeat_of(journal, hq.clock.now_ms(), owed_count=0)
    answers: list[HeartbeatReply] = [hq.ingest.heartbeat(journal.origin, old)]
    unnamed = heartbeat_of(journal, hq.clock.now_ms(), nonce="")
    journal.sell(1)
    answers.append(beat(hq, journal, owed_count=1))
    stands = hq.dump()
    hq.clock.advance(86_400_000)
    for again in (old, unnamed, heartbeat_of(journal, 0, nonce=answers[0].nonce)):
        answers.append(hq.ingest.heartbeat(journal.origin, again))
        assert hq.dump() == stands
    answers.append(beat(hq, journal))
    assert [answer.again for answer in answers] == [False, False, True, True, True, False]
    with hq.store.transaction(None) as transaction:
        transaction.begin_incarnation(INCARNATION, IncarnationId("life2"), 0, "restored", "")
    late = beat(hq, journal)
    assert late.again, "said to another life"
    assert hq.ingest.heartbeat(journal.origin, old).again
    return [*answers, late, beat(hq, journal)]


@scenario
def a_first_word_names_the_life_or_is_said_again(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open()
    hq.enrol(journal)
    answers = [beat(hq, journal, nonce=nonce) for nonce in ("", "life0", "life1")]
    assert [answer.again for answer in answers] == [True, True, True]
    return [*answers, beat(hq, journal)]


@scenario
def a_clock_of_another_age(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(1)
    hq.enrol(journal)
    answers: list[object] = []
    for clock_ms in (1_546_300_800_000, 4_070_908_800_000, hq.clock.now_ms(), hq.clock.now_ms() + 500):
        answers.append(beat(hq, journal, clock_ms))
        hq.clock.advance(1_000)
    return answers


@scenario
def a_clock_that_never_settles(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open()
    hq.enrol(journal)
    with hq.store.transaction(journal.origin) as transaction:
        for at_ms in range(SKEWS_KEPT + 20):
            transaction.record_skew(journal.origin, -at_ms, at_ms)
        return [transaction.news(journal.origin)]


@scenario
def what_does_not_authenticate_is_no_record(hq: HeadOfficeUnderTest) -> list[object]:
    journal, stranger, foreign = (
        SampleJournal().open().sell(3),
        another(7).open(7).sell(1),
        another(2).open(2),
    )
    hq.enrol(journal)
    hq.enrol(foreign, "R02")
    forged = journal.copy()
    forged.key = signing_key(8)
    answers: list[object] = [
        hq.ingest.receive_batch(journal.origin, forged.batch()),
        hq.ingest.receive_batch(journal.origin, foreign.batch()),
        hq.ingest.receive_batch(stranger.origin, stranger.batch()),
        hq.ingest.receive_batch(journal.origin, journal.batch()[:-3]),
        hq.ingest.receive_batch(journal.origin, b"HFB1" + bytes(100)),
        hq.ingest.receive_offer(journal.origin, b"{}"),
        hq.ingest.receive_offer(foreign.origin, encode(offer_of(journal))),
    ]
    return [*answers, send(hq, journal)]


@scenario
def a_store_server_brings_what_its_registers_wrote(hq: HeadOfficeUnderTest) -> list[object]:
    own, elsewhere = another(1).open(1).sell(2), another(2).open(2).sell(2)
    server = another(3).open(3)
    hq.enrol(own, "R01", "S1")
    hq.enrol(elsewhere, "R02", "S2")
    hq.enrol(server, "SRV", "S1", kind="store")
    answers: list[object] = []
    for journal in (own, elsewhere, server):
        answers += [
            hq.ingest.receive_batch(server.origin, journal.batch()),
            hq.ingest.receive_offer(server.origin, encode(offer_of(journal))),
        ]
    answers.append(hq.ingest.heartbeat(server.origin, heartbeat_of(own, hq.clock.now_ms())))
    with pytest.raises(SignatureFault):
        hq.ingest.heartbeat(server.origin, heartbeat_of(elsewhere, hq.clock.now_ms()))
    with pytest.raises(SignatureFault):
        hq.ingest.heartbeat(own.origin, heartbeat_of(server, hq.clock.now_ms()))
    return [*answers, hq.ingest.receive_batch(own.origin, server.batch())]


@scenario
def a_head_office_that_lost_state(hq: HeadOfficeUnderTest) -> list[object]:
    """Receipts of this life over what is not here: as a database that somebody put back shows them."""
    lost = SampleJournal().open().sell(6)
    with memory_head_office() as former:
        former.enrol(lost)
        ack = send(former, lost)
        assert isinstance(ack, Ack)
        assert ack.applied is not None
        lost.kept = [ack.applied]
    hq.enrol(lost)
    answers: list[object] = [send(hq, lost, 1, 3), offer(hq, lost), offer(hq, lost), send(hq, lost)]
    return [*answers, offer(hq, lost)]


@scenario
def a_head_office_put_back_before_its_present_life(hq: HeadOfficeUnderTest) -> list[object]:
    """Its own signature over a life that it does not know proves the loss, once."""
    ahead, other = another(1).open(1).sell(3), another(2).open(2).sell(1)
    with memory_head_office() as later:
        later.enrol(ahead, "R01")
        later.enrol(other, "R02")
        with later.store.transaction(None) as transaction:
            transaction.begin_incarnation(
                transaction.incarnation(), IncarnationId("life2"), 0, "restored", ""
            )
        for journal in (ahead, other):
            ack = send(later, journal)
            assert isinstance(ack, Ack)
            assert ack.applied is not None
            journal.kept = [ack.applied]
    hq.enrol(ahead, "R01")
    hq.enrol(other, "R02")
    forged = ahead.copy()
    forged.kept = [msgspec.structs.replace(ahead.kept[0], incarnation=IncarnationId("life9"))]
    odd = ahead.copy()
    odd.kept = [msgspec.structs.replace(ahead.kept[0], incarnation=IncarnationId("no\x00life"))]
    answers: list[object] = []
    for journal in (forged, odd, ahead, ahead, other):
        answers += [offer(hq, journal), hq.ingest.incarnation()]
    lives = [answer for answer in answers if isinstance(answer, str)]
    assert lives[:2] == ["life1", "life1"]
    assert lives[2] not in ("life1", "life2")
    assert lives[3:] == [lives[2], lives[2]]
    return [*answers, send(hq, ahead), offer(hq, ahead)]


@scenario
def a_head_office_that_lost_feeds(hq: HeadOfficeUnderTest) -> list[object]:
    """A register runs on a version of this life, or on a life, that is not here: state was lost."""
    journal = SampleJournal().open()
    hq.enrol(journal)
    lives: list[object] = [beat(hq, journal, feeds={"prices": ("life1", 0), "later": ("life1", 7)})]
    for feeds in ({"prices": ("life1", 50)}, {"taxes": ("life0", 1)}, {"prices": ("life1", 50)}):
        lives.append(beat(hq, journal, feeds=feeds).incarnation)
        hq.clock.advance(3_600_000)
    assert len(set(lives[1:])) == 2
    again = beat(hq, journal, feeds={"prices": (str(lives[-1]), 3)}).incarnation
    assert again not in lives
    assert beat(hq, journal, feeds={"prices": (again, 3)}).incarnation == again, "not twice in an hour"
    return [*lives, again]


def damaged_copy(journal: SampleJournal, *seqs: int) -> SampleJournal:
    """The same journal off a disk that lost the bytes of these entries."""
    copy = journal.copy()
    entries = copy.epochs[journal.epoch]
    for seq in seqs:
        entries[seq - 1] = StoredEntry(seq, entries[seq - 1].hash, b"re\x00mains", False)
    return copy


def send_all(hq: HeadOfficeUnderTest, journal: SampleJournal, first_seq: int = 1) -> list[object]:
    """Piece after piece to its head, as a sender does."""
    answers: list[object] = []
    while first_seq <= journal.position.seq:
        answer = send(hq, journal, first_seq)
        assert isinstance(answer, Ack)
        assert answer.held is not None
        answers.append(answer)
        first_seq = answer.held.seq + 1
    return answers


@scenario
def what_was_unreadable_is_completed_when_its_bytes_come(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(2).sell(1, reference="536365")
    hq.enrol(journal)
    fresh = signing_key(9)
    journal.append("key_rotated", 1, KeyRotated(key_id=fresh.key_id, public_key=fresh.public_bytes))
    of_type(journal, "gift_card_sold", 1)
    journal.sell(1, reference="536365").sell(2)
    with memory_head_office() as undamaged:
        undamaged.enrol(journal)
        send(undamaged, journal)
        wanted = undamaged.dump()
    answers = send_all(hq, damaged_copy(journal, 2, 4, 5, 6, 8))
    waiting = len(rows_of(hq, "quarantine")) - len(rows_of(hq, "resolved"))
    assert (len(answers), waiting, len(rows_of(hq, "document"))) == (4, 5, 3)
    partly = damaged_copy(journal, 5, 8)
    answers += [*send_all(hq, partly), hq.ingest.retry_quarantine(), *send_all(hq, journal, 4)]
    done = hq.dump()
    journal.key = fresh
    answers += [
        *send_all(hq, journal),
        *send_all(hq, damaged_copy(journal, 2, 3)),
        hq.ingest.retry_quarantine(),
    ]
    for table in ("entry", "document", "document_line", "reference", "origin_key", "quarantine", "resolved"):
        assert rows_of(hq, table) == done[table], table
    for table in ("stock_level", "register_day", "origin_key"):
        assert rows_of(hq, table) == wanted[table], table
    assert [row[3] for row in done["entry"] if row[7] == "quarantined"] == ["gift_card_sold"]
    return answers


@scenario
def what_was_unreadable_in_one_branch_is_completed_through_another(hq: HeadOfficeUnderTest) -> list[object]:
    journal = SampleJournal().open().sell(3)
    hq.enrol(journal)
    twin = journal.copy().sell(2, total_minor=700)
    journal.sell(3)
    answers = send_all(hq, damaged_copy(journal, 3, 4, 6))
    answers += send_all(hq, damaged_copy(twin, 5, 6))
    assert len(rows_of(hq, "document")) == 3 + 2, "what both share is completed already"
    return [*answers, *send_all(hq, twin), *send_all(hq, damaged_copy(journal, 2)), *send_all(hq, journal)]


def rows_of(hq: HeadOfficeUnderTest, table: str) -> list[tuple[object, ...]]:
    return hq.dump()[table]


# ---- the contract ------------------------------------------------------------------------------


@pytest.mark.parametrize("run", SCENARIOS, ids=lambda run: run.__name__)
def test_both_stores_answer_alike_and_end_alike(
    run: Scenario, memory_hq: HeadOfficeUnderTest, postgres_hq: HeadOfficeUnderTest
) -> None:
    answers = []
    for hq in (memory_hq, postgres_hq):
        HEARD.clear()
        answers.append(run(hq))
    assert answers[0] == answers[1]
    found, wanted = postgres_hq.dump(), memory_hq.dump()
    assert found.keys() == wanted.keys()
    for table, rows in wanted.items():
        assert found[table] == rows, table
    assert postgres_hq.verify().differences == ()
