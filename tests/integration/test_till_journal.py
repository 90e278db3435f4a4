"""The till's journal as its sender sees it: pieces that verify, also from a damaged disk."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from holdfast.core.ids import EpochId, IncarnationId
from holdfast.core.journal.chain import ZERO_HASH, Position, head_holds
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.sync.batch import decode_batch, encode_batch
from holdfast.core.sync.messages import Ack, EpochCursor, OfferReply, Receipt, encode, sign_receipt
from holdfast.core.sync.ports import Piece
from holdfast.core.sync.sender import Idle, Policy, Sender
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey, verify
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from holdfast.register.verify import verify_register
from tests import damaged_pages
from tests.register_fixture import HEAD_OFFICE, ORIGIN, make_register, sell_one, selling


class NoReceipts:
    def receipts(self) -> Sequence[Receipt]:
        return ()


class Kept:
    def __init__(self, *receipts: Receipt) -> None:
        self._receipts = receipts

    def receipts(self) -> Sequence[Receipt]:
        return self._receipts


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "register")


@pytest.fixture
def checkout(home: RegisterHome) -> Iterator[Checkout]:
    with selling(home) as opened:
        for _ in range(8):
            sell_one(opened)
        yield opened


def journal_of(home: RegisterHome) -> TillJournal:
    connection = read_till(home, DatabaseKey.load(home.database_key), ORIGIN)
    return TillJournal(connection, SigningKey.load(home.signing_key), NoReceipts())


def require(piece: Piece | None) -> Piece:
    assert piece is not None
    return piece


def test_heads_are_signed_in_order_of_opening_and_seen_as_they_grow(
    home: RegisterHome, checkout: Checkout
) -> None:
    journal = journal_of(home)
    public = SigningKey.load(home.signing_key).public_bytes
    (head,) = journal.heads()
    assert (head.epoch, head.seq, head.hash) == (
        checkout.head().epoch,
        checkout.head().seq,
        checkout.head().hash,
    )
    first = checkout.head().epoch
    checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin"))
    sell_one(checkout)
    heads = journal.heads()
    assert [head.epoch for head in heads] == [first, checkout.head().epoch]
    assert heads[-1].seq == checkout.head().seq == 2
    assert all(head.origin == journal.origin == ORIGIN for head in heads)
    assert all(head_holds(head, public, verify) for head in heads)


def test_pieces_join_without_a_gap_and_end_at_a_signed_head(home: RegisterHome, checkout: Checkout) -> None:
    journal = journal_of(home)
    head = checkout.head()
    next_seq, previous = 1, ZERO_HASH
    while next_seq <= head.seq:
        piece = require(journal.piece(head.epoch, next_seq, 3, 1 << 20))
        assert piece.previous_hash == previous
        assert [entry.seq for entry in piece.entries] == list(range(next_seq, piece.head.seq + 1))
        body = encode_batch(ORIGIN, head.epoch, previous, piece.entries, piece.head)
        assert decode_batch(body).entries[-1].hash == piece.head.hash, "the receiver walks to the same hash"
        next_seq, previous = piece.head.seq + 1, piece.head.hash
    assert previous == head.hash
    assert journal.piece(head.epoch, head.seq + 1, 10, 1 << 20) is None
    assert journal.piece(head.epoch, head.seq + 2, 10, 1 << 20) is None
    assert journal.piece(EpochId("0" * 26), 1, 10, 1 << 20) is None


def test_a_piece_stays_inside_its_bytes_but_holds_at_least_one(
    home: RegisterHome, checkout: Checkout
) -> None:
    journal, epoch = journal_of(home), checkout.head().epoch
    assert len(require(journal.piece(epoch, 1, 100, 1)).entries) == 1
    some = require(journal.piece(epoch, 3, 100, 2_500)).entries
    assert 1 < len(some) < 8
    assert sum(len(entry.data) for entry in some) <= 2_500


def test_a_hash_is_known_for_each_entry_and_for_no_other(home: RegisterHome, checkout: Checkout) -> None:
    journal, head = journal_of(home), checkout.head()
    assert journal.hash_at(head.epoch, head.seq) == head.hash
    for epoch, seq in ((head.epoch, 0), (head.epoch, head.seq + 1), (head.epoch, 1 << 50)):
        assert journal.hash_at(epoch, seq) is None
    assert journal.hash_at(EpochId("0" * 26), 1) is None


def test_a_purged_entry_goes_out_as_its_hash(home: RegisterHome, checkout: Checkout) -> None:
    journal, head = journal_of(home), checkout.head()
    before = require(journal.piece(head.epoch, 1, 100, 1 << 20))
    checkout.purge({head.epoch: 4})
    after = require(journal.piece(head.epoch, 1, 100, 1 << 20))
    assert [entry.hash for entry in after.entries] == [entry.hash for entry in before.entries]
    assert [entry.readable for entry in after.entries] == [False] * 4 + [True] * (head.seq - 4)
    assert {entry.data for entry in after.entries[:4]} == {b""}
    assert after.entries[4:] == before.entries[4:]
    body = encode_batch(ORIGIN, head.epoch, ZERO_HASH, after.entries, after.head)
    assert decode_batch(body).entries[-1].hash == head.hash


def test_a_changed_entry_goes_out_as_unreadable_with_what_remains(
    home: RegisterHome, checkout: Checkout
) -> None:
    head = checkout.head()
    writer = open_database(home.till, DatabaseKey.load(home.database_key))
    writer.execute("update entry set data = cast('changed' as blob) where id & 0xff = 5")
    writer.close()
    journal = journal_of(home)
    before = require(journal.piece(head.epoch, 1, 100, 1 << 20))
    after = require(journal.piece(head.epoch, 5, 100, 1 << 20))
    assert before.head.seq == 4, "what an unreadable entry follows has a signed head of its own"
    assert all(entry.readable for entry in before.entries)
    assert [entry.seq for entry in after.entries if not entry.readable] == [5]
    assert after.entries[0].data == b"changed"
    assert after.head.hash == head.hash


def leaf_pages(home: RegisterHome, table: str) -> list[int]:
    return damaged_pages.leaf_pages(home.till, DatabaseKey.load(home.database_key), table)


def damage(home: RegisterHome, page: int) -> None:
    damaged_pages.damage(home.till, page)


def test_a_damaged_page_of_entries_takes_only_what_it_holds(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(20):
            sell_one(checkout, count=2)
        head = checkout.head()
    pages = leaf_pages(home, "entry")
    damage(home, pages[len(pages) // 2])
    journal = journal_of(home)
    before = require(journal.piece(head.epoch, 1, 100, 1 << 20))
    after = require(journal.piece(head.epoch, before.head.seq + 1, 100, 1 << 20))
    assert all(entry.readable for entry in before.entries)
    lost = [entry.seq for entry in after.entries if not entry.readable]
    assert 0 < len(lost) < 10
    assert len(before.entries) + len(after.entries) == head.seq
    assert after.head.hash == head.hash
    body = encode_batch(ORIGIN, head.epoch, before.head.hash, after.entries, after.head)
    assert decode_batch(body).entries[-1].hash == head.hash
    assert verify_register(home).differences[0].code == "file"


def test_a_damaged_page_of_links_is_made_good_from_the_entries(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(200):
            sell_one(checkout)
        head = checkout.head()
    pages = leaf_pages(home, "chain")
    assert len(pages) > 1
    damage(home, pages[0])
    piece = require(journal_of(home).piece(head.epoch, 1, 1_000, 1 << 20))
    assert len(piece.entries) == head.seq
    assert all(entry.readable for entry in piece.entries)
    assert piece.head.hash == head.hash
    middle = require(journal_of(home).piece(head.epoch, 50, 1_000, 1 << 20))
    assert middle.entries == piece.entries[49:]
    assert middle.previous_hash == piece.entries[48].hash


def test_an_entry_lost_with_its_link_ends_its_epoch_and_is_told_while_others_flow(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(200):
            sell_one(checkout)
        old = checkout.head()
    with selling(home, seed=2) as checkout:
        checkout.open_new_epoch(OpenEpoch("damaged", 0, "a bad disk"))
        for _ in range(3):
            sell_one(checkout)
        new = checkout.head()
    damage(home, leaf_pages(home, "chain")[0])
    damage(home, leaf_pages(home, "entry")[1])
    journal = journal_of(home)
    sent = sent_by(journal)
    assert sent[new.epoch] == new.seq
    assert set(journal.damaged) == {old.epoch}
    assert 0 < sent[old.epoch] == journal.damaged[old.epoch] - 1, "what is proved is sent"


def sent_by(journal: TillJournal, known: Mapping[EpochId, int] | None = None) -> dict[EpochId, int]:
    """How far a sender brings each epoch to a receiver that holds `known`."""
    sender = Sender(journal, policy=Policy(), jitter=lambda: 0.5)
    held = dict(known or {})
    incarnation = IncarnationId("i")
    for _ in range(100):
        step = sender.poll(0)
        if isinstance(step, Idle):
            return held
        if step.head is None:
            cursors = tuple(
                EpochCursor(epoch=epoch, tips=(), known_sample=seq) for epoch, seq in held.items()
            )
            sender.on_reply(encode(OfferReply(incarnation=incarnation, time_ms=0, cursors=cursors)), 0)
        else:
            batch = decode_batch(step.body)
            assert batch.header.first_seq == held.get(batch.header.epoch, 0) + 1
            held[batch.header.epoch] = step.head.seq
            tip = Position(step.head.epoch, step.head.seq, step.head.hash)
            sender.on_reply(encode(Ack(incarnation=incarnation, time_ms=0, held=tip)), 0)
    raise AssertionError("it never came to an end")


def test_a_bad_page_of_links_whose_entries_were_purged_stops_nothing(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(400):
            sell_one(checkout)
        purged = checkout.head().seq - 5
        checkout.purge({checkout.head().epoch: purged})
        for _ in range(2):
            sell_one(checkout)
        head = checkout.head()
    damage(home, leaf_pages(home, "chain")[0])
    journal = journal_of(home)
    assert journal.hash_at(head.epoch, 1) is None, "nothing proves it any more"
    assert sent_by(journal, {head.epoch: purged}) == {head.epoch: head.seq}
    assert not journal.damaged


def test_a_receipt_proves_a_link_whose_page_and_entries_are_gone(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(200):
            sell_one(checkout)
        head = checkout.head()
    whole = journal_of(home)
    hash, later = whole.hash_at(head.epoch, 20), whole.hash_at(head.epoch, 22)
    assert hash is not None
    receipt = sign_receipt("applied", IncarnationId("i"), ORIGIN, Position(head.epoch, 20, hash), HEAD_OFFICE)
    with selling(home, seed=2) as checkout:
        checkout.purge({head.epoch: 20})
    damage(home, leaf_pages(home, "chain")[0])
    connection = read_till(home, DatabaseKey.load(home.database_key), ORIGIN)
    signer = SigningKey.load(home.signing_key)
    assert TillJournal(connection, signer, NoReceipts()).hash_at(head.epoch, 22) is None
    journal = TillJournal(connection, signer, Kept(receipt))
    assert journal.hash_at(head.epoch, 22) == later
    piece = require(journal.piece(head.epoch, 21, 1_000, 1 << 20))
    assert piece.previous_hash == hash
    assert piece.head.hash == head.hash


def test_the_bad_page_of_a_closed_epochs_head_keeps_no_other_from_being_sent(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(30):
            sell_one(checkout)
        old = checkout.head()
    with selling(home, seed=2) as checkout:
        checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin"))
        for _ in range(300):
            sell_one(checkout)
        new = checkout.head()
        owed = checkout.owed({})
    damage(home, leaf_pages(home, "chain")[0])
    journal = journal_of(home)
    assert [(head.epoch, head.seq) for head in journal.heads()] == [
        (old.epoch, old.seq),
        (new.epoch, new.seq),
    ]
    assert sent_by(journal) == {old.epoch: old.seq, new.epoch: new.seq}
    with selling(home, seed=3) as checkout:
        assert checkout.owed({}) == owed
        assert checkout.owed({old.epoch: 12}).count == owed.count - 10
        assert checkout.owed({old.epoch: old.seq, new.epoch: new.seq}).count == 0
