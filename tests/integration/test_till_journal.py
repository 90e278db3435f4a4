"""The till's journal as its sender sees it: pieces that verify, also from a damaged disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from holdfast.core.faults import DatabaseFault
from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import ZERO_HASH, head_holds
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.sync.batch import decode_batch, encode_batch
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.ports import Piece
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey, verify
from holdfast.infra.sqlite import open_database
from holdfast.register.checkout import Checkout
from holdfast.register.till.database import read_till
from holdfast.register.till.journal import TillJournal
from holdfast.register.verify import verify_register
from tests.register_fixture import ORIGIN, make_register, sell_one, selling

PAGE_BYTES = 4096


class NoReceipts:
    def receipts(self) -> Sequence[Receipt]:
        return ()


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
    piece = require(journal_of(home).piece(head.epoch, 1, 100, 1 << 20))
    assert [entry.seq for entry in piece.entries if not entry.readable] == [5]
    assert piece.entries[4].data == b"changed"
    assert piece.head.hash == head.hash


def leaf_pages(home: RegisterHome, table: str) -> list[int]:
    connection = open_database(home.till, DatabaseKey.load(home.database_key))
    sql = "select pageno from dbstat where name = ? and pagetype = 'leaf' order by pageno"
    pages = [row[0] for row in connection.execute(sql, (table,)).fetchall()]
    connection.close()
    assert pages
    return [page for page in pages if isinstance(page, int)]


def damage(home: RegisterHome, page: int) -> None:
    with home.till.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES + 200)
        file.write(b"a bad sector")


def test_a_damaged_page_of_entries_takes_only_what_it_holds(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(20):
            sell_one(checkout, count=2)
        head = checkout.head()
    pages = leaf_pages(home, "entry")
    damage(home, pages[len(pages) // 2])
    journal = journal_of(home)
    piece = require(journal.piece(head.epoch, 1, 100, 1 << 20))
    lost = [entry.seq for entry in piece.entries if not entry.readable]
    assert 0 < len(lost) < 10
    assert len(piece.entries) == head.seq
    assert piece.head.hash == head.hash
    body = encode_batch(ORIGIN, head.epoch, ZERO_HASH, piece.entries, piece.head)
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


def test_an_entry_lost_with_its_link_is_a_fault_and_never_silence(home: RegisterHome) -> None:
    with selling(home) as checkout:
        for _ in range(200):
            sell_one(checkout)
        head = checkout.head()
    damage(home, leaf_pages(home, "chain")[0])
    damage(home, leaf_pages(home, "entry")[0])
    with pytest.raises(DatabaseFault, match="both damaged"):
        journal_of(home).piece(head.epoch, 1, 1_000, 1 << 20)
