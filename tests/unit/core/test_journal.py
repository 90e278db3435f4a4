"""Entries, chain, signed heads and epochs."""

import msgspec
import pytest

from holdfast.core.faults import KeyFault, MalformedFault, TooLargeFault
from holdfast.core.ids import EpochId, document_number, encode_id, segment_of
from holdfast.core.journal import chain, epochs, personal, writer
from holdfast.core.journal.bodies import REGISTRY, EpochOpened
from holdfast.core.journal.entry import MAX_ENTRY_BYTES, Unprojectable, decode_entry
from holdfast.core.journal.fold import RegisterState
from holdfast.core.sale import Sale
from holdfast.infra.keys import verify
from tests.journal_samples import ORIGIN, STAMP, SampleJournal, sale, signing_key


def test_an_entry_is_encoded_once_and_reads_back() -> None:
    journal = SampleJournal().open().sell()
    entry = decode_entry(journal.epochs[journal.epoch][1].data)
    assert (entry.origin, entry.seq, entry.type, entry.date) == (ORIGIN, 2, "sale", STAMP.date)
    body = REGISTRY.decode(entry)
    assert isinstance(body, Sale)
    assert body.document == document_number("R01", journal.epoch, 1)


def test_unknown_types_and_newer_versions_are_values_not_exceptions() -> None:
    journal = SampleJournal().open()
    journal.append("hologram", 1, sale("x")).append("sale", 2, sale("x")).append("sale", 1, STAMP)
    causes = [REGISTRY.decode(decode_entry(e.data)) for e in journal.epochs[journal.epoch][1:]]
    assert [c.cause for c in causes if isinstance(c, Unprojectable)] == [
        "unknown-type", "newer-version", "invalid-body",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff\xfe", b'{"origin":"r"}', b"[" * 10_000],
    ids=["empty", "no fields", "list", "not text", "few fields", "deep"],
)
def test_bytes_that_are_no_entry_raise_one_fault(data: bytes) -> None:
    with pytest.raises(MalformedFault):
        decode_entry(data)


def test_an_entry_too_large_is_refused_at_the_till() -> None:
    journal = SampleJournal().open()
    with pytest.raises(TooLargeFault):
        journal.sell(description="x" * MAX_ENTRY_BYTES)
    assert journal.position.seq == 1


def test_a_changed_byte_changes_every_hash_after_it() -> None:
    data = [entry.data for entry in SampleJournal().open().sell(3).epochs.popitem()[1]]
    whole = list(chain.walk(chain.ZERO_HASH, data))
    data[1] = data[1].replace(b"Tea", b"Tee")
    changed = list(chain.walk(chain.ZERO_HASH, data))
    assert whole[0] == changed[0]
    assert all(a != b for a, b in zip(whole[1:], changed[1:], strict=True))


def test_a_head_holds_only_as_it_was_signed() -> None:
    key, other = signing_key(1), signing_key(2)
    head = chain.sign_head(ORIGIN, EpochId("e"), 3, b"h" * 32, key)
    assert chain.head_holds(head, key.public_bytes, verify)
    assert not chain.head_holds(head, other.public_bytes, verify)
    for changed in (
        msgspec.structs.replace(head, seq=4),
        msgspec.structs.replace(head, epoch=EpochId("f")),
        msgspec.structs.replace(head, hash=b"i" * 32),
        msgspec.structs.replace(head, hash=b"short"),
    ):
        assert not chain.head_holds(changed, key.public_bytes, verify)


class TestEpochsAtStart:
    journal = SampleJournal().open().sell(5)

    def mark(self, seq: int, journal: SampleJournal | None = None) -> chain.Position:
        journal = journal or self.journal
        hash = journal.hash_at(journal.epoch, seq)
        assert hash is not None
        return chain.Position(journal.epoch, seq, hash)

    def test_database_and_mark_agree(self) -> None:
        assert epochs.at_start(self.journal.position, self.mark(6), self.journal.hash_at) is None

    def test_a_mark_that_lags_after_a_power_loss_is_in_order(self) -> None:
        assert epochs.at_start(self.journal.position, self.mark(2), self.journal.hash_at) is None

    def test_a_restored_database_opens_an_epoch_and_claims_what_was_lost(self) -> None:
        older = self.journal.copy()
        ahead = self.mark(6, self.journal)
        entries = older.epochs[older.epoch]
        del entries[4:]
        older.head = writer.Head(epoch=older.epoch, seq=4, hash=entries[3].hash, documents=3)
        why = epochs.at_start(older.position, ahead, older.hash_at)
        assert why is not None
        assert (why.cause, why.claimed_seq) == ("restored", 6)

    def test_the_mark_of_another_branch_opens_an_epoch(self) -> None:
        twin = self.journal.copy().sell(1, total_minor=300)
        self_ahead = self.journal.copy().sell(1)
        assert epochs.at_start(twin.position, self.mark(7, self_ahead), twin.hash_at) is not None

    def test_a_missing_mark_means_another_machine(self) -> None:
        why = epochs.at_start(self.journal.position, None, self.journal.hash_at)
        assert why is not None
        assert why.cause == "restored"

    def test_no_journal_yet(self) -> None:
        why = epochs.at_start(None, None, self.journal.hash_at)
        assert why is not None
        assert why.cause == "enrolled"


class TestEpochsAtContact:
    journal = SampleJournal().open().sell(5)

    def test_a_tip_in_this_chain_is_where_head_office_has_come_to(self) -> None:
        hash = self.journal.hash_at(self.journal.epoch, 3)
        assert hash is not None
        tip = chain.Position(self.journal.epoch, 3, hash)
        assert epochs.at_contact(self.journal.position, (tip,), self.journal.hash_at) is None

    @pytest.mark.parametrize("seq", [4, 60], ids=["inside", "beyond the head"])
    def test_a_foreign_tip_opens_an_epoch(self, seq: int) -> None:
        tip = chain.Position(self.journal.epoch, seq, b"x" * 32)
        why = epochs.at_contact(self.journal.position, (tip,), self.journal.hash_at)
        assert why is not None
        assert (why.cause, why.claimed_seq) == ("forked", max(6, seq))


def test_each_epoch_numbers_in_its_own_segment_and_names_its_parent() -> None:
    journal = SampleJournal().open(1).sell(3)
    parent = journal.position
    journal.open(2, "restored", claimed_seq=9).sell(2)
    opened = REGISTRY.decode(decode_entry(journal.epochs[journal.epoch][0].data))
    assert isinstance(opened, EpochOpened)
    assert opened.parent is not None
    assert (opened.parent.seq, opened.parent.hash, opened.parent.claimed_seq) == (4, parent.hash, 9)
    numbers = [
        body.document
        for entries in journal.epochs.values()
        for entry in entries
        if isinstance(body := REGISTRY.decode(decode_entry(entry.data)), Sale)
    ]
    assert len(set(numbers)) == 5
    assert numbers[-1].endswith("-000002")
    assert segment_of(journal.epoch) in numbers[-1]


def test_the_fold_is_what_the_entries_say() -> None:
    state = RegisterState()
    for entry in SampleJournal().open().sell(3).epochs.popitem()[1]:
        state.apply(decode_entry(entry.data))
    assert state.documents == 3
    assert state.drawer_minor == 750
    assert state.stock_milli == {"A1": -3000, "B2": -6000}


def test_forgetting_a_person_destroys_the_words_and_not_the_chain() -> None:
    key = b"k" * 32
    sealed = personal.seal("p1", key, b"n" * 12, b"Ada Lovelace")
    assert personal.unseal(sealed, key) == b"Ada Lovelace"
    assert personal.unseal(sealed, None) is None
    with pytest.raises(KeyFault):
        personal.unseal(sealed, b"x" * 32)


def test_ids_read_without_doubt() -> None:
    assert encode_id(bytes(16)) == "0" * 26
    assert len(encode_id(bytes(10))) == 16
    assert not set("ilou") & set(encode_id(bytes(range(256))))
